"""Writes ngram.arpa and ngram.json: a 3-gram model of made-up sentences by interpolated modified Kneser-Ney, computed here from its definition (Chen & Goodman
1998; adjusted counts as in Heafield et al. 2013), and the log10 scores of sentences under it by kenlm, or by the definition of ARPA files when kenlm is not
installed. usage: make_ngram_gold.py"""
import collections
import json
import math
import pathlib
import random

ORDER = 3
folder = pathlib.Path(__file__).parent
rng = random.Random(6)
words = ["wor" + "".join(rng.choice("aeioubd") for _ in range(3)) for _ in range(120)] + ["naïve", "字"]
weights = [1 / (i + 1) for i in range(len(words))]
sentences = [" ".join(rng.choices(words, weights, k=rng.randint(1, 9))) for _ in range(200)]

counts = [collections.Counter() for _ in range(ORDER + 1)]
for sentence in sentences:
    tokens = ["<s>", *sentence.split(), "</s>"]
    for n in range(1, ORDER + 1):
        for i in range(len(tokens) - n + 1):
            counts[n][tuple(tokens[i:i + n])] += 1
adjusted = [None] * (ORDER + 1)
adjusted[ORDER] = dict(counts[ORDER])
for n in range(ORDER - 1, 0, -1):
    left = collections.Counter(gram[1:] for gram in counts[n + 1])
    adjusted[n] = {gram: counts[n][gram] if gram[0] == "<s>" else left[gram] for gram in counts[n]}
del adjusted[1][("<s>",)]


def discounts(grams):
    t = collections.Counter(grams.values())
    y = t[1] / (t[1] + 2 * t[2])
    d = [0] + [k - (k + 1) * y * t[k + 1] / t[k] for k in (1, 2, 3)]
    assert all(0 <= d[k] <= k for k in range(4)), d
    return lambda count: d[min(count, 3)]


vocabulary = len(adjusted[1]) + 1  # with <unk> and </s>, without <s>
probability, backoff = {}, {}
for n in range(1, ORDER + 1):
    discount = discounts(adjusted[n])
    by_context = collections.defaultdict(list)
    for gram in adjusted[n]:
        by_context[gram[:-1]].append(gram)
    for context, grams in by_context.items():
        total = sum(adjusted[n][gram] for gram in grams)
        backoff[context] = sum(discount(adjusted[n][gram]) for gram in grams) / total
        for gram in grams:
            lower = 1 / vocabulary if n == 1 else probability[gram[1:]]
            probability[gram] = (adjusted[n][gram] - discount(adjusted[n][gram])) / total + backoff[context] * lower
    if n == 1:
        probability[("<unk>",)] = backoff[()] / vocabulary
lines = ["\\data\\"] + [f"ngram {n}={sum(len(g) == n for g in probability) + (n == 1)}" for n in range(1, ORDER + 1)]
for n in range(1, ORDER + 1):
    lines += ["", f"\\{n}-grams:"]
    entries = sorted(g for g in probability if len(g) == n)
    for gram in entries + ([("<s>",)] if n == 1 else []):
        log = -99 if gram == ("<s>",) else math.log10(probability[gram])
        lines.append(f"{log:.7f}\t{' '.join(gram)}" + (f"\t{math.log10(backoff.get(gram, 1)):.7f}" if n < ORDER else ""))
(folder / "ngram.arpa").write_text("\n".join([*lines, "", "\\end\\"]) + "\n")

table = {}
for line in lines:
    fields = line.split("\t")
    if len(fields) > 1:
        table[tuple(fields[1].split())] = (float(fields[0]), float(fields[2]) if len(fields) > 2 else 0.0)


def by_definition(context, word):
    word = word if (word,) in table else "<unk>"
    if (*context, word) in table:
        return table[(*context, word)][0]
    return table.get(tuple(context), (0, 0))[1] + by_definition(context[1:], word)


asked = sentences[:6] + [" ".join(rng.choices([*words, "unseen", "字词"], k=rng.randint(1, 8))) for _ in range(30)] + [""]
rows = []
for sentence in asked:
    tokens, logs = ["<s>", *(w if (w,) in table else "<unk>" for w in sentence.split()), "</s>"], []
    for i in range(1, len(tokens)):
        logs.append(by_definition(tokens[max(0, i - ORDER + 1):i], tokens[i]))
    rows.append({"text": sentence, "words": [round(x, 6) for x in logs], "unknown": tokens.count("<unk>")})
made_with = "the definition of ARPA files"
try:
    import kenlm
    model = kenlm.Model(str(folder / "ngram.arpa"))
    for row in rows:
        by_kenlm = [score for score, _, _ in model.full_scores(row["text"])]
        assert max(abs(a - b) for a, b in zip(by_kenlm, row["words"], strict=True)) < 1e-5
        row["words"] = [round(x, 6) for x in by_kenlm]
    made_with = "kenlm, and the definition of ARPA files"
except ImportError:
    pass
(folder / "ngram.json").write_text(json.dumps({"made_with": made_with, "sentences": sentences, "scores": rows}, ensure_ascii=False, separators=(",", ":")) + "\n")
print(made_with, lines[1:4])
