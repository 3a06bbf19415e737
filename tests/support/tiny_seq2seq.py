#!/usr/bin/env python3
"""Writes a tiny encoder-decoder as a Hugging Face folder: tiny_seq2seq.py FOLDER FAMILY [CASE], from
tests/gold/seq2seq_FAMILY.json.

The weights are tiny_decoder.py's formula; the tokenizer has the word w5 for the id 5, and </s> after each text. Into the
working folder go `prompt`, the gold's source as words, and of its case CASE `settings`, a JSON object, and `want`, what
`slipway predict` prints. Needs nothing but Python.
"""
import json, math, pathlib, struct, sys

from tiny_decoder import weights

FIELDS = {"bart": "summary_text", "t5": "generated_text", "mt5": "generated_text"}


def main():
    folder, family, case = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0
    gold = json.loads((pathlib.Path(__file__).parents[1] / f"gold/seq2seq_{family}.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(gold["config"]))
    header, data = {}, []
    at = 0
    for name, shape in gold["tensors"].items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        data.append(weights(name, shape))
        at += size
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    config = gold["config"]
    end, special = config["eos_token_id"], {config["eos_token_id"]: "</s>", config["pad_token_id"]: "<pad>"}
    special.setdefault(2, "<s>")
    words = [special.get(i, f"w{i}") for i in range(config["vocab_size"])]
    token = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    text_of = {"id": "A", "type_id": 0}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "decoder": None,
        "added_tokens": [{"id": i, "content": word, **token} for i, word in sorted(special.items())],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "TemplateProcessing",
                           "single": [{"Sequence": text_of}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                           "pair": [{"Sequence": text_of}, {"Sequence": {"id": "B", "type_id": 0}},
                                    {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                           "special_tokens": {"</s>": {"id": "</s>", "ids": [end], "tokens": ["</s>"]}}},
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(words)}, "unk_token": "<pad>"}}))
    pathlib.Path("prompt").write_text(" ".join(words[i] for i in gold["ids"][:-1]))
    chosen = gold["cases"][case]
    pathlib.Path("settings").write_text(json.dumps(chosen["settings"]))
    texts = [{FIELDS.get(family, "translation_text"): " ".join(words[i] for i in ids if i not in special)} for ids in chosen["ids"]]
    pathlib.Path("want").write_text(json.dumps(texts[0] if len(texts) == 1 else texts, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
