#include "stats/classification.h"

#include <numeric>

#include "base/error.h"
#include "stats/gold.h"

namespace slipway::stats {
namespace {

using tests::close;
using tests::flatten;
using tests::list;

void expect_triple(const LabelScores& got, const base::Json& want) {
  EXPECT_TRUE(close(got.precision, want[0]));
  EXPECT_TRUE(close(got.recall, want[1]));
  EXPECT_TRUE(close(got.f1, want[2]));
}

TEST(Classification, EqualsScikitLearn) {
  const auto gold = tests::own_gold()["classification"];
  for (const auto& c : gold) {
    const int labels = c["labels"];
    const auto truth = list<int>(c["y"]);
    const auto prob = list<double>(c["prob"]);
    const auto& want = c["expected"];
    std::vector<int> predicted(truth.size());
    std::vector<double> confidence(truth.size());
    top_labels(prob, labels, predicted, confidence);
    const ConfusionMatrix matrix = confusion_matrix(truth, predicted, labels);
    const ClassificationScores s = classification_scores(matrix);
    EXPECT_TRUE(close(s.accuracy, want["accuracy"]));
    EXPECT_TRUE(close(s.balanced_accuracy, want["balanced_accuracy"]));
    EXPECT_TRUE(close(s.mcc, want["mcc"]));
    EXPECT_TRUE(close(s.kappa, want["kappa"]));
    EXPECT_TRUE(close(kappa_quadratic(matrix), want["kappa_quadratic"]));
    expect_triple(s.macro, want["macro"]);
    expect_triple(s.micro, want["micro"]);
    expect_triple(s.weighted, want["weighted"]);
    for (int k = 0; k < labels; ++k) {
      expect_triple(s.per_label[k], want["per_label"][k]);
    }
    EXPECT_TRUE(close(log_loss(truth, prob, labels), want["log_loss"]));
    if (labels == 2) {
      std::vector<double> score;
      for (size_t i = 0; i < truth.size(); ++i) {
        score.push_back(prob[2 * i + 1]);
      }
      EXPECT_TRUE(close(roc_auc(truth, score), want["auc"]));
      EXPECT_TRUE(close(roc_auc_ovr_macro(truth, prob, 2), want["auc"]));
      EXPECT_TRUE(close(average_precision(truth, score), want["ap"]));
      EXPECT_TRUE(close(brier(truth, score), want["brier"]));
      EXPECT_TRUE(close(brier_multiclass(truth, prob, 2), 2 * want["brier"].get<double>()));
    } else {
      EXPECT_TRUE(close(roc_auc_ovr_macro(truth, prob, labels), want["auc_ovr"]));
      EXPECT_TRUE(close(roc_auc_ovo_macro(truth, prob, labels), want["auc_ovo"]));
      EXPECT_TRUE(close(top_k_accuracy(truth, prob, labels, 2), want["top2"]));
    }
  }
}

TEST(Classification, EqualsTheSharedGold) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/metrics/classification.json");
  const auto truth = list<int>(gold["y"]);
  const auto predicted = list<int>(gold["pred"]);
  const auto prob = flatten<double>(gold["prob"]);
  const ConfusionMatrix matrix = confusion_matrix(truth, predicted, 3);
  EXPECT_EQ(matrix.counts, flatten<int64_t>(gold["confusion"]));
  const ClassificationScores s = classification_scores(matrix);
  EXPECT_TRUE(close(s.accuracy, gold["accuracy"]));
  EXPECT_TRUE(close(s.balanced_accuracy, gold["balanced_accuracy"]));
  EXPECT_TRUE(close(s.mcc, gold["mcc"]));
  EXPECT_TRUE(close(s.kappa, gold["kappa"]));
  EXPECT_TRUE(close(kappa_quadratic(matrix), gold["kappa_quadratic"]));
  expect_triple(s.macro, gold["prf"]["macro"]);
  expect_triple(s.weighted, gold["prf"]["weighted"]);
  EXPECT_TRUE(close(log_loss(truth, prob, 3), gold["log_loss"]));
  EXPECT_TRUE(close(top_k_accuracy(truth, prob, 3, 2), gold["top2"]));
  EXPECT_TRUE(close(roc_auc_ovr_macro(truth, prob, 3), gold["auc_ovr_macro"]));
  EXPECT_TRUE(close(roc_auc_ovo_macro(truth, prob, 3), gold["auc_ovo_macro"]));

