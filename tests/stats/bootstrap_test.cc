#include "stats/bootstrap.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "stats/gold.h"

namespace slipway::stats {
namespace {

using tests::close;

struct Rows {
  std::vector<int> truth, predicted;
  std::vector<double> probabilities;
  int labels;
  Classified view() const { return {truth, predicted, probabilities, labels}; }
};

Rows make_rows(int n, int labels, double skill, uint64_t seed) {
  base::Rng rng(seed);
  base::Rng truth(99);
  Rows rows{{}, {}, {}, labels};
  for (int i = 0; i < n; ++i) {
    rows.truth.push_back(static_cast<int>(truth.below(labels)));
    double sum = 0;
    std::vector<double> p(labels);
    for (int k = 0; k < labels; ++k) {
      p[k] = std::exp(rng.normal() + (k == rows.truth.back() ? skill : 0));
      sum += p[k];
    }
    int best = 0;
    for (int k = 0; k < labels; ++k) {
      best = p[k] > p[best] ? k : best;
      rows.probabilities.push_back(p[k] / sum);
    }
    rows.predicted.push_back(best);
  }
  return rows;
}

TEST(Bootstrap, MeanIntervalIsAboutTheNormalOne) {
  base::Rng rng(5);
  std::vector<double> values;
  for (int i = 0; i < 500; ++i) {
    values.push_back(rng.normal());
  }
  const Interval mean = bootstrap_mean(values);
  EXPECT_NEAR(mean.high - mean.low, 2 * 1.96 / std::sqrt(500.0), 0.02);
  EXPECT_EQ(mean.n, 500);
  const Interval same = bootstrap_mean(values);
  EXPECT_EQ(mean.low, same.low);
  EXPECT_NE(mean.low, bootstrap_mean(values, {.seed = 8}).low);
}

TEST(Bootstrap, CoversTheTruthAboutNineteenTimesInTwenty) {
  int covered = 0;
  constexpr int kRuns = 200;
  for (int run = 0; run < kRuns; ++run) {
    base::Rng rng(100 + run);
    std::vector<double> hits;
    for (int i = 0; i < 100; ++i) {
      hits.push_back(rng.uniform() < 0.8 ? 1 : 0);
    }
    const Interval interval = bootstrap_mean(hits, {.resamples = 400, .seed = static_cast<uint64_t>(run)});
    covered += interval.low <= 0.8 && 0.8 <= interval.high ? 1 : 0;
  }
  EXPECT_GE(covered, 178);  // 95 % of 200 less four standard deviations
}

TEST(Bootstrap, IndicesAndWeightsAgree) {
  const Rows rows = make_rows(80, 2, 1, 3);
  const Interval by_index = bootstrap(80, [&](std::span<const int> index) {
    double hits = 0;
    for (const int i : index) {
      hits += rows.truth[i] == rows.predicted[i] ? 1 : 0;
    }
    return hits / static_cast<double>(index.size());
  });
  const Interval by_weight = classification_intervals(rows.view()).at("accuracy");
  EXPECT_NEAR(by_index.low, by_weight.low, 1e-12);
  EXPECT_NEAR(by_index.high, by_weight.high, 1e-12);
  EXPECT_NEAR(by_index.value, by_weight.value, 1e-12);
}

TEST(Bootstrap, ValuesAreThePlainMeasures) {
  for (const int labels : {2, 4}) {
    const Rows rows = make_rows(150, labels, 1, 11);
    const auto got = classification_intervals(rows.view(), {.resamples = 50});
    const auto s = classification_scores(confusion_matrix(rows.truth, rows.predicted, labels));
    EXPECT_TRUE(close(got.at("f1").value, s.macro.f1));
    EXPECT_TRUE(close(got.at("mcc").value, s.mcc));
    EXPECT_TRUE(close(got.at("recall.1").value, s.per_label[1].recall));
    EXPECT_TRUE(close(got.at("roc_auc").value, roc_auc_ovr_macro(rows.truth, rows.probabilities, labels)));
    EXPECT_TRUE(close(got.at("log_loss").value, log_loss(rows.truth, rows.probabilities, labels)));
    std::vector<int> label(rows.truth.size());
    std::vector<double> confidence(rows.truth.size());
    top_labels(rows.probabilities, labels, label, confidence);
    std::vector<int> correct;
    for (size_t i = 0; i < label.size(); ++i) {
      correct.push_back(label[i] == rows.truth[i] ? 1 : 0);
    }
    const Calibration calibration = calibration_equal_width(confidence, correct);
    EXPECT_TRUE(close(got.at("ece").value, calibration.ece));
    EXPECT_TRUE(close(got.at("mce").value, calibration.mce));
    EXPECT_EQ(got.contains("average_precision"), labels == 2);
    for (const auto& [name, interval] : got) {
      EXPECT_LE(interval.low, interval.value) << name;
      EXPECT_GE(interval.high, interval.value) << name;
    }
  }
}

TEST(Bootstrap, APerfectScoreIsAsSureAsItsRowsAllow) {
  Rows rows{{}, {}, {}, 2};
  for (int i = 0; i < 100; ++i) {
    rows.truth.push_back(i < 20 ? 1 : 0);
    rows.predicted.push_back(rows.truth.back());
    rows.probabilities.insert(rows.probabilities.end(), {i < 20 ? 0.1 : 0.9, i < 20 ? 0.9 : 0.1});
  }
  const double z2 = 1.959963984540054 * 1.959963984540054;
  const auto limit = [&](double n) { return n / (n + z2); };
  const auto got = classification_intervals(rows.view(), {.resamples = 100});
  const std::map<std::string, double> lows = {{"accuracy", limit(100)},
                                              {"f1_weighted", limit(100)},
                                              {"recall.1", limit(20)},
                                              {"precision.0", limit(80)},
                                              {"f1.1", limit(20)},
                                              {"roc_auc", limit(20)},
                                              {"f1", limit(64)},
                                              {"balanced_accuracy", limit(64)},  // 4 / (1/20 + 1/80)
                                              {"kappa", (limit(100) - 0.68) / 0.32},
                                              {"average_precision", limit(20)}};
  for (const auto& [name, low] : lows) {
    EXPECT_NEAR(got.at(name).low, low, 1e-9) << name;
    EXPECT_NEAR(got.at(name).high, 1, 1e-9) << name;
    EXPECT_EQ(got.at(name).n, 100) << name;
  }
  EXPECT_EQ(got.at("mcc").low, got.at("kappa").low);
  EXPECT_NEAR(got.at("brier").high - got.at("brier").low, 0, 1e-12);  // 0.01 on every row, and no proportion
  // Every row wrong: the same from the other end.
  for (int& label : rows.predicted) {
    label = 1 - label;
  }
  const auto wrong = classification_intervals(rows.view(), {.resamples = 100});
  EXPECT_EQ(wrong.at("accuracy").low, 0);
  EXPECT_NEAR(wrong.at("accuracy").high, 1 - limit(100), 1e-9);
  EXPECT_NEAR(wrong.at("recall.1").high, 1 - limit(20), 1e-9);
  EXPECT_NEAR(wrong.at("precision.1").high, 1 - limit(80), 1e-9);
  // One error is enough for the resamples to differ.
  rows.predicted = rows.truth;
  rows.predicted[50] = 1;
  const auto nearly = classification_intervals(rows.view());
  EXPECT_LT(nearly.at("accuracy").low, 0.99);
  EXPECT_NEAR(nearly.at("recall.1").low, limit(20), 1e-9);
}

TEST(Bootstrap, WithoutProbabilitiesReportsCountsOnly) {
  Rows rows = make_rows(50, 3, 1, 2);
  rows.probabilities.clear();
  const auto got = classification_intervals(rows.view(), {.resamples = 20});
  EXPECT_TRUE(got.contains("f1"));
  EXPECT_FALSE(got.contains("roc_auc"));
}

TEST(Bootstrap, TellsABetterModelFromAnEqualOne) {
  const Rows good = make_rows(400, 2, 2.5, 1);
  const Rows bad = make_rows(400, 2, 0.6, 2);
  const Rows other = make_rows(400, 2, 0.6, 3);
  const auto better = classification_difference(bad.view(), good.view());
  EXPECT_GT(better.at("accuracy").difference.low, 0);
  EXPECT_LT(better.at("accuracy").p, 0.01);
  const auto equal = classification_difference(bad.view(), other.view());
  EXPECT_GT(equal.at("f1").p, 0.05);
  const auto self = classification_difference(bad.view(), bad.view());
  EXPECT_EQ(self.at("f1").difference.value, 0);
  EXPECT_EQ(self.at("f1").p, 1);
}

TEST(Bootstrap, PairedDifferenceKnowsItsSign) {
  std::vector<double> a(100);
  std::vector<double> b(100);
  base::Rng rng(1);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = 10 * rng.normal();
    b[i] = a[i] + 0.5 + 0.1 * rng.normal();
  }
  const Difference d = paired_difference(a, b);
  EXPECT_NEAR(d.difference.value, 0.5, 0.05);
  EXPECT_GT(d.difference.low, 0.4);
  EXPECT_LE(d.p, 2.0 / 2001 + 1e-12);
}

TEST(Proportions, EqualScipy) {
  const auto gold = tests::own_gold();
  const Interval w = wilson(gold["wilson"]["successes"], gold["wilson"]["n"]);
  EXPECT_TRUE(close(w.low, gold["wilson"]["low"]));
  EXPECT_TRUE(close(w.high, gold["wilson"]["high"]));
  const McNemar m = mcnemar(gold["mcnemar"]["b"], gold["mcnemar"]["c"]);
  EXPECT_TRUE(close(m.exact_p, gold["mcnemar"]["exact_p"]));
  EXPECT_TRUE(close(m.mid_p, gold["mcnemar"]["mid_p"]));
}

TEST(Proportions, EqualTheSharedGold) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/metrics/classification.json");
  const auto truth = tests::list<int>(gold["y"]);
  const McNemar m = mcnemar(truth, tests::list<int>(gold["pred"]), tests::list<int>(gold["pred2"]));
  const auto& want = gold["mcnemar"];
  EXPECT_EQ(m.b, want["b"]);
  EXPECT_EQ(m.c, want["c"]);
  EXPECT_TRUE(close(m.exact_p, want["exact_p"]));
  EXPECT_TRUE(close(m.mid_p, want["midp"]));
  EXPECT_TRUE(close(m.chi2, want["chi2"]));
  EXPECT_TRUE(close(m.chi2_p, want["chi2_p"]));
  EXPECT_TRUE(close(m.chi2_cc, want["chi2_cc"]));
  EXPECT_TRUE(close(m.chi2_cc_p, want["chi2_cc_p"]));
  const Interval w = wilson(130, 200);
  EXPECT_TRUE(close(w.low, gold["wilson95_accuracy"][0]));
  EXPECT_TRUE(close(w.high, gold["wilson95_accuracy"][1]));
  std::vector<double> correct;
  for (size_t i = 0; i < truth.size(); ++i) {
    correct.push_back(truth[i] == gold["pred"][i] ? 1 : 0);
  }
  const Interval b = bootstrap_mean(correct, {.resamples = 20000});
  EXPECT_NEAR(b.low, gold["bootstrap_accuracy"]["lo_hi_se"][0], 0.01);
  EXPECT_NEAR(b.high, gold["bootstrap_accuracy"]["lo_hi_se"][1], 0.01);
}

