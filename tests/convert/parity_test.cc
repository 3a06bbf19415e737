#include "convert/parity.h"

#include <cmath>

#include "base/error.h"
#include "convert/helpers.h"
#include "convert/quantize.h"
#include "engine/engine.h"
#include "support/support.h"
#include "support/tiny_bert.h"

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

TEST(Parity, Int8StaysNearFloatInTheEngine) {
  const base::TempDir dir;
  tests::write_tiny_bert(dir.path(), {.hidden = 64, .intermediate = 128, .weight_scale = 0.1});
  tests::TestContext test;
  quantize_int8(dir.path(), dir.path(), {}, test.context);
  const auto exact = engine::Engine::load(dir.path(), {.precision = "float32", .isa = {}}, test.pool);
  const auto int8 = engine::Engine::load(dir.path(), {.precision = "int8", .isa = {}}, test.pool);
  EXPECT_EQ(int8->precision(), "int8");
  const std::vector<std::string> texts = {"the movie was good", "i hate this film , it is awful !", "a very good plot",
                                          "not bad", ""};
  const Parity parity = compare(*exact, *int8, texts, {}, test.context);
  EXPECT_LT(parity.max_logit_difference, 0.1);  // logits of this model are of order 1
  EXPECT_GT(parity.max_logit_difference, 0);
  EXPECT_LT(max_cosine_distance(*exact, *int8, texts), 0.01);
}

TEST(Parity, RealEncoderInInt8StaysNear) {
  const auto minilm = tests::cached("minilm");
  if (!minilm) {
    GTEST_SKIP() << "skipped: no all-MiniLM-L6-v2 in the cache";
  }
  const base::TempDir dir;
  tests::TestContext test(2);
  quantize_int8(*minilm, dir.path(), {}, test.context);
  const auto exact = engine::Engine::load(*minilm, {.precision = "float32", .isa = {}}, test.pool);
  const auto int8 = engine::Engine::load(dir.path(), {}, test.pool);
  const std::vector<std::string> texts = {"A quietly devastating portrait of a family that never quite lets go.",
                                          "Stocks fell 2 percent on Tuesday, officials said.", "no", "brilliant!"};
  const double distance = max_cosine_distance(*exact, *int8, texts);
  RecordProperty("max_cosine_distance", std::to_string(distance));
  EXPECT_LT(distance, 0.02);
}

}  // namespace
}  // namespace slipway::convert
