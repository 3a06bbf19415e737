#!/usr/bin/env python3
"""Writes a tiny BERT with a head as a Hugging Face folder: tiny_task.py FOLDER HEAD, one of the models of tests/gold/tasks.json
("token", "mlm", "nli", "qa"), with tiny_decoder.py's formula for weights and tiny_bert.h's vocabulary. Needs nothing but Python.
"""
import json, math, pathlib, struct, sys

from tiny_decoder import weights

WORDS = ("[PAD] [UNK] [CLS] [SEP] [MASK] the a is was not very good bad great awful movie film i love hate this and but it plot "
         "actor . , !").split()


def main():
    folder, head = pathlib.Path(sys.argv[1]), sys.argv[2]
    model = json.loads((pathlib.Path(__file__).parents[1] / "gold/tasks.json").read_text())["models"][head]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(model["config"]))
    header, data, at = {}, [], 0
    for name, shape in model["tensors"].items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        data.append(weights(name, shape))
        at += size
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    words = list(WORDS)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        words += ([] if letter in "ai" else [letter]) + ["##" + letter]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")


if __name__ == "__main__":
    main()
