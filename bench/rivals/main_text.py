#!/usr/bin/env python3
"""Main text of web pages: trafilatura (three settings) and resiliparse beside `slipway data extract`, one thread each.

    pip install trafilatura resiliparse zstandard
    bench/rivals/main_text.py PAGES.tar.zst GROUND_TRUTH.json.zst [--slipway build/release/slipway] [--repeat 5] [--rival-repeat 1]

The data are those of the article extraction benchmark (181 pages). Quality: multisets of word 4-grams of our text and of the
benchmark's; precision and recall a page, averaged over pages; F1 of the two averages. Speed: megabytes of HTML a CPU-second, median of
the repeats. Ours is the whole command: start, reading files, digests, language, writing; theirs only the call, on pages decoded before.
"""

import argparse
import collections
import importlib.metadata
import io
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import tarfile
import tempfile
import time

import zstandard

WORD = re.compile(r"\w+", re.UNICODE)


def grams(text, n=4):
    words = WORD.findall(text or "")
    return collections.Counter(tuple(words[i:i + n]) for i in range(max(1, len(words) - n + 1))) if words else collections.Counter()


def precision_recall(truth, text):
    wanted, got = grams(truth), grams(text)
    both, more, less = (sum(c.values()) for c in (wanted & got, got - wanted, wanted - got))
    if more == less == 0:
        return 1.0, 1.0
    precision = both / (both + more) if both + more else (1.0 if less == 0 else 0.0)
    recall = both / (both + less) if both + less else (1.0 if more == 0 else 0.0)
    return precision, recall


def quality(truth, texts, ids):
    pairs = [precision_recall(truth[i]["articleBody"], texts.get(i, "")) for i in ids]
    precision, recall = (sum(p[k] for p in pairs) / len(pairs) for k in (0, 1))
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / (precision + recall)}


def rivals():
    import trafilatura
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    version = importlib.metadata.version
    yield f"trafilatura {version('trafilatura')}", lambda html: trafilatura.extract(html, include_comments=False)
    yield "trafilatura, fast", lambda html: trafilatura.extract(html, include_comments=False, fast=True)
    yield "trafilatura, favor_precision", lambda html: trafilatura.extract(html, include_comments=False, favor_precision=True)
    yield f"resiliparse {version('resiliparse')}", lambda html: extract_plain_text(
        HTMLTree.parse(html), main_content=True, alt_texts=False, links=False, list_bullets=False)


def measure_rival(extract, pages, repeat):
    times = []
    for _ in range(repeat):
        begin = time.process_time()
        texts = {name: extract(html) or "" for name, html in pages.items()}
        times.append(time.process_time() - begin)
    return texts, statistics.median(times)


def measure_ours(slipway, folder, repeat):
    times = []
    out = pathlib.Path(folder).with_suffix(".jsonl")
    for _ in range(repeat):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([slipway, "--threads", "1", "data", "extract", folder, "--out", str(out), "--json"], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    texts = {pathlib.Path(page["source"]).stem: page["text"] for page in map(json.loads, open(out, encoding="utf-8"))}
    return texts, statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages")
    parser.add_argument("truth")
    parser.add_argument("--slipway", default="build/release/slipway")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--rival-repeat", type=int, default=1)
    arguments = parser.parse_args()
    unpack = lambda path: zstandard.ZstdDecompressor().stream_reader(open(path, "rb")).read()
    truth = json.loads(unpack(arguments.truth))
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.path.join(temporary, "pages")
        os.mkdir(folder)
        pages = {}
        for member in (tar := tarfile.open(fileobj=io.BytesIO(unpack(arguments.pages)))):
            name = pathlib.Path(member.name).name
            if member.isfile() and name.endswith(".html"):
                body = tar.extractfile(member).read()
                pathlib.Path(folder, name).write_bytes(body)
                pages[name.removesuffix(".html")] = body.decode("utf-8", "replace")
        size = sum(len(html.encode()) for html in pages.values()) / 1e6
        ids = sorted(truth)
        half = len(ids) // 2
        results = []
        texts, seconds = measure_ours(arguments.slipway, folder, arguments.repeat)
        results.append({"program": "slipway", **quality(truth, texts, ids), "mb_per_cpu_second": size / seconds,
                        "f1_halves": [quality(truth, texts, ids[:half])["f1"], quality(truth, texts, ids[half:])["f1"]]})
        print(results[-1], flush=True)
        for name, extract in rivals():
            texts, seconds = measure_rival(extract, pages, arguments.rival_repeat)
            results.append({"program": name, **quality(truth, texts, ids), "mb_per_cpu_second": size / seconds})
            print(results[-1], flush=True)
    print(json.dumps({"pages": len(pages), "megabytes": size, "repeat": arguments.repeat, "rival_repeat": arguments.rival_repeat, "results": results}))


if __name__ == "__main__":
    main()
