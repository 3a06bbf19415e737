#include "stats/fairness.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "stats/gold.h"

namespace slipway::stats {
namespace {

using tests::close;
using tests::list;

struct Groups {
  std::vector<std::string> names;
  std::vector<int> of_row;
};

Groups number(const base::Json& group) {
  Groups groups;
  for (const auto& g : group) {
    groups.names.push_back(g);
  }
  std::sort(groups.names.begin(), groups.names.end());
  groups.names.erase(std::unique(groups.names.begin(), groups.names.end()), groups.names.end());
  for (const auto& g : group) {
    groups.of_row.push_back(static_cast<int>(std::find(groups.names.begin(), groups.names.end(), g.get<std::string>()) -
                                             groups.names.begin()));
  }
  return groups;
}

TEST(Fairness, EqualsFairlearn) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/fairness_fairlearn.json");
  for (const auto& c : gold["cases"]) {
    const auto truth = list<int>(c["y_true"]);
    const auto decision = list<int>(c["y_pred"]);
    const Groups groups = number(c["group"]);
    const int count = static_cast<int>(groups.names.size());
    const Fairness f = group_rates(truth, decision, groups.of_row, count);
    const Fairness weighted = group_rates(truth, decision, groups.of_row, count, list<double>(c["sample_weight"]));
    const auto& want = c["expected"];
    const auto expect = [&](const std::string& key, double got) { EXPECT_TRUE(close(got, want.at(key))) << key; };
    expect("demographic_parity_difference.between_groups", demographic_parity_difference(f));
    expect("demographic_parity_difference.to_overall", demographic_parity_difference(f, Against::kToOverall));
    expect("demographic_parity_difference.between_groups.weighted", demographic_parity_difference(weighted));
    expect("demographic_parity_ratio.between_groups", demographic_parity_ratio(f));
    expect("demographic_parity_ratio.to_overall", demographic_parity_ratio(f, Against::kToOverall));
    expect("demographic_parity_ratio.between_groups.weighted", demographic_parity_ratio(weighted));
    expect("equalized_odds_difference.between_groups", equalized_odds_difference(f));
    expect("equalized_odds_difference.to_overall", equalized_odds_difference(f, Against::kToOverall));
    expect("equalized_odds_difference.between_groups.weighted", equalized_odds_difference(weighted));
    expect("equalized_odds_difference.agg_mean",
           equalized_odds_difference(f, Against::kBetweenGroups, Aggregate::kMean));
    expect("equalized_odds_ratio.between_groups", equalized_odds_ratio(f));
    expect("equalized_odds_ratio.to_overall", equalized_odds_ratio(f, Against::kToOverall));
    expect("equalized_odds_ratio.between_groups.weighted", equalized_odds_ratio(weighted));
    expect("equal_opportunity_difference.between_groups", equal_opportunity_difference(f));
    expect("equal_opportunity_difference.to_overall", equal_opportunity_difference(f, Against::kToOverall));
    expect("equal_opportunity_ratio.between_groups", equal_opportunity_ratio(f));
    for (int g = 0; g < count; ++g) {
      const auto& by = want["by_group"][groups.names[g]];
      EXPECT_TRUE(close(f.groups[g].selection_rate, by["selection_rate"]));
      EXPECT_TRUE(close(f.groups[g].tpr, by["tpr"]));
      EXPECT_TRUE(close(f.groups[g].fpr, by["fpr"]));
      EXPECT_TRUE(close(f.groups[g].accuracy, by["accuracy"]));
      EXPECT_TRUE(close(f.groups[g].precision, by["precision"]));
    }
  }
}

TEST(Fairness, EqualsAif360) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/fairness_aif360.json");
  for (const auto& c : gold["cases"]) {
    const auto truth = list<int>(c["y_true"]);
    const auto decision = list<int>(c["y_pred"]);
    const Groups groups = number(c["group"]);
    const Fairness f = group_rates(truth, decision, groups.of_row, static_cast<int>(groups.names.size()));
    const auto at = [&](const char* key) {
      return static_cast<int>(std::find(groups.names.begin(), groups.names.end(), c[key].get<std::string>()) -
                              groups.names.begin());
    };
    const auto& want = c["expected"];
    EXPECT_TRUE(close(statistical_parity_difference(f, at("privileged"), at("unprivileged")),
                      want["statistical_parity_difference"]));
    EXPECT_TRUE(close(disparate_impact(f, at("privileged"), at("unprivileged")), want["disparate_impact"]));
    EXPECT_TRUE(
        close(average_odds_difference(f, at("privileged"), at("unprivileged")), want["average_odds_difference"]));
    EXPECT_TRUE(close(generalized_entropy(truth, decision, 1), want["theil_index"]));
    EXPECT_TRUE(close(generalized_entropy(truth, decision, 2), want["generalized_entropy_index"]));
  }
}

TEST(Fairness, SmallCaseByHand) {
  const std::vector<int> truth = {1, 0, 1, 0};
  const std::vector<int> decision = {1, 1, 0, 0};
  const std::vector<int> group = {0, 0, 1, 1};
  const Fairness f = group_rates(truth, decision, group, 2);
  EXPECT_EQ(demographic_parity_difference(f), 1);
  EXPECT_EQ(demographic_parity_ratio(f), 0);
  EXPECT_EQ(equalized_odds_difference(f), 1);
  EXPECT_EQ(f.overall.selection_rate, 0.5);
  EXPECT_EQ(f.groups[0].selection.n, 2);
}

TEST(Fairness, GroupsWithoutRowsAreLeftOut) {
  const std::vector<int> decision = {1, 0, 1, 0};
  const std::vector<int> group = {0, 0, 2, 2};
  const Fairness f = group_rates({}, decision, group, 3);
  EXPECT_TRUE(std::isnan(f.groups[1].selection_rate));
  EXPECT_EQ(demographic_parity_difference(f), 0);
  EXPECT_TRUE(std::isnan(f.groups[0].tpr));
  EXPECT_THROW(group_rates({}, decision, std::vector<int>{0, 1, 2, 3}, 3), base::Error);
}

}  // namespace
}  // namespace slipway::stats