  std::vector<int> binary;
  std::vector<double> score;
  std::vector<int> correct;
  std::vector<double> confidence(truth.size());
  std::vector<int> label(truth.size());
  top_labels(prob, 3, label, confidence);
  for (size_t i = 0; i < truth.size(); ++i) {
    binary.push_back(truth[i] == 1 ? 1 : 0);
    score.push_back(prob[3 * i + 1]);
    correct.push_back(predicted[i] == truth[i] ? 1 : 0);
  }
  EXPECT_TRUE(close(roc_auc(binary, score), gold["binary"]["auc"]));
  EXPECT_TRUE(close(average_precision(binary, score), gold["binary"]["ap"]));
  EXPECT_TRUE(close(brier(binary, score), gold["binary"]["brier"]));
  const Calibration wide = calibration_equal_width(confidence, correct, 15);
  EXPECT_TRUE(close(wide.ece, gold["ece_15_equal_width"]["ece"]));
  EXPECT_TRUE(close(wide.mce, gold["ece_15_equal_width"]["mce"]));
  const Calibration ten = calibration_equal_width(confidence, correct, 10);
  EXPECT_TRUE(close(ten.ece, gold["ece_10_equal_width"]["ece"]));
  EXPECT_TRUE(close(ten.mce, gold["ece_10_equal_width"]["mce"]));
  const Calibration mass = calibration_equal_mass(confidence, correct, 15);
  EXPECT_TRUE(close(mass.ece, gold["ece_15_equal_mass"]["ece"]));
  EXPECT_TRUE(close(mass.mce, gold["ece_15_equal_mass"]["mce"]));
}

TEST(Classification, LeavesOutLabelsThatNeverOccur) {
  const std::vector<int> truth = {0, 0, 1, 1};
  const std::vector<int> predicted = {0, 1, 1, 1};
  const auto two = classification_scores(confusion_matrix(truth, predicted, 2));
  const auto five = classification_scores(confusion_matrix(truth, predicted, 5));
  EXPECT_DOUBLE_EQ(two.macro.f1, five.macro.f1);
  EXPECT_DOUBLE_EQ(two.balanced_accuracy, five.balanced_accuracy);
  EXPECT_EQ(five.per_label[4].f1, 0);
}

TEST(Classification, AucIsNotDefinedWithOneClass) {
  EXPECT_TRUE(std::isnan(roc_auc(std::vector<int>{1, 1}, std::vector<double>{0.2, 0.3})));
  EXPECT_DOUBLE_EQ(roc_auc(std::vector<int>{0, 1, 0, 1}, std::vector<double>{0.5, 0.5, 0.5, 0.5}), 0.5);
}

TEST(Classification, BinEdgesBelongToTheLowerBin) {
  // 0.2 is an edge of five bins and of fifteen; 0 goes to the first bin.
  const std::vector<double> confidence = {0.2, 0.2, 0.0, 1.0};
  const std::vector<int> correct = {1, 0, 0, 1};
  const Calibration five = calibration_equal_width(confidence, correct, 5);
  EXPECT_EQ(five.bins[0].n, 3);
  EXPECT_EQ(five.bins[4].n, 1);
  EXPECT_EQ(calibration_equal_width(confidence, correct, 15).bins[2].n, 2);
}

TEST(Classification, EqualMassPartsDifferByOneRowAtMost) {
  std::vector<double> confidence(17);
  std::iota(confidence.begin(), confidence.end(), 1.0);
  for (double& c : confidence) {
    c /= 20;
  }
  const std::vector<int> correct(17, 1);
  const Calibration c = calibration_equal_mass(confidence, correct, 5);
  std::vector<int64_t> sizes;
  for (const auto& bin : c.bins) {
    sizes.push_back(bin.n);
  }
  EXPECT_EQ(sizes, (std::vector<int64_t>{4, 4, 3, 3, 3}));
}

TEST(Classification, SaysWhatIsWrongWithTheInput) {
  EXPECT_THROW(confusion_matrix(std::vector<int>{0, 1}, std::vector<int>{0}, 2), base::Error);
  EXPECT_THROW(confusion_matrix(std::vector<int>{}, std::vector<int>{}, 2), base::Error);
  try {
    confusion_matrix(std::vector<int>{0, 3}, std::vector<int>{0, 1}, 2);
    FAIL();
  } catch (const base::Error& e) {
    EXPECT_NE(std::string(e.what()).find("row 1 has label 3"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace slipway::stats
