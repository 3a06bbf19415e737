#include "stats/drift.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "stats/check.h"
#include "stats/distributions.h"

namespace slipway::stats {
namespace {

void require_shares(std::span<const double> p, std::span<const double> q) {
  require(!p.empty(), "drift: no bins");
  require_same(p.size(), q.size(), "drift");
}

struct NamedDistance {
  Distance distance;
  std::string_view name;
};
constexpr NamedDistance kDistances[] = {{Distance::kPsi, "psi"}, {Distance::kJs, "js"},
                                        {Distance::kKl, "kl"},   {Distance::kHellinger, "hellinger"},
                                        {Distance::kTvd, "tvd"}, {Distance::kLInfinity, "l_infinity"}};

double distance_of_shares(Distance which, std::span<const double> p, std::span<const double> q) {
  switch (which) {
    case Distance::kPsi: return psi(p, q);
    case Distance::kJs: return js_distance(p, q);
    case Distance::kKl: return kl(p, q);
    case Distance::kHellinger: return hellinger(p, q);
    case Distance::kTvd: return tvd(p, q);
    case Distance::kLInfinity: return l_infinity(p, q);
  }
  return 0;
}

}  // namespace

std::vector<double> quantile_edges(std::span<const double> reference, int bins) {
  require(bins > 0, "quantile edges: bins must be at least 1");
  const std::vector<double> sorted = sorted_copy(reference, "quantile edges");
  std::vector<double> edges;
  for (int k = 0; k <= bins; ++k) {
    const double edge = sorted_quantile(sorted, static_cast<double>(k) / bins);
    if (edges.empty() || edge > edges.back()) {
      edges.push_back(edge);
    }
  }
  if (edges.size() == 1) {
    edges.push_back(edges.front());
  }
  return edges;
}

std::vector<double> bin_counts(std::span<const double> values, std::span<const double> edges) {
  require(edges.size() >= 2, "bins: at least two edges are needed");
  std::vector<double> counts(edges.size() - 1);
  const auto inner = edges.subspan(1, edges.size() - 2);
  for (const double v : values) {
    if (!std::isnan(v)) {
      ++counts[std::upper_bound(inner.begin(), inner.end(), v) - inner.begin()];
    }
  }
  return counts;
}

std::vector<double> shares(std::span<const double> counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<double> result(counts.begin(), counts.end());
  if (total > 0) {
    for (double& c : result) {
      c /= total;
    }
  }
  return result;
}

double psi(std::span<const double> p, std::span<const double> q, double floor) {
  require_shares(p, q);
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double a = std::max(p[i], floor);
    const double b = std::max(q[i], floor);
    sum += a == b ? 0 : (a - b) * std::log(a / b);
  }
  return sum;
}

double kl(std::span<const double> p, std::span<const double> q, double floor) {
  require_shares(p, q);
  double total_p = 0;
  double total_q = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    total_p += std::max(p[i], floor);
    total_q += std::max(q[i], floor);
  }
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double a = std::max(p[i], floor) / total_p;
    const double b = std::max(q[i], floor) / total_q;
    if (a > 0) {
      sum += b > 0 ? a * std::log(a / b) : std::numeric_limits<double>::infinity();
    }
  }
  return sum;
}

double js_divergence(std::span<const double> p, std::span<const double> q) {
  require_shares(p, q);
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double middle = (p[i] + q[i]) / 2;
    sum += p[i] > 0 ? p[i] * std::log(p[i] / middle) : 0;
    sum += q[i] > 0 ? q[i] * std::log(q[i] / middle) : 0;
  }
  return std::max(0.0, sum / 2);
}

double js_distance(std::span<const double> p, std::span<const double> q, double base) {
  require(base > 1, "Jensen-Shannon distance: the base must be above 1");
  return std::sqrt(js_divergence(p, q) / std::log(base));
}

double hellinger(std::span<const double> p, std::span<const double> q) {
  require_shares(p, q);
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double gap = std::sqrt(p[i]) - std::sqrt(q[i]);
    sum += gap * gap;
  }
  return std::sqrt(sum / 2);
}

double tvd(std::span<const double> p, std::span<const double> q) {
  require_shares(p, q);
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    sum += std::abs(p[i] - q[i]);
  }
  return sum / 2;
}

