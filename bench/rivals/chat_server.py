#!/usr/bin/env python3
"""Many chats at once: `slipway serve` against llama-server, on the same .gguf, alternating, in one run.

usage: chat_server.py --gguf MODEL.gguf --llama-server BINARY [--slipway BINARY] [--threads 2] [--streams 1,4,8,16] [--rounds 3]
                      [--prompt-tokens 128] [--tokens 64] [--json OUT]

Every stream is one POST /v1/completions (stream, temperature 0, ignore_eos) with a prompt of its own, so nothing is shared; all are sent at
the same moment. A burst gives: first token (median and worst over the streams), gap between tokens (median, and the worst of any stream),
tokens a second over all streams from the first request to the last token. Then the late prompt: one stream runs, and a prompt of 512 tokens
comes in its middle; told are the median gap of the running stream until the late one's first token, and its longest, beside its usual gaps. Of each start: from exec to the first
token of a prompt of 16 tokens, and the resident memory after all. Servers run one at a time, each on all threads; figures are medians over
rounds. Told, too, is how many of the texts are the same on both sides (both round activations to 8 bits, so near-ties may go either way).
Needs nothing but Python and the two binaries.
"""
import argparse
import asyncio
import json
import pathlib
import random
import socket
import statistics
import subprocess
import time
import urllib.request

WORDS = "river stone market engine letter winter garden signal copper window harbor teacher bridge silver meadow captain".split()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, name, command, port):
        self.name, self.port = name, port
        begin = self.begin = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).read()
                break
            except OSError:
                if self.process.poll() is not None or time.perf_counter() - begin > 60:
                    raise SystemExit(f"{name} did not start: {' '.join(map(str, command))}")
                time.sleep(0.005)

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1000

    def close(self):
        self.process.terminate()
        self.process.wait()


async def stream(port, prompt, tokens, first_token=None):
    """When it was sent, the times at which text came (one per event that carries some), and the text. `first_token` is set at the first."""
    body = json.dumps({"prompt": prompt, "max_tokens": tokens, "temperature": 0, "stream": True, "ignore_eos": True}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begin = time.perf_counter()
    writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                 + str(len(body)).encode() + b"\r\n\r\n" + body)
    times, text = [], ""
    while line := await reader.readline():
        if line.startswith(b"data: {"):
            choices = json.loads(line[6:]).get("choices") or [{}]
            if choices[0].get("text"):
                times.append(time.perf_counter() - begin)
                text += choices[0]["text"]
                if first_token:
                    first_token.set()
        elif line.startswith(b"data: [DONE]"):
            break
        elif line.startswith(b"HTTP/1.1") and b" 200 " not in line:
            raise RuntimeError(line.decode() + (await reader.read()).decode()[:500])
    writer.close()
    return begin, times, text


def make_prompt(rng, tokens):
    return " ".join(rng.choice(WORDS) for _ in range(tokens))  # about one token a word


async def burst(port, rng, count, prompt_tokens, tokens):
    prompts = [make_prompt(rng, prompt_tokens) for _ in range(count)]
    results = await asyncio.gather(*(stream(port, p, tokens) for p in prompts))
    gaps = [b - a for _, times, _ in results for a, b in zip(times, times[1:])]
    start = min(begin for begin, _, _ in results)
    end = max(begin + times[-1] for begin, times, _ in results)
    firsts = [times[0] for _, times, _ in results]
    return {"first_token_best": min(firsts), "first_token": statistics.median(firsts), "first_token_worst": max(firsts), "gap": statistics.median(gaps),
            "gap_worst": max(gaps), "tokens_per_second": count * tokens / (end - start)}, [text for _, _, text in results]


async def late_prompt(port, rng, tokens):
    started = asyncio.Event()
    running = asyncio.create_task(stream(port, make_prompt(rng, 32), 3 * tokens, started))
    await started.wait()
    await asyncio.sleep(0.2)
    arrived = time.perf_counter()
    late_begin, late_times, _ = await stream(port, make_prompt(rng, 512), 1)
    begin, times, _ = await running
    gaps = [(begin + a, begin + b, b - a) for a, b in zip(times, times[1:])]
    before = [gap for _, end, gap in gaps if end <= arrived]
    beside = [gap for start, end, gap in gaps if end > arrived and start < late_begin + late_times[0]]
    return {"usual_gap": statistics.median(before), "usual_longest": max(before), "gap": statistics.median(beside),
            "longest_gap": max(beside), "first_token": late_times[0]}


