#include "evaluate/compare.h"

#include "base/error.h"
#include "support/support.h"

namespace slipway::evaluate {
namespace {

// `right` of 100 rows right, from the first on.
Report report_with(const Rows& rows, int right) {
  std::vector<double> probabilities;
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    const bool hit = static_cast<int>(i) < right;
    const int says = hit ? rows.truth[i] : 1 - rows.truth[i];
    probabilities.push_back(says == 0 ? 0.8 : 0.2);
    probabilities.push_back(says == 1 ? 0.8 : 0.2);
  }
  return score({"no", "yes"}, rows, probabilities, {.slices = {}});
}

Rows hundred() {
  Rows rows;
  for (int i = 0; i < 100; ++i) {
    rows.texts.push_back("t" + std::to_string(i));
    rows.truth.push_back(i % 2);
  }
  return rows;
}

TEST(Compare, ABetterCandidateHasAPositiveDifference) {
  const Rows rows = hundred();
  const Comparison comparison = compare(report_with(rows, 70), report_with(rows, 90), rows, "m/1", {});
  const auto& accuracy = comparison.differences.at("accuracy");
  EXPECT_NEAR(accuracy.difference.value, 0.2, 1e-12);
  EXPECT_GT(accuracy.difference.low, 0.1);
  EXPECT_LT(accuracy.p, 0.01);
  EXPECT_EQ(comparison.mcnemar.b, 0);
  EXPECT_EQ(comparison.mcnemar.c, 20);
  EXPECT_DOUBLE_EQ(comparison.champion_measures.at("accuracy").value, 0.7);
}

TEST(Compare, TheSameModelDiffersInNothing) {
  const Rows rows = hundred();
  const Comparison comparison = compare(report_with(rows, 80), report_with(rows, 80), rows, "m/1", {});
  EXPECT_EQ(comparison.differences.at("f1").difference.value, 0);
  EXPECT_DOUBLE_EQ(comparison.differences.at("f1").p, 1);
}

TEST(Compare, RefusesReportsOfOtherRows) {
  const Rows rows = hundred();
  Rows fewer = rows;
  fewer.texts.pop_back();
  fewer.truth.pop_back();
  EXPECT_THROW(compare(report_with(fewer, 50), report_with(rows, 50), rows, "m/1", {}), base::Error);
}

}  // namespace
}  // namespace slipway::evaluate
