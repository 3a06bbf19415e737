#!/usr/bin/env python3
"""Makes tokenizer_families.json: what Hugging Face tokenizers gives for small BPE and Unigram tokenizers and the sections around them.

usage: make_tokenizer_family_gold.py > tests/gold/tokenizer_families.json       (needs the Python package tokenizers, 0.23)

`bases` are trained on the texts here; a case is a base, what differs from it, and for each text ids, offsets and the text that
the ids decode to, as in make_tokenizer_gold.py; `special`: the ids of the third text with special tokens.
"""
import copy
import json
import random
import sys

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from make_tokenizer_gold import TEXTS, added

MORE = ["I'm sure they'LL've said: don't! It'ſ we'd", "12345 tokens\n\n  indented\r\n\ttabs  \n end  ", "  two  spaces   three ", "a\n \n b\n\n\n",
        "snake_case camelCase HTTPServer x=3.14; y+=2//z", "naïve façade ᾳ Ǆungla ǅ", "e\u0301\u0302 combining \u0301start", "١٢٣٤ ⅣⅫ ½ 千九百",
        "日本語のテキスト、カタカナ。", "<s>in text</s> <mask> <unk>", "▁already▁marked ▁ x", "tail \u00a0\u2003 wide\u3000"]
ALL = TEXTS + MORE
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?"
         r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"
         r"\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|"
            r"\s+(?!\S)|\s+")
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def train(model, trainer, pre_tokenizer):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(ALL * 2, trainer)
    return json.loads(tokenizer.to_str())


def byte_base():
    base = train(models.BPE(), trainers.BpeTrainer(vocab_size=420, special_tokens=["<s>", "</s>", "<mask>"], show_progress=False,
                                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet()),
                 pre_tokenizers.ByteLevel(add_prefix_space=False))
    base["decoder"] = dict(BYTES)
    return base


def spm_base():
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    base = train(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
                 trainers.BpeTrainer(vocab_size=480, special_tokens=special, show_progress=False, limit_alphabet=80),
                 pre_tokenizers.Metaspace())
    base["added_tokens"] = [added(i, t, special=True) for i, t in enumerate(special[:3])]
    base["pre_tokenizer"] = None
    base["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                              {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    base["decoder"] = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                                                        {"type": "ByteFallback"}, {"type": "Fuse"},
                                                        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    base["post_processor"] = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                                                                       {"Sequence": {"id": "A", "type_id": 0}}],
                              "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
    return base


def unigram_base():
    rng = random.Random(5)
    pieces = {}
    for text in ALL:
        marked = "▁" + text.replace(" ", "▁")
        for i, char in enumerate(marked):
            if ord(char) < 0x1000 or char == "▁":
                pieces.setdefault(char, -9.0)
            if rng.random() < 0.5:
                piece = marked[i:i + rng.randint(2, 6)]
                if "▁" not in piece[1:] and piece not in ("<pad>", "</s>", "<unk>"):
                    pieces.setdefault(piece, -round(rng.uniform(4, 12), 2))
    vocab = [["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]] + [[p, s] for p, s in pieces.items()]
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(i, t, special=True) for i, t in enumerate(["<pad>", "</s>", "<unk>"])], "normalizer": None,
            "pre_tokenizer": metaspace, "decoder": metaspace,
            "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},
                                                                        {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                               "pair": [], "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
            "model": {"type": "Unigram", "unk_id": 2, "vocab": vocab, "byte_fallback": False}}


def clip_base():
    base = train(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"),
                 trainers.BpeTrainer(vocab_size=330, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False,
                                     limit_alphabet=90), pre_tokenizers.Whitespace())
    base["decoder"] = {"type": "BPEDecoder", "suffix": "</w>"}
    base["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": r"\s+"},
                                                                               "content": " "}, {"type": "Lowercase"}]}
    return base


