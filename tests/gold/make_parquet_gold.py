#!/usr/bin/env python3
"""tests/gold/parquet/: small Parquet files by pyarrow, and what pyarrow reads in them as lines of JSON beside them.

Needs PyPI pyarrow. usage: make_parquet_gold.py FOLDER
"""
import datetime
import decimal
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

from table_values import plain

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def write(name, table, rows=None, **options):
    """`rows`: the file of rows, when several have the same."""
    pq.write_table(table, out / f"{name}.parquet", **options)
    read = pq.read_table(out / f"{name}.parquet")
    with open(out / f"{rows or name}.jsonl", "w") as file:
        for row in read.to_pylist():
            file.write(json.dumps({field.name: plain(row[field.name], field.type) for field in read.schema}, ensure_ascii=False,
                                  separators=(",", ":")) + "\n")


N = 200
texts = [f"text {i % 7} 文 \"quoted\"" if i % 5 else None for i in range(N)]
simple = pa.table({"id": pa.array(range(N), pa.int64()), "text": texts, "score": [i / 8 for i in range(N)], "good": [i % 3 == 0 for i in range(N)]})
for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
    write(codec, simple, "simple", compression=codec, row_group_size=80, data_page_size=512, write_batch_size=16)
write("version2", simple, "simple", data_page_version="2.0", compression="zstd", data_page_size=512, write_batch_size=16)
write("version2_plain", simple, "simple", data_page_version="2.0", compression="none", use_dictionary=False)
write("plain", simple, "simple", compression="none", use_dictionary=False)
write("deltas", pa.table({"id": pa.array([i * i - 5000 * (i % 2) for i in range(N)], pa.int64()), "small": pa.array([i - 100 for i in range(N)], pa.int32()),
                          "wide": pa.array([(-1) ** i * (2 ** 62 + i) for i in range(N)], pa.int64()), "lengths": [f"a{'b' * (i % 40)}" for i in range(N)],
                          "prefixes": [f"shared/beginning/{i // 10}/{i}" for i in range(N)], "split": [i / 3 for i in range(N)],
                          "bits": [i % 4 == 1 for i in range(N)]}),
      compression="none", use_dictionary=False, data_page_size=600, write_batch_size=64,
      column_encoding={"id": "DELTA_BINARY_PACKED", "small": "DELTA_BINARY_PACKED", "wide": "DELTA_BINARY_PACKED", "lengths": "DELTA_LENGTH_BYTE_ARRAY",
                       "prefixes": "DELTA_BYTE_ARRAY", "split": "BYTE_STREAM_SPLIT", "bits": "RLE"})
day = datetime.date(1999, 12, 31)
when = [datetime.datetime(2024, 2, 29, 12, 34, 56, 789000), datetime.datetime(1969, 12, 31, 23, 59, 59), None]
write("types", pa.table({
    "i8": pa.array([-1, 2, None], pa.int8()), "u8": pa.array([255, 0, None], pa.uint8()), "u32": pa.array([2 ** 32 - 1, 1, None], pa.uint32()),
    "u64": pa.array([2 ** 64 - 1, 1, None], pa.uint64()), "f32": pa.array([0.5, -1.25, None], pa.float32()), "f16": pa.array([1.5, -0.25, None], pa.float16()),
    "f64": pa.array([1e300, float("nan"), float("inf")]), "date": pa.array([day, datetime.date(1, 1, 1), None]), "ms": pa.array(when, pa.timestamp("ms")),
    "us": pa.array(when, pa.timestamp("us", "UTC")), "time": pa.array([datetime.time(1, 2, 3), datetime.time(23, 59, 59, 1), None], pa.time64("us")),
    "dec": pa.array([decimal.Decimal("12.34"), decimal.Decimal("-0.05"), None], pa.decimal128(5, 2)),
    "big": pa.array([decimal.Decimal("-12345678901234567890123456789.123"), decimal.Decimal(0), None], pa.decimal128(38, 3)),
    "bin": pa.array([b"\xff\x00", b"text", None]), "fixed": pa.array([b"\x80\x01", b"ab", None], pa.binary(2)), "nothing": pa.nulls(3),
    "cat": pa.array(["x", "y", "x"]).dictionary_encode()}))
write("int96", pa.table({"t": pa.array([datetime.datetime(2024, 2, 29, 12, 34, 56), datetime.datetime(1960, 1, 1), None], pa.timestamp("us"))}),
      use_deprecated_int96_timestamps=True)
write("nested", pa.table({
    "tags": pa.array([["a", "b"], [], None, ["c", None]] * 25, pa.list_(pa.string())),
    "deep": pa.array([[[1, 2], []], None, [None, [3]], []] * 25, pa.list_(pa.list_(pa.int32()))),
    "meta": pa.array([{"lang": "en", "n": 1}, None, {"lang": None, "n": 2}, {"lang": "zh", "n": None}] * 25),
    "turns": pa.array([[{"role": "user", "text": "hi"}, {"role": "bot", "text": None}], [], None, [None]] * 25,
                      pa.list_(pa.struct([("role", pa.string()), ("text", pa.string())]))),
    "pairs": pa.array([[("a", 1), ("b", None)], [], None, [("c", 3)]] * 25, pa.map_(pa.string(), pa.int64())),
    "outer": pa.array([{"inner": {"list": ["x"]}}, {"inner": None}, None, {"inner": {"list": []}}] * 25,
                      pa.struct([("inner", pa.struct([("list", pa.list_(pa.string()))]))]))}),
      row_group_size=50, data_page_size=128, write_batch_size=8)
write("empty", simple.slice(0, 0))
