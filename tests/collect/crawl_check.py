#!/usr/bin/env python3
"""`slipway data crawl` against sites of the test's own on 127.0.0.1. usage: crawl_check.py SLIPWAY"""
import base64
import gzip
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from web_site import Site

SLIPWAY = sys.argv[1]
TEXT = "<p>The ferry leaves the old harbour at seven in the morning, and the fishermen on the quay wave to everybody on board. " * 4


def page(title, *links, head=""):
    return (f"<html><head><title>{title}</title>{head}</head><body><article>{TEXT}</article>" +
            "".join(f'<a href="{link}">x</a> ' for link in links) + "</body></html>").encode()


def ok(title, *links, head="", **headers):
    return 200, {name.replace("_", "-"): value for name, value in headers.items()}, page(title, *links, head=head)


def crawl(site, out, *flags, allow=True, code=0):
    command = [SLIPWAY, "data", "crawl", site.url + "/", "--out", str(out), "--json", "--delay", "0", *flags]
    done = subprocess.run(command + (["--allow-private"] if allow else []), capture_output=True, text=True, timeout=120)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if code == 0 else done.stderr


def records(out):
    """Every WARC record: (headers, block); digests are checked on the way."""
    for path in sorted(pathlib.Path(out).glob("*.warc.gz")):
        rest = gzip.decompress(path.read_bytes())
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            assert lines[0] == "WARC/1.1", lines
            headers = dict(line.split(": ", 1) for line in lines[1:])
            size = int(headers["Content-Length"])
            block, rest = rest[:size], rest[size:]
            assert rest.startswith(b"\r\n\r\n")
            rest = rest[4:]
            assert headers["WARC-Block-Digest"] == "sha256:" + hashlib.sha256(block).hexdigest()
            if headers["WARC-Type"] == "response":
                payload = block.partition(b"\r\n\r\n")[2]
                assert headers["WARC-Payload-Digest"] == "sha1:" + base64.b32encode(hashlib.sha1(payload).digest()).decode()
            yield headers, block


def kept(site, out, kind="response"):
    """Paths of the records of a kind, redirects left out."""
    return sorted(h["WARC-Target-URI"][len(site.url):] for h, block in records(out)
                  if h["WARC-Type"] == kind and not block.startswith(b"HTTP/1.1 3"))