def cases(bases):
    p, n, d, post = "pre_tokenizer", "normalizer", "decoder", "post_processor"
    level = dict(BYTES, use_regex=True)
    yield "byte", "byte-level", {}
    for space in (False, True):
        for trim in (False, True):
            yield "byte", f"prefix space {space}, trimmed {trim}", {
                p: dict(level, add_prefix_space=space), post: dict(BYTES, add_prefix_space=space, trim_offsets=trim)}
            yield "byte", f"roberta {space} {trim}", {p: dict(level, add_prefix_space=space), post: {
                "type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0], "trim_offsets": trim, "add_prefix_space": space}}
    yield "byte", "no regex", {p: BYTES}
    yield "byte", "mask that strips", {"added_tokens": [added(0, "<s>", special=True), added(1, "</s>", special=True),
                                                       added(2, "<mask>", lstrip=True, special=True)], post: BYTES}
    for name, pattern in (("llama 3", LLAMA3), ("qwen 2", QWEN2), ("cl100k", CL100K), ("o200k", O200K), ("deepseek", DEEPSEEK)):
        yield "byte", name, {p: sequence(split(pattern), BYTES)}
    yield "byte", "split inverted", {p: sequence(split(LLAMA3, "Removed", True), BYTES)}
    yield "byte", "smollm", {p: sequence({"type": "Digits", "individual_digits": True}, level)}
    yield "byte", "falcon", {p: sequence({"type": "Punctuation", "behavior": "Contiguous"}, level, {"type": "Digits", "individual_digits": False},
                                        split("[0-9][0-9][0-9]"))}
    yield "byte", "NFC", {n: {"type": "NFC"}}
    yield "byte", "ignore merges", {"model": dict(bases["byte"]["model"], ignore_merges=True, merges=bases["byte"]["model"]["merges"][::2])}
    yield "byte", "byte normalizer", {n: {"type": "ByteLevel"}, p: None}
    for behavior in ("Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        yield "byte", "regex " + behavior, {p: sequence(split(r"[aeiou]+|\s", behavior), BYTES)}
    yield "byte", "fixed length", {p: sequence({"type": "FixedLength", "length": 3}, BYTES)}
    yield "spm", "llama 2", {}
    for scheme in ("always", "first", "never"):
        for cut in (False, True):
            metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut}
            yield "spm", f"metaspace {scheme} {cut}", {n: None, p: metaspace, d: metaspace}
    yield "spm", "gemma", {n: {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
                           p: {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}}
    for fuse in (False, True):
        yield "spm", f"unknown, fused {fuse}", {"model": dict(bases["spm"]["model"], byte_fallback=False, fuse_unk=fuse)}
    yield "spm", "unknown that vanishes", {"model": dict(bases["spm"]["model"], byte_fallback=False, unk_token=None)}
    yield "spm", "added that strips", {"added_tokens": [added(1, "<s>", rstrip=True), added(2, "</s>", lstrip=True, special=True)]}
    yield "unigram", "t5", {}
    yield "unigram", "xlm-r", {p: sequence({"type": "WhitespaceSplit"}, bases["unigram"][p])}
    yield "unigram", "whole", {p: dict(bases["unigram"][p], split=False)}
    yield "unigram", "nmt", {n: {"type": "Nmt"}}
    yield "clip", "clip", {}
    yield "clip", "strip", {d: {"type": "Sequence", "decoders": [{"type": "BPEDecoder", "suffix": "</w>"}, {"type": "Strip", "content": "t", "start": 1, "stop": 0}]}}
    yield "clip", "ctc", {d: {"type": "CTC", "pad_token": "<unk>", "word_delimiter_token": "</w>", "cleanup": True}}
    yield "clip", "regex decoder", {d: {"type": "Replace", "pattern": {"Regex": "</w>"}, "content": " "}}


def pairs(bases):
    """Pairs of texts under every strategy of truncation."""
    roberta = {"post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0], "trim_offsets": True,
                                  "add_prefix_space": False}}
    bert = {"post_processor": {"type": "BertProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0]}}
    a, b = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 3}}
    end = {"SpecialToken": {"id": "</s>", "type_id": 2}}
    template = {"post_processor": dict(bases["unigram"]["post_processor"], pair=[a, end, b, end])}
    texts = [("a film", "The film was not good at all."), ("The film was not good at all.", "a film"), ("It was good, wasn't it?", "No, not at all!"),
             ("", "one"), ("one", "")]
    for base, name, change in (("byte", "roberta", roberta), ("byte", "bert", bert), ("byte", "none", {}), ("unigram", "template", template)):
        definition = dict(copy.deepcopy(bases[base]), **change)
        tokenizer = Tokenizer.from_str(json.dumps(definition))
        rows = []
        for first, second in texts:
            for special in (False, True):
                for length in (0, 5, 8, 12):
                    for strategy in ("longest_first", "only_first", "only_second"):
                        for direction in ("right", "left"):
                            tokenizer.no_truncation()
                            if length:
                                tokenizer.enable_truncation(length, strategy=strategy, direction=direction)
                            try:
                                out = tokenizer.encode(first, second, add_special_tokens=special)
                            except Exception:
                                rows.append([first, second, special, length, strategy, direction, None, None, None])
                                continue
                            rows.append([first, second, special, length, strategy, direction, out.ids, out.type_ids,
                                         [x for pair in out.offsets for x in pair]])
        yield {"base": base, "name": name, "change": change, "rows": rows}


def training():
    """Merges that BpeTrainer learns from the texts, with ties in plenty."""
    for size, frequency, special in ((300, 0, []), (700, 0, ["<s>", "</s>"]), (2000, 2, ["<|endoftext|>"])):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.train_from_iterator(ALL * 2, trainers.BpeTrainer(vocab_size=size, min_frequency=frequency, special_tokens=special,
                                                                  show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        model = json.loads(tokenizer.to_str())["model"]
        yield {"repeat": 2, "vocab_size": size, "min_frequency": frequency, "special_tokens": special, "vocab": model["vocab"],
               "merges": model["merges"]}


def main():
    bases = {"byte": byte_base(), "spm": spm_base(), "unigram": unigram_base(), "clip": clip_base()}
    rows = []
    for base, name, change in cases(bases):
        definition = copy.deepcopy(bases[base])
        definition.update(change)
        tokenizer = Tokenizer.from_str(json.dumps(definition))
        results = []
        for text in ALL:
            plain = tokenizer.encode(text, add_special_tokens=False)
            results.append([plain.ids, [x for pair in plain.offsets for x in pair],
                            tokenizer.decode(plain.ids, skip_special_tokens=True)])
        rows.append({"base": base, "name": name, "change": change, "results": results,
                     "special": tokenizer.encode(ALL[2], add_special_tokens=True).ids})
    out = {"made_by": f"Hugging Face tokenizers {tokenizers.__version__}", "bases": bases, "texts": ALL, "cases": rows, "pairs": list(pairs(bases)), "training": list(training())}
    json.dump(out, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
