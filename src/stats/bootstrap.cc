#include "stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "stats/check.h"
#include "stats/distributions.h"
#include "stats/resample.h"

namespace slipway::stats {

void draw_weights(base::Rng& rng, std::span<double> weights) {
  std::fill(weights.begin(), weights.end(), 0.0);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[rng.below(weights.size())] += 1;
  }
}

Interval percentile_interval(double value, std::vector<double>& draws, double confidence, int64_t rows) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  std::erase_if(draws, [](double x) { return std::isnan(x); });
  if (std::isnan(value) || draws.empty()) {
    return {kNan, kNan, kNan, rows};
  }
  std::sort(draws.begin(), draws.end());
  const double tail = (1 - confidence) / 2;
  // The percentile interval of a skewed measure may miss the value itself; an interval that excludes its own estimate
  // misleads.
  return {value, std::min(value, sorted_quantile(draws, tail)), std::max(value, sorted_quantile(draws, 1 - tail)),
          rows};
}

void require_options(const BootstrapOptions& options) {
  require(options.resamples > 0, "bootstrap: resamples must be at least 1");
  require(options.confidence > 0 && options.confidence < 1, "bootstrap: confidence must be between 0 and 1");
}

Difference difference_of(double value, std::vector<double>& draws, double confidence, int64_t rows) {
  double at_most = 0;
  double at_least = 0;
  double drawn = 0;
  for (const double d : draws) {
    if (!std::isnan(d)) {
      ++drawn;
      at_most += d <= 0 ? 1 : 0;
      at_least += d >= 0 ? 1 : 0;
    }
  }
  Difference result;
  result.p = std::min(1.0, 2 * (std::min(at_most, at_least) + 1) / (drawn + 1));
  result.difference = percentile_interval(value, draws, confidence, rows);
  return result;
}

Interval bootstrap(int64_t rows, const std::function<double(std::span<const int>)>& statistic,
                   const BootstrapOptions& options) {
  require(rows > 0, "bootstrap: no rows");
  require_options(options);
  std::vector<int> index(static_cast<size_t>(rows));
  std::iota(index.begin(), index.end(), 0);
  const double value = statistic(index);
  base::Rng rng(options.seed, "bootstrap");
  std::vector<double> weights(index.size());
  std::vector<double> draws;
  draws.reserve(options.resamples);
  for (int r = 0; r < options.resamples; ++r) {
    draw_weights(rng, weights);
    size_t at = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      for (auto copies = static_cast<int>(weights[i]); copies > 0; --copies) {
        index[at++] = static_cast<int>(i);
      }
    }
    draws.push_back(statistic(index));
  }
  return percentile_interval(value, draws, options.confidence, rows);
}

std::vector<Interval> bootstrap_weighted(
    int64_t rows, int measures, const std::function<void(std::span<const double>, std::span<double>)>& statistic,
    const BootstrapOptions& options) {
  require(rows > 0, "bootstrap: no rows");
  require(measures > 0, "bootstrap: no measures");
  require_options(options);
  std::vector<double> weights(static_cast<size_t>(rows), 1.0);
  std::vector<double> values(measures);
  statistic(weights, values);
  base::Rng rng(options.seed, "bootstrap");
  std::vector<std::vector<double>> draws(measures);
  std::vector<double> drawn(measures);
  for (int r = 0; r < options.resamples; ++r) {
    draw_weights(rng, weights);
    statistic(weights, drawn);
    for (int k = 0; k < measures; ++k) {
      draws[k].push_back(drawn[k]);
    }
  }
  std::vector<Interval> intervals;
  for (int k = 0; k < measures; ++k) {
    intervals.push_back(percentile_interval(values[k], draws[k], options.confidence, rows));
  }
  return intervals;
}

