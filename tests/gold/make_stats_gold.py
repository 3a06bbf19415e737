"""Writes stats.json: small inputs and what numpy, scipy and scikit-learn say about them. Run when a measure is added.

usage: python make_stats_gold.py > stats.json     (needs numpy, scipy, scikit-learn)
"""
import json
import warnings

import numpy as np
import scipy
import sklearn
from scipy import special, stats
from sklearn import metrics

warnings.filterwarnings("ignore")


def classification(rng, rows, labels, decimals):
    y = rng.integers(0, labels, rows)
    logits = rng.normal(size=(rows, labels)) + 1.2 * np.eye(labels)[y]
    prob = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    prob = np.round(prob, decimals)  # few decimals: many ties
    prob[:, -1] = np.round(1 - prob[:, :-1].sum(1), decimals)
    prob = np.clip(prob, 0, 1)
    pred = prob.argmax(1)
    out = {"accuracy": metrics.accuracy_score(y, pred), "balanced_accuracy": metrics.balanced_accuracy_score(y, pred),
           "mcc": metrics.matthews_corrcoef(y, pred), "kappa": metrics.cohen_kappa_score(y, pred),
           "kappa_quadratic": metrics.cohen_kappa_score(y, pred, weights="quadratic"),
           "log_loss": metrics.log_loss(y, prob, labels=range(labels))}
    for average in ["macro", "micro", "weighted"]:
        out[average] = metrics.precision_recall_fscore_support(y, pred, average=average, zero_division=0)[:3]
    out["per_label"] = np.array(metrics.precision_recall_fscore_support(y, pred, zero_division=0)[:3]).T.tolist()
    if labels == 2:
        out |= {"auc": metrics.roc_auc_score(y, prob[:, 1]), "ap": metrics.average_precision_score(y, prob[:, 1]),
                "brier": metrics.brier_score_loss(y, prob[:, 1])}
    else:
        out |= {"auc_ovr": metrics.roc_auc_score(y, prob, multi_class="ovr"),
                "auc_ovo": metrics.roc_auc_score(y, prob, multi_class="ovo"),
                "top2": metrics.top_k_accuracy_score(y, prob, k=2, labels=range(labels))}
    return {"labels": labels, "y": y.tolist(), "prob": prob.ravel().tolist(), "expected": out}


def two_samples(a, b):
    ks, asymptotic = stats.ks_2samp(a, b), stats.ks_2samp(a, b, method="asymp")
    mw, cvm, t = stats.mannwhitneyu(a, b), stats.cramervonmises_2samp(a, b), stats.ttest_ind(a, b, equal_var=False)
    return {"a": a.tolist(), "b": b.tolist(), "expected": {
        "ks": [ks.statistic, ks.pvalue], "ks_asymptotic": asymptotic.pvalue, "mann_whitney": [mw.statistic, mw.pvalue],
        "cramer": [cvm.statistic, cvm.pvalue], "welch": [t.statistic, t.pvalue],
        "wasserstein": stats.wasserstein_distance(a, b)}}


def contingency(table):
    yates, plain = stats.chi2_contingency(table), stats.chi2_contingency(table, correction=False)
    g = stats.chi2_contingency(table, lambda_="log-likelihood")
    return {"table": np.ravel(table).tolist(), "rows": len(table), "expected": {
        "yates": [yates[0], yates[1]], "plain": [plain[0], plain[1]], "g": [g[0], g[1]], "degrees": yates[2]}}


def distributions():
    x = [-8, -2.5, -0.1, 0.3, 1.96, 6]
    p = [1e-12, 0.001, 0.025, 0.5, 0.9, 0.999999]
    return {"x": x, "normal_cdf": special.ndtr(x).tolist(), "p": p, "normal_quantile": special.ndtri(p).tolist(),
            "chi2_upper": [stats.chi2.sf(30.5, k) for k in (1, 4, 9, 50)],
            "chi2_quantile": [stats.chi2.ppf(0.95, k) for k in (1, 4, 9, 50)],
            "student": [2 * stats.t.sf(2.7, k) for k in (1, 4.5, 30, 1000)],
            "student_quantile": [stats.t.ppf(0.975, k) for k in (1, 4.5, 30, 1000)],
            "binomial_cdf": [stats.binom.cdf(k, 20, 0.3) for k in (0, 3, 6, 19)],
            "beta_quantile": stats.beta.ppf(0.975, 8, 93),
            "kolmogorov": [special.kolmogorov(v) for v in (0.3, 0.5, 0.82, 1.0, 1.36, 3.0)],
            "kstwo": [[n, v, stats.kstwo.sf(v, n)] for n, v in
                      [(1, .6), (4, .3), (4, .2), (10, .05), (50, .1), (140, .02), (140, .09), (141, .09), (141, .3),
                       (1000, .02), (1000, .03), (1000, .06), (20000, .004), (20000, .008), (20000, .02), (200000, .0015)]]}


def main():
    rng = np.random.default_rng(20261124)
    normal = lambda n, shift=0, scale=1: np.round(rng.normal(shift, scale, n), 4)
    mcnemar = {"b": 14, "c": 27, "exact_p": stats.binomtest(14, 41).pvalue,
               "mid_p": 2 * stats.binom.cdf(14, 41, .5) - stats.binom.pmf(14, 41, .5)}
    proportion = stats.binomtest(131, 200).proportion_ci(method="wilson")
    cases = [two_samples(normal(7), normal(6)), two_samples(normal(40), normal(55, .4)),
             two_samples(normal(150), normal(150, 0, 1.5)), two_samples(normal(8), normal(30, 1)),
             two_samples(rng.integers(0, 6, 90).astype(float), rng.integers(1, 7, 70).astype(float))]
    json.dump({"versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
               "classification": [classification(rng, 60, 2, 2), classification(rng, 80, 4, 3), classification(rng, 25, 3, 1)],
               "two_samples": cases,
               "contingency": [contingency([[12, 5], [7, 9]]), contingency([[50, 30, 20, 1], [30, 40, 25, 5]]),
                               contingency([[5, 8, 1], [9, 2, 4], [3, 3, 7]])],
               "distributions": distributions(), "mcnemar": mcnemar,
               "wilson": {"successes": 131, "n": 200, "low": proportion.low, "high": proportion.high},
               "fdr": {"p": [.01, .04, .03, .005, .6, .03], "expected":
                       stats.false_discovery_control([.01, .04, .03, .005, .6, .03]).tolist()}}, __import__("sys").stdout)


main()
