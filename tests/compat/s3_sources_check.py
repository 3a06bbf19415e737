#!/usr/bin/env python3
"""Objects of a real S3-speaking server (moto, which checks signatures) as inputs of data commands: s3_sources_check.py PROGRAM …

Every format, folders, objects, patterns, listings of several pages, what changed and what went; a project's source. 77: moto is not installed.
"""
import atexit, gzip, io, json, pathlib, shutil, sqlite3, subprocess, sys, tempfile, zipfile

from moto_server import Moto

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import tiny_project  # noqa: E402

PROGRAM = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parents[2]
work = pathlib.Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, work, True)
moto = Moto()
environment = dict(moto.environment(), SLIPWAY_CACHE=str(work / "cache"))
TEXT = "The harbour was quiet that morning, and the boats that had come in during the night lay side by side along the wall of the old quay."
PAGE = f"<html><head><title>T</title></head><body><article><p>{TEXT}</p></article></body></html>".encode()


def run(*words, code=0):
    done = subprocess.run([PROGRAM, *map(str, words)], env=environment, capture_output=True, text=True, cwd=work, timeout=120)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    assert moto.secret not in done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def put(key, data):
    moto.s3.put_object(Bucket="bucket", Key=key, Body=data)


def warc(url):
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE
    return gzip.compress(f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Length: {len(http)}\r\n\r\n".encode() + http + b"\r\n\r\n")


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("in.html", PAGE)
    return file.getvalue()


lines = b"".join(json.dumps({"id": i, "text": f"{TEXT} {i}"}).encode() + b"\n" for i in range(20))
put("corpus/a.jsonl", lines)
put("corpus/deep/b.jsonl.gz", gzip.compress(lines))
put("corpus/deep/c.parquet", (ROOT / "tests/gold/parquet/zstd.parquet").read_bytes())
put("corpus/d.arrow", (ROOT / "tests/gold/arrow/stream.arrow").read_bytes())
put("corpus/notes.bin", b"no source")
put("corpus2/other.jsonl", lines)

summary = json.loads(run("data", "clean", "s3://bucket/corpus", "--preset", "mc4", "--out", "kept", "--json"))
# Of the 200 rows of the Parquet file 40 have no text, of the 120 of the Arrow stream 24.
assert summary["documents"] == 20 + 20 + 160 + 96 and sum(summary["bad"].values()) == 40 + 24, summary
assert sorted(p.name for p in (work / "cache/s3").rglob("*") if p.is_file() and not p.name.startswith(".")) == ["a.jsonl", "b.jsonl.gz", "c.parquet", "d.arrow"]

# Nothing is fetched twice; what changed is fetched again, what went goes.
times = {p: p.stat().st_ino for p in (work / "cache/s3").rglob("*.parquet")}
put("corpus/a.jsonl", lines + b'{"id": 99, "text": "new"}\n')
moto.s3.delete_object(Bucket="bucket", Key="corpus/d.arrow")
out = json.loads(run("data", "dedup", "s3://bucket/corpus/", "--method", "exact", "--out", "unique", "--json"))
assert {p: p.stat().st_ino for p in (work / "cache/s3").rglob("*.parquet")} == times
assert not list((work / "cache/s3").rglob("*.arrow"))
assert out["documents"] == 21 + 20 + 160, out
assert run("data", "pii", "s3://bucket/corpus/a.jsonl", "--out", "-").count("\n") == 21
assert run("data", "pii", "s3://bucket/corpus*/*.jsonl", "--out", "folder/", code=0) == ""
assert sorted(p.name for p in (work / "folder").iterdir()) == ["a.jsonl", "other.jsonl"]

# Web pages keep their addresses in S3.
put("pages/a.html", PAGE)
put("pages/b.warc.gz", warc("http://a.example/") + warc("http://a.example/2"))
put("pages/c.zip", archive())
run("data", "extract", "s3://bucket/pages", "--out", "pages.jsonl")
pages = [json.loads(line) for line in open(work / "pages.jsonl")]
assert [p["source"] for p in pages[:2]] == ["s3://bucket/pages/a.html", "s3://bucket/pages/b.warc.gz@0"], pages
assert pages[3]["source"] == "s3://bucket/pages/c.zip:in.html" and all(TEXT in p["text"] for p in pages)
modified = moto.s3.head_object(Bucket="bucket", Key="pages/a.html")["LastModified"]
assert pages[0]["time"].startswith(modified.strftime("%Y-%m-%dT%H:%M:%S")), (pages[0], modified)

# A listing of several pages (1,000 keys each).
for i in range(1005):
    put(f"many/{i:04}.jsonl", b'{"text": "%d"}\n' % i)
assert json.loads(run("data", "clean", "s3://bucket/many/", "--preset", "mc4", "--out", "many", "--json"))["documents"] == 1005

# A large object comes in ranges.
big = b"".join(json.dumps({"id": i, "text": TEXT * 4}).encode() + b"\n" for i in range(40_000))
put("big.jsonl", big)
run("data", "clean", "s3://bucket/big.jsonl", "--preset", "mc4", "--out", "big")
assert (work / "cache/s3/bucket/big.jsonl").read_bytes() == big and len(big) > 16 << 20

assert "no object that a source may hold" in run("data", "clean", "s3://bucket/nothing", "--out", "x", code=3)
assert "no-such-bucket" in run("data", "clean", "s3://no-such-bucket/a", "--out", "x", code=3)
assert "s3://BUCKET/PREFIX" in run("data", "clean", "s3://", "--out", "x", code=2)

# A source of a project, of each kind of file.
database = sqlite3.connect(work / "a.db")
database.execute("CREATE TABLE t(text TEXT)")
database.execute("INSERT INTO t VALUES ('from a database')")
database.commit()
database.close()
put("source/a.db", (work / "a.db").read_bytes())
put("source/b.csv", b"text\nfrom a table\n")
put("source/c.txt", b"from a text")
put("source/d.jsonl", b'{"text": "from lines"}\n')
put("source/e.conllu", b"# text = from sentences\n1\tfrom\t_\t_\t_\t_\t_\t_\t_\t_\n\n")
tiny_project.make(work / "project")
config = work / "project/slipway.yaml"
ours = "{id: reviews, type: csv, path: reviews.csv, text: text, label: label, licence: CC0-1.0}"
assert ours in config.read_text()
config.write_text(config.read_text().replace(ours, "{id: s, path: 's3://bucket/source', label_value: good, licence: CC0-1.0}"))
told = run("run", config, "--only", "collect", "--json")
assert "5 of 5 rows from 1 sources" in told, told
again = run("run", config, "--only", "collect", "--json")
assert '"nothing_to_do":true' in again, again
put("source/c.txt", b"from another text")  # what has changed in the bucket is seen
assert '"nothing_to_do":true' not in run("run", config, "--only", "collect", "--json")
print("ok")
