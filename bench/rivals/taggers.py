#!/usr/bin/env python3
"""Trains `slipway train tagger` on the shared data's treebanks and entity corpora and scores it on sentences it has not seen.

usage: taggers.py SLIPWAY_BINARY SHARED_DATA_FOLDER [--only NAME,…] [--work FOLDER]
Needs the program zstd. Where a corpus has no test file here, how it was split is said in its row. Entity F1 is checked against the Python
package seqeval where that is installed. Prints one JSON object a corpus.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import io
import tempfile
import time
import zipfile

DATA = None


def text_of(name):
    return subprocess.run(["zstd", "-dcq", str(DATA / name)], stdout=subprocess.PIPE, check=True).stdout.decode()


def sentences(text):
    return [s for s in text.replace("\r", "").split("\n\n") if s.strip()]


def joined(parts):
    return "\n\n".join(part.strip("\n") for part in parts) + "\n\n"


def ewt():
    raw = subprocess.run(["zstd", "-dcq", str(DATA / "pos-segmentation/en_ewt-ud-train-documents.tar.zst")], stdout=subprocess.PIPE,
                         check=True).stdout
    train = []
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            if member.isfile():
                train.append(archive.extractfile(member).read().decode().strip("\n") + "\n\n")
    return "".join(train), text_of("pos-segmentation/en_ewt-ud-dev.conllu.zst"), "the 540 training documents; official dev"


def lines():
    return (text_of("pos-segmentation/en_lines-ud-train.conllu.zst"), text_of("pos-segmentation/en_lines-ud-dev.conllu.zst"), "official train; dev")


def gsd():
    all_sentences = sentences(text_of("pos-segmentation/zh_gsdsimp-ud-dev.conllu.zst"))
    cut = len(all_sentences) * 4 // 5
    return joined(all_sentences[:cut]), joined(all_sentences[cut:]), "official dev only: its first 400 sentences; its last 100"


def nlpcc():
    return (text_of("pos-segmentation/nlpcc2016-word-seg-train.dat.zst"), text_of("pos-segmentation/nlpcc2016-wordseg-dev.dat.zst"),
            "official train; dev")


def conll():
    return text_of("ner-relations/conll2003.eng.train.zst"), text_of("ner-relations/conll2003.eng.testa.zst"), "eng.train; eng.testa"


def msra():
    with zipfile.ZipFile(DATA / "ner-relations/msra_ner.dh_msra.zip") as archive:
        rows = sentences(archive.read("dh_msra.txt").decode())
    return (joined(s for i, s in enumerate(rows) if i % 10), joined(s for i, s in enumerate(rows) if i % 10 == 0),
            "every tenth sentence is the test, the others are learnt")


def weibo():
    def plain(text):  # "科0\tO": the digit is the character's place in its word
        rows = [(line.split("\t")) for line in text.split("\n")]
        return "\n".join(f"{row[0][:-1]}\t{row[1]}" if len(row) == 2 else "" for row in rows)
    return plain(text_of("ner-relations/weiboNER_2nd_conll.train.zst")), plain(text_of("ner-relations/weiboNER_2nd_conll.dev.zst")), "train; dev"


def resume():
    return text_of("ner-relations/resume_ner.train.char.bmes.zst"), text_of("ner-relations/resume_ner.dev.char.bmes.zst"), "train; dev"


CORPORA = {
    "ewt-pos": ("pos", ewt, []), "lines-pos": ("pos", lines, []), "gsdsimp-pos": ("pos", gsd, []),
    "gsdsimp-segment": ("segment", gsd, ["--lexicon"]), # Epochs and steps chosen on every tenth sentence of the training file, which the model that chose them had not learnt.
    "nlpcc-segment": ("segment", nlpcc, ["--lexicon", "--epochs", "20", "--aggressiveness", "0.1"]),
    "nlpcc-segment-closed": ("segment", nlpcc, []),
    "conll2003-ner": ("ner", conll, []), "msra-ner": ("ner", msra, ["--lexicon"]), "weibo-ner": ("ner", weibo, ["--lexicon"]),
    "resume-ner": ("ner", resume, ["--lexicon"]), "ewt-lemma": ("lemma", ewt, []), "lines-lemma": ("lemma", lines, []),
}


def cpu(command, **more):
    start = os.times()
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True, **more)
    end = os.times()
    return run.stdout, end.children_user + end.children_system - start.children_user - start.children_system


def check_seqeval(gold, tagged, f1):
    try:
        from seqeval.metrics import f1_score
    except ImportError:
        return "not installed"
    tags = lambda text: [[line.split()[-1] for line in s.split("\n") if line and not line.startswith("-DOCSTART-")] for s in sentences(text)]
    a, b = tags(gold), tags(tagged)
    a, b = [s for s in a if s], [s for s in b if s]
    theirs = f1_score(a, b)
    return "equal" if abs(theirs - f1) < 1e-9 else f"{theirs} there, {f1} here"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("data")
    parser.add_argument("--only", default="")
    parser.add_argument("--work", default="")
    parser.add_argument("--epochs", default="10")
    args = parser.parse_args()
    global DATA
    DATA = pathlib.Path(args.data)
    work = pathlib.Path(args.work or tempfile.mkdtemp())
    for name, (task, load, flags) in CORPORA.items():
        if args.only and name not in args.only.split(","):
            continue
        train, test, split = load()
        (work / "train").write_text(train)
        (work / "test").write_text(test)
        model = work / f"{name}.tagger"
        start = time.monotonic()
        # The last epoch, not the best on the test.
        _, seconds = cpu([args.slipway, "train", "tagger", "--task", task, "--train", str(work / "train"), "--out", str(model),
                          "--quiet", *flags, *([] if "--epochs" in flags else ["--epochs", args.epochs])])
        row = {"corpus": name, "task": task, "split": split, "flags": flags, "train_cpu_s": round(seconds, 1), "bytes": model.stat().st_size}
        if task == "segment":
            gold = [[line.split("\t")[1] for line in s.split("\n") if line[:1].isdigit() and "-" not in line.split("\t")[0]]
                    for s in sentences(test)] if "\t" in test else [line.split() for line in test.split("\n") if line.strip()]
            data = "".join("".join(words) + "\n" for words in gold)
            command = [args.slipway, "segment", "--mode", "trained", "--model", str(model), "--threads", "1"]
            out, _ = cpu(command, input=data.encode())
            both = found = true = 0
            for words, line in zip(gold, out.decode().split("\n")):
                spans = []
                for one in (words, line.split()):
                    at, cut = 0, set()
                    for word in one:
                        cut.add((at, at + len(word)))
                        at += len(word)
                    spans.append(cut)
                both, true, found = both + len(spans[0] & spans[1]), true + len(spans[0]), found + len(spans[1])
            row["f1"] = 2 * both / (true + found)
            count = len(gold)
        else:
            command = [args.slipway, "tag", str(model), "--threads", "1"]
            scored, _ = cpu([*command, "--evaluate", "--json"], input=test.encode())
            row.update({k: v for k, v in json.loads(scored).items() if k != "labels"})
            data = test
            count = row["sentences"]
            if task == "ner":
                tagged, _ = cpu(command, input=test.encode())
                row["seqeval"] = check_seqeval(test, tagged.decode(), row["f1"])
        copies = max(1, 40000 // count)
        _, once = cpu(command, input=data.encode())
        _, many = cpu(command, input=(data * (copies + 1)).encode())
        row["sentences_per_cpu_s"] = round(count * copies / max(1e-9, many - once))
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
