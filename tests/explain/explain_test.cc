#include "explain/explain.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "explain/bag_of_words.h"
#include "explain/faithfulness.h"
#include "support/support.h"

namespace slipway::explain {
namespace {

using base::Json;
using tests::BagOfWords;
using tests::QuietContext;

TEST(Faithfulness, EqualsFerretsDefinitions) {
  SLIPWAY_NEEDS_SHARED(shared);
  const Json gold =
      base::parse_json(base::read_file(shared / "reference/gold/misc_canary_audit_faithfulness.json"), "gold");
  QuietContext quiet;
  for (const Json& row : gold["faithfulness"]) {
    BagOfWords model;
    Answers answers(model, 1, Output::kProbability, quiet.context);
    std::string text;
    for (const Json& word : row["words"]) {
      text += word.get<std::string>() + " ";
    }
    const Faithfulness result =
        measure_faithfulness(answers, MaskedText(text), row["scores"].get<std::vector<double>>());
    EXPECT_NEAR(result.comprehensiveness, row["expected"]["aopc_comprehensiveness"].get<double>(), 1e-6);
    EXPECT_NEAR(result.sufficiency, row["expected"]["aopc_sufficiency"].get<double>(), 1e-6);
    EXPECT_NEAR(result.tau_loo, row["expected"]["tau_loo"].get<double>(), 1e-9) << text;
  }
}

TEST(Faithfulness, PrefersATrueRankingToAFalseOne) {
  QuietContext quiet;
  BagOfWords model;
  Answers answers(model, 1, Output::kProbability, quiet.context);
  const MaskedText text("a great and fast film");
  const Faithfulness right = measure_faithfulness(answers, text, {0, 0.3, 0, 0.1, 0});
  const Faithfulness wrong = measure_faithfulness(answers, text, {0.3, 0, 0.2, 0, 0.1});
  EXPECT_GT(right.comprehensiveness, wrong.comprehensiveness);
  EXPECT_LT(right.sufficiency, wrong.sufficiency);
  EXPECT_LT(right.deletion_auc, wrong.deletion_auc);
}

TEST(Faithfulness, DeletionCurveOfAStepIsKnown) {
  // One word of two decides: p falls from p1 to p0 after the first deletion, then stays.
  QuietContext quiet;
  BagOfWords model;
  Answers answers(model, 1, Output::kProbability, quiet.context);
  const Faithfulness result = measure_faithfulness(answers, MaskedText("great film"), {0.3, 0.0});
  const double p1 = 1 / (1 + std::exp(-1.5));
  const double p0 = 1 / (1 + std::exp(0.1));
  EXPECT_NEAR(result.deletion_auc, 0.5 * (p1 + p0) / 2 + 0.5 * p0, 1e-6);
}

TEST(Faithfulness, KendallHandlesTies) {
  EXPECT_NEAR(kendall_tau({1, 2, 3}, {1, 2, 3}), 1, 1e-12);
  EXPECT_NEAR(kendall_tau({1, 2, 3}, {3, 2, 1}), -1, 1e-12);
  EXPECT_NEAR(kendall_tau({1, 1, 2}, {1, 2, 3}), 2 / std::sqrt(6.0), 1e-12);
  EXPECT_TRUE(std::isnan(kendall_tau({1, 1}, {1, 2})));
}

TEST(Explain, ExplainsThePredictedLabelByEveryMethod) {
  QuietContext quiet;
  BagOfWords model;
  for (const char* method : {"lime", "shap", "shap-exact"}) {
    ExplainOptions options;
    options.method = method;
    options.num_samples = 500;
    const Explanation result = explain(model, "Not good, the app is slow!", options, quiet.context);
    EXPECT_EQ(result.label, "negative") << method;
    EXPECT_GT(result.prediction, 0.9);
    ASSERT_EQ(result.words.size(), 6U);
    EXPECT_EQ(result.words[0].word, "Not");
    EXPECT_GT(result.words[0].value, 0.05) << method;  // speaks for "negative"
    ASSERT_TRUE(result.faithfulness.has_value());
    EXPECT_GT(result.faithfulness->comprehensiveness, 0);
    EXPECT_EQ(result.local_r2.has_value(), std::string(method) == "lime");
  }
}

TEST(Explain, ExplainsTheLabelAndOutputAskedFor) {
  QuietContext quiet;
  BagOfWords model;
  ExplainOptions options;
  options.label = "positive";
  options.output = "logit";
  options.faithfulness = false;
  const Explanation result = explain(model, "love the refund", options, quiet.context);
  EXPECT_NEAR(result.words[0].value, 1.8, 1e-5);
  EXPECT_NEAR(result.words[2].value, -0.5, 1e-5);
  EXPECT_NEAR(result.base_value, -0.1, 1e-5);
  EXPECT_FALSE(result.faithfulness.has_value());
}

TEST(Explain, NeverAsksAboutTheSameTextTwice) {
  QuietContext quiet;
  BagOfWords model;
  ExplainOptions options;
  for (const char* label : {"", "positive"}) {
    model = {};
    options.label = label;
    const Explanation result = explain(model, "not good , the app is slow and it will crash", options, quiet.context);
    EXPECT_EQ(static_cast<size_t>(model.asked), model.seen.size());
    EXPECT_EQ(model.asked, result.evaluations + result.faithfulness->evaluations);
  }
}

TEST(Explain, NamesWhatItDoesNotKnow) {
  QuietContext quiet;
  BagOfWords model;
  const auto error_of = [&](const ExplainOptions& options) -> std::string {
    try {
      explain(model, "great", options, quiet.context);
    } catch (const base::Error& error) {
      return error.what();
    }
    return "no error";
  };
  ExplainOptions options;
  options.method = "shapp";
  EXPECT_NE(error_of(options).find("did you mean 'shap'"), std::string::npos);
  options = {};
  options.label = "postive";
  EXPECT_NE(error_of(options).find("did you mean 'positive'"), std::string::npos);
  options = {};
  options.output = "odds";
  EXPECT_NE(error_of(options).find("known: probability, logit"), std::string::npos);
}

TEST(Explain, ReadsItsOptions) {
  ExplainOptions options;
  base::FieldTable table;
  options.describe(table);
  table.apply(Json::parse(R"({"method": "lime", "num_samples": 50, "seed": 9})"), "test");
  EXPECT_EQ(options.method, "lime");
  EXPECT_EQ(options.num_samples, 50);
  EXPECT_THROW(table.apply(Json::parse(R"({"metod": "lime"})"), "test"), base::Error);
}

TEST(Explain, WritesOffsetsInCodePoints) {
  QuietContext quiet;
  BagOfWords model;
  const Json json = to_json(explain(model, "é 真 great", {}, quiet.context));
  EXPECT_EQ(json["tokens"][1]["begin"], 2);
  EXPECT_EQ(json["tokens"][1]["end"], 3);
  EXPECT_EQ(json["tokens"][2]["begin"], 4);
  EXPECT_EQ(json["tokens"][2]["word"], "great");
  EXPECT_TRUE(json.contains("completeness_error"));
}

TEST(Explain, WritesEscapedColouredHtml) {
  QuietContext quiet;
  BagOfWords model;
  ExplainOptions options;
  options.label = "positive";
  const std::string html = to_html(explain(model, "<b>great</b> & \"slow\"", options, quiet.context));
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_NE(html.find("&lt;"), std::string::npos);
  EXPECT_NE(html.find("&amp; &quot;"), std::string::npos);
  EXPECT_NE(html.find("rgba(230,97,1,0.75)"), std::string::npos);  // the strongest word
  EXPECT_NE(html.find(">great</span>"), std::string::npos);
}

}  // namespace
}  // namespace slipway::explain
