#!/usr/bin/env python3
"""Every tokenizer family of the shared data against the program its file is of: ids checked equal on every line first, then MB per
CPU second of one thread.

usage: tokenizer_families.py SLIPWAY_BINARY BENCH_TEXT_BINARY SHARED_FOLDER TEXT_FILE [--rounds 5] [--max-mb 1] [--only NAME ...]
Needs the Python packages tokenizers, sentencepiece, tiktoken and zstandard. TEXT_FILE has one text a line, maybe .zst. Prints one JSON
object.
"""
import argparse
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizer import time_ours  # noqa: E402  (the environment must be set first)

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"


def hugging_face(files):
    import tokenizers
    if files[0].name.endswith("vocab.json"):
        from tokenizers import ByteLevelBPETokenizer
        tokenizer = tokenizers.Tokenizer.from_str(ByteLevelBPETokenizer(str(files[0]), str(files[1])).to_str())
    else:
        tokenizer = tokenizers.Tokenizer.from_file(str(files[0]))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return (lambda lines: [e.ids for e in tokenizer.encode_batch_fast(lines, add_special_tokens=False)],
            lambda lines: tokenizer.encode_batch_fast(lines, add_special_tokens=False), "tokenizers " + tokenizers.__version__)


def sentencepiece_model(files):
    import sentencepiece
    processor = sentencepiece.SentencePieceProcessor(model_file=str(files[0]))
    encode = lambda lines: [processor.encode(line) for line in lines]  # noqa: E731
    return encode, encode, "sentencepiece " + sentencepiece.__version__


def tiktoken_ranks(files):
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe
    pattern = CL100K if "cl100k" in files[0].name else LLAMA3
    encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=load_tiktoken_bpe(str(files[0])), special_tokens={})
    encode = lambda lines: [encoding.encode_ordinary(line) for line in lines]  # noqa: E731
    return encode, encode, "tiktoken " + tiktoken.__version__


FAMILIES = [("gpt2", ["gpt2.vocab.json", "gpt2.merges.txt"], hugging_face), ("roberta-base", ["roberta-base.tokenizer.json"], hugging_face),
            ("phi-3", ["phi-3.tokenizer.json"], hugging_face), ("t5-small", ["t5-small.tokenizer.json"], hugging_face),
            ("llama2-spm", ["llama2-spm.spm.model"], sentencepiece_model), ("mistral-v1", ["mistral-v1.spm.model"], sentencepiece_model),
            ("sentencepiece-test-en", ["sentencepiece-test-en.spm.model"], sentencepiece_model),
            ("llama3", ["llama3.tiktoken"], tiktoken_ranks), ("cl100k_base", ["cl100k_base.tiktoken"], tiktoken_ranks)]


def unpack(path):
    import zstandard
    if not path.name.endswith(".zst"):
        return path.read_bytes()
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes())).read()


def read_lines(path, max_bytes):
    lines, size = [], 0
    for line in unpack(path).decode("utf-8", "replace").split("\n"):
        line = line.rstrip("\r")
        lines.append(line)
        size += len(line.encode())
        if size >= max_bytes:
            break
    return lines, size


def compare(args, name, names, make, lines, size, sample):
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for file in names:
            files.append(pathlib.Path(folder) / file)
            files[-1].write_bytes(unpack(pathlib.Path(args.shared) / "data/tokenizers" / (file + ".zst")))
        check, encode, rival = make(files)
        rows = "".join(json.dumps({"text": line}) + "\n" for line in lines)
        run = subprocess.run([args.slipway, "tokenizer", "encode", files[0], "--no-offsets"], input=rows.encode(), stdout=subprocess.PIPE,
                             check=True)
        ours = [json.loads(row)["ids"] for row in run.stdout.splitlines()]
        theirs = check(lines)
        for line, a, b in zip(lines, ours, theirs, strict=True):
            if a != b:
                sys.exit(f"{name}: not equal on {line!r}:\n{a}\n{b}")
        samples = []
        for _ in range(args.rounds):
            start = time.process_time()
            encode(lines)
            samples.append(time.process_time() - start)
        timed = time_ours(SimpleNamespace(bench=args.bench, tokenizer=str(files[0]), rounds=args.rounds), sample)
        median = lambda key: statistics.median(row["cpu_time"] for row in timed[key]) / 1e3  # noqa: E731
        seconds, offsets, their_seconds = median("encode/offsets:0"), median("encode/offsets:1"), statistics.median(samples)
        return {"rival": rival, "ids": sum(map(len, ours)), "equal": True, "ours_mb_s": round(size / seconds / 1e6, 1),
                "theirs_mb_s": round(size / their_seconds / 1e6, 2), "ratio": round(their_seconds / seconds, 1),
                "ours_with_offsets_mb_s": round(size / offsets / 1e6, 1), "load_ms": round(median("load") * 1e3, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("bench")
    parser.add_argument("shared")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-mb", type=float, default=1.0)
    parser.add_argument("--only", nargs="*")
    args = parser.parse_args()
    lines, size = read_lines(args.text, int(args.max_mb * 1e6))
    results = {"bytes": size, "lines": len(lines)}
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", newline="\n") as sample:
        sample.writelines(line + "\n" for line in lines)
        sample.flush()
        for name, names, make in FAMILIES:
            if not args.only or name in args.only:
                results[name] = compare(args, name, names, make, lines, size, sample.name)
                print(name, results[name], file=sys.stderr)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
