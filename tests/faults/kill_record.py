#!/usr/bin/env python3
"""kill -9 of `slipway server` under mixed load loses no acknowledged write: kill_record.py SLIPWAY [KILLS [SEED]]

Four clients create runs, send batches, upload files, register versions, move aliases and tags as fast as they are answered; at a random
moment the server is killed. After each kill the next server must hold every write of that round that was answered, batches that were
not answered whole or not at all, and uploads with all their bytes; in the end the whole record is verified, and every write of
every round is asked for again. KILLS is 5 when not given.
"""
import hashlib, http.client, json, os, pathlib, random, signal, subprocess, sys, tempfile, threading, time

CLIENTS = 4
API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts/"


class Failed(Exception):
    pass


class Gone(Exception):
    """The server was killed: what was asked last is not acknowledged."""


class Server:
    def __init__(self, slipway, folder):
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        begin = time.monotonic()
        self.process = subprocess.Popen([slipway, "server", "--port", "0", "--data", str(folder / "record"), "--ready-file", str(ready)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not ready.exists():
            if self.process.poll() is not None:
                raise Failed(f"slipway server did not start again: exit code {self.process.returncode}")
            time.sleep(0.002)
        self.seconds = time.monotonic() - begin
        self.port = int(json.loads(ready.read_text())["url"].rsplit(":", 1)[1])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Asker:
    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method, path, body=None):
        try:
            kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
            self.http.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body), {"Content-Type": kind})
            answer = self.http.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            raise Gone from None
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer.status} {content[:300]}")
        return content

    def post(self, what, body):
        return json.loads(self.ask("POST", API + what, body))

    def get(self, what):
        return json.loads(self.ask("GET", API + what))


