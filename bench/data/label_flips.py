#!/usr/bin/env python3
"""How many of the labels that were changed `slipway data label-errors` finds.

usage: label_flips.py SLIPWAY FILE.tsv|.csv TEXT LABEL [ROWS] [FLAGS…]

TEXT and LABEL are numbers of columns, from 0; of several texts, 1+2. Takes ROWS rows of a file without a header, changes 5, 10 and 20 % of the labels to another one, drawn by a seed, and prints precision and recall of the rows found, and
of as many of the worst as were changed. What the file had wrong before counts against precision.
"""
import csv, json, random, subprocess, sys, tempfile, time

program, source, text, label = sys.argv[1:5]
limit = int(sys.argv[5]) if len(sys.argv) > 5 else 20000
flags = sys.argv[6:]
with open(source, newline="") as file:
    read = csv.reader(file) if source.endswith(".csv") else csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    rows = [(" ".join(row[int(one)] for one in text.split("+")), row[int(label)]) for row in read if len(row) > int(label)]
rows = random.Random(0).sample(rows, min(limit, len(rows)))
classes = sorted({one[1] for one in rows})
for share in (0.05, 0.1, 0.2):
    rng = random.Random(1)
    changed = set(rng.sample(range(len(rows)), int(share * len(rows))))
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as out:
        for i, (words, given) in enumerate(rows):
            out.write(json.dumps({"text": words, "label": rng.choice([one for one in classes if one != given]) if i in changed else given}) + "\n")
        out.flush()
        start = time.time()
        found = json.loads(subprocess.run([program, "data", "label-errors", out.name, "--json", *flags], check=True, capture_output=True).stdout)
        seconds = time.time() - start
    order = [error["line"] for error in found["errors"]]
    hits = sum(row in changed for row in order)
    top = order[: len(changed)]
    print(json.dumps({"rows": len(rows), "changed": len(changed), "found": len(order), "precision": round(hits / max(len(order), 1), 4), "recall": round(hits / len(changed), 4),
                      "precision_of_the_worst": round(sum(row in changed for row in top) / max(len(top), 1), 4), "seconds": round(seconds, 1)}))
