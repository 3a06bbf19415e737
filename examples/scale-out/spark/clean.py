"""Cleans a corpus in Spark: its lines go through `slipway data clean`, a partition a process, and keep their
order within a file; files of a folder come as Spark lists them.

    spark-submit clean.py hdfs:///crawl hdfs:///clean --preset fineweb

Further arguments are those of `slipway data clean`; `slipway` must be on the workers' PATH.
"""
import os
import shlex
import sys

from pyspark.sql import SparkSession

source, target, *flags = sys.argv[1:]
context = SparkSession.builder.appName("slipway clean").getOrCreate().sparkContext
command = ["slipway", "data", "clean", "-", "--out", "-", "--quiet", *flags]
lines = context.textFile(source)
# pipe() gives no environment of its own to the command.
lines.pipe(shlex.join(command), env={"PATH": os.environ["PATH"]}, checkCode=True).saveAsTextFile(target)
