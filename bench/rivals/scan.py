#!/usr/bin/env python3
"""How often `slipway data scan` and `data dedup --method semantic` are right on real labelled data. usage: scan.py SLIPWAY SHARED/data [EMBEDDER]

Toxicity: Davidson's tweets (hate or offensive against neither), TweetEval's offensive tweets (validation), by the rules and by light classifiers trained on TweetEval's
training part. Prompt injection: BIPIA's attacks at the end of e-mails of their own against e-mails alone; the classifier is trained on half of the kinds of
attacks and tested on the others, with other e-mails; instructions of Alpaca and XSTest's prompts must not be taken for injections. Semantic duplicates: pairs of STS-B
(similarity of 4 of 5 and more) and MRPC, by threshold."""
import csv
import io
import json
import pathlib
import subprocess
import sys
import tempfile

program, shared = sys.argv[1], pathlib.Path(sys.argv[2])
unsafe = shared / "toxicity-spam-safety"
work = pathlib.Path(tempfile.mkdtemp())


def unpack(path):
    return subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True).stdout.decode()


def write(name, rows):
    (work / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return work / name


def scan(rows, risk, *flags):
    out = work / "out.jsonl"
    subprocess.run([program, "data", "scan", str(write("in.jsonl", rows)), "--for", risk, "--out", str(out), "--quiet", *flags], check=True)
    return [json.loads(line)[risk.replace("-", "_")] for line in out.open()]


def table(name, rows, scores, threshold=0.5):
    said = [s > threshold for s in scores]
    there = [r["label"] == "1" for r in rows]
    right = sum(a and b for a, b in zip(said, there))
    p, r = right / max(1, sum(said)), right / max(1, sum(there))
    print(f"| {name} | {len(rows)} | {sum(there)} | {p:.3f} | {r:.3f} | {2 * p * r / max(1e-9, p + r):.3f} | {(sum(said) - right) / max(1, len(rows) - sum(there)):.3f} |", flush=True)


def train(name, rows):
    out = work / name
    subprocess.run([program, "train", "scanner", str(write("train.jsonl", rows)), "--out", str(out), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return ["--model", str(out)]


def doc(text, label):
    return {"text": text, "label": "1" if label else "0"}


def toxicity():
    davidson = [doc(row["tweet"], row["class"] != "2") for row in csv.DictReader(io.StringIO(unpack(unsafe / "davidson.labeled_data.csv.zst")))]

    def tweets(part):
        texts = unpack(unsafe / f"tweeteval.offensive.{part}_text.txt.zst").splitlines()
        return [doc(t, l == "1") for t, l in zip(texts, (unsafe / f"tweeteval.offensive.{part}_labels.txt").read_text().split())]

    model = train("toxicity.light", tweets("train"))
    for name, rows in (("Davidson", davidson), ("TweetEval offensive, validation", tweets("val"))):
        table(name + ", rules", rows, scan(rows, "toxicity"))
        table(name + ", classifier of TweetEval's training part", rows, scan(rows, "toxicity", *model))
    safe = [doc(row["prompt"], False) for row in csv.DictReader((unsafe / "xstest_prompts.csv").open())]
    table("XSTest prompts (none is abuse), rules", safe, scan(safe, "toxicity"))


def injection():
    mails = [json.loads(line)["context"] for line in (unsafe / "bipia.email.train.jsonl").open()]
    attacks = list(json.loads((unsafe / "bipia.text_attack_train.json").read_text()).items())
    alpaca = [row["instruction"] + "\n" + row.get("input", "") for row in json.loads(unpack(shared / "dialogue-instructions/alpaca.en.0-3252.json.zst"))]

    def mixed(mails, kinds):
        return [doc(mail, False) for mail in mails] + [doc(mail + "\n" + attack, True) for mail in mails for _, texts in kinds for attack in texts]

    test = mixed(mails[25:], attacks[1::2])
    model = train("injection.light", mixed(mails[:25], attacks[::2]) + [doc(t, False) for t in alpaca[:1000]])
    table("BIPIA, rules", test, scan(test, "prompt-injection"))
    table("BIPIA, kinds of attacks not trained on, classifier", test, scan(test, "prompt-injection", *model))
    seen = mixed(mails[25:], attacks[::2])
    table("BIPIA, kinds of attacks trained on, classifier", seen, scan(seen, "prompt-injection", *model))
    plain = [doc(t, False) for t in alpaca[1000:]]
    table("Alpaca instructions (none is one), rules", plain, scan(plain, "prompt-injection"))
    table("Alpaca instructions (none is one), classifier", plain, scan(plain, "prompt-injection", *model))
    own = [json.loads(line) for line in (pathlib.Path(__file__).parents[2] / "tests/data/prompt_injection.jsonl").open()]
    own = [doc(row["text"], row["label"]) for row in own]
    table("our own hand-written lines (tests/data), rules", own, scan(own, "prompt-injection"))


def semantic(model):
    stsb = [(a, b, float(s)) for a, b, s in csv.reader(io.StringIO(unpack(shared / "word-vectors-glue/stsb-en-dev.csv.zst"))) if s.replace(".", "").isdigit()]
    mrpc = [line.split("\t") for line in unpack(shared / "word-vectors-glue/msr_paraphrase_train.txt.zst").splitlines()[1:]]
    for name, pairs in (("STS-B dev", [(a, b, s >= 4) for a, b, s in stsb]), ("MRPC train", [(r[3], r[4], r[0] == "1") for r in mrpc if len(r) == 5])):
        rows = [{"id": f"{i}{side}", "text": text} for i, pair in enumerate(pairs) for side, text in zip("ab", pair)]
        source = write("pairs.jsonl", rows)
        for threshold in (0.8, 0.85, 0.9, 0.95, 0.99):
            clusters = work / "clusters.jsonl"
            subprocess.run([program, "data", "dedup", str(source), "--method", "semantic", "--model", model, "--threshold", str(threshold), "--out", str(work / f"{name}{threshold}"),
                            "--clusters", str(clusters), "--groups", "1", "--quiet"], check=True, stdout=subprocess.DEVNULL)
            of = {row["id"]: row["cluster"] for row in map(json.loads, clusters.open())}
            found = [of.get(f"{i}a") is not None and of.get(f"{i}a") == of.get(f"{i}b") for i in range(len(pairs))]
            there = [bool(p[2]) for p in pairs]
            right = sum(a and b for a, b in zip(found, there))
            p, r = right / max(1, sum(found)), right / max(1, sum(there))
            print(f"| {name} | {threshold} | {len(pairs)} | {sum(there)} | {p:.3f} | {r:.3f} | {2 * p * r / max(1e-9, p + r):.3f} |", flush=True)


toxicity()
injection()
if len(sys.argv) > 3:
    semantic(sys.argv[3])
