#!/usr/bin/env python3
"""Writes a tiny random BERT classifier as a Hugging Face folder: tiny_bert.py FOLDER. Needs nothing but Python."""
import json, pathlib, random, string, struct, sys

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 4, 64, 64
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "is", "was", "not", "good", "bad", "movie", "film", "plot"]
WORDS += list(string.ascii_lowercase) + ["##" + c for c in string.ascii_lowercase]


def tensors():
    def dense(name, out, into):
        return {f"{name}.weight": [out, into], f"{name}.bias": [out]}

    def norm(name):
        return {f"{name}.weight": [HIDDEN], f"{name}.bias": [HIDDEN]}

    shapes = {"bert.embeddings.word_embeddings.weight": [len(WORDS), HIDDEN],
              "bert.embeddings.position_embeddings.weight": [POSITIONS, HIDDEN],
              "bert.embeddings.token_type_embeddings.weight": [2, HIDDEN], **norm("bert.embeddings.LayerNorm")}
    for i in range(LAYERS):
        at = f"bert.encoder.layer.{i}"
        for part in ("query", "key", "value"):
            shapes.update(dense(f"{at}.attention.self.{part}", HIDDEN, HIDDEN))
        shapes.update(dense(f"{at}.attention.output.dense", HIDDEN, HIDDEN))
        shapes.update(norm(f"{at}.attention.output.LayerNorm"))
        shapes.update(dense(f"{at}.intermediate.dense", INNER, HIDDEN))
        shapes.update(dense(f"{at}.output.dense", HIDDEN, INNER))
        shapes.update(norm(f"{at}.output.LayerNorm"))
    shapes.update(dense("bert.pooler.dense", HIDDEN, HIDDEN))
    shapes.update(dense("classifier", 2, HIDDEN))
    return shapes


def write(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["BertForSequenceClassification"], "model_type": "bert", "vocab_size": len(WORDS),
        "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
        "pad_token_id": 0, "id2label": {"0": "negative", "1": "positive"}, "label2id": {"negative": 0, "positive": 1}}))
    generator, header, data = random.Random(1), {}, b""
    for name, shape in tensors().items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        shift = 1.0 if "LayerNorm.weight" in name else 0.0
        raw = struct.pack(f"<{count}f", *(shift + generator.gauss(0, 0.2) for _ in range(count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    special = [{"id": i, "content": WORDS[i], "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i in range(5)]
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    pair = single + [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair,
                           "special_tokens": {token: {"id": token, "ids": [i], "tokens": [token]}
                                              for token, i in (("[CLS]", 2), ("[SEP]", 3))}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {word: i for i, word in enumerate(WORDS)}}}))


if __name__ == "__main__":
    write(sys.argv[1])
