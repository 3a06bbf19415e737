#!/usr/bin/env python3
"""How often `slipway data report` gives an alarm on data that did not change.

usage: report_false_alarms.py SLIPWAY FILE.tsv [ROUNDS] [ROWS]

FILE has a text, a tab and a label a line.
Each round draws two samples of ROWS different rows of one file (text, label, and three columns made of noise: a number, a price with few values, a
category) and compares them. Prints the rounds with any finding and those of each check. Rounds run one after the other.
"""
import collections, json, random, subprocess, sys, tempfile

program, source = sys.argv[1], sys.argv[2]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 300
size = int(sys.argv[4]) if len(sys.argv) > 4 else 1000
with open(source) as file:
    rows = [tuple(line.rstrip("\n").split("\t")) for line in file]
alarmed, checks, tests = 0, collections.Counter(), 0
with tempfile.TemporaryDirectory() as folder:
    for seed in range(rounds):
        rng = random.Random(seed)
        drawn = rng.sample(rows, 2 * size)
        for name, part in (("a", drawn[:size]), ("b", drawn[size:])):
            with open(f"{folder}/{name}.jsonl", "w") as out:
                for text, label in part:
                    out.write(json.dumps({"text": text, "label": label, "noise": rng.gauss(0, 1), "price": rng.randrange(30), "shop": rng.choice("aaaabbbccd"),
                                          "maybe": rng.random() if rng.random() < 0.9 else None}) + "\n")
        result = subprocess.run([program, "data", "report", f"{folder}/b.jsonl", "--against", f"{folder}/a.jsonl", "--json"], check=True, capture_output=True)
        comparison = json.loads(result.stdout)["comparison"]
        tests += len(comparison["tests"])
        alarmed += bool(comparison["findings"])
        checks.update(finding["check"] + " of " + finding["column"] for finding in comparison["findings"])
print(json.dumps({"rounds": rounds, "rows": size, "tests_a_round": tests / rounds, "rounds_with_an_alarm": alarmed, "checks": checks}))
