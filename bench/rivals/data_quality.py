#!/usr/bin/env python3
"""Quality rules of web text: datatrove's filters and dolma's taggers beside ours, same text, one thread each.

    pip install datatrove spacy dolma
    bench/rivals/data_quality.py TEXTS.jsonl [--bench build/release/bench/data/bench_data] [--repeat 5] [--peer-bytes 400000]

TEXTS.jsonl has a document a line ("text"). That the decisions are the same is what tests/compat/data_quality_check.py shows; run it
on the same file first. Every family measures every document: datatrove's filters are called one by one, so none is spared by an
earlier one. Prints megabytes of text a CPU-second (ours: median of the repeats; the peers once over the first --peer-bytes, they
are slow and steady) and ratios; ends with one line of JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

FAMILIES = {"gopher quality": "BM_GopherQuality", "gopher repetition": "BM_GopherRepetition", "c4": "BM_C4",
            "fineweb": "BM_FineWebQuality", "words": "BM_EnglishWords", "dolma gopher + c4": "BM_Dolma", "all four": "BM_FineWebFour"}


def peers(texts):
    """Seconds of each family over the texts; what is not installed is left out."""
    seconds = {}

    def timed(name, call):
        begin = time.process_time()
        for text in texts:
            call(text)
        seconds[name] = seconds.get(name, 0) + time.process_time() - begin

    try:
        from datatrove.data import Document
        from datatrove.pipeline import filters
        from datatrove.utils import text as utilities

        steps = {"gopher quality": filters.GopherQualityFilter(), "gopher repetition": filters.GopherRepetitionFilter(),
                 "c4": filters.C4QualityFilter(filter_no_terminal_punct=False), "fineweb": filters.FineWebQualityFilter()}
        utilities.split_into_words("load the tokenizer")
        timed("words", lambda text: utilities.split_into_parts.__wrapped__(text, "WORDS"))
        for name, step in steps.items():
            utilities.split_into_parts.cache_clear()
            timed(name, lambda text, step=step: step.filter(Document(text=text, id="0")))
        seconds["all four"] = sum(seconds[name] for name in steps)
    except ImportError as error:
        print("without datatrove:", error)
    try:
        from dolma.core.data_types import Document as DolmaDocument
        from dolma.taggers import c4, gopher

        first, second = gopher.GopherTagger(), c4.FasterC4Tagger()
        timed("dolma gopher + c4", lambda text: (first.predict(DolmaDocument("", "0", text)), second.predict(DolmaDocument("", "0", text))))
    except ImportError as error:
        print("without dolma:", error)
    return seconds


def ours(bench, file, repeat):
    out = subprocess.run([bench, "--benchmark_filter=" + "|".join(name + "$" for name in FAMILIES.values()), "--benchmark_format=json",
                          f"--benchmark_repetitions={repeat}", "--benchmark_min_time=0.2"],
                         env={**os.environ, "SLIPWAY_BENCH_TEXTS": file}, check=True, capture_output=True, text=True).stdout
    runs = {}
    for run in json.loads(out)["benchmarks"]:
        if run["run_type"] == "iteration":
            runs.setdefault(run["name"].split("/")[0], []).append(run["cpu_time"] / 1000)
    return {family: statistics.median(runs[name]) for family, name in FAMILIES.items() if name in runs}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts")
    parser.add_argument("--bench", default="build/release/bench/data/bench_data")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--peer-bytes", type=int, default=400000)
    arguments = parser.parse_args()
    texts = [json.loads(line)["text"] for line in open(arguments.texts)]
    size = sum(len(text.encode()) for text in texts)
    some, some_size = [], 0
    for text in texts:
        if some_size >= arguments.peer_bytes:
            break
        some.append(text)
        some_size += len(text.encode())
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for text in texts:
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
        file.flush()
        mine = ours(arguments.bench, file.name, arguments.repeat)
    theirs = peers(some)
    rows = {}
    for family, seconds in mine.items():
        row = {"ours": size / 1e6 / seconds}
        if family in theirs:
            row["peer"] = some_size / 1e6 / theirs[family]
            row["ratio"] = row["ours"] / row["peer"]
        rows[family] = row
        print(f"{family:18} ours {row['ours']:8.1f} MB/CPU-s" + (f"   peer {row['peer']:7.3f}   {row['ratio']:6.0f}x" if "peer" in row else ""))
    print(json.dumps({"bytes": size, "peer_bytes": some_size, "documents": len(texts), "mb_per_cpu_second": rows}))


if __name__ == "__main__":
    main()
