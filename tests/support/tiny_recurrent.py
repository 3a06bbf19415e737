#!/usr/bin/env python3
"""Writes a tiny LSTM or GRU as a folder: tiny_recurrent.py FOLDER NAME, from tests/gold/recurrent_NAME.json, with the weights of
tiny_decoder.py and a tokenizer of the words w3, w4, ... for the ids of their number. Prints the prompt of a language model. Needs
nothing but Python.
"""
import json, math, pathlib, struct, sys

from tiny_decoder import weights


def main():
    folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    gold = json.loads((pathlib.Path(__file__).parents[1] / f"gold/recurrent_{name}.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(gold["config"]))
    header, data, at = {}, [], 0
    for tensor, shape in gold["tensors"].items():
        size = 4 * math.prod(shape)
        header[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        data.append(weights(tensor, shape))
        at += size
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    words = ["<pad>", "<s>", "</s>"] + [f"w{i}" for i in range(3, gold["config"]["vocab_size"])]
    special = [{"id": i, "content": words[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for i in range(3)]
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(words)}, "unk_token": "<pad>"}}))
    print(" ".join(words[i] for i in gold.get("ids", [])))


if __name__ == "__main__":
    main()
