#!/usr/bin/env python3
"""Words as ICU cuts them, by PyICU (Debian's python3-icu): tests/gold/icu_words.json.

usage: make_icu_words_gold.py UDHR_ZIP > icu_words.json     UDHR_ZIP: nltk_data's udhr2.zip (the Universal Declaration, public domain)
"""
import json
import sys
import zipfile

import icu

FILES = {"th": "tha.txt", "km": "khm.txt", "lo": "lao.txt", "my": "mya.txt", "en": "eng.txt", "ja": "jpn.txt"}
EXTRA = {"th": ["ภาษาไทย2024ครับ!", "กกกกก", "I love กรุงเทพมหานคร มาก"], "km": ["ភាសាខ្មែរ123។"], "en": ["don't stop, 3.14 e-mail", ""], "lo": [], "my": [], "ja": ["東京に住んでいます。"]}
archive = zipfile.ZipFile(sys.argv[1])
names = {name.rsplit("/", 1)[-1]: name for name in archive.namelist()}
cases = []
for language, file in FILES.items():
    lines = [line.strip() for line in archive.read(names[file]).decode().splitlines() if len(line.strip()) > 30][:12]
    for text in lines + EXTRA[language]:
        iterator = icu.BreakIterator.createWordInstance(icu.Locale(language))
        whole = icu.UnicodeString(text)
        iterator.setText(whole)
        begin, words = 0, []
        for end in iterator:
            piece = str(whole[begin:end])
            if piece.strip():
                words.append(piece)
            begin = end
        cases.append({"language": language, "text": text, "words": words})
json.dump({"icu": icu.ICU_VERSION, "cases": cases}, sys.stdout, ensure_ascii=False, indent=0)
