#include "convert/parity.h"

#include <cmath>

#include "base/error.h"
#include "convert/helpers.h"
#include "support/support.h"

namespace slipway::convert {
namespace {

using base::Error;
using tests::TablePredictor;

const std::vector<std::string> kLabels = {"no", "yes"};
const std::vector<std::string> kTexts = {"a", "b", "c", "d"};

TEST(Parity, MeasuresDifferencesAgreementAndLoss) {
  TablePredictor reference(kLabels, {{"a", {1, 0}}, {"b", {0, 1}}, {"c", {2, 0}}, {"d", {0, 3}}});
  TablePredictor candidate(kLabels, {{"a", {1, 0.1F}}, {"b", {0, 1}}, {"c", {0.5F, 1}}, {"d", {0, 3}}});
  tests::TestContext test;
  const Parity parity = compare(reference, candidate, kTexts, std::vector<int>{0, 1, 0, 0}, test.context);
  EXPECT_EQ(parity.n, 4);
  EXPECT_DOUBLE_EQ(parity.max_logit_difference, 1.5);
  EXPECT_EQ(parity.worst_text, "c");
  EXPECT_NEAR(parity.mean_logit_difference, (0.1 + 1.5 + 1.0) / 8, 1e-7);
  EXPECT_DOUBLE_EQ(parity.agreement.value, 0.75);
  EXPECT_DOUBLE_EQ(parity.accuracy_reference->value, 0.75);
  EXPECT_DOUBLE_EQ(parity.accuracy_candidate->value, 0.5);
  EXPECT_DOUBLE_EQ(parity.accuracy_loss->difference.value, 0.25);
  EXPECT_EQ(to_json(parity)["accuracy_loss"]["n"], 4);
}

TEST(Parity, ANanIsNeverAgreement) {
  TablePredictor reference(kLabels, {{"a", {1, 0}}});
  TablePredictor candidate(kLabels, {{"a", {NAN, 0}}});
  tests::TestContext test;
  const std::vector<std::string> one = {"a"};
  EXPECT_EQ(compare(reference, candidate, one, {}, test.context).max_logit_difference, INFINITY);
  EXPECT_EQ(max_cosine_distance(reference, candidate, one), INFINITY);
}

TEST(Parity, WithoutTruthThereIsNoAccuracy) {
  TablePredictor model(kLabels, {{"a", {1, 0}}, {"b", {0, 1}}, {"c", {2, 0}}, {"d", {0, 3}}});
  tests::TestContext test;
  const Parity parity = compare(model, model, kTexts, {}, test.context);
  EXPECT_EQ(parity.max_logit_difference, 0);
  EXPECT_EQ(parity.agreement.value, 1);
  EXPECT_FALSE(parity.accuracy_loss.has_value());
  EXPECT_FALSE(to_json(parity).contains("accuracy_loss"));
}

TEST(Parity, RefusesWhatCannotBeCompared) {
  TablePredictor a(kLabels, {{"a", {1, 0}}});
  TablePredictor b({"yes", "no"}, {{"a", {1, 0}}});
  tests::TestContext test;
  const std::vector<std::string> one = {"a"};
  EXPECT_THROW(compare(a, b, one, {}, test.context), Error);
  EXPECT_THROW(compare(a, a, {}, {}, test.context), Error);
  EXPECT_THROW(compare(a, a, one, std::vector<int>{1, 0}, test.context), Error);
  test.stop.request_stop();
  EXPECT_THROW(compare(a, a, one, {}, test.context), Error);
}

}  // namespace
}  // namespace slipway::convert
