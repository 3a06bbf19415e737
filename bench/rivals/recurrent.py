#!/usr/bin/env python3
"""LSTM and GRU classifiers: our engine against PyTorch on packed sequences, in one run.

usage: recurrent.py [--engine BINARY] [--threads 1,2] [--rounds 5] [--json OUT]

A random bidirectional model of two layers (embeddings 128, hidden 256) is written as docs/formats/recurrent.md says and
read by both. Texts are random ids: of one length, and of mixed lengths (5 to 120), which PyTorch takes in batches of 32
with pack_padded_sequence, sorted by length, so that it computes no padding either. Embeddings of both are compared
before anything is timed; rounds alternate; the figures are medians of wall and CPU seconds.
"""
import argparse
import json
import pathlib
import random
import resource
import statistics
import subprocess
import tempfile
import time

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

SIZES = {"vocab_size": 5000, "embedding_dim": 128, "hidden_size": 256, "num_layers": 2, "bidirectional": True}


class Classifier(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.embedding = nn.Embedding(SIZES["vocab_size"], SIZES["embedding_dim"])
        self.rnn = kind(SIZES["embedding_dim"], SIZES["hidden_size"], num_layers=2, bidirectional=True, batch_first=True)
        self.classifier = nn.Linear(2 * SIZES["hidden_size"], 2)

    def pooled(self, texts):
        lengths = torch.tensor([len(text) for text in texts])
        padded = nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts], batch_first=True)
        _, state = self.rnn(pack_padded_sequence(self.embedding(padded), lengths, batch_first=True, enforce_sorted=False))
        last = state[0] if isinstance(state, tuple) else state
        return torch.cat([last[-2], last[-1]], 1)


def write(folder, cell, model):
    (folder / "config.json").write_text(json.dumps(SIZES | {"model_type": cell, "num_labels": 2}))
    torch.save(model.state_dict(), folder / "model.pt")
    words = {f"w{i}": i for i in range(SIZES["vocab_size"])}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None, "decoder": None, "model": {"type": "WordLevel", "vocab": words, "unk_token": "w0"}}))


class Ours:
    def __init__(self, binary, folder, threads):
        self.process = subprocess.Popen([binary, folder, "float32", str(threads)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def torch_run(model, batches):
    return torch.cat([model.pooled(batch) for batch in batches])


def measure(ours, model, texts, batches, rounds):
    mine = torch.tensor(ours.ask(texts=texts, results=True)["embeddings"])
    order = [text for batch in batches for text in batch]
    theirs = nn.functional.normalize(torch_run(model, batches))
    difference = max(float((mine[texts.index(text)] - theirs[i]).abs().max()) for i, text in enumerate(order))
    assert difference < 1e-4, difference
    times = {"ours": [], "torch": [], "ours_cpu": [], "torch_cpu": []}
    for _ in range(rounds):
        reply = ours.ask(texts=texts, repeat=1)
        times["ours"].append(reply["wall"])
        times["ours_cpu"].append(reply["cpu"])
        usage = resource.getrusage(resource.RUSAGE_SELF)
        begin = time.perf_counter()
        torch_run(model, batches)
        times["torch"].append(time.perf_counter() - begin)
        after = resource.getrusage(resource.RUSAGE_SELF)
        times["torch_cpu"].append(after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime)
    return {key: statistics.median(value) for key, value in times.items()} | {"difference": difference}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="build/release/bench/engine/bench_timed_engine")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    torch.set_grad_enabled(False)
    rng = random.Random(1)
    ids = lambda length: [rng.randrange(SIZES["vocab_size"]) for _ in range(length)]  # noqa: E731
    sets = {"1 x 32": [ids(32)], "32 x 32": [ids(32) for _ in range(32)],
            "mixed": [ids(rng.randint(5, 120)) for _ in range(256)]}
    rows = []
    for cell, kind in (("lstm", nn.LSTM), ("gru", nn.GRU)):
        with tempfile.TemporaryDirectory() as scratch:
            model = Classifier(kind).eval()
            write(pathlib.Path(scratch), cell, model)
            for threads in map(int, arguments.threads.split(",")):
                torch.set_num_threads(threads)
                ours = Ours(arguments.engine, scratch, threads)
                for name, texts in sets.items():
                    by_length = sorted(texts, key=len)
                    batches = [by_length[i:i + 32] for i in range(0, len(by_length), 32)]
                    row = {"cell": cell, "threads": threads, "texts": name} | measure(ours, model, texts, batches, arguments.rounds)
                    rows.append(row)
                    print(f"{cell} {threads} threads, {name}: ours {row['ours'] * 1e3:.2f} ms, torch {row['torch'] * 1e3:.2f} ms "
                          f"(x{row['torch'] / row['ours']:.2f}; CPU x{row['torch_cpu'] / max(row['ours_cpu'], 1e-9):.2f}), "
                          f"largest difference {row['difference']:.1e}")
                ours.close()
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