TEST(Proportions, TwoOfThemNewcombesExample) {
  // Newcombe 1998, table II: 56/70 against 48/80 has the interval 0.0524 to 0.3339 by his method 10.
  const Difference d = two_proportions(48, 80, 56, 70);
  EXPECT_NEAR(d.difference.low, 0.0524, 5e-5);
  EXPECT_NEAR(d.difference.high, 0.3339, 5e-5);
  EXPECT_LT(d.p, 0.01);
}

TEST(Proportions, EdgesStayInside) {
  EXPECT_EQ(wilson(0, 10).low, 0);
  EXPECT_EQ(wilson(10, 10).high, 1);
  EXPECT_TRUE(std::isnan(wilson(0, 0).value));
  EXPECT_EQ(mcnemar(0, 0).exact_p, 1);
  EXPECT_THROW(wilson(3, 2), base::Error);
}

TEST(Interval, RoundTripsThroughJson) {
  const Interval interval{0.5, 0.25, 0.75, 12};
  const Interval back = interval_from_json(to_json(interval), "test");
  EXPECT_EQ(back.low, 0.25);
  EXPECT_EQ(back.n, 12);
  const Interval none{NAN, NAN, NAN, 3};
  EXPECT_EQ(base::dump_json(to_json(none)), R"({"value":null,"low":null,"high":null,"n":3})");
  EXPECT_TRUE(std::isnan(interval_from_json(to_json(none), "test").value));
  EXPECT_THROW(interval_from_json(base::Json::array(), "test"), base::Error);
}

}  // namespace
}  // namespace slipway::stats
