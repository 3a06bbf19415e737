"""`slipway server` for scripts with real clients: on a free port, over a folder, ended with the script."""
import atexit, json, signal, subprocess, time


class Server:
    def __init__(self, program, folder, *flags):
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen([program, "server", "--port", "0", "--data", str(folder / "record"), "--ready-file", str(ready), *flags],
                                        stdout=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.005)
        self.url = json.loads(ready.read_text())["url"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, "the server did not drain"

    def kill(self):
        self.process.kill()
        self.process.wait()