class Client(threading.Thread):
    """`acknowledged`: checks of writes that were answered, each a function of an Asker. `pending`: one for the write that was not."""

    def __init__(self, port, name, seed, latest):
        super().__init__()
        self.asker, self.name, self.generator, self.latest = Asker(port), name, random.Random(seed), latest
        self.acknowledged, self.pending, self.wrong, self.count = [], None, None, 0

    def run(self):
        actions = [self.batch, self.batch, self.upload, self.version, self.tag]
        try:
            self.run_id = self.asker.post("runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
            while True:
                self.generator.choice(actions)()
                self.pending = None
                self.count += 1
        except Gone:
            pass
        except Failed as failure:
            self.wrong = str(failure)

    def batch(self):
        """A new run with one batch: all of it, or nothing."""
        run_id = self.asker.post("runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
        count = self.generator.choice([1, 20, 300])

        def held(asker, may_be_empty=False):
            data = asker.get("runs/get?run_id=" + run_id)["run"]["data"]
            points = len(asker.get(f"metrics/get-history?run_id={run_id}&metric_key=m&max_results=1000").get("metrics", []))
            found = (points, len(data.get("params", [])), {tag["key"] for tag in data.get("tags", [])} >= {"team"})
            if found != (count, 1, True) and not (may_be_empty and found == (0, 0, False)):
                raise Failed(f"run {run_id} holds {found}, not {count} points, a parameter and a tag")

        self.pending = lambda asker: held(asker, may_be_empty=True)
        self.asker.post("runs/log-batch", {"run_id": run_id, "params": [{"key": "lr", "value": "1"}], "tags": [{"key": "team", "value": "nlp"}],
                                           "metrics": [{"key": "m", "value": i, "timestamp": i, "step": i} for i in range(count)]})
        self.acknowledged.append(held)

    def upload(self):
        content = self.generator.randbytes(self.generator.choice([0, 100, 70_000, 1_000_000]))
        digest, path = hashlib.sha256(content).hexdigest(), f"{FILES}0/{self.run_id}/artifacts/{self.generator.randrange(10**9)}.bin"

        def held(asker):
            if hashlib.sha256(asker.ask("GET", path)).hexdigest() != digest:
                raise Failed(f"{path} has other bytes than were sent")

        self.asker.ask("PUT", path, content)
        self.acknowledged.append(held)

    def moved(self, key, value, write, read):
        """A value that a later write of this client replaces: the newest answered one stays, or the one that was under way."""
        allowed = [self.latest.get(key), value]

        def held(asker):
            found = read(asker)
            if found not in allowed:
                raise Failed(f"{key} is {found}, not {allowed}")

        self.pending = held
        write()
        self.latest[key] = value
        self.acknowledged.append(lambda asker: None)  # asked for at the end of the round, from `latest`

    def version(self):
        model = f"model-{self.name}"
        if model not in self.latest:
            try:
                self.asker.post("registered-models/create", {"name": model})
            except Failed as failure:
                if "RESOURCE_ALREADY_EXISTS" not in str(failure):
                    raise
            self.latest[model] = "made"
        version = self.asker.post("model-versions/create", {"name": model, "source": f"runs:/{self.run_id}/model", "run_id": self.run_id})["model_version"]["version"]
        self.acknowledged.append(lambda asker: asker.get(f"model-versions/get?name={model}&version={version}"))
        self.moved(f"alias {model}", version,
                   lambda: self.asker.post("registered-models/alias", {"name": model, "alias": "champion", "version": version}),
                   lambda asker: champion(asker, model))

    def tag(self):
        value, key = str(self.generator.randrange(10**9)), f"tag-{self.name}"
        self.moved(key, value, lambda: self.asker.post("experiments/set-experiment-tag", {"experiment_id": "0", "key": key, "value": value}),
                   lambda asker: experiment_tags(asker).get(key))


def experiment_tags(asker):
    return {tag["key"]: tag["value"] for tag in asker.get("experiments/get?experiment_id=0")["experiment"].get("tags", [])}


def check(asker, clients):
    """Everything that the clients of a round were answered. Returns how many writes that were."""
    for client in clients:
        if client.wrong:
            raise Failed(f"the server answered wrongly: {client.wrong}")
        for held in client.acknowledged:
            held(asker)
        if client.pending:
            client.pending(asker)
    return sum(len(client.acknowledged) for client in clients)


def champion(asker, model):
    try:
        return asker.get(f"registered-models/alias?name={model}&alias=champion")["model_version"]["version"]
    except Failed:
        return None  # not set yet


def settle(asker, client):
    """Moved values are the newest ones answered; where such a write was under way, what holds now is taken over."""
    now = {f"tag-{client.name}": experiment_tags(asker).get(f"tag-{client.name}"), f"alias model-{client.name}": champion(asker, f"model-{client.name}")}
    for key, value in now.items():
        if value != client.latest.get(key) and not client.pending:
            raise Failed(f"{key} was answered as {client.latest.get(key)} and is {value}")
        client.latest[key] = value


def main():
    slipway = str(pathlib.Path(sys.argv[1]).resolve())
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(2**32)
    generator = random.Random(seed)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="slipway-record-") as name:
        folder, every, written, starts = pathlib.Path(name), [], 0, []
        latest = [{} for _ in range(CLIENTS)]
        server = Server(slipway, folder)
        try:
            for kill in range(1, kills + 1):
                clients = [Client(server.port, str(i), generator.randrange(2**32), latest[i]) for i in range(CLIENTS)]
                for client in clients:
                    client.start()
                time.sleep(generator.uniform(0.01, 0.4))
                server.kill()
                for client in clients:
                    client.join()
                server = Server(slipway, folder)
                starts.append(server.seconds)
                asker = Asker(server.port)
                written += check(asker, clients)
                for client in clients:
                    settle(asker, client)
                every += [held for client in clients for held in client.acknowledged]
                if kill % 50 == 0 or kill == kills:
                    print(f"{kill} kills: {written} acknowledged writes, 0 lost; restart {max(starts) * 1000:.0f} ms at most", flush=True)
            asker = Asker(server.port)
            for held in every:
                held(asker)
        finally:
            server.kill()
        verify = subprocess.run([slipway, "--store", str(folder / "record"), "store", "verify"], capture_output=True, text=True, timeout=600)
        if verify.returncode != 0:
            raise Failed(f"the record is not whole: {verify.stdout[-1000:]}{verify.stderr[-1000:]}")
        leftovers = [path for path in (folder / "record").rglob("*.tmp*")]
        if written == 0:
            raise Failed("nothing was acknowledged before any kill: nothing was tested")
        print(f"{kills} kills under load of {CLIENTS} clients: {written} writes acknowledged, 0 lost, 0 torn; {verify.stdout.strip()}; "
              f"restart median {sorted(starts)[len(starts) // 2] * 1000:.0f} ms, at most {max(starts) * 1000:.0f} ms; {len(leftovers)} temporary files left")


try:
    main()
except (Failed, Gone) as failure:
    sys.exit(f"FAILED: {failure or 'the server went away'}")
