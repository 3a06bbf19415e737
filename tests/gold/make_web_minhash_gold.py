#!/usr/bin/env python3
"""Makes web_minhash.json with datatrove 0.10.1: simplified texts, shingles and signatures of a few texts.

    pip install "datatrove[processing]" spacy;  tests/gold/make_web_minhash_gold.py > tests/gold/web_minhash.json
"""
import json
import random
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
# Mixtures of all that has a path of its own: capitals, digits with marks, signs, other scripts, combining marks, white space.
PIECES = ["Word", "UPPER", "lower", "it's", "1,234.5", "7", "3.", ".5", "١٢٣٫٤", "१२", "e\u0301", "ΟΔΟΣ", "İstanbul", "straße", "“so”", "—", "…",
          "a.b.c", "x/y", "#tag", "$9", "~", "_", "中文。", "ＡＢ１２", "no!", "(why?)", "[1]", "a\u200bb", "\u212a", "½", "20²"]
GAPS = [" ", " ", " ", "", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", ", ", ". "]
draw = random.Random(5)
TEXTS += ["".join(draw.choice(PIECES) + draw.choice(GAPS) for _ in range(draw.randint(3, 30))) for _ in range(24)]
step = MinhashDedupSignature("/tmp", MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8), language="eng")
step._hash_func = lambda text: xxhash.xxh64_intdigest(text.encode())  # newer xxhash wants bytes; datatrove gives str
out = []
for text in TEXTS:
    shingles = step.get_shingles(text)
    signature = [h for b in step.get_signature(shingles) for h in b] if shingles.size else []
    few = len(out) < 5
    out.append({"text": text, "simple": simplify_text(text), "shingles": [str(int(x[0])) for x in (shingles if few else shingles[:4])],
                "signature": [str(h) for h in signature[:16 if few else 2]]})
json.dump(out, sys.stdout, ensure_ascii=False, indent=1)
print()
