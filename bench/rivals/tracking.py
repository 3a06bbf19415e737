#!/usr/bin/env python3
"""The tracking server beside MLflow's: tracking.py SLIPWAY [--peer PYTHON] [--quick] [--runs N] [--json FILE].

Both serve a fresh store with their defaults, on SQLite and then on a PostgreSQL that this starts (--stores); the same requests go to one
after the other over one kept connection, and what they answer is compared. Told are wall milliseconds a request (median, p99) and the
CPU milliseconds a request of the server with its children; on PostgreSQL the database's beside them. Then a file of a gigabyte goes
up and comes down. PYTHON is one with mlflow installed (psycopg2 too, for PostgreSQL); without it only ours runs. --runs: also fill
ours with N runs (a million take a minute or two) and tell how long it lists, filters and orders them. --quick takes some five minutes.
"""
import argparse, base64, contextlib, http.client, json, os, pathlib, sqlite3, statistics, subprocess, sys, tempfile, time, zlib

from tracking_servers import Postgres, Server

PIECE = 1 << 20
# Fills the peer's tables as fill() does ours: through its API 10,000 runs would take half an hour.
PEER_FILL = """
import sys, sqlalchemy
uri, experiment, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
runs = [dict(id="%032x" % (experiment << 32 | i), name=f"r{i}", start=i + 1, experiment=experiment) for i in range(count)]
with sqlalchemy.create_engine(uri).begin() as db:
    put = lambda sql, rows: db.execute(sqlalchemy.text(sql), rows)
    put("INSERT INTO runs(run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, source_version, lifecycle_stage, artifact_uri, "
        "experiment_id) VALUES(:id, :name, 'UNKNOWN', '', '', '', 'RUNNING', :start, '', 'active', 'mlflow-artifacts:/x', :experiment)", runs)
    put("INSERT INTO tags(key, value, run_uuid) VALUES('mlflow.runName', :name, :id)", runs)
    for key, factor in (("acc", 7), ("loss", 11), ("f1", 13)):
        put("INSERT INTO latest_metrics(key, value, timestamp, step, is_nan, run_uuid) VALUES(:key, :value, 1, 0, :nan, :id)",
            [dict(key=key, value=(i * factor) % 1000 / 1000, nan=False, id=run["id"]) for i, run in enumerate(runs)])
    for key, value in (("lr", lambda i: i % 10), ("seed", lambda i: i)):
        put("INSERT INTO params(key, value, run_uuid) VALUES(:key, :value, :id)", [dict(key=key, value=str(value(i)), id=run["id"]) for i, run in enumerate(runs)])
"""


