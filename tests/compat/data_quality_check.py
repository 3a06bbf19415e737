#!/usr/bin/env python3
"""Keep or drop, and the numbers behind it: `slipway data clean` beside datatrove, dolma, NeMo Curator and RedPajama-V2.

    data_quality_check.py SLIPWAY [--texts FILE.jsonl …] [--limit N] [--nemo CURATOR_SOURCES] [--redpajama SOURCES] [--report FILE]
    data_quality_check.py SLIPWAY --gold tests/gold/quality.jsonl      (no peers: our program against what they said)
    data_quality_check.py - --texts FILE.jsonl --write-gold tests/gold/quality.jsonl

Peers are the installed packages (pip install datatrove spacy dolma); NeMo Curator and RedPajama-Data are read from checkouts, as
they install only with much else. What is missing is named and left out; without any peer the check is skipped (77). Each
preset's agreement is printed in per cent, each difference with the document, both reasons and our signal. Exit 1 when a
decision or a number differs.
"""

import argparse
import contextlib
import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SELF_MADE = [
    "", " ", "\n", "word", "The quick brown fox.\n" * 30, "{", "lorem ipsum dolor sit amet. " * 20,
    "a b c d e f g h i j. " * 40, "- item one\n- item two\n• item three\n" * 10, "This goes on and on...\n" * 12,
    "one two three four five six seven\n\n" * 9, "#hash #tags #are #everywhere " * 20, "1 2 3 4 5 6 7 8 9 10 " * 20,
    "We use cookies on this site.\nPlease enable JavaScript to go on.\nThis is a sentence that stays.\n" * 5,
    "He said [1] that it is so [citation needed]. And then [edit] he left.  [2]\n" * 8,
    "It's Mr. O'Neil's e.g. U.S.A. 10a.m. :-) =D http://a.bc/d?e=f x@y.org 5km 10% $5 US$7 C++ vitamin-a. (don't) ",
    "A\u2028B\u2029C\x85D\x0bE\x0cF\x1cG\x1dH\x1eI\rJ\r\nK\nL", "\u3000全角空白。和中文句子！还有问题？" * 10, "ab c abc a bc " * 30,
    "IS_ALPHA is a word", "\ufeffbyte order mark", "cooKie poli\u0130cy tErms of use.", "coo\u212Aie policy here it is.",
]


