#!/usr/bin/env python3
"""Writes a tiny decoder as a Hugging Face folder: tiny_decoder.py FOLDER [FAMILY], from tests/gold/decoder_FAMILY.json.
With --lora as the third argument FOLDER becomes the LoRA adapter of that model in tests/gold/decoder_lora.json.

The weights are the formula of tests/gold/decoder_models.py (see there), the tokenizer has the words w3 to w159 for the
ids of their number; <s> and </s> are 1 and 2. Needs nothing but Python.
"""
import json, math, pathlib, struct, sys

MASK = (1 << 64) - 1


def weights(name, shape):
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & MASK
    embedding = any(part in name for part in ("embed_tokens", "embed_in", "wte", "wpe", "shared", "embed_pos"))
    scale = 0.1 if len(shape) == 1 else (1.0 if embedding else 3.0) / math.sqrt(shape[1])
    shift = 1.0 if len(shape) == 1 and name.endswith("weight") else 0.0
    out = []
    for i in range(math.prod(shape)):
        z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        out.append(((z >> 40) - 8388608) / 8388608 * scale + shift)
    return struct.pack(f"<{len(out)}f", *out)


def write_safetensors(path, tensors, of=weights):
    header, data = {}, b""
    for name, shape in tensors.items():
        raw = of(name, shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def lora_weights(name, shape):
    raw = weights(name, shape)
    if "lora_B" not in name:
        return raw
    return struct.pack(f"<{len(raw) // 4}f", *(value / 4 for value in struct.unpack(f"<{len(raw) // 4}f", raw)))


def write_lora(folder, family):
    gold = json.loads((pathlib.Path(__file__).parents[1] / "gold/decoder_lora.json").read_text())["adapters"][family]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(gold["config"]))
    write_safetensors(folder / "adapter_model.safetensors", gold["tensors"], lora_weights)


def main():
    if "--lora" in sys.argv:
        write_lora(pathlib.Path(sys.argv[1]), sys.argv[2])
        return
    folder, family = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "llama"
    gold = json.loads((pathlib.Path(__file__).parents[1] / f"gold/decoder_{family}.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(gold["config"]))
    write_safetensors(folder / "model.safetensors", gold["tensors"])
    words = ["<pad>", "<s>", "</s>"] + [f"w{i}" for i in range(3, 160)]
    special = [{"id": i, "content": words[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for i in range(3)]
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(words)}, "unk_token": "<pad>"}}))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "bos_token": "<s>", "eos_token": "</s>",
        "chat_template": "{% for m in messages %}{{ m.content }} {% endfor %}{% if add_generation_prompt %}w9{% endif %}"}))
    print(" ".join(words[i] for i in gold["ids"]))


if __name__ == "__main__":
    main()
