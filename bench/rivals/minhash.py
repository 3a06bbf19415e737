#!/usr/bin/env python3
"""MinHash signatures of datatrove (14 buckets of 8, word 5-grams) beside ours, on the same text, one thread each.

    pip install datatrove[processing] spacy "xxhash<4"
    bench/rivals/minhash.py TEXT_FILE [--bench build/release/bench/data/bench_data] [--repeat 5]

TEXT_FILE has one document a line. Both are first held to the same task: of documents and their copies with one word changed
(Jaccard of the 5-grams about 0.95 for 200 words and more), each must put nearly all pairs into a common bucket; ours does so
in its own tests. Prints megabytes of text a CPU-second (median of the repeats) and their ratio.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time


def rival(documents, repeat):
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    with tempfile.TemporaryDirectory() as folder:
        config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
        step = MinhashDedupSignature(output_folder=folder, config=config, language="eng")

        def sign(text):
            return [tuple(bucket) for bucket in step.get_signature(step.get_shingles(text))]

        pairs = [text for text in documents if len(text.split()) >= 200][:40]
        met = 0
        for text in pairs:
            words = text.split()
            words[len(words) // 2] = "changedword"
            met += any(a == b for a, b in zip(sign(text), sign(" ".join(words))))
        if pairs and met < 0.9 * len(pairs):
            raise SystemExit(f"datatrove found only {met} of {len(pairs)} planted pairs; not comparable")
        times = []
        for _ in range(repeat):
            begin = time.process_time()
            for text in documents:
                sign(text)
            times.append(time.process_time() - begin)
    return statistics.median(times), met, len(pairs)


def ours(bench, file, repeat):
    out = subprocess.run(
        [bench, "--benchmark_filter=BM_Signature", f"--benchmark_repetitions={repeat}", "--benchmark_format=json"],
        env={**os.environ, "SLIPWAY_BENCH_TEXT": file}, check=True, capture_output=True, text=True).stdout
    runs = [run["cpu_time"] / 1000 for run in json.loads(out)["benchmarks"] if run["run_type"] == "iteration"]
    return statistics.median(runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text")
    parser.add_argument("--bench", default="build/release/bench/data/bench_data")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    with open(arguments.text, encoding="utf-8") as lines:
        documents = [line.rstrip("\n") for line in lines if line.strip()]
    size = sum(len(text.encode()) for text in documents) / 1e6
    theirs, met, pairs = rival(documents, arguments.repeat)
    mine = ours(arguments.bench, os.path.abspath(arguments.text), arguments.repeat)
    print(f"{len(documents)} documents, {size:.2f} MB; datatrove met {met} of {pairs} planted pairs")
    print(f"datatrove  {size / theirs:10.3f} MB/CPU-s")
    print(f"slipway    {size / mine:10.3f} MB/CPU-s   {theirs / mine:.0f}x")
    print(json.dumps({"ours_mb_s": size / mine, "theirs_mb_s": size / theirs, "ratio": theirs / mine}))


if __name__ == "__main__":
    main()
