"""Writes agreement.json: ratings, votes and probabilities, and what scikit-learn, krippendorff, irrCAC, crowd-kit and cleanlab say about them.

usage: python make_agreement_gold.py > agreement.json     (needs scikit-learn, krippendorff, irrCAC, crowd-kit, cleanlab)
"""
import json
import math
import sys
import warnings

import cleanlab
import krippendorff
import numpy as np
import pandas as pd
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from crowdkit.aggregation import DawidSkene, MajorityVote, OneCoinDawidSkene
from irrCAC.raw import CAC
from sklearn.metrics import cohen_kappa_score

warnings.filterwarnings("ignore")
LEVELS = {"nominal": "identity", "ordinal": "ordinal", "interval": "quadratic", "ratio": "ratio"}


def number(x):
    x = float(x)
    return None if math.isnan(x) or math.isinf(x) else x


def attempt(f):
    try:
        return number(f())
    except (ValueError, ZeroDivisionError):
        return None


def coefficients(table, scale):
    """table [items, raters] of category numbers or NaN; scale: the number of each category."""
    values = np.where(np.isnan(table), np.nan, np.array(scale)[np.nan_to_num(table).astype(int)])
    frame = pd.DataFrame(values)
    out = {}
    for level, weights in LEVELS.items():
        cac = lambda: CAC(frame.copy(), weights=weights, categories=list(map(float, scale)), digits=14)
        out[level] = {
            "fleiss": attempt(lambda: cac().fleiss()["est"]["coefficient_value"]),
            "gwet": attempt(lambda: cac().gwet()["est"]["coefficient_value"]),
            "alpha": attempt(lambda: krippendorff.alpha(reliability_data=values.T, value_domain=list(map(float, scale)), level_of_measurement=level))}
        if level == "nominal":
            out["raw"] = attempt(lambda: cac().gwet()["est"]["pa"])
    pairs = []
    for i in range(table.shape[1]):
        for j in range(i + 1, table.shape[1]):
            both = ~np.isnan(table[:, i]) & ~np.isnan(table[:, j])
            if both.any():
                a, b = table[both, i].astype(int), table[both, j].astype(int)
                pairs.append([i, j, int(both.sum()), float((a == b).mean())] +
                             [attempt(lambda: cohen_kappa_score(a, b, labels=range(len(scale)), weights=w)) for w in (None, "linear", "quadratic")])
    out["pairs"] = pairs
    return out


def jackknife(table, scale):
    """Standard errors with one item left out, of raw and nominal Fleiss, alpha, Gwet."""
    n = len(table)
    rows = []
    for i in range(n):
        c = coefficients(np.delete(table, i, 0), scale)
        rows.append([c["raw"], c["nominal"]["fleiss"], c["nominal"]["alpha"], c["nominal"]["gwet"]])
    rows = np.array(rows)
    return np.sqrt((n - 1) / n * ((rows - rows.mean(0)) ** 2).sum(0)).tolist()


def ratings(rng, items, raters, categories, noise, missing):
    truth = rng.integers(0, categories, (items, 1))
    table = np.where(rng.random((items, raters)) < noise, rng.integers(0, categories, (items, raters)), truth).astype(float)
    table[rng.random((items, raters)) < missing] = np.nan
    return table


def case(name, table, scale, with_errors=False):
    table = np.array(table, float)
    scale = list(map(float, scale))
    out = {"name": name, "scale": scale, "ratings": [[None if math.isnan(x) else int(x) for x in row] for row in table],
           "expected": coefficients(table, scale)}
    if with_errors:
        out["jackknife"] = jackknife(table, scale)
    return out


