#!/usr/bin/env python3
"""Deduplication killed again and again (kill -9) and started again, or shared by processes, ends with the same bytes, in bounded memory.

    tests/faults/kill_dedup.py PROGRAM [--megabytes 2000] [--memory 256MB] [--kills 10] [--shards 2,4] [--method minhash] [--folder DIR]

Makes a corpus with a seed (every fourth document an edited copy of an earlier one), deduplicates it in one go and notes the
digest of all it wrote and the peak of resident memory; then the same into another folder, killed after a random time,
KILLS times; then again by n processes at once (`--shards i/n`), for each n of SHARDS. Prints all digests; exit code 1 when they
differ or memory went past the flag.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time


def make_corpus(path, megabytes, seed):
    rng = random.Random(seed)
    words = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9))) for _ in range(20000)]
    written, number, recent = 0, 0, []
    with open(path, "w", encoding="ascii") as out:
        while written < megabytes * 1_000_000:
            if recent and number % 4 == 3:
                text = list(rng.choice(recent))
                for _ in range(len(text) // 50):
                    text[rng.randrange(len(text))] = rng.choice(words)
            else:
                text = rng.choices(words, k=rng.randint(100, 500))
                if len(recent) < 2000:
                    recent.append(text)
                else:
                    recent[rng.randrange(2000)] = text
            line = json.dumps({"id": number, "text": " ".join(text)}) + "\n"
            out.write(line)
            written += len(line)
            number += 1
    return number


def digest(folder, clusters):
    total = hashlib.sha256()
    for file in sorted(pathlib.Path(folder).glob("*.jsonl*")) + [pathlib.Path(clusters)]:
        total.update(file.name.encode() if file.parent == pathlib.Path(folder) else b"clusters")
        with open(file, "rb") as data:
            while piece := data.read(1 << 20):
                total.update(piece)
    return total.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--memory", default="256MB")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--shards", default="")
    parser.add_argument("--method", default="minhash")
    parser.add_argument("--folder", default=None)
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        documents = make_corpus(folder / "in.jsonl", arguments.megabytes, 1)

        def command(name, shard="1/1"):
            return [arguments.program, "data", "dedup", str(folder / "in.jsonl"), "--method", arguments.method, "--out",
                    str(folder / name), "--clusters", str(folder / f"{name}.clusters"), "--memory", arguments.memory, "--shards", shard, "--json"]

        begin = time.monotonic()
        done = subprocess.run(command("whole"), check=True, capture_output=True, text=True)
        seconds = time.monotonic() - begin
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        summary = json.loads(done.stdout)
        want = digest(folder / "whole", folder / "whole.clusters")
        print(f"{documents} documents, {arguments.megabytes} MB: {seconds:.1f} s, peak {peak:.0f} MB resident, "
              f"{summary['clusters']} clusters, {summary['duplicates']} dropped\n{want}", flush=True)
        rng, kills = random.Random(2), 0
        while kills < arguments.kills:
            child = subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL)
            try:
                child.wait(timeout=rng.uniform(0.1, 2 * seconds / arguments.kills))
                break
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                kills += 1

        def ended(name, how):
            got = digest(folder / name, folder / f"{name}.clusters")
            print(f"{got} {how}", flush=True)
            shutil.rmtree(folder / name)
            return got == want

        subprocess.run(command("killed"), check=True, capture_output=True)
        same = [ended("killed", f"after {kills} kills")]
        for count in map(int, filter(None, arguments.shards.split(","))):
            begin = time.monotonic()
            parts = [subprocess.Popen(command(f"of{count}", f"{i}/{count}"), stdout=subprocess.DEVNULL) for i in range(1, count + 1)]
            if any([part.wait() for part in parts]):
                return 1
            same.append(ended(f"of{count}", f"by {count} shards, {time.monotonic() - begin:.1f} s"))
        limit = float(arguments.memory.removesuffix("MB")) if arguments.memory.endswith("MB") else float("inf")
        return 0 if all(same) and peak <= limit else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
