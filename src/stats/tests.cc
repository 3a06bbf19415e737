#include "stats/tests.h"

#include <algorithm>
#include <boost/math/special_functions/bessel.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>

#include "stats/check.h"
#include "stats/distributions.h"
#include "stats/kolmogorov.h"

namespace slipway::stats {

std::vector<double> sorted_copy(std::span<const double> values, const char* what) {
  if (values.empty()) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: a sample is empty", what));
  }
  std::vector<double> sorted(values.begin(), values.end());
  for (const double v : sorted) {
    if (std::isnan(v)) {
      throw base::Error(base::Code::kInvalid, fmt::format("{}: a value is not a number (NaN)", what));
    }
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

namespace {

// The chance that a lattice path from (0, 0) to (n, m), all being equally likely, somewhere reaches |i m - j n| >=
// reach: sums of positive terms, so small probabilities keep their digits (Hodges 1957).
double path_exit_probability(int64_t n, int64_t m, int64_t reach) {
  std::vector<double> row(m + 1);
  for (int64_t i = 0; i <= n; ++i) {
    for (int64_t j = 0; j <= m; ++j) {
      if (std::abs(i * m - j * n) >= reach) {
        row[j] = 1;
      } else if (i == 0 && j == 0) {
        row[j] = 0;
      } else {
        const double up = i == 0 ? 0 : row[j] * static_cast<double>(i);
        const double left = j == 0 ? 0 : row[j - 1] * static_cast<double>(j);
        row[j] = (up + left) / static_cast<double>(i + j);
      }
    }
  }
  return row[m];
}

// Average ranks (from 1) of the pooled sample: first those of a, then those of b; ties_sum = sum of t^3 - t over tied
// groups.
struct Ranks {
  std::vector<double> a;
  std::vector<double> b;
  double ties_sum = 0;
};

Ranks pooled_ranks(std::span<const double> sorted_a, std::span<const double> sorted_b) {
  Ranks ranks;
  size_t i = 0;
  size_t j = 0;
  double before = 0;
  while (i < sorted_a.size() || j < sorted_b.size()) {
    const double value =
        j == sorted_b.size() || (i < sorted_a.size() && sorted_a[i] <= sorted_b[j]) ? sorted_a[i] : sorted_b[j];
    const size_t i0 = i;
    const size_t j0 = j;
    while (i < sorted_a.size() && sorted_a[i] == value) {
      ++i;
    }
    while (j < sorted_b.size() && sorted_b[j] == value) {
      ++j;
    }
    const auto tied = static_cast<double>(i - i0 + j - j0);
    const double rank = before + (tied + 1) / 2;
    ranks.a.insert(ranks.a.end(), i - i0, rank);
    ranks.b.insert(ranks.b.end(), j - j0, rank);
    ranks.ties_sum += tied * tied * tied - tied;
    before += tied;
  }
  return ranks;
}

// P(U <= u) of n and m values without ties: low coefficients of the Gaussian binomial, exact while below 2^53.
double mann_whitney_lower(int64_t n, int64_t m, int64_t u) {
  std::vector<double> ways(u + 1);
  ways[0] = 1;
  for (int64_t i = 1; i <= std::min(n, m); ++i) {
    const int64_t factor = std::max(n, m) + i;
    for (int64_t k = u; k >= factor; --k) {  // times (1 - q^factor)
      ways[k] -= ways[k - factor];
    }
    for (int64_t k = i; k <= u; ++k) {  // over (1 - q^i)
      ways[k] += ways[k - i];
    }
  }
  const double sum = std::accumulate(ways.begin(), ways.end(), 0.0);
  const auto a = static_cast<double>(n);
  const auto b = static_cast<double>(m);
  return std::min(1.0, sum * std::exp(std::lgamma(a + 1) + std::lgamma(b + 1) - std::lgamma(a + b + 1)));
}

// The limiting distribution of the Cramér-von Mises statistic (Anderson & Darling 1952, eq. 1.3).
double cramer_limit_upper(double x) {
  double sum = 0;
  for (int k = 0; k < 100; ++k) {
    const double y = 4 * k + 1;
    const double q = y * y / (16 * x);
    if (q > 700) {
      break;
    }
    const double scale =
        std::exp(std::lgamma(k + 0.5) - std::lgamma(k + 1)) / (std::pow(std::numbers::pi, 1.5) * std::sqrt(x));
    const double term = scale * std::sqrt(y) * std::exp(-q) * boost::math::cyl_bessel_k(0.25, q);
    sum += term;
    if (term < 1e-17) {
      break;
    }
  }
  return std::max(0.0, 1 - sum);
}

// P(statistic >= observed) over all equally likely arrangements of n and m values; the statistic of a path is the sum
// of (i b - j a)^2 over its points (Anderson 1962), a whole number.
double cramer_exact_upper(int64_t n, int64_t m, double observed) {
  const int64_t common = std::lcm(n, m);
  const int64_t a = common / n;
  const int64_t b = common / m;
  std::vector<std::map<int64_t, double>> row(m + 1);
  for (int64_t i = 0; i <= n; ++i) {
    for (int64_t j = 0; j <= m; ++j) {
      const int64_t here = (i * a - j * b) * (i * a - j * b);
      std::map<int64_t, double> merged;
      if (i == 0 && j == 0) {
        merged[0] = 1;
      }
      if (i > 0) {
        for (const auto& [value, ways] : row[j]) {
          merged[value + here] += ways;
        }
      }
      if (j > 0) {
        for (const auto& [value, ways] : row[j - 1]) {
          merged[value + here] += ways;
        }
      }
      row[j] = std::move(merged);
    }
  }
  double total = 0;
  double beyond = 0;
  for (const auto& [value, ways] : row[m]) {
    total += ways;
    beyond += static_cast<double>(value) >= observed ? ways : 0;
  }
  return beyond / total;
}

}  // namespace

double ks_statistic_sorted(std::span<const double> a, std::span<const double> b) noexcept {
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  size_t i = 0;
  size_t j = 0;
  double worst = 0;
  while (i < a.size() && j < b.size()) {
    const double value = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == value) {
      ++i;
    }
    while (j < b.size() && b[j] == value) {
      ++j;
    }
    worst = std::max(worst, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
  return worst;
}

TestResult ks_two_sample(std::span<const double> a, std::span<const double> b, KsMethod method) {
  const std::vector<double> x = sorted_copy(a, "Kolmogorov-Smirnov");
  const std::vector<double> y = sorted_copy(b, "Kolmogorov-Smirnov");
  const auto n = static_cast<int64_t>(x.size());
  const auto m = static_cast<int64_t>(y.size());
  TestResult result;
  result.statistic = ks_statistic_sorted(x, y);
  constexpr int64_t kExactRows = 10000;  // scipy's limit; 10^8 steps, about 0.3 s
  if (method == KsMethod::kExact || (method == KsMethod::kAuto && std::max(n, m) <= kExactRows)) {
    const int64_t common = std::lcm(n, m);
    const auto steps = static_cast<int64_t>(std::llround(result.statistic * static_cast<double>(common)));
    result.p = steps == 0 ? 1 : path_exit_probability(n, m, steps * std::gcd(n, m));
  } else {
    const double effective = static_cast<double>(n) * static_cast<double>(m) / static_cast<double>(n + m);
    result.p = kolmogorov_exact_upper(std::max<int64_t>(1, std::llrint(effective)), result.statistic);
  }
  result.p = std::clamp(result.p, 0.0, 1.0);
  return result;
}

TestResult mann_whitney(std::span<const double> a, std::span<const double> b) {
  const Ranks ranks = pooled_ranks(sorted_copy(a, "Mann-Whitney"), sorted_copy(b, "Mann-Whitney"));
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  const double total = n + m;
  TestResult result;
  result.statistic = std::accumulate(ranks.a.begin(), ranks.a.end(), 0.0) - n * (n + 1) / 2;
  const double larger = std::max(result.statistic, n * m - result.statistic);
  if (ranks.ties_sum == 0 && std::min(a.size(), b.size()) <= 8) {
    const auto lower = static_cast<int64_t>(n * m - larger);
    result.p = std::min(1.0, 2 * mann_whitney_lower(static_cast<int64_t>(n), static_cast<int64_t>(m), lower));
    return result;
  }
  const double deviation = std::sqrt(n * m / 12 * (total + 1 - ranks.ties_sum / (total * (total - 1))));
  result.p = deviation == 0 ? 1 : std::min(1.0, 2 * normal_upper((larger - n * m / 2 - 0.5) / deviation));
  return result;
}

TestResult cramer_von_mises(std::span<const double> a, std::span<const double> b) {
  const Ranks ranks = pooled_ranks(sorted_copy(a, "Cramér-von Mises"), sorted_copy(b, "Cramér-von Mises"));
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  double u = 0;
  for (size_t i = 0; i < ranks.a.size(); ++i) {
    u += n * std::pow(ranks.a[i] - static_cast<double>(i + 1), 2);
  }
  for (size_t i = 0; i < ranks.b.size(); ++i) {
    u += m * std::pow(ranks.b[i] - static_cast<double>(i + 1), 2);
  }
  const double k = n * m;
  const double total = n + m;
  TestResult result;
  result.statistic = u / (k * total) - (4 * k - 1) / (6 * total);
  constexpr size_t kExactRows = 20;  // scipy's limit
  if (std::max(a.size(), b.size()) <= kExactRows) {
    const auto common = static_cast<double>(std::lcm(static_cast<int64_t>(a.size()), static_cast<int64_t>(b.size())));
    const double observed = std::floor(common * common * total * (6 * u - k * (4 * k - 1)) / (6 * k * k));
    result.p = cramer_exact_upper(static_cast<int64_t>(a.size()), static_cast<int64_t>(b.size()), observed);
    return result;
  }
  const double expected = (1 + 1 / total) / 6;
  const double variance = (total + 1) * (4 * k * total - 3 * (n * n + m * m) - 2 * k) / (45 * total * total * 4 * k);
  const double x = 1.0 / 6 + (result.statistic - expected) / std::sqrt(45 * variance);
  result.p = x < 0.003 ? 1 : cramer_limit_upper(x);
  return result;
}

TestResult welch_t(std::span<const double> a, std::span<const double> b) {
  require(a.size() >= 2 && b.size() >= 2, "t test: each sample needs at least 2 values");
  const auto moments = [](std::span<const double> values) {
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double v : values) {
      squares += (v - mean) * (v - mean);
    }
    return std::pair(mean, squares / (n - 1) / n);  // the mean and its squared error
  };
  const auto [mean_a, error_a] = moments(a);
  const auto [mean_b, error_b] = moments(b);
  require(!std::isnan(mean_a) && !std::isnan(mean_b), "t test: a value is not a number (NaN)");
  const double error = error_a + error_b;
  TestResult result;
  if (error == 0) {
    result.statistic = mean_a == mean_b ? 0 : std::copysign(std::numeric_limits<double>::infinity(), mean_a - mean_b);
    result.p = mean_a == mean_b ? 1 : 0;
    return result;
  }
  const double degrees = error * error /
                         (error_a * error_a / (static_cast<double>(a.size()) - 1) +
                          error_b * error_b / (static_cast<double>(b.size()) - 1));
  result.statistic = (mean_a - mean_b) / std::sqrt(error);
  result.p = student_two_sided(result.statistic, degrees);
  return result;
}

namespace {

enum class Power { kPearson, kLikelihood };

Chi2Result contingency(std::span<const double> table, int rows, int columns, bool yates, Power power) {
  require(rows > 0 && columns > 0, "contingency table: no cells");
  require_same(table.size(), static_cast<size_t>(rows) * columns, "contingency table");
  std::vector<double> row_sums(rows);
  std::vector<double> column_sums(columns);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      const double c = table[static_cast<size_t>(i) * columns + j];
      require(c >= 0, "contingency table: a count is negative or not a number");
      row_sums[i] += c;
      column_sums[j] += c;
    }
  }
  const double total = std::accumulate(row_sums.begin(), row_sums.end(), 0.0);
  const auto used = [](const std::vector<double>& sums) {
    return static_cast<int>(std::count_if(sums.begin(), sums.end(), [](double s) { return s > 0; }));
  };
  Chi2Result result;
  result.degrees = (used(row_sums) - 1) * (used(column_sums) - 1);
  if (total == 0 || result.degrees <= 0) {
    result.degrees = 0;
    return result;
  }
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      const double expected = row_sums[i] * column_sums[j] / total;
      if (expected == 0) {
        continue;
      }
      double observed = table[static_cast<size_t>(i) * columns + j];
      if (yates && result.degrees == 1) {
        const double gap = expected - observed;
        observed += std::copysign(std::min(0.5, std::abs(gap)), gap);
      }
      if (power == Power::kPearson) {
        result.statistic += (observed - expected) * (observed - expected) / expected;
      } else if (observed > 0) {
        result.statistic += 2 * observed * std::log(observed / expected);
      }
    }
  }
  result.p = chi2_upper(result.statistic, result.degrees);
  return result;
}

}  // namespace

Chi2Result chi2_contingency(std::span<const double> table, int rows, int columns, bool yates) {
  return contingency(table, rows, columns, yates, Power::kPearson);
}

Chi2Result g_contingency(std::span<const double> table, int rows, int columns, bool yates) {
  return contingency(table, rows, columns, yates, Power::kLikelihood);
}

Chi2Result chi2_two_samples(std::span<const double> first, std::span<const double> second, bool yates) {
  require_same(first.size(), second.size(), "chi-square test");
  std::vector<double> table(first.begin(), first.end());
  table.insert(table.end(), second.begin(), second.end());
  return chi2_contingency(table, 2, static_cast<int>(first.size()), yates);
}

}  // namespace slipway::stats
