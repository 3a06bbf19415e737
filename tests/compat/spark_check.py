#!/usr/bin/env python3
"""The programs of examples/scale-out/spark with PySpark in local mode: the documents are those of one process.

usage: spark_check.py SLIPWAY        exit code 77: skipped, no pyspark or no Java (tools/setup spark)
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

import scale_out

try:
    import pyspark  # noqa: F401
except ImportError:
    print("skipped: no pyspark (tools/setup spark)")
    sys.exit(77)
if not shutil.which("java"):
    print("skipped: no Java (tools/setup spark)")
    sys.exit(77)

SLIPWAY = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    tmp = pathlib.Path(folder)
    _, want_unique = scale_out.one_process(SLIPWAY, tmp)
    want_lines = scale_out.run(SLIPWAY, "data", "clean", tmp / "crawl", *scale_out.CLEAN, "--out", "-", "--quiet")
    environment = {**scale_out.on_path(SLIPWAY, tmp / "bin"), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1",
                   "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false --conf spark.hadoop.mapreduce.input.fileinputformat.split.maxsize=65536 pyspark-shell"}
    spark = scale_out.EXAMPLES / "spark"
    scale_out.run(sys.executable, spark / "clean.py", f"{tmp}/crawl/a.jsonl,{tmp}/crawl/b.jsonl", tmp / "spark-clean", *scale_out.CLEAN, env=environment, cwd=tmp)
    parts = sorted((tmp / "spark-clean").glob("part-*"))
    got_lines = "".join(part.read_text() for part in parts)
    assert len(parts) > 1, parts
    assert hashlib.sha256(got_lines.encode()).hexdigest() == hashlib.sha256(want_lines.encode()).hexdigest(), (len(got_lines), len(want_lines))
    scale_out.run(sys.executable, spark / "dedup.py", 4, tmp / "one-clean", *scale_out.DEDUP, "--out", tmp / "unique", "--clusters", tmp / "clusters.jsonl",
                  env=environment, cwd=tmp)
    assert scale_out.digest(tmp / "unique", tmp / "clusters.jsonl") == want_unique
    print(f"clean in {len(parts)} partitions, dedup in 4: the documents are those of one process")
