#!/usr/bin/env python3
"""Writes tests/gold/english_words.jsonl: words and sentences of datatrove's English (spaCy's blank pipeline) for made-up chunks.

    pip install datatrove spacy
    python3 tests/gold/make_english_words_gold.py > tests/gold/english_words.jsonl
"""

import json
import random

import spacy
from datatrove.utils.word_tokenizers import load_word_tokenizer

rng = random.Random(5)
tokenizer = load_word_tokenizer("eng")
cases = sorted(spacy.blank("en").tokenizer.rules)
pieces = cases + list("()[]{}<>.,;:!?'\"`~#$%^&*-_=+/\\|@0123456789abcXYZ") + [
    "...", "..", "--", "---", "\u2014", "\u2014\u2014", "\u2013", "\u2026", "\u2026\u2026", "\u00b0C", "\u00b0", "km", "10", "3.5", "US$", "C$", "$",
    "\u20ac", "www.", "example", "com", ".com", "http://", "user@", "192.168.1.1", "8.8.8.8", ":8080", "/path?x=1", "'s", "\u2019s", "'S",
    "n't", "U.S.", "e.g.", "\u4e2d\u6587", "\u3002", "\u00e9", "\u0301", "\U0001F600", "\u2192", "\u00a9", "\u00b2", "\u0430\u0431", "\u0416", "\u0661\u0662",
    "word", "Word", "WORD", "IPv4", "C++", "\u200d", "\ufeff", "\u00ad", "_", "\u00aa"]
spaces = [" ", " ", " ", "  ", "\t", "\u00a0", "\u3000"]
for _ in range(900):
    text = "".join(rng.choice(pieces) + (rng.choice(spaces) if rng.random() < 0.3 else "") for _ in range(rng.randrange(1, 12)))
    if text:
        print(json.dumps([text, max(1, len(tokenizer.span_tokenize(text))), tokenizer.word_tokenize(text)]))