class Bench:
    """One server and the database behind it, if it has one of its own."""

    def __init__(self, server, database, uri, peer):
        self.server, self.database, self.uri, self.peer = server, database, uri, peer
        self.results, self.answers = {}, {}

    def cpu(self):
        return self.server.cpu_ms(), self.database.cpu_ms() if self.database else 0

    def measure(self, name, count, call):
        call(0)
        walls, before = [], self.cpu()
        for i in range(1, count + 1):
            start = time.perf_counter()
            call(i)
            walls.append((time.perf_counter() - start) * 1e3)
        after = self.cpu()
        walls.sort()
        row = {"wall_ms": statistics.median(walls), "p99_ms": walls[int(0.99 * (len(walls) - 1))], "cpu_ms": (after[0] - before[0]) / count, "requests": count}
        if self.database:
            row["database_cpu_ms"] = (after[1] - before[1]) / count
        self.results[name] = row

    def fill(self, name, count):
        """Runs with three metrics and two parameters each."""
        experiment = self.server.post("experiments/create", {"name": name})["experiment_id"]
        if self.peer:
            subprocess.run([self.peer, "-c", PEER_FILL, self.uri, experiment, str(count)], check=True)
            return experiment
        for i in range(count):
            run_id = self.server.post("runs/create", {"experiment_id": experiment, "start_time": i + 1, "run_name": f"r{i}"})["run"]["info"]["run_id"]
            self.server.post("runs/log-batch", {"run_id": run_id, "metrics": [{"key": k, "value": (i * m) % 1000 / 1000, "timestamp": 1, "step": 0} for k, m in (("acc", 7), ("loss", 11), ("f1", 13))],
                                                "params": [{"key": "lr", "value": str(i % 10)}, {"key": "seed", "value": str(i)}]})
        return experiment

    def writes(self, scale):
        post = self.server.post
        batch = lambda run_id, n, base: {"run_id": run_id, "metrics": [{"key": "m", "value": i / 7, "timestamp": base + i, "step": base + i} for i in range(n)]}
        new_run = lambda: post("runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
        run_id, other = new_run(), new_run()
        self.measure("create run", 30 * scale, lambda i: post("runs/create", {"experiment_id": "0", "start_time": 5, "tags": [{"key": "a", "value": "b"}]}))
        self.measure("log metric", 50 * scale, lambda i: post("runs/log-metric", {"run_id": run_id, "key": "x", "value": i, "timestamp": i, "step": i}))
        self.measure("batch of 100", 20 * scale, lambda i: post("runs/log-batch", batch(run_id, 100, 100 * i)))
        self.measure("batch of 1,000", 9, lambda i: post("runs/log-batch", batch(other, 1000, 1000 * i)))
        history = lambda i: self.server.good("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={other}&metric_key=m&max_results=25000")
        self.answers["history"] = [(m["step"], m["timestamp"], m["value"]) for m in history(0)["metrics"]]
        assert len(self.answers["history"]) == 10000
        self.measure("history of 10,000", 4 * scale, history)

    def searches(self, scale):
        for count in (1000, 10000):
            experiment = self.fill(f"e{count}", count)
            self.server.connect()  # a kept one may have been quiet for too long
            search = lambda i: self.server.post("runs/search", {"experiment_ids": [experiment], "filter": "metrics.acc > 0.9 AND params.lr = '3'", "max_results": 100})
            self.answers[f"search {count}"] = [plain(r) for r in search(0)["runs"]]
            self.measure(f"search {count:,} runs", 40 * scale, search)
            page = lambda i: self.server.post("runs/search", {"experiment_ids": [experiment], "max_results": 1000})
            self.answers[f"page {count}"] = [plain(r) for r in page(0)["runs"]]
            self.measure(f"page of 1,000 of {count:,} runs", 5 * scale, page)

    def artifact(self, size):
        """One file up and down, in pieces of which neither side needs more than a few."""
        pieces = [os.urandom(PIECE) for _ in range(8)]
        count = size // PIECE
        path = "/api/2.0/mlflow-artifacts/artifacts/0/bench/artifacts/large.bin"

        def up(connection):
            connection.request("PUT", path, body=(pieces[i % len(pieces)] for i in range(count)), headers={"Content-Length": str(count * PIECE)})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, (answer.status, text[:300])

        def down(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            got = crc = 0
            while piece := answer.read(PIECE):
                got, crc = got + len(piece), zlib.crc32(piece, crc)
            wanted = 0
            for i in range(count):
                wanted = zlib.crc32(pieces[i % len(pieces)], wanted)
            assert (got, crc) == (count * PIECE, wanted), "another file came back"

        for name, call in (("artifact up", up), ("artifact down", down)):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=600)
            self.server.forget_peak()
            before, start = self.cpu(), time.perf_counter()
            call(connection)
            seconds = time.perf_counter() - start
            self.results[name] = {"wall_ms": seconds * 1e3, "p99_ms": seconds * 1e3, "cpu_ms": self.cpu()[0] - before[0], "requests": 1, "mb_s": count * PIECE / 1e6 / seconds,
                                  "peak_mb": self.server.peak_mb()}
            connection.close()


def plain(run):
    data = run["data"]
    return (run["info"]["run_name"], run["info"]["start_time"], {m["key"]: m["value"] for m in data.get("metrics", [])}, {p["key"]: p["value"] for p in data.get("params", [])})


def many(bench, count, folder):
    """Runs by the million, which only SQL writes in reasonable time: three metrics, two parameters and a tag each."""
    start = time.monotonic()
    server = bench.server
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
    server.connect()
    filled = Bench(server, None, "", None)
    queries = {"list, first 1000": {}, "common filter": {"filter": "metrics.acc > 0.5 AND params.lr = '3'"}, "rare filter": {"filter": f"params.seed = '{count // 2}'"},
               "ordered by a metric": {"order_by": ["metrics.acc DESC"]}, "no such": {"filter": "metrics.acc > 0.5 AND params.lr = 'x'"}}
    queries["page in the middle"] = {"page_token": base64.b64encode(json.dumps({"offset": count // 2}).encode()).decode()}
    for name, query in queries.items():
        filled.measure(name, 10, lambda i: server.post("runs/search", {"experiment_ids": [experiment], "max_results": 1000, **query}))
    return {"requests": filled.results}


def run_one(args, name, store, folder, database):
    """What one server does on one kind of store, and its answers; ours also with many runs."""
    port = 5600 + os.getpid() % 300 + (name == "peer")
    uri = database.fresh(name) if database else "sqlite:///mlflow.db"
    command = [os.path.abspath(args.slipway), "server", "--port", str(port), "--data", "record"] + (["--store", uri] if database else []) if name == "ours" else \
        [args.peer, "-m", "mlflow", "server", "--port", str(port), "--backend-store-uri", uri]
    server = Server(command, port, folder)
    try:
        bench = Bench(server, database, uri if database else f"sqlite:///{folder}/mlflow.db", args.peer if name == "peer" else None)
        entry = {"ready_s": server.ready, "memory_mb": server.memory_mb(), "requests": bench.results}
        scale = 1 if name == "peer" and args.quick else 10
        bench.writes(scale)
        bench.searches(scale)
        if store == "sqlite":  # files do not lie in the database
            bench.artifact(args.artifact_mb * PIECE)
        entry["memory_after_mb"] = server.memory_mb()
        return entry, bench.answers, many(bench, args.runs, pathlib.Path(folder)) if name == "ours" and args.runs and not database else None
    finally:
        server.stop()


def show(title, entry, ours):
    ready = f"ready after {entry['ready_s']:.3f} s, {entry['memory_mb']:.0f} MB, at the end {entry['memory_after_mb']:.0f} MB" if "ready_s" in entry else ""
    print(f"{title}: {ready}")
    for what, row in entry["requests"].items():
        more = f" + {row['database_cpu_ms']:.3f} of the database" if "database_cpu_ms" in row else ""
        more += f", {row['mb_s']:.0f} MB/s, at most {row['peak_mb']:.0f} MB" if "mb_s" in row else ""
        if ours and ours["requests"][what]["cpu_ms"] > 0:
            ratio = ours["requests"][what]
            more += f"   ours {row['cpu_ms'] / ratio['cpu_ms']:.0f}x less CPU, {row['wall_ms'] / ratio['wall_ms']:.0f}x sooner"
        print(f"  {what:30} {row['wall_ms']:9.3f} ms (p99 {row['p99_ms']:.3f}), CPU {row['cpu_ms']:.3f} ms{more}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("slipway")
    parser.add_argument("--peer", help="a Python with mlflow")
    parser.add_argument("--stores", default="sqlite,postgresql")
    parser.add_argument("--artifact-mb", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="the peer a tenth of the repetitions")
    parser.add_argument("--json")
    args = parser.parse_args()
    report = {}
    for store in args.stores.split(","):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as last:
            database = None
            if store == "postgresql":
                database = Postgres(folder)
                last.callback(database.stop)
            answers = {}
            for name in ["ours"] + (["peer"] if args.peer else []):
                entry, answers[name], large = run_one(args, name, store, folder, database)
                report[f"{name}, {store}"] = entry
                if large:
                    report["ours, many runs"] = large
                show(f"{name} on {store}", entry, report[f"ours, {store}"] if name == "peer" else None)
                if large:
                    show("ours, many runs", large, None)
            assert len(answers) == 1 or answers["ours"] == answers["peer"], "the answers differ"
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(report, indent=1))


main()