def site_of_everything():
    many = "".join(f"<url><loc>/mapped/{i}</loc></url>" for i in range(3))

    def slow(handler, times):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        for _ in range(100):
            try:
                handler.wfile.write(b"<p>drop")
                handler.wfile.flush()
            except OSError:
                break
            time.sleep(0.1)

    def chunked(handler, times):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        body = gzip.compress(page("Chunked"), mtime=0)
        for piece in (body[:50], body[50:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")

    pages = {
        "/robots.txt": (200, {"Content-Type": "text/plain"},
                        b"User-agent: *\nDisallow: /\n\nUser-agent: slipway\nDisallow: /private\nDisallow: /*.cgi$\nAllow: /private/open\n"
                        b"Sitemap: /maps.xml\n"),
        "/maps.xml": (200, {"Content-Type": "text/xml"}, b"<sitemapindex><sitemap><loc>/map.xml.gz</loc></sitemap></sitemapindex>"),
        "/map.xml.gz": (200, {"Content-Type": "application/gzip"}, gzip.compress(f"<urlset>{many}</urlset>".encode())),
        "/": ok("Home", "/a", "/private/x", "/private/open", "/x.cgi", "/moved", "/loop", "/busy", "/gone", "/picture.png", "/noindex",
                "/nofollow", "/header", "/noai", "/q?b=2&a=1", "/q?a=1&b=2", "/q?a=1&b=2&utm_source=y#z", "/cal/2026/01", "/deep/",
                "/large", "/slow", "/chunked", "/wrong", "/bomb", "http://localhost:1/", "mailto:a@b"),
        "/a": ok("A", "/b", head='<link rel="canonical" href="/canonical">'), "/b": ok("B", "/"), "/canonical": ok("C"),
        "/private/open": ok("Open"),
        "/moved": (302, {"Location": "/target"}, b""), "/target": ok("Target"),
        "/loop": (301, {"Location": "/loop2"}, b""), "/loop2": (301, {"Location": "/loop"}, b""),
        "/busy": lambda handler, times: (429, {"Retry-After": "0"}, b"") if times < 3 else ok("Busy"),
        "/picture.png": (200, {"Content-Type": "image/png"}, b"\x89PNG" * 1000),
        "/noindex": ok("No", "/from-noindex", head='<meta name="robots" content="noindex">'), "/from-noindex": ok("From noindex"),
        "/nofollow": ok("Nofollow", "/hidden", head='<meta name="slipway" content="nofollow">'), "/hidden": ok("Hidden"),
        "/header": ok("Header", X_Robots_Tag="slipway: noindex"), "/noai": ok("Noai", TDM_Reservation="1"),
        "/q?b=2&a=1": ok("Q"),
        "/large": ok("L", head="<!--" + "x" * 300_000 + "-->"), "/slow": slow, "/chunked": chunked,
        "/wrong": (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08 and then nothing of the kind"),
        "/bomb": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"<p>" + b" " * 60_000_000)),
        **{f"/mapped/{i}": ok(f"Mapped {i}") for i in range(3)},
    }
    for i in range(60):
        pages[f"/cal/{2026 + i // 12}/{i % 12 + 1:02}"] = ok("Month", f"/cal/{2026 + (i + 1) // 12}/{(i + 1) % 12 + 1:02}")
    pages["*"] = lambda handler, times: ok("Deep", handler.path + "deep/") if handler.path.startswith("/deep/") else (404, {}, b"")
    return Site(pages)


def check_everything(tmp):
    site = site_of_everything()
    out = tmp / "all"
    summary = crawl(site, out, "--max-page-size", "200KB", "--page-timeout", "2", "--depth", "100", "--file-size", "20KB")
    months = [f"/cal/{2026 + i // 12}/{i % 12 + 1:02}" for i in range(60)]
    wanted = ["/", "/a", "/b", "/canonical", "/private/open", "/target", "/busy", "/from-noindex", "/nofollow", "/q?b=2&a=1", "/deep/",
              "/deep/deep/", "/large", "/slow", "/chunked", "/wrong", "/bomb", "/maps.xml", "/map.xml.gz", "/mapped/0", "/mapped/1", "/mapped/2"]
    assert kept(site, out) == sorted(wanted + months), sorted(set(kept(site, out)) ^ set(wanted + months))
    asked = site.paths()
    assert asked[0] == "/robots.txt" and asked.count("/robots.txt") == 1
    assert not [path for path in asked if path.startswith("/private/x") or path.endswith(".cgi") or path == "/hidden"]
    assert asked.count("/busy") == 3 and all(asked.count(path) == 1 for path in wanted + months if path != "/busy")
    assert all("slipway/" in headers["User-Agent"] for _, _, headers in site.asked)
    assert summary["complete"] and summary["stored"] == len(wanted) + len(months) - 2, summary
    skipped = summary["skipped"]
    assert skipped["robots.txt"] == 2 and skipped["noindex"] == 2 and skipped["reserved"] == 1 and skipped["status 404"] == 2, skipped
    assert skipped["type image/png"] == 1 and skipped["sitemap"] == 2 and skipped["redirect"] == 3, skipped
    assert summary["refused"]["path repeats itself"] == 1 and summary["refused"]["other host"] == 1, summary
    kinds = {}
    for headers, block in records(out):
        kinds.setdefault(headers["WARC-Type"], []).append((headers, block))
    assert len(kinds["warcinfo"]) == len(list(out.glob("*.warc.gz"))) > 3
    assert kinds["resource"][0][0]["WARC-Target-URI"] == site.url + "/robots.txt"
    cut = {h["WARC-Target-URI"][len(site.url):]: h["WARC-Truncated"] for h, _ in kinds["response"] if "WARC-Truncated" in h}
    assert cut == {"/large": "length", "/slow": "time"}, cut
    assert any(b"GET /a HTTP/1.1\r\nHost: 127.0.0.1:" in block for _, block in kinds["request"])
    assert any(f"canonical: {site.url}/canonical".encode() in block for _, block in kinds["metadata"])
    assert any(b"notKept: noindex" in block for _, block in kinds["metadata"])
    cdxj = (out / "index.cdxj").read_text().splitlines()
    assert cdxj == sorted(cdxj) and len(cdxj) == len(kinds["response"])
    for line in cdxj:  # each line leads to its record
        entry = json.loads(line.split(" ", 2)[2])
        with open(out / entry["filename"], "rb") as file:
            file.seek(int(entry["offset"]))
            assert entry["url"].encode() in gzip.decompress(file.read(int(entry["length"])))
    # What comes out feeds the extraction; what lies is told, and nothing else is lost.
    done = subprocess.run([SLIPWAY, "data", "extract", str(out), "--out", str(tmp / "pages.jsonl")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    documents = [json.loads(line) for line in open(tmp / "pages.jsonl")]
    urls = {d["url"][len(site.url):] for d in documents}
    assert set(wanted + months) - urls == {"/maps.xml", "/map.xml.gz", "/wrong", "/bomb"}, set(wanted + months) ^ urls
    body = {d["url"]: d for d in documents}[site.url + "/a"]
    assert body["digest"] == "sha256:" + hashlib.sha256(site.pages["/a"][2]).hexdigest() and body["title"] == "A" and body["time"] and body["source"]
    told = [json.loads(line) for line in open(tmp / "pages.jsonl.quarantine.jsonl")]
    assert {entry["url"][len(site.url):] for entry in told} == {"/wrong", "/bomb"}, told
    # Again without --recrawl: nothing is asked.
    site.forget()
    assert crawl(site, out)["complete"] and site.paths() == []
    site.close()


def check_recrawl(tmp):
    def tagged(handler, times):
        return (304, {"ETag": '"v1"'}, b"") if handler.headers.get("If-None-Match") == '"v1"' else ok("Tagged", "/under", ETag='"v1"')

    def dated(handler, times):
        date = "Wed, 01 Apr 2026 10:00:00 GMT"
        return (304, {}, b"") if handler.headers.get("If-Modified-Since") == date else ok("Dated", Last_Modified=date)

    site = Site({"/": ok("Home", "/tagged", "/dated", "/same", "/changed"), "/tagged": tagged, "/dated": dated, "/same": ok("Same"),
                 "/under": ok("Under"), "/changed": lambda handler, times: ok(f"Changed {times}")})
    out = tmp / "again"
    assert crawl(site, out)["stored"] == 6
    summary = crawl(site, out, "--recrawl")
    assert summary["round"] == 2 and summary["stored"] == 6 and summary["unchanged"] == 5, summary
    assert kept(site, out, "revisit") == ["/", "/same", "/under"], kept(site, out, "revisit")  # without the two that answered 304
    profiles = [h["WARC-Profile"].rsplit("/", 1)[1] for h, _ in records(out) if h["WARC-Type"] == "revisit"]
    assert sorted(profiles) == ["identical-payload-digest"] * 3 + ["server-not-modified"] * 2, profiles
    assert kept(site, out).count("/changed") == 2 and kept(site, out).count("/tagged") == 1
    summary = crawl(site, out, "--recrawl")  # what was not modified in the second round is known in the third
    assert summary["round"] == 3 and summary["unchanged"] == 5, summary
    site.close()


def check_lastmod(tmp):
    """A page that its sitemap calls older than our last visit is not asked again; where it leads is followed all the same."""
    dates = {"/old": "<lastmod>2020-01-01</lastmod>", "/new": "<lastmod>2999-01-01T00:00:00Z</lastmod>", "/undated": "", "/odd": "<lastmod>soon</lastmod>"}
    urls = "".join(f"<url><loc>{path}</loc>{date}</url>" for path, date in dates.items())
    site = Site({"/robots.txt": (200, {}, b"Sitemap: /index.xml\n"),
                 "/index.xml": (200, {"Content-Type": "text/xml"}, b"<sitemapindex><sitemap><loc>/map.xml</loc></sitemap></sitemapindex>"),
                 "/map.xml": (200, {"Content-Type": "text/xml"}, f"<urlset>{urls}</urlset>".encode()),
                 "/": ok("Home", "/old", "/new", "/linked"), "/old": ok("Old", "/under"), "/under": ok("Under"), "/linked": ok("Linked"),
                 **{path: ok(path) for path in ("/new", "/undated", "/odd")}})
    out = tmp / "lastmod"
    assert crawl(site, out)["stored"] == 7
    for flags, asked in (([], False), (["--no-lastmod"], True), (["--max-age", "0"], True), ([], False)):
        site.forget()
        summary = crawl(site, out, "--recrawl", *flags)
        assert summary["complete"] and ("/old" in site.paths()) == asked, (flags, site.paths())
        assert summary["skipped"].get("lastmod", 0) == (0 if asked else 1), summary
        assert {"/", "/new", "/undated", "/odd", "/under", "/linked", "/map.xml"} <= set(site.paths()), site.paths()
    site.close()


def check_https(tmp):
    key, certificate = tmp / "key.pem", tmp / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    site = Site({"/": ok("Home", "/a"), "/a": ok("A")}, tls=(certificate, key))
    summary = crawl(site, tmp / "trusted", "--ca-file", str(certificate))
    assert summary["stored"] == 2 and kept(site, tmp / "trusted") == ["/", "/a"], summary
    # An authority that nobody knows: no page, and no request.
    site.forget()
    summary = crawl(site, tmp / "unknown", "--retries", "0")
    assert summary["stored"] == 0 and site.paths() == [], summary
    site.close()


def check_private_redirects(tmp):
    """A host of the public Internet that leads to private ones. The network is one of our own, without a way out of it: there a public
    address is given to the loopback device. Skipped, visibly, where that is not allowed."""
    public = "198.41.0.4"
    if sys.argv[2:3] != ["private_redirects"]:
        command = ["unshare", "--net", "--map-root-user", sys.executable, __file__, SLIPWAY, "private_redirects"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        done.returncode = 77 if "unshare failed" in done.stderr else done.returncode
        assert done.returncode in (0, 77), done.stdout + done.stderr
        print("private redirects skipped: no network namespace" if done.returncode else "", end="\n" if done.returncode else "")
        return
    ready = [subprocess.run(["ip", *words.split()], capture_output=True).returncode
             for words in ("link set lo up", f"addr add {public}/32 dev lo")]
    if any(ready):
        sys.exit(77)
    secret = Site({"*": ok("Secret")})
    targets = ["http://127.0.0.1", "http://localhost", "http://[::ffff:127.0.0.1]", "http://2130706433", "http://0x7f.1"]
    pages = {f"/{i}": (302, {"Location": f"{target}:{secret.port}/secret"}, b"") for i, target in enumerate(targets)}
    site = Site({"/": ok("Home", *pages, "/fine", f"http://127.0.0.1:{secret.port}/linked"), "/fine": ok("Fine"), **pages}, address=public)
    summary = crawl(site, tmp / "out", "--scope", "any", allow=False)
    assert secret.paths() == [], secret.paths()
    assert kept(site, tmp / "out") == ["/", "/fine"], kept(site, tmp / "out")
    skipped = summary["skipped"]
    assert skipped["redirect"] + skipped.get("redirect to nowhere", 0) == len(targets) and skipped["private address"] >= 2, summary
    # Its robots.txt, too.
    robots = Site({"/robots.txt": (302, {"Location": f"http://127.0.0.1:{secret.port}/robots.txt"}, b""), "/": ok("Home")}, address=public)
    crawl(robots, tmp / "robots", allow=False)
    assert secret.paths() == [], secret.paths()
    for one in (secret, site, robots):
        one.close()


def check_kill(tmp):
    pages = {"/": ok("Home", *[f"/p/{i}" for i in range(120)])}
    pages.update({f"/p/{i}": ok(f"Page {i}", f"/p/{i}/sub") for i in range(120)})
    pages.update({f"/p/{i}/sub": ok(f"Sub {i}") for i in range(120)})
    site = Site(pages)
    out = tmp / "killed"
    kills = 0
    for wanted in (1, 40, 90, 160, 230):
        process = subprocess.Popen([SLIPWAY, "data", "crawl", site.url, "--out", str(out), "--allow-private", "--delay", "0.002", "--jitter", "0",
                                    "--file-size", "30KB"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(set(site.paths())) < wanted:
            time.sleep(0.002)
        kills += process.poll() is None
        process.kill()
        process.wait()
    assert kills >= 3, kills
    summary = crawl(site, out)
    assert summary["complete"] and summary["resumed"], summary
    assert kept(site, out) == sorted(pages), "a page is missing or twice"
    assert not list(out.glob("*.open"))
    asked = site.paths()
    assert sum(asked.count(path) - 1 for path in pages) <= kills, "more was asked again than what was in flight"
    site.close()


def check_politeness(tmp):
    links = [f"/p/{i}" for i in range(5)]
    pages = {"/": ok("Home", *links), **{path: ok(path) for path in links}}
    for name, robots, flags, least in (("own", None, ["--delay", "0.15", "--jitter", "0"], 0.15),
                                       ("asked", b"User-agent: *\nCrawl-delay: 0.2\n", [], 0.2)):
        site = Site({**pages, **({"/robots.txt": (200, {}, robots)} if robots else {})})
        crawl(site, tmp / name, *flags)
        times = [at for _, at, _ in site.asked]
        assert len(times) == 7 and all(b - a >= least for a, b in zip(times, times[1:])), times
        site.close()
    # A server that fails to say its rules allows nothing; one that has none allows all.
    site = Site({**pages, "/robots.txt": (500, {}, b"")})
    summary = crawl(site, tmp / "failing", "--retries", "1")
    assert set(site.paths()) == {"/robots.txt"} and summary["skipped"] == {"robots.txt": 1}, summary
    site.close()
    # Busy for longer than we wait: left for the next round, and told.
    site = Site({"/": (503, {"Retry-After": "86400"}, b"")})
    assert crawl(site, tmp / "busy")["skipped"] == {"status 503": 1} and site.paths().count("/") == 1
    site.close()


def check_refusals(tmp):
    site = Site({"/": ok("Home")})
    assert crawl(site, tmp / "private", allow=False)["skipped"] == {"private address": 1} and site.paths() == []
    site.url = site.url.replace("127.0.0.1", "localhost")
    assert crawl(site, tmp / "name", allow=False)["skipped"] == {"private address": 1} and site.paths() == []
    site.close()
    nowhere = subprocess.run([SLIPWAY, "data", "crawl", "ftp://example.org/", "--out", str(tmp / "no")], capture_output=True, text=True, timeout=20)
    assert nowhere.returncode == 2 and "no address" in nowhere.stderr, nowhere
    pages = {"/": ok("Home", *[f"/p/{i}" for i in range(50)]), **{f"/p/{i}": ok(str(i)) for i in range(50)}}
    site = Site(pages)
    summary = crawl(site, tmp / "few", "--max-pages", "10")
    assert summary["fetched"] == 10 and not summary["complete"] and summary["waiting"] == 41, summary
    summary = crawl(site, tmp / "few", "--max-pages", "1000")
    assert summary["complete"] and summary["fetched"] == 51 and kept(site, tmp / "few") == sorted(pages), summary
    site.close()


checks = (check_everything, check_recrawl, check_lastmod, check_https, check_private_redirects, check_kill, check_politeness, check_refusals)
with tempfile.TemporaryDirectory() as folder:
    for check in checks if len(sys.argv) == 2 else (check_private_redirects,):
        begin = time.monotonic()
        check(pathlib.Path(folder))
        print(f"{check.__name__}: {time.monotonic() - begin:.1f} s")