class Peers:
    """What the peers say of a text: {preset: (reason or None, text after)} and {signal: value}."""

    def __init__(self, nemo=None, redpajama=None):
        self.names, self.missing = [], []
        for name, load, argument in (("datatrove", self.load_datatrove, None), ("dolma", self.load_dolma, None),
                                     ("nemo", self.load_nemo, nemo), ("redpajama", self.load_redpajama, redpajama)):
            try:
                load(argument)
                self.names.append(name)
            except Exception as error:  # noqa: BLE001: any failure to load is told
                self.missing.append(f"{name}: {type(error).__name__}: {error}")

    def load_datatrove(self, _):
        from datatrove.data import Document
        from datatrove.pipeline import filters
        from datatrove.pipeline.filters import fineweb_quality_filter, gopher_repetition_filter

        self.document = Document
        self.repetition = filters.GopherRepetitionFilter()
        self.gopher = filters.GopherQualityFilter()
        self.c4 = filters.C4QualityFilter()
        self.c4_paragraphs = filters.C4ParagraphFilter()
        self.c4_fineweb = filters.C4QualityFilter(filter_no_terminal_punct=False)
        self.fineweb = filters.FineWebQualityFilter()
        self.helpers = gopher_repetition_filter
        self.terminal = tuple(fineweb_quality_filter.TERMINAL_PUNCTUATION)
        self.gopher.filter(Document(text="load the word tokenizer", id="0"))

    def load_dolma(self, _):
        from dolma.taggers import c4, gopher
        from dolma.core.data_types import Document as DolmaDocument

        self.dolma_gopher, self.dolma_c4, self.dolma_document = gopher, c4.FasterC4Tagger(), DolmaDocument
        self.dolma_c4_v1 = c4.get_attributes

    def load_nemo(self, sources):
        if not sources:
            raise ModuleNotFoundError("no --nemo checkout")
        import types

        root = Path(sources)
        for package in ("nemo_curator", "nemo_curator.stages", "nemo_curator.stages.text", "nemo_curator.stages.text.filters",
                        "nemo_curator.stages.text.filters.heuristic", "nemo_curator.stages.text.filters.heuristic.repetition",
                        "nemo_curator.stages.text.utils"):
            module = types.ModuleType(package)  # without the packages' __init__, which want GPUs and Ray
            module.__path__ = [str(root / package.replace(".", "/"))]
            sys.modules[package] = module
        base = types.ModuleType("nemo_curator.stages.text.filters.doc_filter")

        class DocumentFilter:
            def __init__(self):
                self._sentences = self._paragraphs = self._ngrams = None

        base.DocumentFilter = DocumentFilter
        sys.modules[base.__name__] = base
        from nemo_curator.stages.text.filters.heuristic import string as s
        from nemo_curator.stages.text.filters.heuristic.repetition import repetition as r

        r.set = dict.fromkeys  # of n-grams of equal frequency theirs takes any, by Python's random hashes; so the first
        self.nemo = [("alpha_numeric", s.NonAlphaNumericFilter()), ("symbol_to_word", s.SymbolsToWordsFilter()),
                     ("numbers_ratio", s.NumbersFilter()), ("urls_ratio", s.UrlsFilter()), ("white_space", s.WhiteSpaceFilter()),
                     ("parentheses_ratio", s.ParenthesesFilter()), ("boilerplate_string_ratio", s.BoilerPlateStringFilter()),
                     ("repeated_lines", r.RepeatedLinesFilter()), ("repeated_paragraphs", r.RepeatedParagraphsFilter()),
                     ("repeated_lines_char", r.RepeatedLinesByCharFilter()),
                     ("repeated_paragraphs_char", r.RepeatedParagraphsByCharFilter()), ("word_count", s.WordCountFilter()),
                     ("punctuation", s.PunctuationFilter()), ("words_without_alphabets", s.WordsWithoutAlphabetsFilter()),
                     ("common_english_words", s.CommonEnglishWordsFilter(stop_at_false=False)),
                     ("mean_word_length", s.MeanWordLengthFilter()), ("max_word_length", s.LongWordFilter()),
                     ("ellipsis", s.EllipsisFilter())]
        self.nemo += [(f"repeating_top_{n}grams", r.RepeatingTopNGramsFilter(n, share))
                      for n, share in ((2, 0.2), (3, 0.18), (4, 0.16))]
        self.nemo += [(f"repeating_dup_{n}gram", r.RepeatingDuplicateNGramsFilter(n, share))
                      for n, share in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))]
        self.nemo.append(("bullet_ratio", s.BulletsFilter()))

    def load_redpajama(self, sources):
        if not sources:
            raise ModuleNotFoundError("no --redpajama checkout")
        sys.path.insert(0, str(Path(sources) / "app/src"))
        from core import document
        from core.document import Document as RpsDocument
        from core.quality_signals import content, lines, natural_language, repetitions

        document._word_tokenizer._regexp = re.compile(r"\w+|[^\w\s]+")  # nltk's own until 3.9, with which the data set was made
        self.rps_document = RpsDocument
        self.rps = natural_language.register_natural_language_callables() + repetitions.register_repetitions_callables()
        self.rps += [content.RPS_Doc_Curly_Bracket(), content.RPS_Doc_Lorem_Ipsum()]
        self.rps_lines = lines.register_lines_callables()

    def judge(self, text):
        decisions, signals = {}, {}
        if "datatrove" in self.names:
            self.judge_datatrove(text, decisions, signals)
        if "dolma" in self.names:
            self.judge_dolma(text, decisions, signals)
        if "nemo" in self.names:
            self.judge_nemo(text, decisions, signals)
        if "redpajama" in self.names:
            self.judge_redpajama(text, decisions, signals)
        return decisions, signals

    def judge_datatrove(self, text, decisions, signals):
        for preset, chain in (("gopher", (self.repetition, self.gopher)), ("c4", (self.c4,)), ("mc4", (self.c4_paragraphs,)),
                              ("fineweb", (self.repetition, self.gopher, self.c4_fineweb, self.fineweb))):
            document, reason = self.document(text=text, id="0"), None
            for step in chain:
                result = step.filter(document)
                if result is not True:
                    reason = result[1]
                    break
            decisions[preset] = (reason, document.text if reason is None else text)
        from datatrove.utils.text import split_into_words

        h, words = self.helpers, split_into_words(text)
        signals["gopher_words"] = sum(any(c not in h_punctuation() for c in w) for w in words)
        if text:
            paragraphs, lines = self.repetition.paragraph_exp.split(text.strip()), self.repetition._line_splitter.split(text)
            for name, parts in (("para", paragraphs), ("line", lines)):
                count, chars = h.find_duplicates(parts)
                signals[f"dup_{name}_frac"], signals[f"dup_{name}_char_frac"] = count / len(parts), chars / len(text)
            for n in (2, 3, 4):
                if len(words) >= n:
                    signals[f"top_{n}_gram"] = h.find_top_duplicate(h.get_n_grams(words, n)) / len(text)
            for n in range(5, 11):
                signals[f"dup_{n}_gram"] = h.find_all_duplicate(words, n) / len(text)

    def judge_dolma(self, text, decisions, signals):
        mixer = [("word_count", 50, 100000), ("median_word_length", 3, 10), ("symbol_to_word_ratio", None, 0.1),
                 ("fraction_of_words_with_alpha_character", 0.8, None), ("required_word_count", 2, None),
                 ("fraction_of_lines_starting_with_bullet_point", None, 0.9), ("fraction_of_lines_ending_with_ellipsis", None, 0.3),
                 ("fraction_of_duplicate_lines", None, 0.3), ("fraction_of_characters_in_duplicate_lines", None, 0.3)]
        mixer += [(f"fraction_of_characters_in_most_common_{n}grams", None, v) for n, v in ((2, 0.2), (3, 0.18), (4, 0.16))]
        mixer += [(f"fraction_of_characters_in_duplicate_{n}grams", None, v)
                  for n, v in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))]
        values = {span.type: span.score for span in self.dolma_gopher.get_attributes(text).as_spans()}
        reason = None
        for name, least, most in mixer:
            value = values.get(name)
            if value is not None and ((least is not None and value < least) or (most is not None and value > most)):
                reason = name
                break
        decisions["dolma"] = (reason, text)
        signals.update({f"dolma_{name}": value for name, value in values.items()})
        for span in self.dolma_gopher.get_attributes(text, ignore_empty_lines=True).as_spans():
            if "_lines" in span.type:
                signals[f"dolma_v2_{span.type}"] = span.score
        spans = self.dolma_c4.predict(self.dolma_document(source="", id="0", text=text)).spans
        for kind in ("lines_with_no_ending_punctuation", "lines_with_too_few_words", "has_javascript", "has_lorem_ipsum",
                     "has_curly_brace"):
            signals[f"dolma_c4_{kind}"] = sum(span.type == kind for span in spans)
        signals["dolma_c4_line_count"] = next(span.score for span in spans if span.type == "line_count")
        signals["dolma_c4_v1_has_javascript"] = int(self.dolma_c4_v1(text).has_javascript)

    def judge_nemo(self, text, decisions, signals):
        reason = None
        for name, rule in self.nemo:
            try:
                score = rule.score_document(text)
            except (ZeroDivisionError, ValueError):
                continue  # not defined for a text without words or lines
            signals[f"nemo_{name}"] = score
            if reason is None and not rule.keep_document(score):
                reason = name
        decisions["nemo"] = (reason, text)

    def judge_redpajama(self, text, decisions, signals):
        document = self.rps_document(text, domain=None)
        values = {}
        for signal in self.rps:
            values[type(signal).__name__.lower()] = signal(document)[0][2]
        for signal in self.rps_lines:
            scores = [score for _, _, score in signal(document)]
            values[type(signal).__name__.lower()] = sum(x for x in scores if x) / len(scores) if document.raw_lines else None
        signals.update({name: value for name, value in values.items() if value is not None})
        reason = None
        for name, least, most in (("rps_doc_word_count", 50, 10000), ("rps_doc_mean_word_length", 3, 10),
                                  ("rps_doc_symbol_to_word_ratio", None, 0.1), ("rps_lines_start_with_bulletpoint", None, 0.9),
                                  ("rps_doc_frac_chars_top_2gram", None, 0.2)):
            value = values.get(name)
            if value is not None and ((least is not None and value < least) or (most is not None and value > most)):
                reason = name
                break
        decisions["redpajama"] = (reason, text)


