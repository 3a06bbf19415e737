#!/usr/bin/env python3
"""tests/gold/robots.json: what Protego (Scrapy's parser of robots.txt) answers on a table of files, agents and addresses.

Needs PyPI protego. usage: make_robots_gold.py > robots.json
"""
import json
from importlib.metadata import version

from protego import Protego

PATHS = ["/", "/a", "/a/", "/a/b", "/a/b.html", "/a/b.html?x=1", "/ab", "/A", "/x/y/z", "/index.php", "/index.php?id=3", "/index.phps",
         "/foo/bar?baz=http://foo.bar", "/foo/bar/%E3%83%84", "/foo/bar/ツ", "/foo/bar/%62%61%7A", "/foo/bar/baz", "/private", "/private/x",
         "/file-with-a-%2A.html", "/tmp/", "/tmp/x", "/search?q=1", "/page.pdf", "/page.pdf?x", "/fish", "/fish.html", "/fishheads/yummy.html",
         "/catfish", "/Fish.asp", "/fish/salmon.htm", "/robots", "/folder/any.php?parameters"]
FILES = {
    "empty": "",
    "all": "User-agent: *\nDisallow: /\n",
    "nothing": "User-agent: *\nDisallow:\n",
    "longest": "User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /a/b.html\n",
    "order": "User-agent: *\nAllow: /a/b\nDisallow: /a\n",
    "equal": "User-agent: *\nDisallow: /ab\nAllow: /ab\nDisallow: /fish\n",
    "star": "User-agent: *\nDisallow: /*.php\nDisallow: /fish*.htm\nAllow: /*?id=\n",
    "end": "User-agent: *\nDisallow: /*.php$\nDisallow: /*.pdf$\nDisallow: /fish$\n",
    "escapes": "User-agent: *\nDisallow: /foo/bar/ツ\nDisallow: /foo/bar/%62%61%7A\nDisallow: /foo/bar?baz=http://foo.bar\n",
    "ours": "User-agent: *\nDisallow: /\n\nUser-agent: slipway\nDisallow: /private\n",
    "ours first": "User-agent: slipway\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n",
    "case": "user-AGENT: SLIPWAY\ndisALLOW: /a\n",
    "shared": "User-agent: otherbot\nUser-agent: slipway\nDisallow: /tmp/\n\nUser-agent: *\nDisallow: /fish\n",
    "two groups": "User-agent: slipway\nDisallow: /a\n\nUser-agent: otherbot\nDisallow: /fish\n\nUser-agent: slipway\nDisallow: /tmp/\n",
    "comments": "# one\nUser-agent: * # all\nDisallow: /a # and below\n#Disallow: /fish\n",
    "returns": "User-agent: *\rDisallow: /a\r\nDisallow: /fish\r\n",
    "blank lines": "User-agent: *\n\n\nDisallow: /a\n\nDisallow: /fish\n",
    "unknown": "User-agent: *\nNoindex: /x\nDisallow: /a\nHost: example.org\nDisallow: /fish\n",
    "delay": "User-agent: *\nCrawl-delay: 2.5\nDisallow: /a\n",
    "delay of ours": "User-agent: *\nCrawl-delay: 10\n\nUser-agent: slipway\nCrawl-delay: 1\nDisallow: /fish\n",
    "sitemaps": "Sitemap: https://example.org/a.xml\nUser-agent: *\nDisallow: /a\nSitemap: https://example.org/b.xml\nDisallow: /fish\n",
    "no group": "Disallow: /a\nUser-agent: *\nDisallow: /fish\n",
    "query": "User-agent: *\nDisallow: /*?\nAllow: /search?q=\n",
    "stars": "User-agent: *\nDisallow: /x/*/z\nDisallow: /folder/*.php*parameters$\nDisallow: **fish/\n",
    "spaces": "  User-agent :  *  \n  Disallow  :  /a/b  \n",
}

cases = []
for name, text in FILES.items():
    parsed = Protego.parse(text)
    for agent in ("slipway", "examplebot"):
        cases.append({"name": name, "file": text, "agent": agent, "crawl_delay": parsed.crawl_delay(agent), "sitemaps": list(parsed.sitemaps),
                      "allowed": {path: parsed.can_fetch("https://example.org" + path, agent) for path in PATHS}})
print(json.dumps({"peer": "protego " + version("protego"), "cases": cases}, ensure_ascii=True, separators=(",", ":")))
