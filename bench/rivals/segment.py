#!/usr/bin/env python3
"""`slipway segment --lang zh` beside jieba on the same lines: words checked equal in each mode first, then MB per CPU-second.

usage: segment.py SLIPWAY_BINARY TEXT_FILE [--rounds 5]
Needs jieba (Debian's python3-jieba: run it with /usr/bin/python3). TEXT_FILE has one text a line (UTF-8). Ours is the whole process,
its start and the mapping of its dictionary included; jieba's is the loop over lines alone, its dictionary loaded before.
Prints one JSON object.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.append("/usr/lib/python3/dist-packages")
import jieba  # noqa: E402

MODES = {
    "precise": ([], lambda line: jieba.lcut(line)),
    "no-hmm": (["--no-hmm"], lambda line: jieba.lcut(line, HMM=False)),
    "full": (["--cut-all"], lambda line: [word for word in jieba.cut(line, cut_all=True) if word]),
    "search": (["--cut-for-search"], lambda line: jieba.lcut_for_search(line)),
}


def ours(args, flags, data):
    start = os.times()
    out = subprocess.run([args.slipway, "segment", "--lang", "zh", "--threads", "1", *flags], input=data, stdout=subprocess.PIPE,
                         check=True).stdout
    end = os.times()
    return out, end.children_user + end.children_system - start.children_user - start.children_system


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("text")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    jieba.setLogLevel(60)
    jieba.initialize()
    data = open(args.text, "rb").read()
    lines = data.decode().split("\n")
    if lines[-1] == "":
        lines.pop()
    # Enough text that our process runs for a second, not for its start.
    copies = max(1, 20_000_000 // len(data))
    result = {"bytes": len(data), "lines": len(lines), "jieba": jieba.__version__, "modes": {}}
    for mode, (flags, cut) in MODES.items():
        out, _ = ours(args, [*flags, "--json"], data)
        rows = [json.loads(row)["words"] for row in out.splitlines()]
        theirs = [cut(line.removesuffix("\r")) for line in lines]
        different = [i for i in range(len(lines)) if i >= len(rows) or rows[i] != theirs[i]]
        if len(rows) != len(lines) or different:
            sys.exit(f"{mode}: {len(different)} of {len(lines)} lines differ, the first: {lines[different[0]]!r}")
        mine, peer = [], []
        for _ in range(args.rounds):
            mine.append(ours(args, flags, data * copies)[1] / copies)
            start = time.process_time()
            for line in lines:
                cut(line)
            peer.append(time.process_time() - start)
        a, b = statistics.median(mine), statistics.median(peer)
        result["modes"][mode] = {"equal_lines": len(lines), "ours_mb_s": len(data) / a / 1e6, "jieba_mb_s": len(data) / b / 1e6,
                                 "ratio": b / a}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
