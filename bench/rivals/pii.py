#!/usr/bin/env python3
"""Presidio's recognisers beside ours on the same texts, one thread each: findings first, then megabytes a CPU-second.

    pip install presidio-analyzer
    bench/rivals/pii.py TEXTS.jsonl [--slipway build/release/slipway] [--repeat 5]

TEXTS.jsonl has a "text" a line. Compared are type, place and score without context words and with all types (ours by --mode keep
--findings --threshold 0); Presidio runs the recognisers of the types that both have. Agreement is the share of findings of either that
both make, per type and in all; two types are told but not counted in all (docs/guide/pii.md says why they differ): telephone numbers, and IN_PAN,
whose weakest pattern takes every word of ten characters that a number of four digits follows anywhere.
"""

import argparse
import collections
import inspect
import json
import logging
import resource
import statistics
import subprocess
import tempfile
import time


def children_cpu():
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def presidio_recognizers(types):
    logging.disable(logging.CRITICAL)
    import presidio_analyzer.predefined_recognizers as all_of_them
    from presidio_analyzer import PatternRecognizer

    chosen = []
    for name, kind in vars(all_of_them).items():
        if inspect.isclass(kind) and (name == "PhoneRecognizer" or issubclass(kind, PatternRecognizer)):
            if not inspect.isabstract(kind):
                recognizer = kind()
                if recognizer.supported_entities[0] in types:
                    chosen.append(recognizer)
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts")
    parser.add_argument("--slipway", default="build/release/slipway")
    parser.add_argument("--types", default="generic,us,uk,es,it,pl,fi,se,tr,de,sg,au,in,kr,th,ph,ng,ca")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    with open(args.texts, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    size = sum(len(text.encode()) for text in texts) / 1e6

    with tempfile.TemporaryDirectory() as folder:
        source, out, empty = f"{folder}/in.jsonl", f"{folder}/out.jsonl", f"{folder}/empty.jsonl"
        with open(source, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        open(empty, "w").close()

        def ours(path, *more):
            before = children_cpu()
            subprocess.run([args.slipway, "data", "pii", path, "--out", out, "--threads", "1", "--mode", "keep", "--threshold", "0",
                            "--entities", args.types, "--no-context", "--quiet", *more], check=True)
            return children_cpu() - before

        ours(source, "--findings", "--overlapping")
        with open(out, encoding="utf-8") as file:
            found = [{(f["type"], f["start"], f["end"], round(f["score"], 2)) for f in json.loads(line)["pii"]} for line in file]
        start = statistics.median(ours(empty) for _ in range(args.repeat))
        mine = [ours(source) - start for _ in range(args.repeat)]

    recognizers = presidio_recognizers(json.loads(json.dumps(sorted({f[0] for row in found for f in row}))))
    both, either = collections.Counter(), collections.Counter()
    before = time.process_time()
    rival = [[f for r in recognizers for f in r.analyze(text, r.supported_entities)] for text in texts]
    theirs = time.process_time() - before
    for us, them in zip(found, rival):
        them = {(f.entity_type, f.start, f.end, round(f.score, 2)) for f in them}
        both.update(f[0] for f in us & them)
        either.update(f[0] for f in us | them)
    for kind in sorted(either):
        print(f"{kind:28} {both[kind]:7} of {either[kind]:7}  {100 * both[kind] / either[kind]:6.2f} %")
    counted = [kind for kind in either if kind not in ("PHONE_NUMBER", "IN_PAN")]
    total = sum(either[kind] for kind in counted) or 1
    print(f"agreement without PHONE_NUMBER and IN_PAN {100 * sum(both[kind] for kind in counted) / total:.2f} % of {total}")
    ours_rate, their_rate = size / statistics.median(mine), size / theirs
    print(f"MB/CPU-s: ours {ours_rate:.2f}, presidio {their_rate:.4f}, ratio {ours_rate / their_rate:.0f} ({size:.2f} MB)")
    print(json.dumps({"ours_mb_s": ours_rate, "theirs_mb_s": their_rate, "findings": total, "agreement": sum(both[kind] for kind in counted) / total}))


if __name__ == "__main__":
    main()
