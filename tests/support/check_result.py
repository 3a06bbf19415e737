#!/usr/bin/env python3
"""The last line of `slipway run --json`, on standard input, has all that is promised; prints what changes between runs."""
import json, pathlib, sys

result = json.loads(sys.stdin.read().splitlines()[-1])
for name, metric in result["metrics"].items():
    assert metric["low"] <= metric["value"] <= metric["high"] and metric["n"] > 0, (name, metric)
for name in ["model", "int8", "onnx", "evaluation", "sketch", "report", "card"]:
    digest = result["artifacts"][name]
    assert digest.startswith("sha256:") and len(digest) == 71, (name, digest)
assert result["dataset"].startswith("sha256:"), result["dataset"]
assert {"accuracy", "f1"} <= result["metrics"].keys(), result["metrics"]
assert result["latency"]["p50_ms"] > 0 and result["bytes"]["int8"] < result["bytes"]["float32"], result
for name in ["report", "model_card"]:
    assert pathlib.Path(result[name]).stat().st_size > 100, name
assert result["endpoint"]["serving"] == (result["endpoint"]["url"] is not None), result["endpoint"]
print(f"{result['model']} version {result['version']}, endpoint {result['endpoint']['name']} "
      f"{'serving' if result['endpoint']['serving'] else 'stopped'}, {'nothing to do' if result['nothing_to_do'] else 'done'}")
