#!/usr/bin/env python3
"""Ids and offsets of `slipway tokenizer encode` against Hugging Face tokenizers: tokenizer_check.py PROGRAM TOKENIZER_JSON SHARED.

Every line of the shared sample file where it is there, and lines of our own that are hard on offsets, with and without special
tokens. Prints the number of lines; exits 1 at the first difference.
"""
import io, json, pathlib, subprocess, sys

import zstandard
from tokenizers import Tokenizer

program, file, shared = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
lines = ["", " ", "Hello, world!", "café naïve Ångström", "é decomposed", "你好，世界", "a\tb\r\nc", "\u200bzero\u00adwidth", "[CLS] in text [MASK]",
         "don't stop—now…", "İstanbul ǅ ﬁ ß", "👩‍👩‍👧 family", "x" * 300, "\ufffd\u0000end", "ｆｕｌｌ　ｗｉｄｔｈ", "हिन्दी ไทย 한국어", "##suffix un##known"]
sample = shared / "data/tokenizers/sample.jsonl.zst"
if sample.is_file():
    text = zstandard.ZstdDecompressor().stream_reader(sample.open("rb"))
    lines += [json.loads(line)["text"] for line in io.TextIOWrapper(text, encoding="utf-8")]
else:
    print("note: no shared data, own lines only")

reference = Tokenizer.from_file(file)
reference.no_truncation()
reference.no_padding()
stdin = "".join(json.dumps({"text": line}) + "\n" for line in lines).encode()
for special in (False, True):
    command = [program, "tokenizer", "encode", file] + (["--special"] if special else [])
    ours = [json.loads(line) for line in subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=True).stdout.splitlines()]
    assert len(ours) == len(lines), (len(ours), len(lines))
    for text, mine in zip(lines, ours):
        theirs = reference.encode(text, add_special_tokens=special)
        if mine["ids"] != theirs.ids or [tuple(o) for o in mine["offsets"]] != theirs.offsets:
            sys.exit(f"differs on {text!r} (special={special}):\n  ours   {mine}\n  theirs {theirs.ids} {theirs.offsets}")
print(f"{len(lines)} lines equal, ids and offsets, with and without special tokens")
