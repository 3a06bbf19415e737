#!/usr/bin/env python3
"""Encoder inference: our engine against ONNX Runtime, f32 and int8 (quantize_dynamic), in one run.

usage: onnxruntime_encoder.py --model FOLDER --onnx MODEL.onnx [--texts FILE] [--engine BINARY] [--threads 1,2]
                              [--rounds 7] [--json OUT]

FOLDER holds config.json, tokenizer.json, model.safetensors and model.int8.safetensors; MODEL.onnx is the same model
with outputs ending in a normalised mean-pooled sentence embedding. Both sides get token ids; before anything is timed the embeddings of
both are compared with those of the f32 graph. Rounds alternate between the two; the figures are medians. Times are CPU-seconds of the process, which a busy
machine disturbs least, and wall seconds. At equal lengths nothing is padded. Mixed lengths come from FILE (one text a
line); ONNX Runtime pads them in batches of 32, as they come and sorted by length.
"""
import argparse
import json
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

SETTLE_SECONDS = 0.2
SHAPES = [(b, s) for b in (1, 8, 32) for s in (16, 64, 128)]


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Ours:
    def __init__(self, binary, model, precision, threads):
        self.process = subprocess.Popen([binary, model, precision, str(threads)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.info = json.loads(self.process.stdout.readline())

    def _ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def embed(self, texts):
        return numpy.array(self._ask(texts=texts, results=True)["embeddings"])

    def time(self, texts, repeat):
        reply = self._ask(texts=texts, repeat=repeat)
        return reply["cpu"] / repeat, reply["wall"] / repeat

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Onnx:
    def __init__(self, path, threads, batch=None, by_length=False):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name for i in self.session.get_inputs()}
        self.output = self.session.get_outputs()[-1].name
        self.batch = batch
        self.by_length = by_length

    def _feed(self, texts):
        length = max(map(len, texts))
        ids = numpy.zeros((len(texts), length), numpy.int64)
        mask = numpy.zeros((len(texts), length), numpy.int64)
        for i, text in enumerate(texts):
            ids[i, :len(text)] = text
            mask[i, :len(text)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        return {name: value for name, value in feed.items() if name in self.inputs}

    def _feeds(self, texts):
        order = sorted(range(len(texts)), key=lambda i: len(texts[i])) if self.by_length else list(range(len(texts)))
        step = self.batch or len(texts)
        return order, [self._feed([texts[i] for i in order[at:at + step]]) for at in range(0, len(texts), step)]

    def embed(self, texts):
        order, feeds = self._feeds(texts)
        rows = numpy.concatenate([self.session.run([self.output], feed)[0] for feed in feeds])
        out = numpy.empty_like(rows)
        out[order] = rows
        return out

    def time(self, texts, repeat):
        _, feeds = self._feeds(texts)  # made before: tokenising and padding are not timed
        cpu, wall = cpu_seconds(), time.perf_counter()
        for _ in range(repeat):
            for feed in feeds:
                self.session.run([self.output], feed)
        return (cpu_seconds() - cpu) / repeat, (time.perf_counter() - wall) / repeat


def compare(ours, theirs, texts, rounds, seconds_a_round):
    """Medians of alternating rounds."""
    ours.time(texts, 1)
    theirs.time(texts, 1)
    repeat = max(1, int(seconds_a_round / max(theirs.time(texts, 1)[0], 1e-4)))
    samples = []
    for _ in range(rounds):
        # A thread pool goes on spinning for tens of milliseconds after its last call: ONNX Runtime's would take a core
        # from whoever is timed next.
        time.sleep(SETTLE_SECONDS)
        mine = ours.time(texts, repeat)
        time.sleep(SETTLE_SECONDS)
        samples.append((*mine, *theirs.time(texts, repeat)))
    our_cpu, our_wall, their_cpu, their_wall = (statistics.median(column) for column in zip(*samples))
    return {"ours_cpu_ms": our_cpu * 1e3, "theirs_cpu_ms": their_cpu * 1e3, "cpu_ratio": their_cpu / our_cpu,
            "ours_wall_ms": our_wall * 1e3, "theirs_wall_ms": their_wall * 1e3, "wall_ratio": their_wall / our_wall,
            "rounds": rounds, "repeat": repeat}


def operations(texts, config):
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    linear = 2 * layers * (4 * hidden * hidden + 2 * hidden * inner)
    return sum(len(t) * (linear + 4 * layers * hidden * len(t)) for t in texts)


def agree(ours, theirs, texts):
    """The least cosine between the embeddings of a text."""
    return float((ours.embed(texts) * theirs.embed(texts)).sum(1).min())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--model", required=True)
    parser.add_argument("--onnx", required=True)
    parser.add_argument("--texts")
    parser.add_argument("--engine", default=str(root / "build/release/bench/engine/bench_timed_engine"))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--precisions", default="float32,int8")
    parser.add_argument("--shapes", help="such as 1x16,8x128")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.15, help="CPU time of the rival in a round")
    parser.add_argument("--json")
    args = parser.parse_args()
    config = json.loads((pathlib.Path(args.model) / "config.json").read_text())
    shapes = [tuple(map(int, s.split("x"))) for s in args.shapes.split(",")] if args.shapes else SHAPES
    rng = numpy.random.default_rng(7)
    workloads = {f"{b}x{s}": [[101, *map(int, rng.integers(1000, 30000, s - 2)), 102] for _ in range(b)]
                 for b, s in shapes}
    mixed = []
    if args.texts:
        tokenizer = Tokenizer.from_file(str(pathlib.Path(args.model) / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(config["max_position_embeddings"])
        lines = [line for line in pathlib.Path(args.texts).read_text().splitlines() if line.strip()]
        mixed = [encoding.ids for encoding in tokenizer.encode_batch(lines)]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        paths = {"float32": args.onnx, "int8": str(pathlib.Path(folder) / "int8.onnx")}
        exact = Onnx(args.onnx, 1, 32, True)
        quantize_dynamic(args.onnx, paths["int8"], weight_type=QuantType.QInt8)
        for threads in map(int, args.threads.split(",")):
            for precision in args.precisions.split(","):
                ours = Ours(args.engine, args.model, precision, threads)
                theirs = Onnx(paths[precision], threads)
                peak = ours.info["peak_f32" if precision == "float32" else "peak_int8"]
                cases = [(name, texts, theirs) for name, texts in workloads.items()]
                if mixed:
                    cases.append(("mixed", mixed, Onnx(paths[precision], threads, 32)))
                    cases.append(("mixed, rival sorts", mixed, Onnx(paths[precision], threads, 32, True)))
                for name, texts, rival in cases:
                    # Dynamic int8 graphs differ from f32 in the second digit; ours must be far closer.
                    cosine, their_cosine = agree(ours, exact, texts), agree(rival, exact, texts)
                    limits = (0.99999, 0.99999) if precision == "float32" else (0.99, 0.8)
                    if cosine < limits[0] or their_cosine < limits[1]:
                        sys.exit(f"{precision} {name}: embeddings differ from f32 (cosine {cosine:.5f}, {their_cosine:.5f})")
                    row = compare(ours, rival, texts, args.rounds, args.seconds)
                    rate = operations(texts, config) / (row["ours_cpu_ms"] * 1e6)
                    row |= {"threads": threads, "precision": precision, "case": name, "texts": len(texts),
                            "tokens": sum(map(len, texts)), "min_cosine_to_f32": cosine, "their_min_cosine_to_f32": their_cosine,
                            "ours_of_peak": rate / peak, "isa": ours.info["isa"]}
                    results.append(row)
                    print(f"{threads}t {precision:8} {name:18} cpu {row['ours_cpu_ms']:9.2f} / {row['theirs_cpu_ms']:9.2f} ms"
                          f"  ratio {row['cpu_ratio']:5.2f}   wall {row['ours_wall_ms']:9.2f} / {row['theirs_wall_ms']:9.2f} ms"
                          f"  ratio {row['wall_ratio']:5.2f}   {100 * row['ours_of_peak']:3.0f} % of peak   cosine {cosine:.4f} / {their_cosine:.4f}",
                          flush=True)
                ours.close()
    report = {"bench": "onnxruntime_encoder", "machine": platform.processor() or platform.machine(),
              "onnxruntime": onnxruntime.__version__, "results": results}
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(report, indent=2) + "\n")


main()
