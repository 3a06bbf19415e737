// Intervals: the seeded percentile bootstrap over rows (Efron 1979), and closed forms for proportions. Same seed, same
// numbers. Pure functions: any thread. All throw Error(kInvalid) when there are no rows or lengths differ.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "stats/classification.h"
#include "stats/interval.h"

namespace slipway::stats {

struct BootstrapOptions {
  int resamples = 2000;
  double confidence = 0.95;
  uint64_t seed = 7;
};

// Any statistic of row indices: called once with 0 … rows-1 for the value and `resamples` times with `rows` indices
// drawn with replacement (sorted). Resamples where it is NaN are left out.
Interval bootstrap(int64_t rows, const std::function<double(std::span<const int>)>& statistic,
                   const BootstrapOptions& options = {});

// Several statistics at once from row weights (how often each row was drawn): statistic(weights, out) fills `out`,
// whose size is `measures`. Much cheaper than indices when sums can be kept. Resamples where a measure is NaN are left
// out for it.
std::vector<Interval> bootstrap_weighted(
    int64_t rows, int measures, const std::function<void(std::span<const double>, std::span<double>)>& statistic,
    const BootstrapOptions& options = {});

// The mean of values.
Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options = {});

struct Difference {
  Interval difference;  // b - a, in the measure's unit
  double p = 1;         // two-sided: twice the smaller share of resamples at or beyond 0, with +1 correction, at most 1
};

// mean(b) - mean(a) of values measured on the same rows.
Difference paired_difference(std::span<const double> a, std::span<const double> b,
                             const BootstrapOptions& options = {});

// A classifier's output on rows whose truth is known. Borrowed for the call.
struct Classified {
  std::span<const int> truth;             // [rows]
  std::span<const int> predicted;         // [rows]
  std::span<const double> probabilities;  // [rows, labels]; empty: only count-based measures are reported
  int labels = 2;
};

// Each measure with its interval, from one set of resamples: "accuracy", "balanced_accuracy", "precision", "recall",
// "f1" (macro), "precision_weighted", "recall_weighted", "f1_weighted", "mcc", "kappa", and with probabilities
// "roc_auc" (label 1 of two, else one-vs-rest macro), "log_loss", "brier" (of label 1 with two labels, else
// multi-class), "ece" (15 equal-width bins), "mce"; with two labels also "average_precision". Per label: "precision.K",
// "recall.K", "f1.K" for label number K. 2,000 resamples of 1,000 rows take about 0.1 s (bench/stats).
// Where a measure is perfect (or, for a proportion, 0) every resample is so too and the percentile interval has no
// width however few the rows. A proportion of n trials then has Wilson's 1927 limit instead, n / (n + z^2) below 1: n
// is the number of rows for accuracy and the weighted measures, of rows of the label for recall.K, of rows given the
// label for precision.K, the smaller of both for f1.K, and of the rarest label for roc_auc (positives for
// average_precision). A mean over K labels has the variance of n = K^2 / sum(1 / n_k) trials when all labels err alike.
// kappa and mcc take what kappa is at accuracy's limit with the same marginals. The other measures keep the percentile
// interval.
std::map<std::string, Interval> classification_intervals(const Classified& rows, const BootstrapOptions& options = {});

// b - a for each of the same measures (without the per-label ones), both resampled with the same rows.
// Throws Error(kInvalid) when the truths differ.
std::map<std::string, Difference> classification_difference(const Classified& a, const Classified& b,
                                                            const BootstrapOptions& options = {});

// `successes` of n: Wilson 1927 score interval. n == 0 gives NaN.
Interval wilson(int64_t successes, int64_t n, double confidence = 0.95);

// Two classifiers on the same rows: b = first right, second wrong; c = the reverse.
struct McNemar {
  int64_t b = 0;
  int64_t c = 0;
  double exact_p = 1;  // two-sided binomial
  double mid_p = 1;    // exact minus half the point probability (Fagerland 2013): the one to report
  double chi2 = 0;     // (b-c)^2 / (b+c)
  double chi2_p = 1;
  double chi2_cc = 0;  // (|b-c|-1)^2 / (b+c), Edwards' correction
  double chi2_cc_p = 1;
};
McNemar mcnemar(int64_t b, int64_t c);
McNemar mcnemar(std::span<const int> truth, std::span<const int> first, std::span<const int> second);

// Difference of two independent proportions, second - first: Newcombe 1998 interval (method 10) from Wilson limits; p
// from the pooled z test.
Difference two_proportions(int64_t successes_first, int64_t n_first, int64_t successes_second, int64_t n_second,
                           double confidence = 0.95);

}  // namespace slipway::stats
