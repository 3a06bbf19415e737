#!/usr/bin/env python3
"""Keeps what the rivals' scripts measured, and writes the tables of docs/benchmarks.md from it.

usage: report.py add NAME FILE   the last JSON object of FILE (what a script printed) becomes bench/results/NAME.json, with machine and commit
       report.py [--check]       writes the tables anew; --check only says whether they are up to date (exit 1 when not)

A table stands between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench/results"
PAGE = ROOT / "docs/benchmarks.md"


def cpu_name():
    try:
        text = open("/proc/cpuinfo", encoding="utf-8").read()
    except OSError:
        return platform.machine()
    name = re.search(r"model name\s*: (.*)", text)
    flags = re.search(r"flags\s*: (.*)", text)
    known = [f for f in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16") if flags and f in flags[1].split()]
    return f"{name[1].strip() if name else platform.machine()} ({', '.join(known)}), {os.cpu_count()} cores"


def last_object(text):
    """The last JSON object that begins a line of `text`."""
    for at in reversed([m.start() for m in re.finditer(r"^\{", text, re.M)]):
        try:
            return json.JSONDecoder().raw_decode(text[at:])[0]
        except ValueError:
            continue
    sys.exit("no JSON object in the file")


def add(name, file):
    if name not in TABLES:
        sys.exit(f"no table {name}; known: {', '.join(TABLES)}")
    result = last_object(pathlib.Path(file).read_text(encoding="utf-8"))
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    RESULTS.mkdir(exist_ok=True)
    stamped = {"machine": cpu_name(), "commit": commit, **{k: v for k, v in result.items() if k != "machine"}}
    (RESULTS / f"{name}.json").write_text(json.dumps(stamped, indent=1) + "\n", encoding="utf-8")


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def number(x, digits=3):
    return f"{x:.{digits}g}" if x < 10 ** digits else f"{x:,.0f}"


def onnxruntime_encoder(result):
    cells = {(r["threads"], r["precision"], r["case"]): r for r in result["results"]}
    cases = list(dict.fromkeys(r["case"] for r in result["results"]))
    kinds = [(threads, precision) for precision in ("float32", "int8") for threads in (1, 2)
             if any(key[:2] == (threads, precision) for key in cells)]
    rows = []
    for case in cases:
        row = [case]
        for threads, precision in kinds:
            cell = cells.get((threads, precision, case))
            row.append("-" if cell is None else
                       f"{number(cell['ours_wall_ms'])} / {number(cell['theirs_wall_ms'])} = **{cell['wall_ratio']:.2f}x** ({100 * cell['ours_of_peak']:.0f} %)")
        rows.append(row)
    header = ["texts x tokens"] + [f"{precision}, {threads} thread{'s' if threads > 1 else ''}" for threads, precision in kinds]
    exact = {p: (min(r["min_cosine_to_f32"] for r in result["results"] if r["precision"] == p),
                 min(r["their_min_cosine_to_f32"] for r in result["results"] if r["precision"] == p))
             for p in dict.fromkeys(r["precision"] for r in result["results"])}
    note = "; ".join(f"{p} {ours:.4f} (ours), {theirs:.4f}" for p, (ours, theirs) in exact.items())
    return table(header, rows) + ["", f"Wall ms a call, ours / ONNX Runtime {result['onnxruntime']} = ratio (of ours: per cent of the multiply-add peak). "
                                  f"Least cosine to the float32 graph: {note}."]


def hf_trainer(result):
    rows = []
    for program, runs in result["results"].items():
        middle = sorted(runs, key=lambda r: r["cpu_seconds"])[len(runs) // 2]
        accuracies = [r["accuracy"] for r in runs]
        rows.append([program, " ".join(f"{a:.4f}" for a in accuracies), middle_interval(accuracies, result["test_rows"]),
                     f"{result['train_rows'] / middle['cpu_seconds']:.1f}", f"{max(r['peak_rss_bytes'] for r in runs) / 1e6:,.0f}"])
    return table(["program", "accuracy of each seed", "mean, 95 % interval", "samples a CPU-s, all included", "peak MB"], rows)


def middle_interval(accuracies, rows):
    mean = sum(accuracies) / len(accuracies)
    half = 1.96 * (mean * (1 - mean) / rows) ** 0.5
    return f"{mean:.4f} [{mean - half:.4f}, {mean + half:.4f}]"


def explain(result):
    rows = []
    for method in ("lime", "shap"):
        r = result[method]
        agreement = f"correlation {r['median_correlation']:.3f}" if "median_correlation" in r else f"largest difference {r['largest_difference']:.1e}"
        row = [method, f"{r['theirs']['cpu_s']:.1f}", f"{r['ours']['cpu_s']:.2f} = **{r['ratio']:.1f}x**", agreement]
        small = r.get("ours_int8")
        rows.append(row + ([f"{small['cpu_s']:.2f} = **{small['ratio']:.1f}x**, correlation {small['correlation_to_float32']:.3f}"] if small else ["-"]))
    return table(["method", "package, CPU s", "ours, float32", "to the package", "ours, int8, to float32"], rows) + [
        "", f"{result['texts']} texts of {result['words']:.1f} words on average, one thread each, loading included in ours."]


def llm(result):
    cells = {(r["model"], r["test"], r["threads"]): r for r in result["results"]}
    rows = []
    for model, test in dict.fromkeys(key[:2] for key in cells):
        row = [model, test]
        for threads in (1, 2):
            r = cells.get((model, test, threads))
            rates = r["tokens_per_second"] if r else {}
            peers = [f"{name} {number(rate)} = **{rates['slipway'] / rate:.2f}x**" for name, rate in rates.items() if name != "slipway"]
            row.append(f"{number(rates['slipway'])}; {'; '.join(peers)}" if r else "-")
        rows.append(row)
    return table(["model", "test", "1 thread", "2 threads"], rows)


def text2text(result):
    rows = []
    for r in result["results"]:
        times = r["milliseconds"]
        peers = [f"{number(t)} = **{t / times['slipway']:.2f}x** ({r['equal'][name]} of {r['texts']})" for name, t in times.items() if name != "slipway"]
        rows.append([f"{r['texts']}", f"{r['beams']}", number(times["slipway"]), *peers])
    return table(["texts", "beams", "ours, ms", *(f"{name}, ms (texts equal)" for name in times if name != "slipway")], rows)


def chat_server(result):
    def cell(r):
        return (f"{number(r['tokens_per_second'])} tokens/s; first {number(r['first_token'] * 1e3)} ms ({number(r['first_token_best'] * 1e3)} to {number(r['first_token_worst'] * 1e3)}); "
                f"gap {number(r['gap'] * 1e3)} ms (worst {number(r['gap_worst'] * 1e3)})")

    rows = [[r["streams"], cell(r["slipway"]), cell(r["llama-server"]),
             f"**{r['slipway']['tokens_per_second'] / r['llama-server']['tokens_per_second']:.2f}x**", f"{r['equal']} of {r['texts']}"] for r in result["results"]]
    late = "; ".join(f"{name} {number(r['gap'] * 1e3)} ms, at most {number(r['longest_gap'] * 1e3)} (usually {number(r['usual_gap'] * 1e3)} and "
                     f"{number(r['usual_longest'] * 1e3)}), its first token after {number(r['first_token'] * 1e3)} ms" for name, r in result["late_prompt"].items())
    start = "; ".join(f"{name} {number(r['first_token'] * 1e3)} ms, {number(r['resident_mb'])} MB" for name, r in result["start"].items())
    return table(["chats", "ours", "llama-server", "ratio", "texts equal"], rows) + [
        "", f"{result['model']} ({number(result['model_mb'])} MB), {result['prompt_tokens']} tokens in, {result['tokens']} out, {result['threads']} threads; {result['rival']}. "
        f"Gaps of a running stream beside a late prompt of 512 tokens: {late}. From exec to the first token, and memory after the bursts: {start}."]


def main_text(result):
    ours = next(r for r in result["results"] if r["program"] == "slipway")
    rows = [[r["program"], f"{r['f1']:.3f}", f"{r['precision']:.3f}", f"{r['recall']:.3f}", number(r["mb_per_cpu_second"]),
             "" if r is ours else f"**{ours['mb_per_cpu_second'] / r['mb_per_cpu_second']:.0f}x**"] for r in result["results"]]
    return table(["program", "F1", "precision", "recall", "MB a CPU-second", "ours is"], rows) + [
        "", f"{result['pages']} pages, {result['megabytes']:.1f} MB, one thread; ours {result['repeat']} times, the others {result['rival_repeat']}; F1 of ours on the "
        f"first and the second half of the pages by sorted id: {ours['f1_halves'][0]:.3f} and {ours['f1_halves'][1]:.3f}."]


TABLES = {f.__name__: f for f in (main_text, onnxruntime_encoder, hf_trainer, explain, llm, text2text, chat_server)}


def render(page):
    for name, make in TABLES.items():
        file = RESULTS / f"{name}.json"
        mark = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
        if not mark.search(page):
            continue
        if not file.exists():
            sys.exit(f"{file} is missing; the table {name} needs it")
        result = json.loads(file.read_text(encoding="utf-8"))
        body = "\n".join([*make(result), "", f"On {result['machine']}, commit {result['commit']}.", ""])
        page = mark.sub(lambda m: m[1] + body + m[2], page)
    return page


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["add"] and len(arguments) == 3:
        return add(*arguments[1:])
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    page = PAGE.read_text(encoding="utf-8")
    fresh = render(page)
    if arguments == ["--check"]:
        sys.exit(fresh != page and f"{PAGE} is not what bench/results says: run bench/rivals/report.py")
    PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
