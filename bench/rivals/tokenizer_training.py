#!/usr/bin/env python3
"""Training of tokenizers against Hugging Face's trainers on the same lines, one thread each: seconds from the file to tokenizer.json.

usage: tokenizer_training.py SLIPWAY_BINARY TEXT_FILE [--rounds 3] [--max-mb 5] [--vocab-size 8000]
Needs the Python packages tokenizers and zstandard. TEXT_FILE has one text a line, maybe .zst. What is learnt is compared first: tokens in
common (Hugging Face's WordPiece and Unigram trainers differ from run to run where candidates are equal), the largest difference of scores,
and how likely each Unigram vocabulary makes the last tenth of the lines, which neither saw. Prints one JSON object.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers  # noqa: E402  (the environment must be set first)

from tokenizer_families import read_lines  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bpe(size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer, trainers.BpeTrainer(vocab_size=size, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def wordpiece(size):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    return tokenizer, trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)


def unigram(size):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return tokenizer, trainers.UnigramTrainer(vocab_size=size, unk_token="<unk>", show_progress=False)


def vocabulary(json_text):
    vocab = json.loads(json_text)["model"]["vocab"]
    return vocab if isinstance(vocab, dict) else dict(map(tuple, vocab))


def log_likelihood(json_text, lines):
    """Of the best cut of each line, natural log a character."""
    tokenizer, scores = Tokenizer.from_str(json_text), vocabulary(json_text)
    lowest = min(scores.values()) - 10
    total = sum(scores.get(token, lowest) if token != "<unk>" else lowest for line in lines for token in tokenizer.encode(line).tokens)
    return total / sum(map(len, lines))


def compare(args, name, make, lines, held_out, text_file):
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "tokenizer.json"
        command = [args.slipway, "tokenizer", "train", text_file, "--model", name, "--output", out, "--vocab-size", str(args.vocab_size), "--quiet"]
        for _ in range(args.rounds):
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            ours.append(time.perf_counter() - start)
            tokenizer, trainer = make(args.vocab_size)
            start = time.perf_counter()
            tokenizer.train_from_iterator(lines, trainer)
            tokenizer.save(str(out) + ".hf")
            theirs.append(time.perf_counter() - start)
        our_json, their_json = out.read_text(), pathlib.Path(str(out) + ".hf").read_text()
    a, b = vocabulary(our_json), vocabulary(their_json)
    common = a.keys() & b.keys()
    row = {"tokens": len(a), "theirs": len(b), "in_common": len(common), "seconds": round(statistics.median(ours), 3),
           "their_seconds": round(statistics.median(theirs), 3), "ratio": round(statistics.median(theirs) / statistics.median(ours), 2)}
    if name == "bpe" and json.loads(our_json)["model"]["merges"] != json.loads(their_json)["model"]["merges"]:
        sys.exit("bpe: other merges than Hugging Face's")
    if name == "unigram":
        row["largest_score_difference"] = max(abs(a[t] - b[t]) for t in common)
        row["median_score_difference"] = statistics.median(abs(a[t] - b[t]) for t in common)
        row["held_out_log_likelihood_per_character"] = round(log_likelihood(our_json, held_out), 5)
        row["their_held_out_log_likelihood_per_character"] = round(log_likelihood(their_json, held_out), 5)
        assert math.isfinite(row["held_out_log_likelihood_per_character"])
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-mb", type=float, default=5.0)
    parser.add_argument("--vocab-size", type=int, default=8000)
    args = parser.parse_args()
    lines, size = read_lines(args.text, int(args.max_mb * 1e6))
    held_out, lines = lines[-len(lines) // 10:], lines[:-len(lines) // 10]
    results = {"bytes": size, "lines": len(lines)}
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        for name, make in (("bpe", bpe), ("wordpiece", wordpiece), ("unigram", unigram)):
            results[name] = compare(args, name, make, lines, held_out, file.name)
            print(name, results[name], file=sys.stderr)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
