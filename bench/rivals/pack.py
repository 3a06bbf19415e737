#!/usr/bin/env python3
"""Packed token shards: `slipway data pack` beside HF tokenizers with NumPy and, where it is installed, datatrove's DocumentTokenizer.

usage: pack.py SLIPWAY_BINARY TOKENIZER.json CORPUS.jsonl [--end TOKEN] [--length 2048]
One thread each, one after the other, the median of three; MB of text per CPU-second of the whole process less its start. Ids are compared first: the
rows of slipway are those of the other, one after the other.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HF = """
import json, sys
import numpy
from tokenizers import Tokenizer
tokenizer, corpus, out, end = Tokenizer.from_file(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
end = tokenizer.token_to_id(end)
encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)  # of 0.20 and newer
with open(out, "wb") as file:
    batch = []
    def flush():
        for one in encode(batch, add_special_tokens=False):
            if one.ids:
                numpy.asarray(one.ids + [end], dtype=numpy.uint16 if tokenizer.get_vocab_size() <= 65536 else numpy.uint32).tofile(file)
        batch.clear()
    for line in open(corpus, encoding="utf-8"):
        batch.append(json.loads(line)["text"])
        if len(batch) == 256:
            flush()
    flush()
"""
DATATROVE = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.tokens import DocumentTokenizer
import pathlib
corpus = pathlib.Path(sys.argv[2])
LocalPipelineExecutor(pipeline=[JsonlReader(str(corpus.parent), glob_pattern=corpus.name),
    DocumentTokenizer(output_folder=sys.argv[3], tokenizer_name_or_path=sys.argv[1], eos_token=sys.argv[4], shuffle_documents=False)],
    tasks=1, workers=1, logging_dir=sys.argv[3] + "-logs").run()
"""


def cpu(command):
    start = os.times()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"})
    end = os.times()
    assert done.returncode == 0, (command, done.stderr[-2000:])
    return end.children_user + end.children_system - start.children_user - start.children_system


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("slipway")
    parser.add_argument("tokenizer")
    parser.add_argument("corpus")
    parser.add_argument("--end", default="<|endoftext|>")
    parser.add_argument("--length", type=int, default=2048)
    args = parser.parse_args()
    import numpy
    text_bytes = sum(len(json.loads(line)["text"].encode()) for line in open(args.corpus, encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        tmp = pathlib.Path(folder)
        (tmp / "empty.jsonl").write_text('{"text":"x"}\n')
        commands = {
            "slipway": lambda corpus, out: [args.slipway, "data", "pack", corpus, "--tokenizer", args.tokenizer, "--end", args.end, "--length", str(args.length),
                                            "--threads", "1", "--out", out],
            "tokenizers": lambda corpus, out: [sys.executable, "-c", HF, args.tokenizer, corpus, out, args.end]}
        if subprocess.run([sys.executable, "-c", "import datatrove.pipeline.tokens"], capture_output=True).returncode == 0:
            commands["datatrove"] = lambda corpus, out: [sys.executable, "-c", DATATROVE, args.tokenizer, corpus, out, args.end]
        rates = {}
        for name, command in commands.items():
            seconds = []
            for i in range(3):
                out = tmp / f"{name}-{i}"
                start = cpu(command(str(tmp / "empty.jsonl"), str(tmp / f"{name}-{i}-start")))
                seconds.append(cpu(command(args.corpus, str(out))) - start)
            rates[name] = text_bytes / 1e6 / statistics.median(seconds)
        index = json.loads((tmp / "slipway-0/index.json").read_text())
        dtype = "<u2" if index["width"] == 2 else "<u4"
        ours = numpy.concatenate([numpy.fromfile(tmp / "slipway-0" / shard["file"], dtype, count=shard["sequences"] * index["length"], offset=64)
                                  for shard in index["shards"]])
        theirs = numpy.fromfile(tmp / "tokenizers-0", dtype)
        same = len(theirs) == len(ours) + index["tail_tokens"] and bool((theirs[:len(ours)] == ours).all())
        print(json.dumps({"text_mb": round(text_bytes / 1e6, 1), "tokens": int(len(theirs)), "ids": "equal" if same else "DIFFER",
                          **{f"{name}_mb_per_cpu_s": round(rate, 2) for name, rate in rates.items()}}))


main()
