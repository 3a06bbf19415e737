#!/usr/bin/env python3
"""The data stage beside its peers in one run: quality rules, MinHash, personal data, main text, tokenizers, Chinese segmentation.

    bench/rivals/data_stage.py DATA [--build build/release] [--python PYTHON]… [--only NAME,…] [--log FOLDER]

DATA is a folder with html-warc/ (the article extraction benchmark), pos-segmentation/ and tokenizers/ (see each script for what it
reads). Each row is another script of this folder, run by the first PYTHON (default: this one) that has the peer; what a script says
goes to FOLDER/NAME.log, a script that fails is a row that says so. The texts are the gold articles of the extraction benchmark, for the
tokenizers and jieba the sentences of its own kind. Ends with one table, ours and theirs in MB a CPU-second, and one line of JSON for report.py.
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
        self.pages, self.truth = pages / "article-extraction-benchmark.html.tar.zst", pages / "article-extraction-benchmark.ground-truth.json.zst"
        texts = [page["articleBody"] for page in json.loads(unpacked(self.truth)).values()]
        self.texts, self.lines, self.chinese, self.tokenizer = (folder / name for name in ("texts.jsonl", "lines.txt", "chinese.txt", "tokenizer.json"))
        self.texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        self.lines.write_text("".join(" ".join(text.split()) + "\n" for text in texts), encoding="utf-8")
        rows = unpacked(data / "pos-segmentation/nlpcc2016-wordseg-dev.dat.zst").decode().splitlines()
        self.chinese.write_text("".join("".join(row.split()) + "\n" for row in rows if row.strip()), encoding="utf-8")
        self.tokenizer.write_bytes(unpacked(data / "tokenizers/roberta-base.tokenizer.json.zst"))


def family(name):
    return lambda r: (r["mb_per_cpu_second"][name]["ours"], r["mb_per_cpu_second"][name]["peer"])


def extractor(name):
    def rates(result):
        rows = {row["program"]: row for row in result["results"]}
        found = next(row for program, row in rows.items() if program.startswith(name))
        return rows["slipway"]["mb_per_cpu_second"], found["mb_per_cpu_second"], f"F1 {rows['slipway']['f1']:.3f} and {found['f1']:.3f}"
    return rates


def pair(result):
    return result["ours_mb_s"], result["theirs_mb_s"]


def jobs(inputs, build):
    """(script, the peer's module, arguments, [(row, peer, goal in times, what of the script's JSON)])"""
    slipway, bench_data, bench_text = build / "slipway", build / "bench/data/bench_data", build / "bench/text/bench_text"
    quality = ["data_quality.py", inputs.texts, "--bench", bench_data, "--peer-bytes", "300000"]
    return [
        ("quality", "datatrove", quality, [("quality rules, one pass", "datatrove", 100, family("all four"))]),
        ("dolma", "dolma", quality, [("dolma's Gopher and C4 tags", "dolma", None, family("dolma gopher + c4"))]),
        ("minhash", "datatrove", ["minhash.py", inputs.lines, "--bench", bench_data], [("MinHash signatures 14 x 8", "datatrove", 100, pair)]),
        ("pii", "presidio_analyzer", ["pii.py", inputs.texts, "--slipway", slipway],
         [("personal data", "Presidio", 50, lambda r: (r["ours_mb_s"], r["theirs_mb_s"], f"{100 * r['agreement']:.1f} % of {r['findings']} findings the same"))]),
        ("main_text", "trafilatura", ["main_text.py", inputs.pages, inputs.truth, "--slipway", slipway],
         [("main text", "trafilatura", None, extractor("trafilatura")), ("main text", "resiliparse", 1, extractor("resiliparse"))]),
        ("tokenizer", "tokenizers", ["tokenizer.py", slipway, bench_text, inputs.tokenizer, inputs.lines, "--max-mb", "1"],
         [("tokenizing, byte-level BPE, ids", "tokenizers", 10, lambda r: pair(r["ids"])), ("the same, offsets", "tokenizers", 10, lambda r: pair(r["offsets"]))]),
        ("segment", "jieba", ["segment.py", slipway, inputs.chinese],
         [("Chinese segmentation, HMM", "jieba", 20, lambda r: (r["modes"]["precise"]["ours_mb_s"], r["modes"]["precise"]["jieba_mb_s"], "equal words"))]),
    ]


def python_with(module, pythons):
    for python in pythons:
        if subprocess.run([python, "-c", f"import {module}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return python
    return None


def last_object(text):
    for at in range(len(text) - 1, -1, -1):
        if text[at] == "{" and (at == 0 or text[at - 1] == "\n"):
            return json.JSONDecoder().raw_decode(text[at:])[0]
    raise ValueError("it printed no JSON object")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--python", action="append", default=[])
    parser.add_argument("--only", default="")
    parser.add_argument("--log", type=pathlib.Path)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        log = arguments.log or pathlib.Path(temporary)
        log.mkdir(parents=True, exist_ok=True)
        for name, module, command, wanted in jobs(Inputs(arguments.data, pathlib.Path(temporary)), arguments.build.resolve()):
            if arguments.only and name not in arguments.only.split(","):
                continue
            python = python_with(module, [*arguments.python, sys.executable])
            output, failure = "", f"no Python has {module}"
            if python:
                with open(log / f"{name}.log", "w", encoding="utf-8") as errors:
                    done = subprocess.run([python, HERE / command[0], *command[1:]], stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
                output, failure = done.stdout, f"exit code {done.returncode}: {log / name}.log"
                with open(log / f"{name}.log", "a", encoding="utf-8") as file:
                    file.write(output)
            for what, peer, goal, rates in wanted:
                try:
                    ours, theirs, *note = rates(last_object(output))
                    rows.append({"what": what, "peer": peer, "ours_mb_s": ours, "peer_mb_s": theirs, "ratio": ours / theirs, "goal": goal, "note": note[0] if note else ""})
                    print(f"{what}: {ours:.3g} against {theirs:.3g} of {peer}, {ours / theirs:.1f}x", file=sys.stderr, flush=True)
                except (ValueError, KeyError, StopIteration) as error:
                    rows.append({"what": what, "peer": peer, "failed": f"{failure} ({type(error).__name__}: {error})"})
                    print(f"{what}: {rows[-1]['failed']}", file=sys.stderr, flush=True)
    print("| what | peer | slipway, MB a CPU-second | peer | times | goal | |\n|---|---|---|---|---|---|---|")
    for row in rows:
        if "failed" in row:
            print(f"| {row['what']} | {row['peer']} | {row['failed']} | | | | |")
        else:
            print(f"| {row['what']} | {row['peer']} | {row['ours_mb_s']:.3g} | {row['peer_mb_s']:.3g} | **{row['ratio']:.1f}x** | {row['goal'] or ''} | {row['note']} |")
    print(json.dumps({"rows": rows}))
    return 1 if any("failed" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