double l_infinity(std::span<const double> p, std::span<const double> q) {
  require_shares(p, q);
  double worst = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    worst = std::max(worst, std::abs(p[i] - q[i]));
  }
  return worst;
}

double wasserstein(std::span<const double> a, std::span<const double> b) {
  return wasserstein_sorted(sorted_copy(a, "Wasserstein"), sorted_copy(b, "Wasserstein"));
}

double wasserstein_sorted(std::span<const double> a, std::span<const double> b) {
  require(!a.empty() && !b.empty(), "Wasserstein: a sample is empty");
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  size_t i = 0;
  size_t j = 0;
  double at = std::min(a[0], b[0]);
  double area = 0;
  while (i < a.size() || j < b.size()) {
    const double next = j == b.size() || (i < a.size() && a[i] <= b[j]) ? a[i] : b[j];
    area += (next - at) * std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m);
    at = next;
    while (i < a.size() && a[i] == at) {
      ++i;
    }
    while (j < b.size() && b[j] == at) {
      ++j;
    }
  }
  return area;
}

std::string_view distance_name(Distance distance) noexcept {
  for (const auto& [known, name] : kDistances) {
    if (known == distance) {
      return name;
    }
  }
  return "";
}

Distance distance_of(std::string_view name) {
  std::string known;
  for (const auto& [distance, own] : kDistances) {
    if (own == name) {
      return distance;
    }
    known += known.empty() ? "" : ", ";
    known += own;
  }
  throw base::Error(base::Code::kInvalid, fmt::format("there is no distance '{}'; there are {}", name, known));
}

double distance(Distance which, std::span<const double> reference_counts, std::span<const double> current_counts) {
  return distance_of_shares(which, shares(reference_counts), shares(current_counts));
}

double psi_null_threshold(int64_t n, int64_t m, int bins, double alpha) {
  require(n > 0 && m > 0, "PSI threshold: both samples need rows");
  if (bins < 2) {
    return 0;
  }
  return (1 / static_cast<double>(n) + 1 / static_cast<double>(m)) * chi2_quantile(1 - alpha, bins - 1);
}

NullTest permutation_test(Distance which, std::span<const double> reference_counts,
                          std::span<const double> current_counts, double alpha, int permutations, uint64_t seed) {
  require_shares(reference_counts, current_counts);
  require(permutations > 0, "permutation test: permutations must be at least 1");
  const size_t bins = reference_counts.size();
  std::vector<double> pooled(bins);
  std::vector<int> rows;  // the bin of every pooled row
  for (size_t b = 0; b < bins; ++b) {
    pooled[b] = reference_counts[b] + current_counts[b];
    require(reference_counts[b] >= 0 && current_counts[b] >= 0 && pooled[b] == std::floor(pooled[b]),
            "permutation test: counts must be whole numbers, not negative");
    rows.insert(rows.end(), static_cast<size_t>(pooled[b]), static_cast<int>(b));
  }
  const auto n = static_cast<size_t>(std::accumulate(reference_counts.begin(), reference_counts.end(), 0.0));
  require(n > 0 && n < rows.size(), "permutation test: both samples need rows");
  const size_t small = std::min(n, rows.size() - n);
  NullTest test;
  test.score = distance(which, reference_counts, current_counts);
  base::Rng rng(seed, "permutation");
  std::vector<double> null;
  std::vector<double> dealt(bins);
  std::vector<double> rest(bins);
  int beyond = 0;
  for (int r = 0; r < permutations; ++r) {
    std::fill(dealt.begin(), dealt.end(), 0.0);
    for (size_t i = 0; i < small; ++i) {  // the first `small` places of a Fisher-Yates shuffle
      std::swap(rows[i], rows[i + rng.below(rows.size() - i)]);
      ++dealt[rows[i]];
    }
    std::transform(pooled.begin(), pooled.end(), dealt.begin(), rest.begin(), std::minus<>());
    null.push_back(small == n ? distance(which, dealt, rest) : distance(which, rest, dealt));
    beyond += null.back() >= test.score - 1e-12 ? 1 : 0;
  }
  std::sort(null.begin(), null.end());
  test.threshold = sorted_quantile(null, 1 - alpha);
  test.p = (1.0 + beyond) / (1.0 + permutations);
  return test;
}

}  // namespace slipway::stats
