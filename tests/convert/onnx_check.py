"""Runs an exported ONNX model in ONNX Runtime on the cases of a JSON file and compares with the expected rows.

usage: onnx_check.py MODEL.onnx CASES.json TOLERANCE
CASES: {"output": "logits" | "sentence_embedding", "ids": [[...], ...], "expected": [[...], ...]}
Prints one line; exits 1 when the largest difference passes the tolerance, 77 when a library is missing.
"""
import json
import sys

try:
    import numpy as np
    import onnxruntime
except ImportError as error:
    print(f"not installed: {error.name}")
    sys.exit(77)

model, cases_path, tolerance = sys.argv[1], sys.argv[2], float(sys.argv[3])
with open(cases_path, encoding="utf-8") as file:
    cases = json.load(file)
ids = cases["ids"]
longest = max(len(row) for row in ids)
input_ids = np.zeros((len(ids), longest), np.int64)
mask = np.zeros_like(input_ids)
for i, row in enumerate(ids):
    input_ids[i, : len(row)] = row
    mask[i, : len(row)] = 1
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
feeds = {"input_ids": input_ids, "attention_mask": mask, "token_type_ids": np.zeros_like(input_ids)}
(result,) = session.run([cases["output"]], feeds)
difference = float(np.abs(result - np.array(cases["expected"])).max())
print(f"{cases['output']}: {len(ids)} texts, largest difference {difference:.3g}, tolerance {tolerance:g}")
sys.exit(0 if difference <= tolerance else 1)
