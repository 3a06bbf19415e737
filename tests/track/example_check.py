#!/usr/bin/env python3
"""The example of logging and the commands for it, as a user meets them: example_check.py EXAMPLE SLIPWAY."""
import json, os, pathlib, signal, subprocess, sys, tempfile, time

EXAMPLE, SLIPWAY = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:3])
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "SLIPWAY_"))}


def call(folder, *words, code=0, **environment):
    done = subprocess.run(words, cwd=folder, env={**CLEAN, **environment}, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


def serve(folder, port=0):
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen([SLIPWAY, "server", "--port", str(port), "--data", str(folder / "record"), "--ready-file", str(ready)],
                               env=CLEAN, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        return process, json.loads(ready.read_text())["url"]
    except BaseException:
        process.kill()
        raise


def runs(folder, record):
    lines = call(folder, SLIPWAY, "runs", "--json", "--store", str(record)).splitlines()
    return [json.loads(line) for line in lines]


def example(folder):
    out = call(folder, EXAMPLE)
    assert "5054 records logged, 5054 sent, 0 dropped, 0 refused" in out, out
    [run] = runs(folder, folder / ".slipway")
    assert run["status"] == "finished" and run["params"]["epochs"] == "2", run


def commands(folder):
    """A server that is there, goes away, and comes back."""
    server, url = serve(folder)
    try:
        there = {"MLFLOW_TRACKING_URI": url}
        run = call(folder, SLIPWAY, "runs", "create", "--experiment", "shell", "--name", "first", "--tags", "team=nlp", **there).strip()
        call(folder, SLIPWAY, "runs", "log", run, "--params", "lr=3e-5", "--metrics", "loss=0.5", "--step", "1", **there)
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        lines = "".join(json.dumps({"metrics": {"loss": 1 / n}, "step": n}) + "\n" for n in range(2, 100))
        done = subprocess.run([SLIPWAY, "runs", "log", run, "--stdin", "--wait", "0.2"], cwd=folder, env={**CLEAN, **there},
                              input=lines, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "kept in the spool" in done.stderr, done
        call(folder, SLIPWAY, "runs", "sync", code=7, **there)
        away = call(folder, SLIPWAY, "runs", "create", "--experiment", "shell", "--name", "second", "--wait", "0.2", **there).strip()
        server, _ = serve(folder, int(url.rsplit(":", 1)[1]))
        told = [json.loads(line) for line in call(folder, SLIPWAY, "runs", "sync", "--json").splitlines()]
        assert sorted(one["state"] for one in told) == ["open", "sent"], told
        call(folder, SLIPWAY, "runs", "finish", run, **there)
        call(folder, SLIPWAY, "runs", "log", away, "--metrics", "loss=1", **there)
        call(folder, SLIPWAY, "runs", "finish", away, "--status", "FAILED", **there)
        (folder / "plot.svg").write_text("<svg/>")
        call(folder, SLIPWAY, "runs", "log", run, "--artifacts", "plot.svg", "--artifact-path", "plots", **there)
        assert call(folder, SLIPWAY, "runs", "sync", "--json") == "", "nothing is left"
    finally:
        server.kill()
        server.wait()
    found = {run["name"]: run for run in runs(folder, folder / "record")}
    assert found["first"]["status"] == "finished" and found["second"]["status"] == "failed", found
    shown = json.loads(call(folder, SLIPWAY, "runs", "show", run, "--json", "--store", str(folder / "record")))
    assert len([point for point in shown["metrics"] if point["key"] == "loss"]) == 99, len(shown["metrics"])
    assert list((folder / "record/blobs").rglob("*")), "the plot is kept"


def everything(folder):
    """What other trackers wrote, taken over, looked at, moved and cleaned."""
    data = pathlib.Path(__file__).resolve().parent / "data"

    def told(*words, code=0):
        return [json.loads(line) for line in call(folder, SLIPWAY, *words, "--json", code=code).splitlines()]

    assert told("import", "mlflow", str(data / "mlruns"))[0]["versions"] == 2
    assert told("import", "tensorboard", str(data / "tensorboard"), "--experiment", "boards")[0]["runs"] == 3
    assert told("import", "wandb", str(data / "wandb/run.wandb"))[0]["points"] > 90
    assert told("import", "wandb", str(data / "wandb/run.wandb"))[0]["runs_there"] == 1
    [diff] = told("models", "diff", "classifier/1", "classifier@champion")
    assert diff["b"] == "classifier/3" and {"what": "tag", "key": "checked", "a": None, "b": "yes"} in diff["differences"], diff
    assert not [one for one in diff["differences"] if one["what"] == "parameter"], "both came from one run"
    told("models", "served", "2026-01-01T00:00:00Z", code=3)
    call(folder, SLIPWAY, "models", "served", "yesterday", code=2)
    before = runs(folder, folder / ".slipway")
    call(folder, SLIPWAY, "export", "all.tar.zst")
    assert os.stat(folder / "all.tar.zst").st_mode & 0o077 == 0, "nobody else's business"
    assert not told("import", "all.tar.zst", "--store", "copy")[0]["already"]
    assert told("import", "all.tar.zst", "--store", "copy")[0]["already"]
    assert runs(folder, folder / "copy") == before
    call(folder, SLIPWAY, "import", "all.tar.zst", code=5)
    call(folder, SLIPWAY, "gc", "--retention", "soon", code=2)
    [dry] = told("gc", "--retention", "0")
    assert not dry["removed"] and dry["runs"] == dry["blobs"] == 0, dry
    assert call(folder, SLIPWAY, "store", "verify").endswith("whole\n")


for check in (example, commands, everything):
    with tempfile.TemporaryDirectory() as folder:
        check(pathlib.Path(folder))
print("the example and the commands of logging hold")
