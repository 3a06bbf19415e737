#!/usr/bin/env python3
"""Both servers under mixed load, their memory watched: soak.py SLIPWAY [--minutes N] [--rate R]

For N minutes (1 when not given), R requests a second (8) go to each of a classifier's and a decoder's server: good ones,
broken bodies, unknown routes, streams read to their end and streams left in the middle. Resident memory is sampled each
second. Fails when a good request fails, a bad one is not refused with its status, descriptors are lost, or the memory is
not flat: the median of the last third of the samples more than 3 % and 2 MiB above that of the second third. The KV cache
takes memory as it fills, once, so it is small enough here to be full by then.
"""
import argparse, http.client, json, pathlib, random, socket, statistics, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from served import Failed, Server, make_model

JSON = {"Content-Type": "application/json"}


def ask(port, method, path, body=None, expected=200):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body), JSON)
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status != expected:
        raise Failed(f"{method} {path} with {str(body)[:80]} was answered {response.status}, not {expected}: {answer[:200]}")
    return answer


def chat(generator, tokens, **more):
    words = " ".join(f"w{generator.randint(3, 150)}" for _ in range(generator.randint(1, 12)))
    return {"messages": [{"role": "user", "content": words}], "max_tokens": tokens, "ignore_eos": True, **more}


def leave_stream(port, generator):
    """Reads the beginning of a stream and goes."""
    body = json.dumps(chat(generator, 200, stream=True)).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        if not connection.recv(64).startswith(b"HTTP/1.1 200"):
            raise Failed("a stream was not begun")


def leave_body(port, path):
    """Promises a body and goes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{{\"inp".encode())


def read_stream(port, generator):
    answer = ask(port, "POST", "/v1/chat/completions", chat(generator, generator.randint(1, 40), stream=True, temperature=1))
    if not answer.endswith(b"data: [DONE]\n\n"):
        raise Failed(f"a stream did not end as it should: {answer[-100:]}")


def encoder_trials(port, generator):
    text = lambda: " ".join(generator.choices(["good", "bad", "movie", "plot", "the", "is", "not"], k=generator.randint(1, 20)))
    return [
        lambda: ask(port, "POST", "/v1/classify", {"inputs": [text() for _ in range(generator.randint(1, 8))]}),
        lambda: ask(port, "POST", "/v1/embeddings", {"input": text(), "model": "model"}),
        lambda: ask(port, "POST", "/predict", {"inputs": text()}),
        lambda: ask(port, "POST", "/v1/classify", b"{\"inputs\": [", 400),
        lambda: ask(port, "POST", "/v1/classify", {"inputs": 5}, 400),
        lambda: ask(port, "GET", "/nothing", expected=404),
        lambda: ask(port, "GET", "/metrics"),
        lambda: leave_body(port, "/v1/classify"),
    ]


def decoder_trials(port, generator):
    return [
        lambda: ask(port, "POST", "/v1/chat/completions", chat(generator, generator.randint(1, 40))),
        lambda: ask(port, "POST", "/generate", {"inputs": "w5 w6", "parameters": {"max_new_tokens": 8}}),
        lambda: ask(port, "POST", "/v1/chat/completions", chat(generator, 4, logprobs=True)),
        lambda: read_stream(port, generator),
        lambda: leave_stream(port, generator),
        lambda: ask(port, "POST", "/v1/chat/completions", b"[1, 2", 400),
        lambda: ask(port, "POST", "/v1/chat/completions", {"messages": "x"}, 400),
        lambda: ask(port, "GET", "/metrics"),
        lambda: leave_body(port, "/v1/chat/completions"),
    ]


class Load(threading.Thread):
    def __init__(self, trials, generator, rate, end):
        super().__init__()
        self.trials, self.generator, self.rate, self.end, self.done, self.error = trials, generator, rate, end, 0, None

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.generator.choice(self.trials)()
                self.done += 1
                time.sleep(self.generator.expovariate(self.rate))
        except (Failed, OSError, http.client.HTTPException) as error:
            self.error = error


def judge(name, samples):
    third = len(samples) // 3
    middle, last = (statistics.median(samples[third:2 * third]), statistics.median(samples[2 * third:]))
    flat = last - middle <= max(0.03 * middle, 2048)
    print(f"{name}: resident {samples[0] / 1024:.1f} MiB at first, {middle / 1024:.1f} in the second third, {last / 1024:.1f} in the "
          f"last, {max(samples) / 1024:.1f} at most: {'flat' if flat else 'NOT FLAT'}", flush=True)
    return flat


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("slipway")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--rate", type=float, default=8)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    arguments = parser.parse_args()
    slipway = str(pathlib.Path(arguments.slipway).resolve())
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="slipway-soak-") as folder:
        servers = {}
        try:
            for kind in ("encoder", "decoder"):
                model = make_model(kind, pathlib.Path(folder) / kind / "model")
                flags = ["--kv-cache-mb", "2"] if kind == "decoder" else []
                servers[kind] = Server(slipway, model, *flags, folder=folder)
            end = time.monotonic() + 60 * arguments.minutes
            loads = []
            for kind, trials in (("encoder", encoder_trials), ("decoder", decoder_trials)):
                for thread in range(2):
                    generator = random.Random(f"{arguments.seed} {kind} {thread}")
                    loads.append(Load(trials(servers[kind].port, generator), generator, arguments.rate / 2, end))
            samples, files = {kind: [] for kind in servers}, {}
            for load in loads:
                load.start()
            while time.monotonic() < end and not any(load.error for load in loads):
                for kind, server in servers.items():
                    samples[kind].append(server.resident_kib())
                    files.setdefault(kind, server.open_files())
                time.sleep(1)
            for load in loads:
                load.join()
            for load in loads:
                if load.error:
                    raise Failed(repr(load.error))
            print(f"{sum(load.done for load in loads)} requests in {arguments.minutes:g} minutes", flush=True)
            flat = [judge(kind, samples[kind]) for kind in servers]
            for kind, server in servers.items():
                for _ in range(100):
                    if server.open_files() <= files[kind] + 8:
                        break
                    time.sleep(0.1)
                else:
                    raise Failed(f"the {kind}'s server had {files[kind]} descriptors open at first and has {server.open_files()} now")
            if not all(flat):
                raise Failed("memory is not flat")
        finally:
            for server in servers.values():
                server.stop()


try:
    main()
except Failed as failure:
    sys.exit(f"FAILED: {failure}")
