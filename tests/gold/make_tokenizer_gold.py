#!/usr/bin/env python3
"""Makes tokenizer.json: what Hugging Face tokenizers gives for small tokenizers of every section type that we read.

usage: make_tokenizer_gold.py > tests/gold/tokenizer.json       (needs the Python package tokenizers, 0.23)

A case is a tokenizer.json (what differs from the base one) and, for each text, ids, offsets and the text
that the ids decode to; `special`: the ids of the third text with special tokens.
"""
import copy
import json
import string
import sys

import tokenizers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "film", "was", "un", "##believ", "##able", "good", "bad", "not", "don", "##n", "##t", "can", "café", "cafe", "straße",
         "中", "国", "##国", "電", "影", "한", "##국", "▁the", "▁film", "_film", "1", "##2", "##3", "12", "!", "?", ".", ",", "'", "-", "(",
         ")", "/", "...", "##.", "$", "€", "™", "é", "##é", "e", "##\u0301", "ﬁ", "fi", "##lm", "Film", "The", "GOOD", "i", "##\u0307",
         "σ", "##σ", "ς", "я", "##я", "ж", "👍", "##🏽", "ñ", "##ñ"]


def vocabulary():
    tokens = SPECIAL + WORDS + list(string.ascii_letters) + ["##" + c for c in string.ascii_letters + string.digits]
    out = {}
    for token in tokens:
        out.setdefault(token, len(out))
    return out


def added(identifier, content, **flags):
    row = {"id": identifier, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
           "special": False}
    row.update(flags)
    return row


def base():
    vocab = vocabulary()
    special = [added(vocab[t], t, special=True) for t in SPECIAL]
    frame = {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    pair = single + [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": frame},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                  "vocab": vocab},
    }


def bert(**flags):
    return dict(base()["normalizer"], **flags)


def sequence(kind, *parts):
    return {"type": "Sequence", ("normalizers" if kind == "n" else "pretokenizers"): list(parts)}


def cases():
    n, p = "normalizer", "pre_tokenizer"
    size = len(vocabulary())
    yield "bert", {}
    yield "bert cased", {n: bert(lowercase=False)}
    yield "bert cased, accents stripped", {n: bert(lowercase=False, strip_accents=True)}
    yield "bert, accents kept", {n: bert(strip_accents=False)}
    yield "bert, text not cleaned", {n: bert(clean_text=False)}
    yield "bert, ideographs not spaced", {n: bert(handle_chinese_chars=False)}
    for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"):
        yield form, {n: {"type": form}}
    yield "no normalizer", {n: None}
    yield "strip left", {n: {"type": "Strip", "strip_left": True, "strip_right": False}, p: None}
    yield "strip right", {n: {"type": "Strip", "strip_left": False, "strip_right": True}, p: None}
    yield "replace", {n: {"type": "Replace", "pattern": {"String": "film"}, "content": "the bad"}}
    yield "replace by nothing", {n: {"type": "Replace", "pattern": {"String": "i"}, "content": ""}}
    yield "prepend", {n: sequence("n", {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "},
                                                                           "content": "▁"}),
                      p: {"type": "Split", "pattern": {"String": "▁"}, "behavior": "MergedWithNext", "invert": False}}
    yield "sequence", {n: sequence("n", {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "NFC"})}
    for kind in ("Whitespace", "WhitespaceSplit"):
        yield kind, {p: {"type": kind}}
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        yield "punctuation " + behavior, {p: sequence("p", {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": behavior})}
        for invert in (False, True):
            yield f"split {behavior} {invert}", {p: {"type": "Split", "pattern": {"String": "il"}, "behavior": behavior,
                                                     "invert": invert}}
    for individual in (False, True):
        yield f"digits {individual}", {p: sequence("p", {"type": "WhitespaceSplit"}, {"type": "Digits", "individual_digits": individual})}
    yield "delimiter", {p: {"type": "CharDelimiterSplit", "delimiter": "i"}}
    yield "bert processing", {"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}}
    yield "no processor, no decoder", {"post_processor": None, "decoder": None}
    yield "no cleanup", {"decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False}}
    yield "short words", {"model": dict(base()["model"], max_input_chars_per_word=4)}
    yield "words of one level", {"model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocabulary()}}
    tokens = base()["added_tokens"]
    yield "added, stripped", {"added_tokens": tokens + [added(size, "<x>", lstrip=True, rstrip=True)]}
    yield "added, single word", {"added_tokens": tokens + [added(vocabulary()["film"], "film", single_word=True),
                                                             added(size, "lm")]}
    yield "added, normalized", {"added_tokens": tokens + [added(size, "GOOD film", normalized=True), added(size + 1, "É", normalized=True)]}
    yield "added, longest", {"added_tokens": tokens + [added(size, "<x"), added(size + 1, "<x>"), added(size + 2, "<x><x>")]}


TEXTS = [
    "", " ", "The film was not good.", "Don't, can't -- unbelievable!!! (bad...)", "CAFÉ café cafe\u0301 STRASSE straße", "中国电影 電影good한국",
    "a\u0000b\u200bc\ufffdd\te\u00a0f\u0085g\u000bh", "film[MASK]film [SEP][CLS] [mask]", "1,234.5 12/12 ３ ²", "ﬁlm ﬃ ™ Å K Ω",
    "İstanbul ΣΑΣ ς", "яж Жя й и\u0306", "👍🏽 👨‍👩‍👧 🇩🇪", "ñ\u0323\u0302 \u1ea5 e\u0323\u0301", "각 한국어 \u1112\u1161\u11ab", "the <x>film<x><x>  <x> anew film",
    "GOOD FILM good film É é e\u0301", "x" * 30, "ill-will: il!il?", "\u2028line\u3000wide ｆｉｌｍ", "ا\u064bلفيلم हिन्दी ไทย", "$5 €7 a_b#c@d ~`^|<=>+",
]


def main():
    rows = []
    for name, change in cases():
        definition = copy.deepcopy(base())
        definition.update(change)
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(definition))
        results = []
        for text in TEXTS:
            plain = tokenizer.encode(text, add_special_tokens=False)
            results.append([plain.ids, [x for pair in plain.offsets for x in pair],
                            tokenizer.decode(plain.ids, skip_special_tokens=True)])
        special = tokenizer.encode(TEXTS[2], add_special_tokens=True).ids
        rows.append({"name": name, "change": change, "results": results, "special": special})
    out = {"made_by": f"Hugging Face tokenizers {tokenizers.__version__}", "base": base(), "texts": TEXTS, "cases": rows}
    json.dump(out, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
