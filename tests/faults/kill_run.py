#!/usr/bin/env python3
"""kill -9 of `slipway run` at random moments loses and doubles nothing: kill_run.py SLIPWAY [KILLS [SEED]]

One folder is run without interruption. In another the run's whole process group is killed again and again, each time at a
random moment of the time that a run takes (a third of the times it is interrupted as by Ctrl-C instead: exit code 130);
whenever a run gets to its end, its artifacts must have the digests of the first folder's, the store must be whole, and no
process may be left over; then the next folder begins, until KILLS (5) were done.
"""
import json, os, pathlib, random, signal, sqlite3, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import tiny_project

COMPARED = [("split", "dataset"), ("train", "model"), ("evaluate", "evaluation"), ("optimize", "int8"), ("optimize", "onnx"),
            ("sketch", "sketch"), ("explain", "explanations")]
END_S = 120  # a run of seconds that has not ended by then hangs
GONE_S = 10  # a server notices within a second that the run that started it is gone, and drains


class Failed(Exception):
    pass


def start(slipway, folder):
    return subprocess.Popen([slipway, "run", "--json"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def end(process, how):
    os.killpg(process.pid, how)
    err = process.communicate(timeout=END_S)[1]
    if how == signal.SIGINT and process.returncode not in (130, 0):
        raise Failed(f"interrupted, slipway run ended with {process.returncode}: {err.decode()[-3000:]}")


def finish(process):
    out, err = process.communicate(timeout=END_S)
    if process.returncode != 0:
        raise Failed(f"slipway run ended with {process.returncode}: {err.decode()[-3000:]}")
    return [json.loads(line) for line in out.decode().splitlines()][-1]


def outputs_of(folder, result):
    """Digests by (step, output) of the newest results, from the record itself."""
    database = sqlite3.connect(f"file:{folder}/.slipway/slipway.db?mode=ro", uri=True)
    digests = {}
    for step, outputs in database.execute("SELECT step, outputs FROM steps ORDER BY created_ms"):
        for name, digest in json.loads(outputs).items():
            digests[step, name] = digest
    versions = database.execute("SELECT count(*) FROM model_versions").fetchone()[0]
    running = database.execute("SELECT count(*) FROM runs WHERE status = 'running'").fetchone()[0]
    database.close()
    if versions != 1:
        raise Failed(f"{folder}: {versions} versions were registered by one project state")
    if running:
        raise Failed(f"{folder}: {running} runs are recorded as running after all have ended")
    if result["version"] != 1:
        raise Failed(f"the result names version {result['version']}")
    return digests


def processes_of(folder):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(folder) in words or os.readlink(entry / "cwd").startswith(str(folder)):
                    found.append((int(entry.name), words[:150]))
            except OSError:
                pass
    return found


def check_whole(slipway, folder):
    verify = subprocess.run([slipway, "store", "verify"], cwd=folder, capture_output=True, timeout=END_S)
    if verify.returncode != 0:
        raise Failed(f"store verify ended with {verify.returncode}: {verify.stdout.decode()}{verify.stderr.decode()}")
    deadline = time.monotonic() + GONE_S
    while processes_of(folder):
        if time.monotonic() > deadline:
            raise Failed(f"left over: {processes_of(folder)}")
        time.sleep(0.05)


def check_same(wanted, folder, result):
    got = outputs_of(folder, result)
    for key in COMPARED:
        if key not in wanted or got.get(key) != wanted[key]:
            raise Failed(f"{key[0]}.{key[1]} is {got.get(key)}, without a kill it is {wanted.get(key)}; look at {folder}")


def main():
    slipway = str(pathlib.Path(sys.argv[1]).resolve())
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(2**32)
    generator = random.Random(seed)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="slipway-kill-") as root:
        root = pathlib.Path(root).resolve()
        tiny_project.make(root / "whole")
        began = time.monotonic()
        result = finish(start(slipway, root / "whole"))
        seconds = time.monotonic() - began
        wanted = outputs_of(root / "whole", result)
        check_whole(slipway, root / "whole")
        print(f"a whole run takes {seconds:.1f} s", flush=True)
        killed, folders, finished = 0, 0, True
        while killed < kills or not finished:
            if finished:
                folders += 1
                folder = root / f"killed-{folders}"
                tiny_project.make(folder)
            process = start(slipway, folder)
            if killed < kills:
                try:
                    delay = generator.uniform(0.01, seconds)
                    process.wait(timeout=delay)
                except subprocess.TimeoutExpired:
                    how = generator.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT])
                    end(process, how)
                    killed += 1
                    finished = False
                    print(f"{how.name} {killed} after {delay:.2f} s, folder {folders}", flush=True)
                    continue
            result = finish(process)
            check_same(wanted, folder, result)
            check_whole(slipway, folder)
            finished = True
        print(f"{killed} kills in {folders} folders: {len(COMPARED)} digests equal in each, stores whole, no process left")


try:
    main()
except Failed as failure:
    sys.exit(f"FAILED: {failure}")
