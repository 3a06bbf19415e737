"""Writes semantic.json: what SemDeDup drops of made-up vectors, by numpy and scikit-learn. usage: make_semantic_gold.py

Within each cluster of k-means documents are sorted by their distance to the centroid; one goes when its cosine to any before it
reaches the threshold (facebookresearch/SemDeDup, semdedup.py), and "before" is the most similar of those."""
import json
import pathlib

import numpy
from sklearn.cluster import KMeans

rng = numpy.random.default_rng(7)
centres = numpy.linalg.qr(rng.normal(size=(12, 4)))[0].T
rows = []
for centre in centres:
    for _ in range(30):
        rows.append(centre + rng.normal(size=12) * 0.12)
    for _ in range(10):  # copies, from exact to far
        rows.append(rows[-1 - rng.integers(20)] + rng.normal(size=12) * rng.choice([0, 0.01, 0.03, 0.05]))
vectors = numpy.round(numpy.array(rows)[rng.permutation(len(rows))], 5)
unit = vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)
cases = []
for groups in (1, 4):
    labels = KMeans(groups, n_init=10, random_state=0).fit(unit).labels_
    for keep in ("farthest", "closest", "first"):
        for threshold in (0.9, 0.97, 0.999):
            dropped = {}
            for group in range(groups):
                members = numpy.flatnonzero(labels == group)
                centroid = unit[members].sum(0)
                cosine = unit[members] @ (centroid / numpy.linalg.norm(centroid))
                key = {"farthest": cosine, "closest": -cosine, "first": numpy.zeros(len(members))}[keep]
                order = members[numpy.lexsort((members, numpy.round(key, 9)))]
                similar = unit[order] @ unit[order].T
                for i in range(1, len(order)):
                    best = numpy.argmax(numpy.round(similar[i, :i], 9))
                    assert abs(similar[i, best] - threshold) > 2e-6, "choose another seed"
                    if similar[i, best] >= threshold:
                        dropped[int(order[i])] = int(order[best])
            cases.append({"groups": groups, "keep": keep, "threshold": threshold, "dropped": sorted(dropped.items())})
out = {"made_with": f"numpy {numpy.__version__}, scikit-learn", "vectors": vectors.tolist(), "cases": cases}
path = pathlib.Path(__file__).parent / "semantic.json"
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
print([len(case["dropped"]) for case in cases])
