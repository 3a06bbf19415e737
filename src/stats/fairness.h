// Fairness of decisions between groups, with Fairlearn's and AIF360's definitions. Decisions and truths are 0 or 1 (1 =
// favourable); groups are numbers 0 … groups-1. Rates without rows are NaN and left out of minima and maxima. Pure
// functions: any thread. Length mismatch throws Error(kInvalid).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stats/interval.h"

namespace slipway::stats {

struct GroupRates {
  double count = 0;           // rows, or their weights' sum
  double selection_rate = 0;  // P(decision = 1)
  double tpr = 0;             // P(decision = 1 | truth = 1)
  double fpr = 0;             // P(decision = 1 | truth = 0)
  double tnr = 0;
  double fnr = 0;
  double accuracy = 0;
  double precision = 0;  // 0 when nothing was selected
  Interval selection;    // Wilson interval of the selection rate (by rows, unweighted)
};

struct Fairness {
  std::vector<GroupRates> groups;
  GroupRates overall;
};

// `truth` may be empty: only selection rates are filled. `weights` may be empty (1 each).
Fairness group_rates(std::span<const int> truth, std::span<const int> decision, std::span<const int> group, int groups,
                     std::span<const double> weights = {});

enum class Against { kBetweenGroups, kToOverall };
enum class Aggregate { kWorst, kMean };

// Largest minus smallest rate, or the largest distance to the overall rate.
double demographic_parity_difference(const Fairness& fairness, Against against = Against::kBetweenGroups);
// Smallest over largest, or the smallest min(r, 1/r) of a group's rate over the overall rate.
double demographic_parity_ratio(const Fairness& fairness, Against against = Against::kBetweenGroups);
// The worse (or mean) of the differences, respectively ratios, of TPR and FPR.
double equalized_odds_difference(const Fairness& fairness, Against against = Against::kBetweenGroups,
                                 Aggregate aggregate = Aggregate::kWorst);
double equalized_odds_ratio(const Fairness& fairness, Against against = Against::kBetweenGroups,
                            Aggregate aggregate = Aggregate::kWorst);
double equal_opportunity_difference(const Fairness& fairness, Against against = Against::kBetweenGroups);  // TPR
double equal_opportunity_ratio(const Fairness& fairness, Against against = Against::kBetweenGroups);

// AIF360: unprivileged minus (over) privileged group.
double statistical_parity_difference(const Fairness& fairness, int privileged, int unprivileged);
double disparate_impact(const Fairness& fairness, int privileged, int unprivileged);
double average_odds_difference(const Fairness& fairness, int privileged, int unprivileged);
// Generalised entropy of benefits b = decision - truth + 1 (Speicher 2018); alpha 1 is Theil's index.
double generalized_entropy(std::span<const int> truth, std::span<const int> decision, double alpha);

}  // namespace slipway::stats
