#!/usr/bin/env python3
"""Makes piece_map.json: ids and texts of transformers' Marian and M2M100 tokenizers, whose pieces a vocab.json numbers.

usage: make_piece_map_gold.py > tests/gold/piece_map.json        (needs the Python packages sentencepiece and transformers)

  {"marian": {"files": {name: text, or base64 under "spm"}, "cases": [{"text", "ids", "decoded"}]}, "m2m_100": ...}
"""
import base64
import io
import json
import logging
import pathlib
import random
import sys
import tempfile
import warnings

import sentencepiece
from transformers import M2M100Tokenizer, MarianTokenizer

SOURCE = ["the cat sat on the mat", "a dog and a cat are friends", "the sun is in the sky today", "dogs chase cats", "where is the mat"]
TARGET = ["die Katze saß auf der Matte", "ein Hund und eine Katze sind Freunde", "die Sonne ist heute am Himmel", "Hunde jagen Katzen"]
TEXTS = ["the cat is a friend", "  two   spaces ", "Katzen und Hunde", "unknown: 鰐鰐 x", ">>de<< the dog", ">>xx<< the dog", "", "the\tmat\n", "ß"]


def train(lines, size):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines * 20), model_writer=model, vocab_size=size, model_type="unigram",
                                             normalization_rule_name="identity", hard_vocab_limit=False, minloglevel=2)
    return model.getvalue()


def pieces(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [processor.id_to_piece(i) for i in range(processor.get_piece_size())]


def cases(tokenizer):
    out = []
    for text in TEXTS:
        ids = tokenizer(text).input_ids
        out.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
    return out


def marian(folder):
    source, target = train(SOURCE, 60), train(TARGET, 70)
    names = sorted(set(pieces(source)) | set(pieces(target)) - {"<unk>", "<s>", "</s>"})
    random.Random(1).shuffle(names)  # ids apart from the models' own
    names = ["</s>", "<unk>"] + [n for n in names if n not in ("<unk>", "<s>", "</s>")] + [">>de<<", "<pad>"]
    vocab = {name: i for i, name in enumerate(names)}
    (folder / "source.spm").write_bytes(source)
    (folder / "target.spm").write_bytes(target)
    (folder / "vocab.json").write_text(json.dumps(vocab))
    tokenizer = MarianTokenizer(str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"))
    answers = [vocab[p] for p in sentencepiece.SentencePieceProcessor(model_proto=target).encode(TARGET[1], out_type=str)] + [0]
    return {"files": {"source.spm": base64.b64encode(source).decode(), "vocab.json": json.dumps(vocab, ensure_ascii=False)},
            "cases": cases(tokenizer), "answer": {"ids": answers, "decoded": tokenizer.decode(answers, skip_special_tokens=True)}}


def m2m100(folder):
    model = train(SOURCE + TARGET, 90)
    names = ["<s>", "<pad>", "</s>", "<unk>"] + [p for p in reversed(pieces(model)) if p not in ("<s>", "</s>", "<unk>")]
    vocab = {name: i for i, name in enumerate(names)}
    (folder / "sentencepiece.bpe.model").write_bytes(model)
    (folder / "vocab.json").write_text(json.dumps(vocab))
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"), src_lang="en", tgt_lang="de")
    languages = sorted(tokenizer.lang_token_to_id, key=tokenizer.lang_token_to_id.get)
    assert [tokenizer.lang_token_to_id[x] for x in languages] == list(range(len(vocab), len(vocab) + len(languages)))
    # As published folders have them: languages are special tokens, which decoding leaves out.
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"), src_lang="en", tgt_lang="de",
                                additional_special_tokens=languages)
    config = {"src_lang": "en", "additional_special_tokens": languages}
    answers = [tokenizer.lang_token_to_id["__de__"]] + tokenizer("eine Katze").input_ids[1:]
    return {"files": {"sentencepiece.bpe.model": base64.b64encode(model).decode(), "vocab.json": json.dumps(vocab, ensure_ascii=False),
                      "tokenizer_config.json": json.dumps(config)},
            "cases": cases(tokenizer), "languages": {"__de__": tokenizer.lang_token_to_id["__de__"]},
            "answer": {"ids": answers, "decoded": tokenizer.decode(answers, skip_special_tokens=True)}}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        json.dump({"marian": marian(pathlib.Path(one)), "m2m_100": m2m100(pathlib.Path(two))}, sys.stdout, ensure_ascii=False)
    print()
