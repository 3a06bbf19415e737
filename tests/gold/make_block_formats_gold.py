"""Writes block_formats.json: bytes of GGUF's block formats and the values that the Python package gguf decodes them to.

The bytes are random but for the half-precision scales, which are made finite; the package's values are rounded to nine
significant digits, which is every bit of a float32. usage: make_block_formats_gold.py
"""
import json
import pathlib

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import GGML_QUANT_SIZES
from gguf.quants import dequantize

# Where the half-precision numbers of a block lie.
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2],
          T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0]}
random = np.random.default_rng(7)
out = {}
for kind, halves in HALVES.items():
    values, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (3 if values == 32 else 2, size), dtype=np.uint8)
    for row in blocks:
        for at in halves:
            row[at:at + 2] = np.frombuffer(np.float16(random.normal() * 0.1).tobytes(), np.uint8)
    decoded = dequantize(blocks, kind).astype(np.float32).reshape(-1)
    out[kind.name] = {"hex": blocks.tobytes().hex(), "values": [float(f"{x:.9g}") for x in decoded]}
path = pathlib.Path(__file__).parent / "block_formats.json"
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
