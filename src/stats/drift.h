// How far a current distribution lies from a reference: distances over bin shares, and thresholds that say how large a
// distance is by chance alone. Definitions are the canonical ones of docs/design/drift.md. p = reference shares, q =
// current shares, same length. Pure functions: any thread. Length mismatch or empty input throws Error(kInvalid).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::stats {

inline constexpr double kShareFloor = 1e-4;  // a share of 0 would make PSI and KL infinite; the usual floor

// Edges of `bins` quantile bins of the reference: numpy's linear quantiles at k/bins, repeated edges removed. At least
// 2 edges (the minimum and maximum; equal values give {v, v}). The outer edges are informative: binning treats them as
// -inf and +inf.
std::vector<double> quantile_edges(std::span<const double> reference, int bins = 10);
// Counts per bin [edge_i, edge_{i+1}), ends open to infinity; size edges - 1. NaN is counted in no bin. O(n log edges).
std::vector<double> bin_counts(std::span<const double> values, std::span<const double> edges);
// counts / sum; all zero stays zero.
std::vector<double> shares(std::span<const double> counts);

// Population stability index: sum (p - q) ln(p / q), shares below `floor` raised to it.
double psi(std::span<const double> p, std::span<const double> q, double floor = kShareFloor);
// sum p ln(p / q) after raising shares below `floor` to it and dividing by the new sums (0: exact; infinite where q = 0
// < p).
double kl(std::span<const double> p, std::span<const double> q, double floor = kShareFloor);
// Jensen-Shannon divergence in nats; its square root is the distance; base 2 puts the distance in [0, 1].
double js_divergence(std::span<const double> p, std::span<const double> q);
double js_distance(std::span<const double> p, std::span<const double> q, double base = 2);
double hellinger(std::span<const double> p, std::span<const double> q);   // sqrt(1 - sum sqrt(p q))
double tvd(std::span<const double> p, std::span<const double> q);         // sum |p - q| / 2
double l_infinity(std::span<const double> p, std::span<const double> q);  // max |p - q|
// Wasserstein-1 (earth mover's) distance of two samples: the area between their distribution functions. O(n log n).
double wasserstein(std::span<const double> a, std::span<const double> b);
double wasserstein_sorted(std::span<const double> a, std::span<const double> b);

enum class Distance { kPsi, kJs, kKl, kHellinger, kTvd, kLInfinity };  // kJs is base 2
std::string_view distance_name(Distance distance) noexcept;            // "psi", "js", ...
Distance distance_of(std::string_view name);                           // throws Error(kInvalid) listing the names
// The distance between shares of two rows of counts.
double distance(Distance which, std::span<const double> reference_counts, std::span<const double> current_counts);

// What PSI of n reference and m current rows over `bins` bins exceeds with probability alpha when nothing changed:
// (1/n + 1/m) chi2_{bins-1, 1-alpha} (Yurdakul & Naranjo 2020). Good when n/bins and m/bins are about 10 or more.
double psi_null_threshold(int64_t n, int64_t m, int bins, double alpha = 0.05);

struct NullTest {
  double score = 0;
  double threshold = 0;  // the (1 - alpha) quantile of the distance under "same distribution"
  double p = 1;          // (1 + #{null >= score}) / (1 + permutations)
};

// Permutation test of any distance: the pooled counts are dealt again into n and m rows (multivariate hypergeometric,
// exact), seeded. O(permutations * (bins + min(n, m))).
NullTest permutation_test(Distance which, std::span<const double> reference_counts,
                          std::span<const double> current_counts, double alpha = 0.05, int permutations = 999,
                          uint64_t seed = 7);

}  // namespace slipway::stats
