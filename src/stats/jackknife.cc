#include "stats/jackknife.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/check.h"
#include "stats/distributions.h"

namespace slipway::stats {
namespace {

std::vector<Interval> jackknife(const ItemKinds& items, const SumStatistic& statistic, double low, double high, double confidence) {
  const auto total = static_cast<double>(items.of_item.size());
  const auto measures = static_cast<size_t>(statistic.measures);
  statistic.clear();
  for (size_t kind = 0; kind < items.counts.size(); ++kind) {
    statistic.add(static_cast<int>(kind), items.counts[kind]);
  }
  std::vector<double> values(measures);
  statistic.measure(values);
  std::vector<double> weight(measures);
  std::vector<double> mean(measures);
  std::vector<double> squares(measures);  // sum of squared distances to the mean (Welford 1962, weighted)
  std::vector<double> without(measures);
  for (size_t kind = 0; kind < items.counts.size(); ++kind) {
    statistic.add(static_cast<int>(kind), -1);
    statistic.measure(without);
    statistic.add(static_cast<int>(kind), 1);
    for (size_t k = 0; k < measures; ++k) {
      if (!std::isnan(without[k])) {
        weight[k] += items.counts[kind];
        const double step = without[k] - mean[k];
        mean[k] += step * items.counts[kind] / weight[k];
        squares[k] += items.counts[kind] * step * (without[k] - mean[k]);
      }
    }
  }
  const double z = normal_quantile(1 - (1 - confidence) / 2);
  std::vector<Interval> intervals;
  for (size_t k = 0; k < measures; ++k) {
    const auto n = static_cast<int64_t>(items.of_item.size());
    if (std::isnan(values[k]) || weight[k] == 0) {
      constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
      intervals.push_back({kNan, kNan, kNan, n});
      continue;
    }
    const double error = std::sqrt(std::max(0.0, (total - 1) / total * squares[k]));
    intervals.push_back({values[k], std::min(values[k], std::max(low, values[k] - z * error)),
                         std::max(values[k], std::min(high, values[k] + z * error)), n});
  }
  return intervals;
}

}  // namespace

std::vector<Interval> intervals_of(const ItemKinds& items, const SumStatistic& statistic, double low, double high,
                                   const AgreementOptions& options) {
  const double confidence = options.bootstrap.confidence;
  require(confidence > 0 && confidence < 1, "agreement: confidence must be between 0 and 1");
  const auto rows = static_cast<int64_t>(items.of_item.size());
  if (rows == 0) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    return std::vector<Interval>(static_cast<size_t>(statistic.measures), Interval{kNan, kNan, kNan, 0});
  }
  if (options.bootstrap.resamples <= 0 || rows > options.bootstrap_items) {
    return jackknife(items, statistic, low, high, confidence);
  }
  std::vector<double> counts(items.counts.size());
  return bootstrap_weighted(
      rows, statistic.measures,
      [&](std::span<const double> weights, std::span<double> out) {
        std::fill(counts.begin(), counts.end(), 0.0);
        for (size_t i = 0; i < weights.size(); ++i) {
          counts[static_cast<size_t>(items.of_item[i])] += weights[i];
        }
        statistic.clear();
        for (size_t kind = 0; kind < counts.size(); ++kind) {
          if (counts[kind] > 0) {
            statistic.add(static_cast<int>(kind), counts[kind]);
          }
        }
        statistic.measure(out);
      },
      options.bootstrap);
}

}  // namespace slipway::stats
