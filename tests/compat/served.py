"""`slipway serve` as a process, for the scripts of this folder whose first argument is the program."""
import atexit, json, os, pathlib, signal, subprocess, sys, time


class Server:
    """Serves `words` (models and flags) in `folder` on a free port; killed at exit when nobody stopped it. In a `with`, its end stops it."""

    def __init__(self, folder, *words, **environment):
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [str(pathlib.Path(sys.argv[1]).resolve()), "serve", *map(str, words), "--port", "0", "--ready-file", str(ready)]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
        atexit.register(self.process.kill)
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        self.ready = json.loads(ready.read_text())
        self.url = self.ready["url"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, "the server did not drain"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
