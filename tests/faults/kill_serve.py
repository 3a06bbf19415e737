#!/usr/bin/env python3
"""kill -9 of `slipway serve` under load loses no answered prediction: kill_serve.py SLIPWAY [KILLS [SEED]]

Threads send texts as fast as they are answered and remember the id of every prediction they got; at a random moment the
server is killed. After each kill the record must open, be whole, and hold every remembered id with the label that was
answered; the next server must then answer. KILLS is 3 when not given.
"""
import http.client, json, pathlib, random, signal, sqlite3, subprocess, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import tiny_project

CLIENTS = 6
MODEL = "models:/tiny-reviews@champion"


class Failed(Exception):
    pass


def run(slipway, folder, *words):
    done = subprocess.run([slipway, *words], cwd=folder, capture_output=True, timeout=300)
    if done.returncode != 0:
        raise Failed(f"slipway {' '.join(words)} ended with {done.returncode}: {done.stdout.decode()[-1000:]}{done.stderr.decode()[-2000:]}")
    return done.stdout.decode()


class Server:
    def __init__(self, slipway, folder):
        self.process = subprocess.Popen([slipway, "serve", MODEL, "--json", "--port", "0"], cwd=folder, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"slipway serve did not start again: exit code {self.process.wait()}")
        self.ready = json.loads(line)
        self.port = int(self.ready["url"].rsplit(":", 1)[1])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


class Client(threading.Thread):
    """Sends until the server goes; `answers` are the (id, label) pairs of whole answers."""

    def __init__(self, port, texts, seed):
        super().__init__()
        self.port, self.texts, self.generator, self.answers, self.wrong = port, texts, random.Random(seed), [], None

    def run(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            while True:
                inputs = self.generator.choices(self.texts, k=self.generator.randint(1, 4))
                connection.request("POST", "/v1/classify", json.dumps({"inputs": inputs}), {"Content-Type": "application/json"})
                response = connection.getresponse()
                body = response.read()
                if response.status == 200:
                    self.answers += [(one["id"], one["label"]) for one in json.loads(body)["predictions"]]
                elif response.status != 429:
                    self.wrong = f"{response.status}: {body[:300]}"
                    return
        except (OSError, http.client.HTTPException):
            pass  # the kill


def lost(folder, answers):
    database = sqlite3.connect(f"file:{folder}/.slipway/slipway.db?mode=ro", uri=True)
    kept = dict(database.execute("SELECT id, label FROM predictions"))
    database.close()
    return [one for one, label in answers if kept.get(one) != label]


def main():
    slipway = str(pathlib.Path(sys.argv[1]).resolve())
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(2**32)
    generator = random.Random(seed)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="slipway-serve-") as folder:
        tiny_project.make(folder)
        run(slipway, folder, "run", "--quiet")
        texts = [text for text, _ in tiny_project.sentences(200, 2)]
        answered = []
        for kill in range(1, kills + 1):
            server = Server(slipway, folder)
            try:
                clients = [Client(server.port, texts, generator.randrange(2**32)) for _ in range(CLIENTS)]
                for client in clients:
                    client.start()
                time.sleep(generator.uniform(0.05, 1.5))
            finally:
                server.kill()
            for client in clients:
                client.join()
                if client.wrong:
                    raise Failed(f"the server answered {client.wrong}")
            mine = [answer for client in clients for answer in client.answers]
            answered += mine
            print(f"kill {kill}: {len(mine)} predictions were answered", flush=True)
            missing = lost(folder, answered)
            if missing:
                raise Failed(f"{len(missing)} of {len(answered)} answered predictions are lost or differ, the first {missing[0]}")
            run(slipway, folder, "store", "verify")
            if mine and "file:sha256:" not in run(slipway, folder, "lineage", mine[-1][0]):
                raise Failed(f"the lineage of {mine[-1][0]} does not reach the raw file")
        if not answered:
            raise Failed("no prediction was answered before any kill: nothing was tested")
        print(f"{kills} kills under load of {CLIENTS} clients: {len(answered)} predictions answered, 0 lost")


try:
    main()
except Failed as failure:
    sys.exit(f"FAILED: {failure}")