def medians(rows):
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=pathlib.Path, required=True)
    parser.add_argument("--llama-server", required=True)
    parser.add_argument("--llama-version", default="", help="when the binary does not know its own")
    parser.add_argument("--slipway", default="build/release/slipway")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--streams", default="1,4,8,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    counts = [int(n) for n in options.streams.split(",")]
    slots = max(counts)
    context = slots * (options.prompt_tokens * 2 + options.tokens)
    commands = {
        "slipway": lambda port: [options.slipway, "serve", str(options.gguf), "--port", str(port), "--threads", str(options.threads)],
        "llama-server": lambda port: [options.llama_server, "-m", str(options.gguf), "--port", str(port), "-t", str(options.threads), "-tb",
                                      str(options.threads), "-np", str(slots), "-c", str(max(context, slots * 1024))],
    }
    measured = {name: {count: [] for count in counts} for name in commands}
    late, starts = {name: [] for name in commands}, {name: [] for name in commands}
    equal = dict.fromkeys(counts, 0)
    for round_number in range(options.rounds):
        texts = {}
        for name, command in commands.items():
            port = free_port()
            server = Server(name, command(port), port)
            rng = random.Random(round_number)  # both sides get the same prompts
            begin, times, _ = asyncio.run(stream(port, make_prompt(rng, 16), 8))
            ready = begin + times[0] - server.begin
            for count in counts:
                figures, texts[name, count] = asyncio.run(burst(port, rng, count, options.prompt_tokens, options.tokens))
                measured[name][count].append(figures)
            starts[name].append({"first_token": ready, "resident_mb": server.resident_mb()})
            late[name].append(asyncio.run(late_prompt(port, rng, options.tokens)))
            server.close()
        for count in counts:
            equal[count] += sum(a == b for a, b in zip(*(texts[name, count] for name in commands)))
    results = []
    for count in counts:
        row = {name: medians(measured[name][count]) for name in commands}
        ours, theirs = row["slipway"], row["llama-server"]
        print(f"{count:2} streams" + "".join(f"   {name}: {r['tokens_per_second']:6.1f} tokens/s, first token {r['first_token'] * 1e3:5.0f} ms "
              f"(best {r['first_token_best'] * 1e3:.0f}, worst {r['first_token_worst'] * 1e3:5.0f}), gap {r['gap'] * 1e3:5.1f} ms (worst {r['gap_worst'] * 1e3:5.0f})"
              for name, r in row.items()) + f"   {ours['tokens_per_second'] / theirs['tokens_per_second']:.2f}x; {equal[count]} of {count * options.rounds} texts equal", flush=True)
        results.append({"streams": count, "equal": equal[count], "texts": count * options.rounds, **row})
    late_rows = {name: medians(rows) for name, rows in late.items()}
    for name, r in late_rows.items():
        print(f"a late prompt of 512 tokens: {name}'s running stream waits {r['gap'] * 1e3:.1f} ms at the median and "
              f"{r['longest_gap'] * 1e3:.1f} at most (usually {r['usual_gap'] * 1e3:.1f} and {r['usual_longest'] * 1e3:.1f}); its first token after {r['first_token'] * 1e3:.0f} ms")
    start_rows = {name: medians(rows) for name, rows in starts.items()}
    for name, r in start_rows.items():
        print(f"{name}: first token {r['first_token'] * 1e3:.0f} ms after exec, {r['resident_mb']:.0f} MB resident after the bursts")
    version = subprocess.run([options.llama_server, "--version"], capture_output=True, text=True)
    rival = options.llama_version or next((line for line in (version.stdout + version.stderr).splitlines() if "version" in line), "").strip()
    if options.json:
        options.json.write_text(json.dumps({"model": options.gguf.name, "model_mb": options.gguf.stat().st_size / 1e6, "rival": rival, "threads": options.threads, "prompt_tokens": options.prompt_tokens,
                                            "tokens": options.tokens, "results": results, "late_prompt": late_rows, "start": start_rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
