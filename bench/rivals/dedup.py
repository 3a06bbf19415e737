#!/usr/bin/env python3
"""Near-duplicates that were planted with a seed: recall and precision by Jaccard, and clusters beside datatrove's.

    pip install "datatrove[processing]" spacy
    bench/rivals/dedup.py SLIPWAY [--documents 1000] [--text FILE] [--seed 1]

FILE has one document a line; without it documents of made-up words are used. Every document gets a copy: words replaced (0.5 to
12 %), sentences shuffled, the end cut off, or its own words inside a shared template. Jaccard is that of the sets of word
5-grams, by datatrove's own functions. Then `slipway data dedup --method minhash` runs twice, with verification (0.72) and
without, and datatrove's stages 1 and 2 on the same file; without verification the clusters must be equal. Ends with one line of JSON.
"""
import argparse
import collections
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time

THRESHOLD = 0.72


def documents_of(arguments, rng):
    if arguments.text:
        lines = [line.strip() for line in open(arguments.text, encoding="utf-8")]
        return [line for line in lines if len(line.split()) >= 60][:arguments.documents]
    words = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9))) for _ in range(5000)]
    return [" ".join(w + ("." if rng.random() < 0.07 else "") for w in rng.choices(words, k=rng.randint(80, 400)))
            for _ in range(arguments.documents)]


def edited(text, kind, rng, vocabulary):
    words = text.split()
    if kind == "shuffle":
        sentences = text.split(". ")
        rng.shuffle(sentences)
        return ". ".join(sentences)
    if kind == "truncate":
        return " ".join(words[:int(len(words) * rng.uniform(0.6, 0.98))])
    if kind == "template":
        return "welcome to our site please log in to go on " + text + " all rights reserved by the owners of this site"
    for at in rng.sample(range(len(words)), max(1, int(len(words) * kind / 100))):
        words[at] = rng.choice(vocabulary)
    return " ".join(words)


def clusters_of(pairs):
    parent = {}

    def root(node):
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in pairs:
        a, b = root(a), root(b)
        parent[max(a, b)] = min(a, b)
    groups = collections.defaultdict(set)
    for node in parent:
        groups[root(node)].add(node)
    return {frozenset(group) for group in groups.values()}


def ours(program, folder, jaccard):
    begin = time.monotonic()
    subprocess.run([program, "data", "dedup", str(folder / "in.jsonl"), "--method", "minhash", "--out",
                    str(folder / f"out-{jaccard}"), "--clusters", str(folder / "clusters.jsonl"), "--jaccard", str(jaccard),
                    "--quiet"], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - begin
    groups = collections.defaultdict(set)
    for line in open(folder / "clusters.jsonl", encoding="utf-8"):
        row = json.loads(line)
        groups[row["cluster"]].add(row["id"])
    return {frozenset(group) for group in groups.values()}, seconds


def theirs(texts, folder):
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupSignature
    import xxhash

    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    step = MinhashDedupSignature(str(folder / "signatures"), config, language="eng")
    step._hash_func = lambda text: xxhash.xxh64_intdigest(text.encode())  # newer xxhash wants bytes
    begin = time.monotonic()
    step.run([Document(text=text, id=str(i)) for i, text in enumerate(texts)], rank=0, world_size=1)
    pairs = []
    for bucket in range(14):
        MinhashDedupBuckets(str(folder / "signatures"), str(folder / "buckets"), config=config).run(None, bucket, 14)
    for file in (folder / "buckets").glob("*.dups"):
        for _, a, _, b in struct.iter_unpack("<4I", file.read_bytes()):
            pairs.append((a, b))
    shingles = [frozenset(int(x[0]) for x in step.get_shingles(text)) for text in texts]
    return clusters_of(pairs), shingles, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--text")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    bases = documents_of(arguments, rng)
    vocabulary = sorted({word for text in bases[:200] for word in text.split()})
    kinds = [0.5, 1, 2, 3, 4, 6, 8, 12, "shuffle", "truncate", "template"]
    texts = bases + [edited(text, kinds[i % len(kinds)], rng, vocabulary) for i, text in enumerate(bases)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with open(folder / "in.jsonl", "w", encoding="utf-8") as out:
            for i, text in enumerate(texts):
                out.write(json.dumps({"id": i, "text": text}) + "\n")
        verified, seconds = ours(arguments.program, folder, THRESHOLD)
        plain, _ = ours(arguments.program, folder, 0)
        rival, shingles, rival_seconds = theirs(texts, folder)
    n = len(bases)

    def similarity(a, b):
        return len(shingles[a] & shingles[b]) / max(1, len(shingles[a] | shingles[b]))

    bins = collections.defaultdict(lambda: [0, 0, 0, 0.0])
    home = [{node: group for group in groups for node in group} for groups in (verified, plain)]
    for i in range(n):
        jaccard = similarity(i, n + i)
        row = bins[min(int(jaccard * 20), 19)]
        row[0] += 1
        row[1] += n + i in home[0].get(i, ())
        row[2] += n + i in home[1].get(i, ())
        row[3] += 1 - (1 - jaccard ** 8) ** 14
    print(f"{2 * n} documents; slipway {seconds:.1f} s, datatrove {rival_seconds:.1f} s (wall clock, busy machine: no comparison)")
    print("| Jaccard | pairs | found, verified | found, not verified | expected of 14 x 8 |\n|---|---|---|---|---|")
    for index in sorted(bins, reverse=True):
        count, found, loose, expected = bins[index]
        print(f"| {index / 20:.2f} - {(index + 1) / 20:.2f} | {count} | {found / count:.3f} | {loose / count:.3f} | {expected / count:.3f} |")
    # A planted pair counts as a near-duplicate where its Jaccard is at least the threshold of the verification.
    near = {i for i in range(n) if similarity(i, n + i) >= THRESHOLD}
    result = {"documents": 2 * n, "planted": n, "near": len(near), "equal_clusters": plain == rival, "clusters": len(plain)}
    for label, groups in (("verified", verified), ("not verified", plain), ("datatrove", rival)):
        pairs = {(a, b) for group in groups for a in group for b in group if a < b}
        right = sum(a + n == b for a, b in pairs)
        found = sum((i, n + i) in pairs for i in near)
        result[label] = {"pairs": len(pairs), "precision": right / max(1, len(pairs)), "recall": found / max(1, len(near))}
        print(f"{label}: {len(pairs)} pairs in clusters, {result[label]['precision']:.4f} of them planted; "
              f"of the {len(near)} planted at Jaccard {THRESHOLD} or more {result[label]['recall']:.4f} found")
    print(f"clusters equal to datatrove's: {plain == rival} ({len(plain)} and {len(rival)}; {len(plain & rival)} in both)")
    print(json.dumps(result))
    return 0 if plain == rival else 1


if __name__ == "__main__":
    sys.exit(main())