def h_punctuation():
    from datatrove.utils.text import PUNCTUATION_SET

    return PUNCTUATION_SET


def ours(slipway, texts, preset):
    """[(reason or None, text after, signals)] of our program."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.jsonl"
        with source.open("w") as out:
            for i, text in enumerate(texts):
                out.write(json.dumps({"id": i, "text": text}, ensure_ascii=False) + "\n")
        subprocess.run([slipway, "data", "clean", str(source), "--preset", preset, "--out", f"{folder}/kept", "--exclusions",
                        f"{folder}/dropped", "--signals", "--format", "jsonl", "--quiet"], check=True, capture_output=True)
        found = {}
        for part in sorted(Path(folder).glob("*/part-*.jsonl")):
            for line in part.open():
                row = json.loads(line)
                found[row["id"]] = (row.get("filter_reason"), row["text"], row["signals"])
    return [found[i] for i in range(len(texts))]


def same(a, b):
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)


def compare(slipway, rows, report):
    """rows: (text, {preset: (reason, text after)}, {signal: value}). Returns the number of differences."""
    differences = 0
    texts = [row[0] for row in rows]
    presets = sorted({preset for _, decisions, _ in rows for preset in decisions})
    results = {}
    for preset in presets:
        results = ours(slipway, texts, preset)
        keep = reasons = kept_texts = dropped = 0
        for (text, decisions, _), (reason, after, signals) in zip(rows, results):
            want, want_text = decisions[preset]
            dropped += want is not None
            keep += (reason is None) == (want is None)
            reasons += reason == want
            kept_texts += reason is not None or want is not None or after == want_text
            if reason != want or (reason is None and after != want_text):
                differences += 1
                report(f"{preset}: peer {want or 'keeps'}, ours {reason or 'keeps'}; {text[:300]!r}")
        n = len(rows)
        print(f"{preset:10} {n} documents, {dropped} dropped; same decision {100 * keep / n:.4f} %, same reason {100 * reasons / n:.4f} %, "
              f"same text {100 * kept_texts / n:.4f} %")
    counts, wrong = {}, {}
    for (text, _, want), (_, _, got) in zip(rows, results):
        for name, value in want.items():
            counts[name] = counts.get(name, 0) + 1
            if not same(got.get(name, math.nan), value):
                wrong[name] = wrong.get(name, 0) + 1
                if wrong[name] <= 3:
                    report(f"{name}: peer {value}, ours {got.get(name)}; {text[:200]!r}")
    values = sum(counts.values())
    print(f"{len(counts)} signals, {values} values; equal {100 * (1 - sum(wrong.values()) / max(1, values)):.5f} %"
          + "".join(f"\n  {name}: {count} of {counts[name]} differ" for name, count in sorted(wrong.items())))
    return differences + sum(wrong.values())


def read_texts(files, limit):
    texts = list(SELF_MADE)
    for name in files:
        with open(name) as lines:
            texts += [json.loads(line)["text"] for line in lines]
    return texts[:limit] if limit else texts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("slipway")
    parser.add_argument("--texts", nargs="*", default=[])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--nemo")
    parser.add_argument("--redpajama")
    parser.add_argument("--report")
    parser.add_argument("--gold", default=None)
    parser.add_argument("--write-gold")
    arguments = parser.parse_args()
    gold = arguments.gold
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(open(arguments.report, "w")) if arguments.report else sys.stdout

        def report(text):
            print("  " + text, file=out)

        if gold is None:
            peers = Peers(arguments.nemo, arguments.redpajama)
            print("peers:", ", ".join(peers.names) or "none", *(f"\n  without {text}" for text in peers.missing))
            if peers.names:
                texts = read_texts(arguments.texts, arguments.limit)
                rows = [(text, *peers.judge(text)) for text in texts]
            else:
                gold = str(Path(__file__).parent.parent / "gold/quality.jsonl")
        if gold is not None:
            rows = [(row["text"], {name: (said[0], said[-1] if len(said) == 2 else row["text"])
                                   for name, said in row["decisions"].items()}, row["signals"]) for row in map(json.loads, open(gold))]
        if arguments.write_gold:
            with open(arguments.write_gold, "w") as lines:
                for i, (text, decisions, signals) in enumerate(rows):
                    short = {name: [reason] + [after] * (after != text) for name, (reason, after) in decisions.items()}
                    json.dump({"text": text, "decisions": short, "signals": signals if i % 8 == 0 else {}}, lines)
                    lines.write("\n")
            return 0
        return 1 if compare(arguments.slipway, rows, report) else 0


if __name__ == "__main__":
    sys.exit(main())
