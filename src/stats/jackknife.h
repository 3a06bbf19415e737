// The interval of a statistic of items that fall into few distinct kinds: bootstrap while items are few, else the jackknife. Internal
// to stats.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "stats/agreement.h"

namespace slipway::stats {

struct ItemKinds {
  std::vector<int> of_item;    // kind of each item
  std::vector<double> counts;  // items of each kind
};

// Adds `weight` times an item of `kind` (weight may be negative) to sums that the caller keeps; `clear` empties them; `measure` fills the
// measures from them.
struct SumStatistic {
  int measures = 0;
  std::function<void()> clear;
  std::function<void(int kind, double weight)> add;
  std::function<void(std::span<double>)> measure;
};

// `low`, `high`: what the measures cannot leave. `n` of the intervals is the number of items. Resamples where a measure is NaN do not count.
std::vector<Interval> intervals_of(const ItemKinds& items, const SumStatistic& statistic, double low, double high,
                                   const AgreementOptions& options);

}  // namespace slipway::stats
