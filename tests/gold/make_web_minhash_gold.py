#!/usr/bin/env python3
"""Makes web_minhash.json with datatrove 0.10.1: simplified texts, shingles and signatures of a few texts.

    pip install "datatrove[processing]" spacy;  tests/gold/make_web_minhash_gold.py > tests/gold/web_minhash.json
"""
import json
import sys

import xxhash
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.text import simplify_text

TEXTS = [
    "The year 2023.5 saw 1,000 new cafés — don't ask why; it’s “naïve”, isn't it?\n\nI cannot say.   We're at 10km/h.",
    "ＦＵＬＬ width １２３ and Straße, Ångström; العدد ١٢٣٫٤ and ३.४ digits… [edit] (a/b) foo_bar@example.com U.S.A. e.g. this",
    "one two three four",
    "a b c d e",
    "Über 5.000.000 Menschen! Σίσυφος ΟΔΟΣ; crème brûlée costs $5.99, £4 and 30% more than #1 <b>bold</b> ~ok~ §4 ©2020",
]
step = MinhashDedupSignature("/tmp", MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8), language="eng")
step._hash_func = lambda text: xxhash.xxh64_intdigest(text.encode())  # newer xxhash wants bytes; datatrove gives str
out = []
for text in TEXTS:
    shingles = step.get_shingles(text)
    signature = [h for b in step.get_signature(shingles) for h in b] if shingles.size else []
    out.append({"text": text, "simple": simplify_text(text), "shingles": [str(int(x[0])) for x in shingles],
                "signature": [str(h) for h in signature[:16]]})
json.dump(out, sys.stdout, ensure_ascii=False, indent=1)
print()
