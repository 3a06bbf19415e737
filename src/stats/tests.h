// Classical two-sample tests, with scipy's definitions and defaults (equal to 1e-9 where the sample is large enough for
// the p-value not to underflow). Pure functions: any thread. Samples need not be sorted; NaN or an empty sample throws
// Error(kInvalid).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace slipway::stats {

struct TestResult {
  double statistic = 0;
  double p = 1;
};

enum class KsMethod { kAuto, kExact, kAsymptotic };

// Two-sample Kolmogorov-Smirnov, two-sided. Auto is exact while max(n, m) <= 10,000 (O(n m) additions when n != m;
// Hodges 1957), else asymptotic as in scipy (the one-sample distribution with the effective size n m / (n + m)).
TestResult ks_two_sample(std::span<const double> a, std::span<const double> b, KsMethod method = KsMethod::kAuto);
// The statistic alone, for samples already sorted. O(n + m).
double ks_statistic_sorted(std::span<const double> a, std::span<const double> b) noexcept;

// Two-sided Mann-Whitney U of `a`: normal approximation with tie and continuity correction; exact when a
// sample has at most 8 values and nothing is tied, as scipy chooses.
TestResult mann_whitney(std::span<const double> a, std::span<const double> b);

// Two-sample Cramér-von Mises with the asymptotic distribution of Anderson 1962; exact by counting when both samples
// have at most 20 values, as scipy chooses.
TestResult cramer_von_mises(std::span<const double> a, std::span<const double> b);

// Welch's t test (unequal variances), two-sided.
TestResult welch_t(std::span<const double> a, std::span<const double> b);

struct Chi2Result {
  double statistic = 0;
  double p = 1;
  int degrees = 0;
};

// Pearson's test of independence over a contingency table [rows, columns]; `yates` corrects 2x2 tables only. Rows and
// columns that are all zero are left out. G is the likelihood-ratio form.
Chi2Result chi2_contingency(std::span<const double> table, int rows, int columns, bool yates = true);
Chi2Result g_contingency(std::span<const double> table, int rows, int columns, bool yates = true);
// The contingency table of two rows of counts.
Chi2Result chi2_two_samples(std::span<const double> first, std::span<const double> second, bool yates = true);

}  // namespace slipway::stats
