#!/usr/bin/env python3
"""tests/gold/arrow/: small Arrow IPC files and streams by pyarrow, and what pyarrow reads in them as lines of JSON beside them.

Needs PyPI pyarrow. usage: make_arrow_gold.py FOLDER
"""
import datetime
import decimal
import json
import pathlib
import sys

import pyarrow as pa

from table_values import plain

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def write(name, batches, rows=None, stream=False, compression=None, schema=None, **options):
    """`rows`: the file of rows, when several have the same."""
    schema = schema or batches[0].schema
    options = pa.ipc.IpcWriteOptions(compression=compression, **options)
    with open(out / f"{name}.arrow", "wb") as sink:
        with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, schema, options=options) as writer:
            for batch in batches:
                writer.write_batch(batch)
    with open(out / f"{name}.arrow", "rb") as source:
        table = (pa.ipc.open_stream if stream else pa.ipc.open_file)(source.read()).read_all()
    with open(out / f"{rows or name}.jsonl", "w") as file:
        for row in table.to_pylist():
            file.write(json.dumps({field.name: plain(row[field.name], field.type) for field in table.schema}, ensure_ascii=False,
                                  separators=(",", ":")) + "\n")


N = 120
texts = [f"text {i % 7} 文 \"quoted\"" if i % 5 else None for i in range(N)]
simple = pa.table({"id": pa.array(range(N), pa.int64()), "text": texts, "score": [i / 8 for i in range(N)], "good": [i % 3 == 0 for i in range(N)]})
batches = simple.to_batches(max_chunksize=50)
write("file", batches, "simple")
write("stream", batches, "simple", stream=True)
write("lz4", batches, "simple", compression="lz4")
write("zstd", batches, "simple", stream=True, compression="zstd")
write("slice", simple.slice(7, 60).to_batches(max_chunksize=25), stream=True)  # offsets that do not begin at 0
write("empty", [], schema=simple.schema, stream=True)
day = datetime.date(1999, 12, 31)
when = [datetime.datetime(2024, 2, 29, 12, 34, 56, 789000), datetime.datetime(1969, 12, 31, 23, 59, 59), None]
types = pa.table({
    "i8": pa.array([-1, 2, None], pa.int8()), "u8": pa.array([255, 0, None], pa.uint8()), "i16": pa.array([-300, 2, None], pa.int16()),
    "u32": pa.array([2 ** 32 - 1, 1, None], pa.uint32()), "u64": pa.array([2 ** 64 - 1, 1, None], pa.uint64()),
    "f32": pa.array([0.5, -1.25, None], pa.float32()), "f16": pa.array([1.5, -0.25, None], pa.float16()),
    "f64": pa.array([1e300, float("nan"), float("inf")]), "date": pa.array([day, datetime.date(1, 1, 1), None]),
    "date64": pa.array([day, datetime.date(1960, 1, 1), None], pa.date64()), "s": pa.array([w and w.replace(microsecond=0) for w in when], pa.timestamp("s")),
    "ms": pa.array(when, pa.timestamp("ms")), "us": pa.array(when, pa.timestamp("us", "UTC")),
    "time": pa.array([datetime.time(1, 2, 3), datetime.time(23, 59, 59, 1), None], pa.time64("us")),
    "dec": pa.array([decimal.Decimal("12.34"), decimal.Decimal("-0.05"), None], pa.decimal128(5, 2)),
    "big": pa.array([decimal.Decimal("-12345678901234567890123456789012345678901234567.123"), decimal.Decimal("0.000"), None], pa.decimal256(50, 3)),
    "bin": pa.array([b"\xff\x00", b"text", None]), "fixed": pa.array([b"\x80\x01", b"ab", None], pa.binary(2)), "nothing": pa.nulls(3),
    "large": pa.array(["a", "", None], pa.large_string()), "view": pa.array(["short", "longer than twelve bytes", None], pa.string_view()),
    "bview": pa.array([b"\xff", b"a text of more than twelve", None], pa.binary_view()), "cat": pa.array(["x", "y", "x"]).dictionary_encode()})
write("types", types.to_batches())
write("types_zstd", types.to_batches(), "types", compression="zstd")
write("nested", pa.table({
    "tags": pa.array([["a", "b"], [], None, ["c", None]] * 10, pa.list_(pa.string())),
    "large": pa.array([[1], [], None, [2, None]] * 10, pa.large_list(pa.int32())),
    "pair": pa.array([[1, 2], None, [3, None], [4, 5]] * 10, pa.list_(pa.int16(), 2)),
    "deep": pa.array([[[1, 2], []], None, [None, [3]], []] * 10, pa.list_(pa.list_(pa.int32()))),
    "meta": pa.array([{"lang": "en", "n": 1}, None, {"lang": None, "n": 2}, {"lang": "zh", "n": None}] * 10),
    "turns": pa.array([[{"role": "user", "text": "hi"}, {"role": "bot", "text": None}], [], None, [None]] * 10,
                      pa.list_(pa.struct([("role", pa.string()), ("text", pa.string())]))),
    "pairs": pa.array([[("a", 1), ("b", None)], [], None, [("c", 3)]] * 10, pa.map_(pa.string(), pa.int64())),
    "labels": pa.array([["x"], ["y", "x"], None, []] * 10, pa.list_(pa.string())).cast(pa.list_(pa.dictionary(pa.int8(), pa.string())))}).to_batches(17))
# A dictionary that grows in a delta, and one that is replaced.
first = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["x", "y"]))
second = pa.DictionaryArray.from_arrays(pa.array([2, 0, 1], pa.int8()), pa.array(["x", "y", "z"]))
third = pa.DictionaryArray.from_arrays(pa.array([1, 0, 0], pa.int8()), pa.array(["p", "q"]))
record = lambda array: pa.record_batch([array], ["c"])
write("dictionary", [record(first), record(second), record(third)], stream=True, emit_dictionary_deltas=True)
