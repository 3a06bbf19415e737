#!/usr/bin/env python3
"""Does transformers load a model that slipway-train wrote, with the same logits?

usage: transformers_check.py MODEL_FOLDER ROWS.jsonl [build/release/slipway-train]

ROWS.jsonl has {"text": ...} rows. Ends with 1 when a logit differs by more than 1e-4 or a tensor is missing. On demand: needs
torch and transformers.
"""
import json
import subprocess
import sys

import torch
import transformers

folder, rows = sys.argv[1:3]
worker = sys.argv[3] if len(sys.argv) > 3 else "build/release/slipway-train"
texts = [json.loads(line)["text"] for line in open(rows, encoding="utf-8")]
output = subprocess.run([worker, "--logits", folder, rows], check=True, capture_output=True, text=True).stdout
ours = torch.tensor([json.loads(line) for line in output.splitlines()])
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
model, info = transformers.AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
model.eval()
with torch.no_grad():
    theirs = torch.cat([model(**tokenizer([t], truncation=True, return_tensors="pt")).logits for t in texts])
difference = (ours - theirs).abs().max().item()
print(json.dumps({"texts": len(texts), "max_difference": difference, "labels": model.config.id2label,
                  "missing": sorted(info["missing_keys"]), "unexpected": sorted(info["unexpected_keys"])}))
sys.exit(difference > 1e-4 or bool(info["missing_keys"]) or bool(info["unexpected_keys"]))