namespace {

// The mean of `values`, then of each resample.
std::vector<double> mean_draws(std::span<const double> values, const BootstrapOptions& options) {
  require(!values.empty(), "bootstrap: no rows");
  require_options(options);
  base::Rng rng(options.seed, "bootstrap");
  std::vector<double> draws;
  draws.reserve(options.resamples);
  for (int r = 0; r < options.resamples; ++r) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      sum += values[rng.below(values.size())];
    }
    draws.push_back(sum / static_cast<double>(values.size()));
  }
  return draws;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options) {
  std::vector<double> draws = mean_draws(values, options);
  return percentile_interval(mean(values), draws, options.confidence, static_cast<int64_t>(values.size()));
}

Difference paired_difference(std::span<const double> a, std::span<const double> b, const BootstrapOptions& options) {
  require_same(a.size(), b.size(), "paired difference");
  std::vector<double> gaps(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    gaps[i] = b[i] - a[i];
  }
  std::vector<double> draws = mean_draws(gaps, options);
  return difference_of(mean(gaps), draws, options.confidence, static_cast<int64_t>(a.size()));
}

Interval wilson(int64_t successes, int64_t n, double confidence) {
  require(n >= 0 && successes >= 0 && successes <= n, "Wilson interval: successes must lie between 0 and n");
  require(confidence > 0 && confidence < 1, "Wilson interval: confidence must be between 0 and 1");
  if (n == 0) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    return {kNan, kNan, kNan, 0};
  }
  const auto rows = static_cast<double>(n);
  const double p = static_cast<double>(successes) / rows;
  const double z = normal_quantile(1 - (1 - confidence) / 2);
  const double scale = 1 + z * z / rows;
  const double center = (p + z * z / (2 * rows)) / scale;
  const double half = z / scale * std::sqrt(p * (1 - p) / rows + z * z / (4 * rows * rows));
  return {p, successes == 0 ? 0 : center - half, successes == n ? 1 : center + half, n};
}

McNemar mcnemar(int64_t b, int64_t c) {
  require(b >= 0 && c >= 0, "McNemar: counts must not be negative");
  McNemar result;
  result.b = b;
  result.c = c;
  const int64_t n = b + c;
  if (n == 0) {
    return result;
  }
  const int64_t small = std::min(b, c);
  const double tail = binomial_cdf(small, n, 0.5);
  result.exact_p = std::min(1.0, 2 * tail);
  result.mid_p = 2 * tail - binomial_pmf(small, n, 0.5);
  const auto gap = static_cast<double>(std::abs(b - c));
  result.chi2 = gap * gap / static_cast<double>(n);
  result.chi2_p = chi2_upper(result.chi2, 1);
  const double corrected = std::max(0.0, gap - 1);
  result.chi2_cc = corrected * corrected / static_cast<double>(n);
  result.chi2_cc_p = chi2_upper(result.chi2_cc, 1);
  return result;
}

McNemar mcnemar(std::span<const int> truth, std::span<const int> first, std::span<const int> second) {
  require_same(truth.size(), first.size(), "McNemar");
  require_same(truth.size(), second.size(), "McNemar");
  int64_t b = 0;
  int64_t c = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    b += first[i] == truth[i] && second[i] != truth[i] ? 1 : 0;
    c += first[i] != truth[i] && second[i] == truth[i] ? 1 : 0;
  }
  return mcnemar(b, c);
}

Difference two_proportions(int64_t successes_first, int64_t n_first, int64_t successes_second, int64_t n_second,
                           double confidence) {
  require(n_first > 0 && n_second > 0, "two proportions: both samples need rows");
  const Interval a = wilson(successes_first, n_first, confidence);
  const Interval b = wilson(successes_second, n_second, confidence);
  const double gap = b.value - a.value;
  const double down = std::hypot(b.value - b.low, a.high - a.value);
  const double up = std::hypot(b.high - b.value, a.value - a.low);
  Difference result;
  result.difference = {gap, gap - down, gap + up, n_first + n_second};
  const double pooled =
      static_cast<double>(successes_first + successes_second) / static_cast<double>(n_first + n_second);
  const double error =
      std::sqrt(pooled * (1 - pooled) * (1 / static_cast<double>(n_first) + 1 / static_cast<double>(n_second)));
  result.p = error == 0 ? 1 : 2 * normal_upper(std::abs(gap) / error);
  return result;
}

}  // namespace slipway::stats
