#!/usr/bin/env python3
"""The disk fails below `slipway server`: disk_faults.py SLIPWAY SHIM [POINTS]

A library that is preloaded (disk_shim.cc) lets the k-th fsync fail with EIO, or the k-th write with ENOSPC, for POINTS values of k each: once and then
well again, or from then on. Under it one client creates runs, sends batches, uploads files and moves a tag. What was answered with 200 must be
there after a restart on a sound disk; what failed must have been told (5xx, in words), reads must go on, and the record must be whole. After
a failed fsync of the database nothing more may be acknowledged until a restart: what the system kept of it is not known.
"""
import hashlib, http.client, json, os, pathlib, random, signal, subprocess, sys, tempfile, time

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/"


class Server:
    def __init__(self, slipway, folder, shim=None, fault=None):
        self.ready = folder / "ready.json"
        self.ready.unlink(missing_ok=True)
        self.log = folder / "faults.log"
        self.log.unlink(missing_ok=True)
        environment = dict(os.environ)
        if shim:
            environment |= {"LD_PRELOAD": shim, "SLIPWAY_FAULT": fault, "SLIPWAY_FAULT_DIR": str(folder / "record"), "SLIPWAY_FAULT_LOG": str(self.log)}
        self.errors = open(folder / "stderr", "w+")
        self.process = subprocess.Popen([slipway, "server", "--port", "0", "--data", str(folder / "record"), "--ready-file", str(self.ready)],
                                        stdout=subprocess.DEVNULL, stderr=self.errors, env=environment)
        while not self.ready.exists() and self.process.poll() is None:
            time.sleep(0.002)
        self.started = self.process.poll() is None
        if self.started:
            port = int(json.loads(self.ready.read_text())["url"].rsplit(":", 1)[1])
            self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None):
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        self.http.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body), {"Content-Type": kind})
        answer = self.http.getresponse()
        return answer.status, answer.read()

    def faults(self):
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def load(server, generator, rounds):
    """Writes until `rounds` are done; returns what was acknowledged as [(path, check)], and how many failed."""
    acknowledged, failed, last = [], 0, None
    for i in range(rounds):
        kind = generator.choice(["run", "file", "tag"])
        if kind == "file":
            content = generator.randbytes(generator.choice([10, 5000, 200_000]))
            path = f"{FILES}{generator.randrange(10**12)}"
            status, body = server.ask("PUT", path, content)
            check = (path, lambda found, digest=hashlib.sha256(content).hexdigest(): hashlib.sha256(found).hexdigest() == digest)
        elif kind == "run":
            status, body = server.ask("POST", API + "runs/create", {"experiment_id": "0", "start_time": 1})
            if status == 200:
                run_id = json.loads(body)["run"]["info"]["run_id"]
                acknowledged.append((f"{API}runs/get?run_id={run_id}", lambda found: True))
                status, body = server.ask("POST", API + "runs/log-batch", {"run_id": run_id, "metrics": [
                    {"key": "m", "value": n, "timestamp": n, "step": n} for n in range(100)]})
                check = (f"{API}metrics/get-history?run_id={run_id}&metric_key=m", lambda found: len(json.loads(found)["metrics"]) == 100)
        else:
            value = str(i)
            status, body = server.ask("POST", API + "experiments/set-experiment-tag", {"experiment_id": "0", "key": "k", "value": value})
            last = value if status == 200 else last
            check = None
        if status == 200:
            if check:
                acknowledged.append(check)
        else:
            failed += 1
            assert status >= 500 and body, (status, body)
            status, _ = server.ask("GET", API + "experiments/get?experiment_id=0")  # reading goes on
            assert status == 200, f"reads stopped: {status}"
    return acknowledged, failed, last


def one(slipway, shim, folder, fault, seed):
    """Returns (faults that happened, requests that failed, writes that were acknowledged)."""
    generator = random.Random(seed)
    server = Server(slipway, folder, shim, fault)
    acknowledged, failed, last = [], 0, None
    if server.started:
        acknowledged, failed, last = load(server, generator, 12)
    else:
        server.errors.seek(0)
        said = server.errors.read()
        assert server.faults() and "slipway" in said and server.process.returncode in (1, 4, 7), (server.process.returncode, said)
    happened = server.faults()
    server.kill()
    assert not failed or happened, "requests failed on a sound disk"
    sound = Server(slipway, folder)
    assert sound.started, "it does not start again"
    for path, held in acknowledged:
        status, body = sound.ask("GET", path)
        assert status == 200 and held(body), f"lost, though it was answered: {path}: {status} {body[:200]}"
    if last is not None:
        tags = json.loads(sound.ask("GET", API + "experiments/get?experiment_id=0")[1])["experiment"]["tags"]
        assert any(tag["key"] == "k" and int(tag["value"]) >= int(last) for tag in tags), (tags, last)
    assert sound.ask("POST", API + "runs/create", {"experiment_id": "0", "start_time": 1})[0] == 200, "it does not write again"
    sound.kill()
    verify = subprocess.run([slipway, "--store", str(folder / "record"), "store", "verify"], capture_output=True, text=True, timeout=600)
    assert verify.returncode == 0, verify.stdout + verify.stderr
    return happened, failed, len(acknowledged)


def nothing_after_a_failed_sync(slipway, shim, folder):
    """Once, then well again: the database takes nothing more until it is opened anew."""
    server = Server(slipway, folder, shim, "sync:1:1")
    answers = [server.ask("POST", API + "experiments/set-experiment-tag", {"experiment_id": "0", "key": "k", "value": f"new {i}"}) for i in range(5)]
    assert server.faults() == 1 and all(status == 503 for status, _ in answers), answers
    assert b"restart" in answers[0][1] and b"restart" in answers[4][1], answers
    server.kill()


def main():
    slipway, shim = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    points = int(sys.argv[3]) if len(sys.argv) > 3 else 6
    seed = random.randrange(2**32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="slipway-disk-") as name:
        folder = pathlib.Path(name)
        Server(slipway, folder).kill()  # the tables are made
        happened = failed = acknowledged = 0
        for kind in ("sync", "write"):
            for count in (":1", ""):
                for point in range(1, points + 1):
                    seed += 1
                    faults, refused, kept = one(slipway, shim, folder, f"{kind}:{point}{count}", seed)
                    happened, failed, acknowledged = happened + faults, failed + refused, acknowledged + kept
        nothing_after_a_failed_sync(slipway, shim, folder)
    assert happened and failed, "no fault happened: nothing was tested"
    print(f"{4 * points + 1} runs, {happened} faults: {failed} requests told of them, {acknowledged} writes acknowledged, 0 lost; every record whole")


main()
