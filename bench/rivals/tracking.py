#!/usr/bin/env python3
"""The tracking server beside MLflow's: tracking.py SLIPWAY [--peer PYTHON] [--runs N] [--json FILE].

Both serve a fresh store with their defaults (SQLite, a folder); the same requests go to one after the other over one kept connection, and
what they answer is compared first. Told are wall milliseconds a request (median) and the server's CPU milliseconds a request, its
children included. PYTHON is one with mlflow installed; without it only ours runs. --runs: also fill ours with N runs (a million take a
minute or two) and tell how long it lists, filters and orders them.
"""
import argparse, base64, contextlib, http.client, json, os, pathlib, signal, sqlite3, statistics, subprocess, sys, tempfile, time

TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """A process in a session of its own, so that its children are known."""

    def __init__(self, command, port, folder):
        self.begin = time.monotonic()
        self.process = subprocess.Popen(command, cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = port
        while True:
            assert self.process.poll() is None, "the server ended"
            try:
                self.connect()
                if self.ask("GET", "/health")[0] == 200:
                    break
            except OSError:
                time.sleep(0.005)
        self.ready = time.monotonic() - self.begin

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

    def pids(self):
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self.process.pid:
                    yield entry, fields

    def cpu_ms(self):
        return sum(int(f[11]) + int(f[12]) for _, f in self.pids()) * 1000 / TICK

    def memory_mb(self):
        return sum(int(f[21]) for _, f in self.pids()) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def measure(server, count, call):
    call(0)
    walls, before = [], server.cpu_ms()
    for i in range(1, count + 1):
        start = time.perf_counter()
        call(i)
        walls.append((time.perf_counter() - start) * 1e3)
    walls.sort()
    return {"wall_ms": statistics.median(walls), "p99_ms": walls[int(0.99 * (len(walls) - 1))], "cpu_ms": (server.cpu_ms() - before) / count}


def plain(run):
    data = run["data"]
    return (run["info"]["run_name"], {m["key"]: m["value"] for m in data.get("metrics", [])}, {p["key"]: p["value"] for p in data.get("params", [])})


def fill(server, name, count):
    experiment = server.post("experiments/create", {"name": name})["experiment_id"]
    for i in range(count):
        run_id = server.post("runs/create", {"experiment_id": experiment, "start_time": i + 1, "run_name": f"r{i}"})["run"]["info"]["run_id"]
        server.post("runs/log-batch", {"run_id": run_id, "metrics": [{"key": k, "value": (i * m) % 1000 / 1000, "timestamp": 1, "step": 0} for k, m in (("acc", 7), ("loss", 11), ("f1", 13))],
                                       "params": [{"key": "lr", "value": str(i % 10)}, {"key": "seed", "value": str(i)}]})
    return experiment


def workload(server, quick, scale):
    """Name -> numbers, and what the searches and histories answered."""
    results, answers = {}, {}
    batch = lambda run_id, n, base: {"run_id": run_id, "metrics": [{"key": "m", "value": i / 7, "timestamp": base + i, "step": base + i} for i in range(n)]}
    run_id = server.post("runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
    results["create run"] = measure(server, 30 * scale, lambda i: server.post("runs/create", {"experiment_id": "0", "start_time": 5, "tags": [{"key": "a", "value": "b"}]}))
    results["log metric"] = measure(server, 50 * scale, lambda i: server.post("runs/log-metric", {"run_id": run_id, "key": "x", "value": i, "timestamp": i, "step": i}))
    results["batch of 100"] = measure(server, 20 * scale, lambda i: server.post("runs/log-batch", batch(run_id, 100, 100 * i)))
    other = server.post("runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
    results["batch of 1000"] = measure(server, 9, lambda i: server.post("runs/log-batch", batch(other, 1000, 1000 * i)))
    history = lambda i: server.good("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={other}&metric_key=m&max_results=25000")
    answers["history"] = [(m["step"], m["value"]) for m in history(0)["metrics"]]
    assert len(answers["history"]) == 10000
    results["history of 10,000"] = measure(server, 4 * scale, history)
    for count in (1000, 10000):
        if count == 10000 and quick:
            break
        experiment = fill(server, f"e{count}", count)
        search = lambda i: server.post("runs/search", {"experiment_ids": [experiment], "filter": "metrics.acc > 0.9 AND params.lr = '3'", "max_results": 100})
        answers[f"search {count}"] = [plain(r) for r in search(0)["runs"]]
        results[f"search {count:,} runs"] = measure(server, 10 * scale, search)
    return results, answers


def many(server, count, folder):
    """Runs by the million, which only SQL writes in reasonable time: three metrics, two parameters and a tag each."""
    start = time.monotonic()
    experiment = server.post("experiments/create", {"name": "many"})["experiment_id"]
    with contextlib.closing(sqlite3.connect(folder / "record" / "slipway.db", isolation_level=None)) as database:
        database.execute("BEGIN")
        first = database.execute("SELECT max(number) + 1 FROM runs").fetchone()[0]
        database.execute("CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1) SELECT i FROM n", (count,))
        database.execute("INSERT INTO runs SELECT ?1 + i, lower(hex(randomblob(16))), ?2, 'r' || i, 'me', 'finished', 0, i + 1, i + 2, '{}', 0 FROM n", (first, int(experiment)))
        for key, factor in (("acc", 7), ("f1", 13), ("loss", 11)):
            database.execute("INSERT INTO latest_metrics SELECT ?1 + i, ?2, 1, 0, (i * ?3) % 1000 / 1000.0, 0 FROM n", (first, key, factor))
        database.execute("INSERT INTO params SELECT ?1 + i, 'lr', i % 10 FROM n", (first,))
        database.execute("INSERT INTO params SELECT ?1 + i, 'seed', i FROM n", (first,))
        database.execute("INSERT INTO run_tags SELECT ?1 + i, 'team', 'nlp' FROM n", (first,))
        database.execute("COMMIT")
    print(f"filled with {count:,} runs in {time.monotonic() - start:.0f} s", file=sys.stderr)
    server.connect()  # the last connection was idle too long
    results = {}
    queries = {"list, first 1000": {}, "common filter": {"filter": "metrics.acc > 0.5 AND params.lr = '3'"}, "rare filter": {"filter": f"params.seed = '{count // 2}'"},
               "ordered by a metric": {"order_by": ["metrics.acc DESC"]}, "no such": {"filter": "metrics.acc > 0.5 AND params.lr = 'x'"}}
    for name, query in queries.items():
        results[name] = measure(server, 10, lambda i: server.post("runs/search", {"experiment_ids": [experiment], "max_results": 1000, **query}))
    token = base64.b64encode(json.dumps({"offset": count // 2}).encode()).decode()
    results["page in the middle"] = measure(server, 10, lambda i: server.post("runs/search", {"experiment_ids": [experiment], "max_results": 1000, "page_token": token}))
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("slipway")
    parser.add_argument("--peer", help="a Python with mlflow")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="no search over 10,000 runs, the peer fewer repetitions")
    parser.add_argument("--json")
    args = parser.parse_args()
    report = {}
    answers = {}
    for name in ["ours"] + (["peer"] if args.peer else []):
        with tempfile.TemporaryDirectory() as folder:
            port = 5600 + os.getpid() % 300 + (name == "peer")
            command = [os.path.abspath(args.slipway), "server", "--port", str(port), "--data", "record"] if name == "ours" else \
                [args.peer, "-m", "mlflow", "server", "--port", str(port), "--backend-store-uri", "sqlite:///mlflow.db"]
            server = Server(command, port, folder)
            try:
                # CPU time is counted in ticks of some milliseconds: ours needs many requests to be seen at all.
                numbers, answers[name] = workload(server, args.quick, 1 if args.quick and name == "peer" else 10)
                report[name] = {"ready_s": server.ready, "memory_mb": server.memory_mb(), "requests": numbers}
                if name == "ours" and args.runs:
                    report["many"] = many(server, args.runs, pathlib.Path(folder))
            finally:
                server.stop()
    if args.peer:
        assert answers["ours"] == answers["peer"], "the answers differ"
    for name, entry in report.items():
        rows = entry.get("requests", entry)
        print(f"{name}: " + ("" if rows is entry else f"ready after {entry['ready_s']:.3f} s, {entry['memory_mb']:.0f} MB"))
        for what, numbers in rows.items():
            ratio = ""
            if name == "peer" and report["ours"]["requests"][what]["cpu_ms"] > 0:
                ours = report["ours"]["requests"][what]
                ratio = f"   ours {numbers['cpu_ms'] / ours['cpu_ms']:.0f}x less CPU, {numbers['wall_ms'] / ours['wall_ms']:.0f}x sooner"
            print(f"  {what:22} {numbers['wall_ms']:9.3f} ms (p99 {numbers['p99_ms']:.3f}), CPU {numbers['cpu_ms']:.3f} ms{ratio}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(report, indent=1))


main()
