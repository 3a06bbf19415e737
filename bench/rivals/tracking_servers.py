"""What tracking.py measures on: servers in sessions of their own, and a PostgreSQL that is thrown away. The peer's Python needs psycopg for it."""
import http.client, json, os, pathlib, pwd, shutil, signal, subprocess, time


class Group:
    """A process and its children, which share its session."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)

    def pids(self):
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if self.holds(int(entry.name), fields):
                    yield int(entry.name), fields

    def holds(self, _, fields):
        """`fields`: of /proc/PID/stat from the state on."""
        return int(fields[3]) == self.process.pid

    def cpu_ms(self):
        """To the nanosecond, threads that have ended included: the CPU clock of another process (clock_getcpuclockid(3))."""
        total = 0
        for pid, _ in self.pids():
            try:
                total += time.clock_gettime_ns((~pid << 3) | 2)
            except OSError:
                pass  # it has ended
        return total / 1e6

    def memory_mb(self):
        return sum(int(f[21]) for _, f in self.pids()) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def forget_peak(self):
        for pid, _ in self.pids():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_mb(self):
        """Since forget_peak(): the sum of what each process held at most."""
        total = 0
        for pid, _ in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1])
        return total / 1e3

    def stop(self, first=signal.SIGTERM):
        try:
            os.killpg(self.process.pid, first)
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Server(Group):
    def __init__(self, command, port, folder):
        begin = time.monotonic()
        super().__init__(command, cwd=folder)
        self.port = port
        while True:
            assert self.process.poll() is None, "the server ended"
            try:
                self.connect()
                if self.ask("GET", "/health")[0] == 200:
                    break
            except OSError:
                time.sleep(0.005)
        self.ready = time.monotonic() - begin

    def connect(self):
        self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        self.http.connect()

    def ask(self, method, path, body=None):
        self.http.request(method, path, body=None if body is None else json.dumps(body), headers={"Content-Type": "application/json"})
        answer = self.http.getresponse()
        return answer.status, answer.read()

    def good(self, method, path, body=None):
        status, text = self.ask(method, path, body)
        assert status == 200, (status, text[:300], path)
        return json.loads(text)

    def post(self, path, body):
        return self.good("POST", "/api/2.0/mlflow/" + path, body)


class Postgres(Group):
    """Its processes have sessions of their own: they are its children. As it is installed, durable, on a socket in `folder`; as the user postgres when root asks, for it refuses to run as root."""

    def __init__(self, folder):
        programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        self.folder = pathlib.Path(folder) / "postgres"
        self.folder.mkdir()
        who = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chmod(folder, 0o755)
            shutil.chown(self.folder, user.pw_uid, user.pw_gid)
        data = str(self.folder / "data")
        subprocess.run([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"], check=True, cwd="/",
                       stdout=subprocess.DEVNULL, **who)
        super().__init__([programs / "postgres", "-D", data, "-k", str(self.folder), "-c", "listen_addresses="], cwd="/", **who)
        self.createdb = programs / "createdb"

    def holds(self, pid, fields):
        return self.process.pid in (pid, int(fields[1]))

    def fresh(self, name):
        """The address of a new database."""
        for _ in range(500):
            if subprocess.run([self.createdb, "-h", self.folder, "-U", "postgres", name], stderr=subprocess.DEVNULL).returncode == 0:
                return f"postgresql://postgres@/{name}?host={self.folder}"
            time.sleep(0.02)
        raise RuntimeError("PostgreSQL does not answer")

    def stop(self):
        super().stop(signal.SIGINT)
