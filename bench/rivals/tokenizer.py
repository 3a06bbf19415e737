#!/usr/bin/env python3
"""Our tokenizer against Hugging Face tokenizers on the same file: ids and offsets checked equal first, then MB per CPU second.

usage: tokenizer.py SLIPWAY_BINARY BENCH_TEXT_BINARY TOKENIZER_JSON TEXT_FILE [--rounds 5] [--max-mb 2]
Needs the Python package tokenizers. TEXT_FILE has one text a line (UTF-8). Prints one JSON object.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


def read_lines(path, max_bytes):
    lines, size = [], 0
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            line = line.rstrip("\r\n")
            lines.append(line)
            size += len(line.encode())
            if size >= max_bytes:
                break
    return lines, size


def check_equal(args, lines, tokenizer):
    rows = "".join(json.dumps({"text": line}) + "\n" for line in lines)
    run = subprocess.run([args.slipway, "tokenizer", "encode", args.tokenizer, "--special"], input=rows.encode(),
                         stdout=subprocess.PIPE, check=True)
    ours = [json.loads(row) for row in run.stdout.splitlines()]
    if len(ours) != len(lines):
        sys.exit(f"{len(ours)} rows came back for {len(lines)} lines")
    for line, row, theirs in zip(lines, ours, tokenizer.encode_batch(lines)):
        if row["ids"] != theirs.ids or [tuple(o) for o in row["offsets"]] != theirs.offsets:
            sys.exit(f"not equal on {line!r}:\n{row}\n{theirs.ids} {theirs.offsets}")


def time_ours(args, text_path):
    env = dict(os.environ, SLIPWAY_TOKENIZER=args.tokenizer, SLIPWAY_TEXT=text_path)
    run = subprocess.run([args.bench, "--benchmark_filter=encode|load", "--benchmark_format=json",
                          f"--benchmark_repetitions={args.rounds}"], env=env, stdout=subprocess.PIPE, check=True)
    result = {}
    for row in json.loads(run.stdout)["benchmarks"]:
        if row["run_type"] == "iteration":
            result.setdefault(row["run_name"], []).append(row)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("bench")
    parser.add_argument("tokenizer")
    parser.add_argument("text")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-mb", type=float, default=2.0)
    args = parser.parse_args()
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(args.tokenizer)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    lines, size = read_lines(args.text, int(args.max_mb * 1e6))
    check_equal(args, lines, tokenizer)
    sample = args.text + ".bench-sample"
    with open(sample, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)
    try:
        ours = time_ours(args, sample)
    finally:
        os.unlink(sample)

    def cpu_seconds(encode):
        samples = []
        for _ in range(args.rounds):
            start = time.process_time()
            encode(lines)
            samples.append(time.process_time() - start)
        return statistics.median(samples)

    def our_seconds(name):
        return statistics.median(row["cpu_time"] for row in ours[name]) / 1e3

    theirs_ids = cpu_seconds(tokenizer.encode_batch_fast)
    theirs_offsets = cpu_seconds(tokenizer.encode_batch)
    start = time.process_time()
    tokenizers.Tokenizer.from_file(args.tokenizer)
    load = time.process_time() - start
    ids, offsets = our_seconds("encode/offsets:0"), our_seconds("encode/offsets:1")
    load_ours = our_seconds("load")
    model = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    print(json.dumps({
        "bytes": size, "lines": len(lines), "equal": True, "machine": model[1] if model else "unknown",
        "tokenizers_version": tokenizers.__version__,
        "ids": {"ours_mb_s": size / ids / 1e6, "theirs_mb_s": size / theirs_ids / 1e6, "ratio": theirs_ids / ids},
        "offsets": {"ours_mb_s": size / offsets / 1e6, "theirs_mb_s": size / theirs_offsets / 1e6,
                    "ratio": theirs_offsets / offsets},
        "load": {"ours_ms": load_ours * 1e3, "theirs_ms": load * 1e3, "ratio": load / load_ours},
    }, indent=2))


if __name__ == "__main__":
    main()
