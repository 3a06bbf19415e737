"""Writes minilm.json: embeddings of a few texts by transformers. usage: make_minilm_gold.py MODEL_FOLDER"""
import json
import pathlib
import sys

import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModel.from_pretrained(sys.argv[1]).eval()
texts = [
    "A touching and funny film, with not one dull minute.",
    "The plot makes no sense; I left before the end!",
    "x",
    "Slipway measures what it claims. " * 20,
]
rows = []
for text in texts:
    encoded = tokenizer(text, return_tensors="pt", truncation=True, max_length=512)
    with torch.no_grad():
        hidden = model(**encoded).last_hidden_state[0].double()
    mean = hidden.mean(0)
    embedding = [round(x, 7) for x in (mean / mean.norm()).tolist()]
    rows.append({"text": text, "ids": encoded["input_ids"][0].tolist(), "embedding": embedding})
out = {"model": "all-MiniLM-L6-v2", "made_with": "transformers, float32, mean pooling, unit length", "texts": rows}
path = pathlib.Path(__file__).parent / "minilm.json"
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
