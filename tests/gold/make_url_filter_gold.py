"""Writes url_filter.json: what datatrove's URLFilter decides of addresses, with lists made up here, and what tldextract takes for the registered
domain and the whole name. usage: make_url_filter_gold.py   (needs datatrove 0.10, tldextract 5.4, pyahocorasick)"""
import json
import pathlib
import warnings

import tldextract
from datatrove.data import Document
from datatrove.pipeline.filters import URLFilter

warnings.simplefilter("ignore")
lists = {
    "domains": ["# of no good", "bad-site.com", "spam.co.uk", "one.bad-hosts.net", "xn--80ak6aa92e.com", "blog.city.kawasaki.jp", "кто.рф", "CAPS.org", "10.0.0.1", "host.www.ck"],
    "urls": ["https://fine.org/exactly/this?x=1", " http://spaces.org/ "],
    "banned_words": ["Casino", "x-x-x", "#commented", "poker"],
    "soft_banned_words": ["escort", "Dating", "nude", "bet"],
    "banned_subwords": ["por.n", "VIAGRA", "fr33"],
}
urls = """https://bad-site.com/ http://www.bad-site.com/a https://notbad-site.com/ http://shop.spam.co.uk/x http://co.uk/ http://spam.co.uk:8080/?q=1
http://user:pw@bad-site.com/ http://a@b@bad-site.com/ bad-site.com //bad-site.com/x ftp://bad-site.com h:bad-site.com http:/bad-site.com/x http://BAD.example/ http://bad-site.com./
http://one.bad-hosts.net/ http://two.bad-hosts.net/ http://bad-hosts.net/ http://xn--80ak6aa92e.com/ http://www.xn--80ak6aa92e.com http://blog.city.kawasaki.jp/
http://x.y.kawasaki.jp/ http://a.x.y.kawasaki.jp http://city.kawasaki.jp http://kawasaki.jp http://кто.рф/ http://www.кто.рф/ http://кто.xn--p1ai http://КТО.РФ http://CAPS.org http://caps.org
http://10.0.0.1/x http://[::1]:80/bad-site.com http://[::1 http://localhost/ http://www.ck/ http://host.www.ck http://a.host.ck http://host.ck http://ck
http://foo.bd http://a.foo.bd https://fine.org/exactly/this?x=1 https://fine.org/exactly/this http://spaces.org/ http://fine.org/casino http://fine.org/Casino
http://fine.org/online-casino-games http://fine.org/casinos http://fine.org/xxx http://fine.org/x-x-x http://fine.org/commented http://poker http://fine.org/a/poker/
http://fine.org/escort http://fine.org/escort-escort http://fine.org/escort/dating http://fine.org/escort.Dating http://fine.org/nude-bet http://fine.org/nudebet http://bet.org/nude
http://fine.org/p-o-r-n http://fine.org/PORN http://fine.org/viagra-x http://via-gra.org/ http://fr33.org http://f.org/r33 http://fine.org/%70orn http://example.com
http://example.co.uk http://a.b.example.co.uk http://uk http://.com http://..com http://a..com http://example..com http://example.com.. http://exa_mple.com http://example。com http://example．co．jp
http://食狮.中国 http://食狮.公司.cn http://a.食狮.公司.cn http://公司.cn http://shishi.xn--fiqs8s http://www.xn--85x722f.xn--55qx5d.cn http://b.c.mm http://c.mm http://mm http://test.k12.ak.us http://www.test.k12.ak.us http://k12.ak.us
http://blogspot.com http://me.blogspot.com http://me.github.io http://1.2.3.4.5 http://256.1.1.1 http://1.2.3 https://example.com:443/a:b@c https://ex.com?x=@bad-site.com https://ex.com#@bad-site.com http://ex.com\\@bad-site.com
http://sch.uk http://a.sch.uk http://b.a.sch.uk http://nom.br http://a.nom.br http://b.a.nom.br mailto:me@bad-site.com javascript:void(0) http:// :// / ? # @ . a""".split()
urls += ["http://spaces .org", " http://bad-site.com/ ", "http://bad-site.com /x", "http://ex.com/ü-casino-ü", "http://ex.com/caſino"]
extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
rows = []
given = {"extra_domains": lists["domains"], "extra_urls": lists["urls"], **{key: lists[key] for key in ("banned_words", "soft_banned_words", "banned_subwords")}}
for name, options in {"all": given, "domains": {"extra_domains": lists["domains"]}, "one soft": {"soft_banned_words": lists["soft_banned_words"], "soft_word_threshold": 1}}.items():
    filter = URLFilter(use_integrated_lists=False, **options)
    filter.tldextractor = extract
    rows.append({"lists": name, "reasons": [("" if (r := filter.filter(Document(text="", id="", metadata={"url": url}))) is True else r[1]) for url in urls]})
hosts = [[extract(url).registered_domain, extract(url).fqdn] for url in urls]
out = {"made_with": f"datatrove, tldextract {tldextract.__version__}", "lists": lists, "urls": urls, "hosts": hosts, "filters": rows}
path = pathlib.Path(__file__).parent / "url_filter.json"
path.write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n")
print(len(urls), [sum(1 for r in row["reasons"] if r) for row in rows])
