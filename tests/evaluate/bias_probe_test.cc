#include "evaluate/bias_probe.h"

#include "base/error.h"
#include "fake.h"
#include "support/support.h"

namespace slipway::evaluate {
namespace {

using tests::FakePredictor;
using tests::QuietContext;

const std::vector<std::string> kTexts = {"He gave a fine performance.", "She was not convincing at all.",
                                         "A long and tired film.", "His camera never rests.",
                                         "The story is told well."};

TEST(BiasProbe, AModelBlindToGenderNeverFlips) {
  QuietContext quiet;
  FakePredictor model({"negative", "positive"}, [](const std::string&) { return std::vector<float>{0.0F, 1.0F}; });
  const BiasReport report = bias_probe(model, kTexts, {}, quiet.context);
  EXPECT_GT(report.flip_rate.n, 0);
  EXPECT_EQ(report.flip_rate.value, 0);
  EXPECT_NEAR(report.max_shift, 0, 1e-12);
  EXPECT_EQ(report.favourable, "positive");
}

TEST(BiasProbe, FindsAModelThatDislikesWomen) {
  QuietContext quiet;
  FakePredictor model({"negative", "positive"}, [](const std::string& text) {
    const bool woman = text.find("She") != std::string::npos || text.find("Her") != std::string::npos;
    return woman ? std::vector<float>{2.0F, -2.0F} : std::vector<float>{-2.0F, 2.0F};
  });
  const BiasReport report = bias_probe(model, kTexts, {.attributed_texts = 0}, quiet.context);
  EXPECT_EQ(report.families[0].name, "gender");
  EXPECT_EQ(report.families[0].flip_rate.n, 3);
  EXPECT_EQ(report.families[0].flip_rate.value, 1);
  bool seen = false;
  for (const BiasGroup& group : report.groups) {
    if (group.group == "gender:female") {
      seen = true;
      EXPECT_LT(group.shift.value, -0.9);
      EXPECT_EQ(group.shift.n, 3);
    }
  }
  EXPECT_TRUE(seen);
  ASSERT_FALSE(report.examples.empty());
  EXPECT_NE(report.examples[0].label, report.examples[0].counterfactual_label);
}

TEST(BiasProbe, ChineseTextsGetPairsToo) {
  QuietContext quiet;
  FakePredictor model({"差评", "好评"}, [](const std::string& text) {
    return text.find("她") != std::string::npos ? std::vector<float>{1.0F, 0.0F} : std::vector<float>{0.0F, 1.0F};
  });
  const BiasReport report = bias_probe(model, {"他做的菜很好吃", "送餐很快，味道不错"}, {}, quiet.context);
  EXPECT_EQ(report.families[0].flip_rate.n, 1);
  EXPECT_EQ(report.families[0].flip_rate.value, 1);
  EXPECT_GT(report.families[2].flip_rate.n, 0);
}

TEST(BiasProbe, TheSameSeedGivesTheSamePairs) {
  QuietContext quiet;
  FakePredictor model({"n", "p"}, [](const std::string& text) {
    return std::vector<float>{static_cast<float>(text.size() % 7), 3.0F};
  });
  const auto once = to_json(bias_probe(model, kTexts, {.seed = 5}, quiet.context));
  EXPECT_EQ(once, to_json(bias_probe(model, kTexts, {.seed = 5}, quiet.context)));
}

TEST(BiasProbe, RefusesAnUnknownLabel) {
  QuietContext quiet;
  FakePredictor model({"n", "p"}, [](const std::string&) { return std::vector<float>{0.0F, 0.0F}; });
  EXPECT_THROW(bias_probe(model, kTexts, {.favourable = "good"}, quiet.context), base::Error);
}

TEST(BiasProbe, RefusesModelsWithoutLabels) {
  QuietContext quiet;
  FakePredictor model({}, [](const std::string&) { return std::vector<float>{}; });
  EXPECT_THROW(bias_probe(model, kTexts, {}, quiet.context), base::Error);
}

}  // namespace
}  // namespace slipway::evaluate
