#!/usr/bin/env python3
"""What `slipway data crawl` writes, read and checked by PyPI warcio: warcio_check.py PROGRAM … Exit code 77: warcio is not installed."""
import base64, gzip, hashlib, json, pathlib, subprocess, sys, tempfile

try:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.checker import Checker
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "collect"))
from web_site import Site  # noqa: E402

PROGRAM = sys.argv[1]
PAGE = b"<html><body><p>hello</p><a href='/b'>b</a><a href='/packed'>p</a><a href='/moved'>m</a></body></html>"
site = Site({"/": (200, {}, PAGE), "/b": (200, {"ETag": '"v1"'}, b"<p>b</p>"), "/moved": (302, {"Location": "/b"}, b""),
             "/packed": (200, {"Content-Encoding": "gzip"}, gzip.compress(PAGE, mtime=0))})
with tempfile.TemporaryDirectory() as folder:
    command = [PROGRAM, "data", "crawl", site.url + "/", "--out", folder, "--allow-private", "--delay", "0", "--quiet", "--json"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    subprocess.run(command + ["--recrawl"], check=True, capture_output=True, timeout=60)
    files = sorted(pathlib.Path(folder).glob("*.warc.gz"))
    assert files
    kinds, pages = {}, {}
    for file in files:
        with open(file, "rb") as stream:
            iterator = ArchiveIterator(stream, check_digests="raise")
            for record in iterator:
                kinds[record.rec_type] = kinds.get(record.rec_type, 0) + 1
                body = record.content_stream().read()
                assert record.digest_checker.passed is not False, (record.rec_headers, record.digest_checker.problems)
                if record.rec_type == "response":
                    pages[record.rec_headers.get_header("WARC-Target-URI")[len(site.url):]] = (record.http_headers.get_statuscode(), body)
                assert record.rec_headers.get_header("WARC-Record-ID").startswith("<urn:uuid:")
                assert iterator.get_record_length() > 0  # a gzip member a record: warcio finds its end
        checker = Checker(type("Command", (), {"inputs": [str(file)], "verbose": False})())
        checker.process_all()
        assert checker.exit_value == 0, file  # as `warcio check` says it
    assert pages["/"] == ("200", PAGE) and pages["/packed"] == ("200", PAGE) and pages["/moved"][0] == "302", pages
    assert kinds["warcinfo"] >= 1 and kinds["request"] >= 4 and kinds["revisit"] >= 3 and kinds["metadata"] >= 4, kinds
    for line in (pathlib.Path(folder) / "index.cdxj").read_text().splitlines():  # the index leads to the records
        entry = json.loads(line.split(" ", 2)[2])
        with open(pathlib.Path(folder) / entry["filename"], "rb") as stream:
            stream.seek(int(entry["offset"]))
            assert next(iter(ArchiveIterator(stream))).rec_headers.get_header("WARC-Target-URI") == entry["url"]
site.close()
print(json.dumps(kinds))
