#!/usr/bin/env python3
"""Makes sampling.json: which tokens transformers' logits processors leave to draw from, and with what probability.

usage: make_sampling_gold.py > tests/gold/sampling.json       (needs torch and transformers, 5)

A case is 64 logits' seed, the parameters, the prompt and output so far, and [id, probability] by falling probability.
Logits are round(8 * sin(12.9898 * (i + 1) * (seed + 1)) * 1024) / 1024 in double, which any language repeats.
"""
import json
import math

import torch
from transformers.generation import logits_process as lp


def logits_of(seed):
    return [round(8 * math.sin(12.9898 * (i + 1) * (seed + 1)) * 1024) / 1024 for i in range(64)]


def distribution(seed, params, context):
    scores = torch.tensor([logits_of(seed)], dtype=torch.float32)
    ids = torch.tensor([context])
    chain = []
    if "logit_bias" in params:
        chain.append(lp.SequenceBiasLogitsProcessor([[[i], b] for i, b in params["logit_bias"]]))
    if "repetition_penalty" in params:
        chain.append(lp.RepetitionPenaltyLogitsProcessor(params["repetition_penalty"]))
    chain.append(lp.TemperatureLogitsWarper(params.get("temperature", 1.0)))
    if "top_k" in params:
        chain.append(lp.TopKLogitsWarper(params["top_k"]))
    if "top_p" in params:
        chain.append(lp.TopPLogitsWarper(params["top_p"]))
    if "min_p" in params:
        chain.append(lp.MinPLogitsWarper(params["min_p"]))
    if "typical_p" in params:
        chain.append(lp.TypicalLogitsWarper(params["typical_p"]))
    for processor in chain:
        scores = processor(ids, scores)
    p = scores[0].double().softmax(-1)
    kept = [(i, float(p[i])) for i in range(64) if p[i] > 0]
    return [[i, float(f"{x:.8g}")] for i, x in sorted(kept, key=lambda e: (-e[1], e[0]))]


PARAMS = [
    {"temperature": 0.7}, {"temperature": 2.5}, {"top_k": 1}, {"top_k": 5}, {"top_k": 200}, {"top_p": 0.05}, {"top_p": 0.5},
    {"top_p": 0.95}, {"top_p": 0.999}, {"min_p": 0.01}, {"min_p": 0.2}, {"min_p": 1.0}, {"typical_p": 0.2}, {"typical_p": 0.9},
    {"top_k": 10, "top_p": 0.8}, {"top_k": 20, "min_p": 0.05}, {"top_p": 0.9, "min_p": 0.1}, {"top_p": 0.9, "typical_p": 0.7},
    {"temperature": 1.7, "top_k": 30, "top_p": 0.9, "min_p": 0.02, "typical_p": 0.8}, {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.8, "temperature": 1.5, "top_p": 0.9}, {"logit_bias": [[3, 5.0], [7, -100.0]]},
    {"logit_bias": [[3, 5.0], [60, 2.5]], "repetition_penalty": 1.2, "temperature": 0.5, "top_k": 12},
]
cases = []
for n, params in enumerate(PARAMS):
    for seed in [s for s in range(n, n + 500, 100) if len(set(logits_of(s))) == 64][:2]:  # top-k keeps ties there
        context = [(seed * 7 + j * 5) % 64 for j in range(9)]
        cases.append({"seed": seed, "params": params, "prompt": context[:5], "output": context[5:],
                      "kept": distribution(seed, params, context)})
print("[" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "]")
