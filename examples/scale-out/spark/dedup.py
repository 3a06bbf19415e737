"""Near-duplicates in Spark: its tasks run the stages of `slipway data dedup`, each after the other.

    spark-submit dedup.py 64 /shared/clean --out /shared/unique --clusters /shared/clusters.jsonl

The first argument is the number of tasks, the others those of `slipway data dedup`. Paths are on a file system that all workers mount;
`slipway` must be on their PATH. A task that fails is tried again by Spark and goes on where it was.
"""
import os
import shlex
import sys

from pyspark.sql import SparkSession

tasks = int(sys.argv[1])
context = SparkSession.builder.appName("slipway dedup").getOrCreate().sparkContext
for stage in ("signatures", "buckets", "clusters", "filter"):
    shards = [f"{i}/{tasks}" for i in range(1, (1 if stage == "clusters" else tasks) + 1)]
    # A partition holds one line, its shard, which xargs puts into the command.
    command = ["xargs", "-I", "SHARD", "slipway", "data", "dedup", *sys.argv[2:], "--stage", stage, "--shards", "SHARD"]
    for line in context.parallelize(shards, len(shards)).pipe(shlex.join(command), env={"PATH": os.environ["PATH"]}, checkCode=True).collect():
        print(line)
