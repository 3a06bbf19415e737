"""A `slipway serve` of a tiny model, as a process, for the scripts of this folder."""
import json, os, pathlib, resource, signal, subprocess, sys

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"


class Failed(Exception):
    pass


def make_model(kind, folder):
    """kind: "encoder" (a classifier) or "decoder"."""
    script = {"encoder": "tiny_bert.py", "decoder": "tiny_decoder.py"}[kind]
    subprocess.run([sys.executable, str(SUPPORT / script), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


def raise_file_limit(wanted):
    """As many descriptors as wanted, or as the machine allows; that number is returned."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        return max(soft, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Server:
    def __init__(self, slipway, model, *flags, folder="."):
        self.process = subprocess.Popen([slipway, "serve", str(model), "--json", "--port", "0", *flags], cwd=folder,
                                        stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"slipway serve did not start: exit code {self.process.wait()}")
        self.port = int(json.loads(line)["url"].rsplit(":", 1)[1])

    def resident_kib(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise Failed("the server has gone")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, seconds=30):
        """SIGTERM; a server that does not end by itself is killed, and that is a failure."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed(f"the server did not drain within {seconds} s")
        finally:
            self.process.stdout.close()
        if code != 0:
            raise Failed(f"the server ended with {code}")