def agreement(rng):
    cases = [case("random", ratings(rng, 40, 3, 4, 0.3, 0), [1, 2, 3, 4], True),
             case("missing", ratings(rng, 30, 5, 5, 0.4, 0.4), [0, 1, 2.5, 4, 10]),
             case("two annotators", ratings(rng, 25, 2, 3, 0.3, 0.1), [1, 2, 3]),
             case("unused categories", ratings(rng, 20, 3, 2, 0.2, 0.2), [1, 2, 3, 4]),
             case("binary and rare", np.where(rng.random((60, 3)) < 0.05, 1, 0), [0, 1]),
             case("chance", ratings(rng, 30, 4, 3, 1.0, 0.3), [1, 3, 7]),
             case("all agree", np.repeat(rng.integers(0, 3, (10, 1)), 3, 1), [1, 2, 3]),
             case("all disagree", np.tile([0, 1, 2], (6, 1)), [1, 2, 3])]
    nan = float("nan")
    # Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: alpha 0.743 nominal.
    wide = [[1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
            [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan]]
    cases.append(case("Krippendorff 2011", np.array(wide).T - 1, [1, 2, 3, 4, 5]))
    return cases


def dirichlet_votes(rng, items, voters, classes, coverage):
    truth = rng.integers(0, classes, items)
    confusion = np.array([0.55 * np.eye(classes) + 0.45 * rng.dirichlet(np.ones(classes), classes) for _ in range(voters)])
    votes = np.array([[rng.choice(classes, p=confusion[v, truth[i]]) for v in range(voters)] for i in range(items)])
    votes[rng.random(votes.shape) > coverage] = -1
    votes[(votes >= 0).sum(1) == 0, 0] = 0
    return truth, votes


def generative(votes, classes, accuracy=0.7, weight=1.0, iterations=25):
    """Voters independent given the class, abstaining among what they say; Dirichlet priors around `accuracy`. Plain loops, no logarithms."""
    n, m = votes.shape
    prior = np.full((classes, classes), (1 - accuracy) / (classes - 1))
    np.fill_diagonal(prior, accuracy)
    p = np.ones((n, classes)) / classes
    for i in range(n):
        for v in votes[i]:
            if v >= 0:
                p[i] *= prior[v]
        p[i] /= p[i].sum()

    def maximize(p):
        tables = []
        for j in range(m):
            t = np.zeros((classes + 1, classes))
            for i in range(n):
                t[votes[i, j] if votes[i, j] >= 0 else classes] += p[i]
            share = t[:classes].sum() / n
            t[:classes] += weight * share * prior
            t[classes] += weight * (1 - share)
            tables.append(t / t.sum(0))
        return p.mean(0), tables

    balance, tables = maximize(p)
    for _ in range(iterations):
        for i in range(n):
            row = balance.copy()
            for j in range(m):
                row = row * tables[j][votes[i, j] if votes[i, j] >= 0 else classes]
            p[i] = row / row.sum()
        balance, tables = maximize(p)
    return p, balance


def weak(rng):
    cases = []
    for items, voters, classes, coverage in [(40, 5, 3, 0.6), (30, 7, 2, 0.9), (25, 4, 4, 0.5)]:
        truth, votes = dirichlet_votes(rng, items, voters, classes, coverage)
        data = pd.DataFrame([(i, v, int(votes[i, v])) for i in range(items) for v in range(voters) if votes[i, v] >= 0], columns=["task", "worker", "label"])
        expected = {}
        for name, model in [("majority", MajorityVote()), ("dawid-skene", DawidSkene(n_iter=25, tol=-1e300)), ("one-coin", OneCoinDawidSkene(n_iter=25, tol=-1e300))]:
            frame = model.fit_predict_proba(data).reindex(columns=range(classes)).fillna(0).sort_index()
            expected[name] = {"probabilities": frame.to_numpy().tolist()}
            if name != "majority":
                expected[name]["balance"] = model.priors_.reindex(range(classes)).tolist()
        p, balance = generative(votes, classes)
        expected["generative"] = {"probabilities": p.tolist(), "balance": balance.tolist()}
        voted = votes >= 0
        many = voted.sum(1) > 1
        differs = np.array([[voted[i, j] and any(voted[i, k] and votes[i, k] != votes[i, j] for k in range(voters)) for j in range(voters)] for i in range(items)])
        summary = {"coverage": voted.mean(0).tolist(), "overlaps": (voted & many[:, None]).mean(0).tolist(), "conflicts": differs.mean(0).tolist(),
                   "accuracy": [float((votes[voted[:, j], j] == truth[voted[:, j]]).mean()) for j in range(voters)], "all": [voted.any(1).mean(), many.mean(), differs.any(1).mean()]}
        cases.append({"classes": classes, "iterations": 25, "truth": truth.tolist(), "votes": votes.tolist(), "expected": expected, "summary": summary})
    return cases


def label_errors(rng):
    cases = []
    for rows, classes, noise in [(60, 2, 0.15), (90, 3, 0.2), (80, 5, 0.3)]:
        truth = rng.integers(0, classes, rows)
        labels = np.where(rng.random(rows) < noise, rng.integers(0, classes, rows), truth)
        logits = rng.normal(size=(rows, classes)) + 1.8 * np.eye(classes)[truth]
        probabilities = np.round(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 7)
        filters = {}
        for name in ["prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given"]:
            filters[name] = find_label_issues(labels, probabilities, filter_by=name, return_indices_ranked_by="self_confidence", n_jobs=1).tolist()
        cases.append({"classes": classes, "labels": labels.tolist(), "probabilities": probabilities.ravel().tolist(), "filters": filters,
                      "by_margin": find_label_issues(labels, probabilities, return_indices_ranked_by="normalized_margin", n_jobs=1).tolist(),
                      "thresholds": get_confident_thresholds(labels, probabilities).tolist(), "joint": compute_confident_joint(labels, probabilities).ravel().tolist(),
                      "quality": {m: get_label_quality_scores(labels, probabilities, method=m).tolist()[:10] for m in ("self_confidence", "normalized_margin")}})
    return cases


def spans(rng):
    """Pairs of span lists, counted by sets of (character, label)."""
    cases = []
    for _ in range(12):
        lists = []
        for _ in range(2):
            n = int(rng.integers(0, 7))
            copies = [list(s) for s in lists[0] if rng.random() < 0.5] if lists else []
            lists.append(copies + [[int(b), int(b + rng.integers(1, 8)), "AB"[rng.integers(0, 2)]] for b in rng.integers(0, 30, n)])
        a, b = [set(map(tuple, spans)) for spans in lists]
        characters = [{(c, s[2]) for s in spans for c in range(s[0], s[1])} for spans in (a, b)]
        met = lambda x, others: sum(any(s[2] == o[2] and s[0] < o[1] and o[0] < s[1] for o in others) for s in x)
        cases.append({"a": lists[0], "b": lists[1], "counts": [len(a), len(b), len(a & b), met(a, b), met(b, a), len(characters[0]), len(characters[1]),
                                                              len(characters[0] & characters[1])]})
    return cases


rng = np.random.default_rng(20260611)
versions = {"cleanlab": cleanlab.__version__, "numpy": np.__version__}
json.dump({"versions": versions, "agreement": agreement(rng), "weak": weak(rng), "label_errors": label_errors(rng), "spans": spans(rng)}, sys.stdout, separators=(",", ":"))
print()
