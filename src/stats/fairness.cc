#include "stats/fairness.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/bootstrap.h"
#include "stats/check.h"

namespace slipway::stats {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Tally {
  double cell[2][2] = {};  // [truth][decision], weighted
  int64_t rows = 0;
  int64_t selected = 0;
};

double over(double a, double b) { return b == 0 ? kNan : a / b; }

GroupRates rates_of(const Tally& t, bool has_truth) {
  GroupRates r;
  const double selected = t.cell[0][1] + t.cell[1][1];
  r.count = t.cell[0][0] + t.cell[1][0] + selected;
  r.selection_rate = over(selected, r.count);
  r.selection = wilson(t.selected, t.rows);
  if (!has_truth) {
    r.tpr = r.fpr = r.tnr = r.fnr = r.accuracy = r.precision = kNan;
    return r;
  }
  const double negatives = t.cell[0][0] + t.cell[0][1];
  const double positives = t.cell[1][0] + t.cell[1][1];
  r.tpr = over(t.cell[1][1], positives);
  r.fnr = over(t.cell[1][0], positives);
  r.fpr = over(t.cell[0][1], negatives);
  r.tnr = over(t.cell[0][0], negatives);
  r.accuracy = over(t.cell[0][0] + t.cell[1][1], r.count);
  r.precision = selected == 0 ? 0 : t.cell[1][1] / selected;
  return r;
}

using Rate = double GroupRates::*;

double difference(const Fairness& fairness, Rate rate, Against against) {
  double low = kNan;
  double high = kNan;
  double worst = kNan;
  for (const GroupRates& group : fairness.groups) {
    const double value = group.*rate;
    if (!std::isnan(value)) {
      low = std::fmin(low, value);
      high = std::fmax(high, value);
      worst = std::fmax(worst, std::abs(value - fairness.overall.*rate));
    }
  }
  return against == Against::kBetweenGroups ? high - low : worst;
}

double ratio(const Fairness& fairness, Rate rate, Against against) {
  double low = kNan;
  double high = kNan;
  double worst = kNan;
  for (const GroupRates& group : fairness.groups) {
    const double value = group.*rate;
    if (!std::isnan(value)) {
      low = std::fmin(low, value);
      high = std::fmax(high, value);
      const double r = over(value, fairness.overall.*rate);
      worst = std::fmin(worst, r > 1 ? 1 / r : r);
    }
  }
  return against == Against::kBetweenGroups ? over(low, high) : worst;
}

const GroupRates& group_at(const Fairness& fairness, int group) {
  require(group >= 0 && group < static_cast<int>(fairness.groups.size()), "fairness: there is no such group");
  return fairness.groups[group];
}

}  // namespace

Fairness group_rates(std::span<const int> truth, std::span<const int> decision, std::span<const int> group, int groups,
                     std::span<const double> weights) {
  require_labels(decision, 2, "fairness, decision");
  require_labels(group, groups, "fairness, group");
  require_same(decision.size(), group.size(), "fairness");
  if (!truth.empty()) {
    require_labels(truth, 2, "fairness, truth");
    require_same(decision.size(), truth.size(), "fairness");
  }
  if (!weights.empty()) {
    require_same(decision.size(), weights.size(), "fairness");
  }
  std::vector<Tally> tallies(groups);
  Tally all;
  for (size_t i = 0; i < decision.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[i];
    for (Tally* t : {&tallies[group[i]], &all}) {
      t->cell[truth.empty() ? 0 : truth[i]][decision[i]] += weight;
      ++t->rows;
      t->selected += decision[i];
    }
  }
  Fairness result;
  for (const Tally& t : tallies) {
    result.groups.push_back(rates_of(t, !truth.empty()));
  }
  result.overall = rates_of(all, !truth.empty());
  return result;
}

double demographic_parity_difference(const Fairness& fairness, Against against) {
  return difference(fairness, &GroupRates::selection_rate, against);
}

double demographic_parity_ratio(const Fairness& fairness, Against against) {
  return ratio(fairness, &GroupRates::selection_rate, against);
}

double equalized_odds_difference(const Fairness& fairness, Against against, Aggregate aggregate) {
  const double tpr = difference(fairness, &GroupRates::tpr, against);
  const double fpr = difference(fairness, &GroupRates::fpr, against);
  return aggregate == Aggregate::kWorst ? std::fmax(tpr, fpr) : (tpr + fpr) / 2;
}

double equalized_odds_ratio(const Fairness& fairness, Against against, Aggregate aggregate) {
  const double tpr = ratio(fairness, &GroupRates::tpr, against);
  const double fpr = ratio(fairness, &GroupRates::fpr, against);
  return aggregate == Aggregate::kWorst ? std::fmin(tpr, fpr) : (tpr + fpr) / 2;
}

double equal_opportunity_difference(const Fairness& fairness, Against against) {
  return difference(fairness, &GroupRates::tpr, against);
}

double equal_opportunity_ratio(const Fairness& fairness, Against against) {
  return ratio(fairness, &GroupRates::tpr, against);
}

double statistical_parity_difference(const Fairness& fairness, int privileged, int unprivileged) {
  return group_at(fairness, unprivileged).selection_rate - group_at(fairness, privileged).selection_rate;
}

double disparate_impact(const Fairness& fairness, int privileged, int unprivileged) {
  return over(group_at(fairness, unprivileged).selection_rate, group_at(fairness, privileged).selection_rate);
}

double average_odds_difference(const Fairness& fairness, int privileged, int unprivileged) {
  const GroupRates& p = group_at(fairness, privileged);
  const GroupRates& u = group_at(fairness, unprivileged);
  return ((u.fpr - p.fpr) + (u.tpr - p.tpr)) / 2;
}

double generalized_entropy(std::span<const int> truth, std::span<const int> decision, double alpha) {
  require_labels(truth, 2, "generalised entropy, truth");
  require_labels(decision, 2, "generalised entropy, decision");
  require_same(truth.size(), decision.size(), "generalised entropy");
  const auto n = static_cast<double>(truth.size());
  double count[3] = {};  // benefits are 0, 1 or 2
  for (size_t i = 0; i < truth.size(); ++i) {
    ++count[decision[i] - truth[i] + 1];
  }
  const double mean = (count[1] + 2 * count[2]) / n;
  if (mean == 0) {
    return kNan;
  }
  double sum = 0;
  for (int b = 0; b <= 2; ++b) {
    const double share = b / mean;
    if (alpha == 1) {
      sum += count[b] * (share > 0 ? share * std::log(share) : 0);
    } else if (alpha == 0) {
      sum -= count[b] == 0 ? 0 : count[b] * std::log(share);
    } else {
      sum += count[b] * (std::pow(share, alpha) - 1) / (alpha * (alpha - 1));
    }
  }
  return sum / n;
}

}  // namespace slipway::stats
