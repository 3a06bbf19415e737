#!/usr/bin/env python3
"""Inputs made to do harm: the data commands tell each in quarantine, lose nothing else, and keep to their memory.

usage: data_bombs.py SLIPWAY [--full]     --full: the long line has 1 GB (a sparse file) in place of 80 MB, the zip bomb 4 GB
"""
import gzip
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import zipfile

SLIPWAY, FULL = sys.argv[1], "--full" in sys.argv
ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = "The ferry leaves the old harbour at seven in the morning, and the fishermen on the quay wave to everybody on board. "


def run(*command):
    done = subprocess.run([SLIPWAY, *command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
    return done.stdout


def lines(*paths):
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def html(title):
    return f"<html><head><title>{title}</title></head><body><article><p>{TEXT * 3}</p><p>{TEXT * 2}</p></article></body></html>"


def check_pages(tmp):
    pages = tmp / "pages"
    pages.mkdir()
    (pages / "a-good.html").write_text(html("Good"))
    (pages / "b-deep.html").write_text("<div>" * 1_000_000 + f"<p>{TEXT * 5}</p>")
    (pages / "c-attributes.html").write_text("<a " + "x" * 5_000_000 + "=" + "y" * 5_000_000 + ">" + "<p " + " ".join(f"a{i}=1" for i in range(500_000)) + ">" + html("Wide"))
    (pages / "d-long.html").write_bytes(b"<p>" + b"x" * (33 << 20))
    (pages / "e-bomb.html").write_bytes(gzip.compress(b"<p>" + bytes(200_000_000), 1))
    with zipfile.ZipFile(pages / "f-bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("first.html", html("First"))
        with archive.open("bomb.html", "w", force_zip64=True) as member:
            for _ in range(64 if not FULL else 1024):
                member.write(bytes(4 << 20))
        archive.writestr("last.html", html("Last"))
    (pages / "g-cut.zip").write_bytes((pages / "f-bomb.zip").read_bytes()[:2000])
    good = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + html("Warc").encode()

    def record(block, length=None):
        return b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n" % (
            len(block) if length is None else length, block)

    lies = [record(good, len(good) - 100), record(good), record(good, 1 << 60), record(good),
            record(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\nno"), record(good),
            record(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(html("x").encode())[:40]), record(good)]
    (pages / "h-lies.warc").write_bytes(b"".join(lies))
    members = [gzip.compress(record(good)) for _ in range(3)]
    members[1] = members[1][:60] + b"\xff" * 20 + members[1][80:]
    (pages / "i-members.warc.gz").write_bytes(b"".join(members))
    run("data", "extract", str(pages), "--out", str(tmp / "out.jsonl"), "--memory", "256MB")
    titles = [page["title"] for page in lines(tmp / "out.jsonl")]
    told = {entry["source"].rsplit("/", 1)[1].split("@")[0] for entry in lines(tmp / "out.jsonl.quarantine.jsonl")}
    assert "Good" in titles and "Wide" in titles and "First" in titles and titles.count("Warc") >= 5, titles
    assert {"d-long.html", "e-bomb.html", "f-bomb.zip:bomb.html", "g-cut.zip", "h-lies.warc", "i-members.warc.gz"} <= {t.replace("g-cut.zip:bomb.html", "g-cut.zip") for t in told}, told
    assert "Last" in titles, "what stands behind a bomb in its archive is lost"


def check_corpus(tmp):
    corpus = tmp / "corpus"
    corpus.mkdir()
    size = 1_000_000_000 if FULL else 80_000_000
    good = [json.dumps({"id": str(i), "text": f"{i} {TEXT}"}) for i in range(4)]
    with open(corpus / "a.jsonl", "wb") as file:
        file.write("\n".join(good[:2]).encode() + b"\n")
        file.seek(size, os.SEEK_CUR)  # sparse: NUL bytes
        file.write(b"\n" + "\n".join(good[2:]).encode() + b"\n")
    sound = (ROOT / "tests/gold/parquet/zstd.parquet").read_bytes()
    (corpus / "b.parquet").write_bytes(sound[:-50])
    broken = bytearray(sound)
    broken[200:260] = b"\xee" * 60
    (corpus / "c.parquet").write_bytes(broken)
    (corpus / "d.parquet").write_bytes(sound)
    rows = sum(row["text"] is not None for row in lines(ROOT / "tests/gold/parquet/simple.jsonl"))
    for name, flags in (("clean", ["--preset", "redpajama"]), ("dedup", ["--method", "exact"])):
        out = tmp / name
        run("data", name, str(corpus), *flags, "--out", str(out), "--format", "jsonl", "--exclusions", str(tmp / f"{name}-out"))
        told = lines(*sorted((out / "quarantine").iterdir()))
        reasons = [(entry["file"].rsplit("/", 1)[1], entry["reason"]) for entry in told if entry["reason"] != "missing_text"]
        assert ("a.jsonl", "line_too_long") in reasons and ("b.parquet", "broken_table") in reasons and ("c.parquet", "broken_table") in reasons, reasons
        seen = lines(*[path for folder in (out, tmp / f"{name}-out") for path in sorted(folder.glob("*.jsonl"))])
        assert sum(TEXT in row["text"] for row in seen) == 4, name
        assert sum(row["text"].startswith("text ") for row in seen) >= 1.5 * rows, name  # d whole, of c all but one row group
    run("data", "pii", str(corpus / "a.jsonl"), str(corpus / "c.parquet"), "--mode", "mask", "--out", str(tmp / "pii") + "/", "--quarantine", str(tmp / "pii.bad"))
    assert len(lines(tmp / "pii" / "a.jsonl")) == 4
    assert {"line_too_long", "broken_table"} <= {entry["reason"] for entry in lines(tmp / "pii.bad")}


with tempfile.TemporaryDirectory() as folder:
    check_pages(pathlib.Path(folder))
    check_corpus(pathlib.Path(folder))
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"most memory of a command: {peak:.0f} MiB")
assert peak < 1200, peak
