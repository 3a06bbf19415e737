#!/usr/bin/env python3
"""A project of many annotation tasks: how long its import takes, the next task, an answer, and its lists. annotate.py SLIPWAY [TASKS]"""
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

SLIPWAY, COUNT = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
LISTS = ["", "/tasks?max_results=50", "/tasks?state=answered&max_results=50", "/tasks?label=good&annotator=a1", f"/tasks?text=number%20{COUNT * 9 // 10}", "/review", "/progress",
         "/agreement"]
PROJECT = "annotate:\n  questions: [classification]\n  classes: [good, bad]\n  overlap: 2\n  tasks: [t.jsonl]\n"


def told(times):
    return f"median {statistics.median(times):.2f}, p95 {sorted(times)[int(len(times) * 0.95)]:.2f}, at most {max(times):.2f} ms"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with open(folder / "t.jsonl", "w", encoding="ascii") as file:
            for i in range(COUNT):
                file.write(json.dumps({"id": i, "text": f"review number {i} is about a film that was {'good' if i % 2 else 'bad'} and long enough to read"}) + "\n")
        (folder / "p.yaml").write_text(PROJECT, encoding="ascii")
        begin = time.perf_counter()
        subprocess.run([SLIPWAY, "annotate", "p.yaml", "--import-only", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        print(f"import of {COUNT:,} tasks: {time.perf_counter() - begin:.1f} s")
        server = subprocess.Popen([SLIPWAY, "annotate", "p", "--port", "0", "--ready-file", "ready"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not (folder / "ready").exists() or not (folder / "ready").read_text():
                assert server.poll() is None, "the server ended"
                time.sleep(0.02)
            address = urllib.parse.urlparse(json.loads((folder / "ready").read_text())["url"])
            connection = http.client.HTTPConnection(address.hostname, address.port)

            def ask(method, path, body=None):
                start = time.perf_counter()
                connection.request(method, "/api/ui/annotation/p" + path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                elapsed = (time.perf_counter() - start) * 1e3
                assert answer.status == 200, (path, answer.status, text[:300])
                return json.loads(text), elapsed

            following, saving = [], []
            for i in range(300):
                who = f"a{i % 3}"
                work, elapsed = ask("POST", "/next", {"annotator": who})
                following.append(elapsed)
                task = work["work"]["task"]
                answer = {"classes": ["good" if "good" in task["text"] else "bad"]}
                saving.append(ask("PUT", f"/tasks/{task['id']}/answer", {"annotator": who, "revision": 0, "answer": answer})[1])
            print("next task:", told(following), "\nanswer, durable:", told(saving))
            for path in LISTS:
                print(f"{path or 'the project'}:", told([ask("GET", path)[1] for _ in range(5)]))
        finally:
            server.terminate()
            server.wait()


main()
