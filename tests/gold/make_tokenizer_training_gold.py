#!/usr/bin/env python3
"""Makes tokenizer_training.json: what Hugging Face's WordPieceTrainer and UnigramTrainer learn.

usage: make_tokenizer_training_gold.py > tests/gold/tokenizer_training.json       (needs the Python package tokenizers, 0.23)

Both trainers there keep words in hash tables whose order differs from run to run, and where two pairs or pieces are equally good the order
decides. Each case is therefore run several times: `always` is what every run learnt (for Unigram with the least and the largest score),
`sometimes` what only some did. With the prefixed characters as special tokens WordPiece has one outcome: `exact` is that vocabulary by id.
"""
import json
import random
import sys

import tokenizers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from make_tokenizer_family_gold import ALL

RUNS = 60
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def sentences():
    """Words of syllables, the frequent ones short, as in a language."""
    rng = random.Random(11)
    syllables = [a + b for a in ("", "b", "d", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v") for b in ("a", "e", "i", "o", "u", "an", "er", "in", "or")]
    words = ["".join(rng.choice(syllables) for _ in range(1 + min(3, rank // 40 + (rank % 3 == 2)))) for rank in range(240)]
    endings = ["", "", "", "s", "ing", "ed", "ly"]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    out = []
    for _ in range(500):
        chosen = [word + rng.choice(endings) for word in rng.choices(words, weights, k=rng.randint(4, 12))]
        out.append(" ".join(chosen).capitalize() + rng.choice([".", ".", "!", "?"]))
    return out


def wordpiece(texts, size, frequency, alphabet, lowercase, special):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=size, min_frequency=frequency, special_tokens=special,
                                                                  show_progress=False, **({"limit_alphabet": alphabet} if alphabet else {})))
    return json.loads(tokenizer.to_str())["model"]["vocab"]


def unigram(texts, **options):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.train_from_iterator(texts, trainers.UnigramTrainer(show_progress=False, **options))
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], model["unk_id"]


def wordpiece_cases(corpora):
    for name, size, frequency, alphabet, lowercase in (("lines", 300, 0, 0, True), ("lines", 1000, 2, 0, False), ("lines", 400, 0, 60, True),
                                                      ("syllables", 300, 0, 0, True), ("syllables", 900, 0, 0, True), ("syllables", 5000, 3, 0, False)):
        texts = corpora[name]
        runs = [set(wordpiece(texts, size, frequency, alphabet, lowercase, SPECIAL)) for _ in range(RUNS)]
        case = {"texts": name, "vocab_size": size, "min_frequency": frequency, "limit_alphabet": alphabet, "lowercase": lowercase,
                "always": sorted(set.intersection(*runs)), "sometimes": sorted(set.union(*runs) - set.intersection(*runs))}
        if not alphabet:
            marks = sorted(token for token in wordpiece(texts, 10, 0, 0, lowercase, SPECIAL) if token.startswith("##"))
            case["special"] = SPECIAL + marks
            tables = [wordpiece(texts, size, frequency, 0, lowercase, case["special"]) for _ in range(RUNS // 10)]
            assert all(table == tables[0] for table in tables)
            case["exact"] = sorted(tables[0], key=tables[0].get)
        yield case


def unigram_cases(corpora):
    # The first two end without pruning.
    for name, options in (("syllables", dict(vocab_size=645, unk_token="<unk>")), ("lines", dict(vocab_size=2000, special_tokens=["<s>", "</s>"])),
                          ("syllables", dict(vocab_size=300, unk_token="<unk>")), ("syllables", dict(vocab_size=150, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")),
                          ("syllables", dict(vocab_size=200, max_piece_length=4, shrinking_factor=0.6, n_sub_iterations=3))):
        runs = [unigram(corpora[name], **options) for _ in range(RUNS // 10)]
        tables = [dict(map(tuple, vocab)) for vocab, _ in runs]
        always = [piece for piece in sorted(tables[0]) if all(piece in table for table in tables)]
        yield {"texts": name, "options": options, "unk_id": runs[0][1],
               "always": [[piece, min(t[piece] for t in tables), max(t[piece] for t in tables)] for piece in always],
               "sometimes": sorted(set().union(*tables) - set(always))}


def main():
    corpora = {"lines": ALL * 2, "syllables": sentences()}
    out = {"made_by": f"Hugging Face tokenizers {tokenizers.__version__}", "texts": corpora, "wordpiece": list(wordpiece_cases(corpora)),
           "unigram": list(unigram_cases(corpora))}
    for kind in ("wordpiece", "unigram"):
        for case in out[kind]:
            spread = max((high - low for _, low, high in case["always"]), default=0) if kind == "unigram" else 0
            print(kind, case["texts"], len(case["always"]), "always,", len(case["sometimes"]), "sometimes; scores differ by", spread, file=sys.stderr)
    json.dump(out, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
