#!/usr/bin/env python3
"""Trains `slipway train relations` on the shared data's relation corpora and scores it on sentences it has not seen.

usage: relations.py SLIPWAY_BINARY SHARED_DATA_FOLDER
Needs the program zstd. CoNLL04: train, dev; entities given, then found by a tagger trained on the same file (a relation is right when
both entities and its type are). SemEval-2010 task 8 has no test file here: every fifth sentence of train is the test. One JSON object a row.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SLIPWAY, DATA = sys.argv[1], pathlib.Path(sys.argv[2]) / "ner-relations"


def text_of(name):
    return subprocess.run(["zstd", "-dcq", str(DATA / name)], stdout=subprocess.PIPE, check=True).stdout.decode()


def run(*command, data=None):
    start = os.times()
    done = subprocess.run([SLIPWAY, *map(str, command)], input=data, capture_output=True, text=True, check=True)
    end = os.times()
    return done.stdout, end.children_user + end.children_system - start.children_user - start.children_system


def learn(name, train, test, work):
    (work / "train").write_text(train)
    model = work / f"{name}.relations"
    _, seconds = run("train", "relations", "--train", work / "train", "--out", model, "--quiet")  # the last epoch: none is chosen on the test
    scores, _ = run("relations", model, "--evaluate", "--json", data=test)
    row = {"corpus": name, "train_cpu_s": round(seconds, 1), "bytes": model.stat().st_size, **json.loads(scores)}
    _, once = run("relations", model, "--evaluate", "--json", data=test)
    _, many = run("relations", model, "--evaluate", "--json", data=test * 11)
    row["sentences_per_cpu_s"] = round(10 * row["sentences"] / max(1e-9, many - once))
    print(json.dumps(row), flush=True)
    return model


def sentences(text):
    out = []
    for part in re.split(r"^#doc.*\n", text, flags=re.M)[1:]:
        rows = [line.split("\t") for line in part.splitlines() if line.strip()]
        spans, relations = {}, set()
        for i, row in enumerate(rows):
            if row[2].startswith("B-"):
                begin, kind = i, row[2][2:]
            if row[2] != "O" and (i + 1 == len(rows) or not rows[i + 1][2].startswith("I-")):
                spans[i] = (begin, i + 1, kind)
        for i, row in enumerate(rows):
            for kind, to in zip(re.findall(r"'([^']+)'", row[3]), re.findall(r"\d+", row[4])):
                if kind != "N":
                    relations.add((spans[i], spans[int(to)], kind))
        out.append(([row[1] for row in rows], [row[2] for row in rows], relations))
    return out


def end_to_end(train, test, model, work):
    columns = lambda part: "\n".join("".join(f"{w}\t{t}\n" for w, t in zip(words, tags)) for words, tags, _ in sentences(part))
    (work / "ner").write_text(columns(train))
    tagger = work / "conll04.tagger"
    run("train", "tagger", "--task", "ner", "--train", work / "ner", "--out", tagger, "--quiet")
    entities = json.loads(run("tag", tagger, "--evaluate", "--json", data=columns(test))[0])
    tagged, _ = run("tag", tagger, "--json", data=columns(test))
    found, _ = run("relations", model, data=tagged)
    right = gold = predicted = 0
    for (_, _, relations), line in zip(sentences(test), found.splitlines()):
        row = json.loads(line)
        spans = [(e["begin"], e["end"], e["label"]) for e in row["entities"]]
        mine = {(spans[r["head"]], spans[r["tail"]], r["type"]) for r in row["relations"]}
        right, gold, predicted = right + len(mine & relations), gold + len(relations), predicted + len(mine)
    print(json.dumps({"corpus": "conll04, entities found", "entity_f1": entities["f1"], "f1": 2 * right / (gold + predicted),
                      "precision": right / predicted, "recall": right / gold}))


with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    train, test = text_of("conll04.train.txt.zst"), text_of("conll04.dev.txt.zst")
    model = learn("conll04", train, test, work)
    end_to_end(train, test, model, work)
    rows = [line for line in text_of("semeval2010_task8.train.tsv.zst").splitlines() if line.strip()]
    learn("semeval2010-task8", "\n".join(r for i, r in enumerate(rows) if i % 5) + "\n", "\n".join(rows[::5]) + "\n", work)
