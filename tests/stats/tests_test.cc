#include "stats/tests.h"

#include <algorithm>
#include <random>

#include "base/error.h"
#include "base/random.h"
#include "stats/distributions.h"
#include "stats/drift.h"
#include "stats/gold.h"
#include "stats/kolmogorov.h"
#include "stats/multiple.h"

namespace slipway::stats {
namespace {

using tests::close;
using tests::list;

constexpr double kNoFloor = 0;  // relative error even of tiny p-values

TEST(Distributions, EqualScipy) {
  const auto gold = tests::own_gold()["distributions"];
  for (size_t i = 0; i < gold["x"].size(); ++i) {
    EXPECT_TRUE(close(normal_cdf(gold["x"][i]), gold["normal_cdf"][i], 1e-12, kNoFloor));
    EXPECT_TRUE(close(normal_quantile(gold["p"][i]), gold["normal_quantile"][i], 1e-12));
  }
  const double degrees[] = {1, 4, 9, 50};
  const double student[] = {1, 4.5, 30, 1000};
  const int successes[] = {0, 3, 6, 19};
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(close(chi2_upper(30.5, degrees[i]), gold["chi2_upper"][i], 1e-12, kNoFloor));
    EXPECT_TRUE(close(chi2_quantile(0.95, degrees[i]), gold["chi2_quantile"][i], 1e-12));
    EXPECT_TRUE(close(student_two_sided(2.7, student[i]), gold["student"][i], 1e-12));
    EXPECT_TRUE(close(student_quantile(0.975, student[i]), gold["student_quantile"][i], 1e-12));
    EXPECT_TRUE(close(binomial_cdf(successes[i], 20, 0.3), gold["binomial_cdf"][i], 1e-12));
  }
  EXPECT_TRUE(close(beta_quantile(0.975, 8, 93), gold["beta_quantile"], 1e-12));
  const double x[] = {0.3, 0.5, 0.82, 1.0, 1.36, 3.0};
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(close(kolmogorov_upper(x[i]), gold["kolmogorov"][i], 1e-9, kNoFloor));
  }
}

TEST(Distributions, KolmogorovForEachSampleSizeEqualsScipy) {
  const auto gold = tests::own_gold()["distributions"]["kstwo"];
  for (const auto& c : gold) {
    EXPECT_TRUE(close(kolmogorov_exact_upper(c[0], c[1]), c[2], 1e-9, kNoFloor)) << c;
  }
}

TEST(TwoSamples, EqualScipy) {
  const auto gold = tests::own_gold()["two_samples"];
  for (const auto& c : gold) {
    const auto a = list<double>(c["a"]);
    const auto b = list<double>(c["b"]);
    const auto& want = c["expected"];
    const TestResult ks = ks_two_sample(a, b);
    EXPECT_TRUE(close(ks.statistic, want["ks"][0]));
    EXPECT_TRUE(close(ks.p, want["ks"][1], 1e-9, kNoFloor));
    EXPECT_TRUE(close(ks_two_sample(a, b, KsMethod::kAsymptotic).p, want["ks_asymptotic"], 1e-9, kNoFloor));
    const TestResult mw = mann_whitney(a, b);
    EXPECT_TRUE(close(mw.statistic, want["mann_whitney"][0]));
    EXPECT_TRUE(close(mw.p, want["mann_whitney"][1], 1e-9, kNoFloor));
    const TestResult cvm = cramer_von_mises(a, b);
    EXPECT_TRUE(close(cvm.statistic, want["cramer"][0]));
    EXPECT_NEAR(cvm.p, want["cramer"][1], 2e-7);  // scipy ends its series at terms of 1e-7
    const TestResult t = welch_t(a, b);
    EXPECT_TRUE(close(t.statistic, want["welch"][0]));
    EXPECT_TRUE(close(t.p, want["welch"][1]));
    EXPECT_TRUE(close(wasserstein(a, b), want["wasserstein"]));
  }
}

TEST(TwoSamples, EqualTheSharedGold) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/drift_univariate.json");
  int seen = 0;
  for (const auto& c : gold["cases"]) {
    const auto& want = c["expected"];
    if (c["type"] != "numeric") {
      continue;
    }
    ++seen;
    SCOPED_TRACE(c["name"].get<std::string>());
    const auto a = list<double>(c["reference"]);
    const auto b = list<double>(c["current"]);
    const TestResult ks = ks_two_sample(a, b);
    EXPECT_TRUE(close(ks.statistic, want["scipy.ks_2samp.auto"]["statistic"]));
    EXPECT_TRUE(close(ks.p, want["scipy.ks_2samp.auto"]["pvalue"], 1e-9, kNoFloor));
    EXPECT_TRUE(
        close(ks_two_sample(a, b, KsMethod::kAsymptotic).p, want["scipy.ks_2samp.asymp"]["pvalue"], 1e-9, kNoFloor));
    const TestResult mw = mann_whitney(a, b);
    EXPECT_TRUE(close(mw.statistic, want["scipy.mannwhitneyu.two_sided.auto"]["statistic"]));
    EXPECT_TRUE(close(mw.p, want["scipy.mannwhitneyu.two_sided.auto"]["pvalue"], 1e-9, kNoFloor));
    const TestResult cvm = cramer_von_mises(a, b);
    EXPECT_TRUE(close(cvm.statistic, want["scipy.cramervonmises_2samp.auto"]["statistic"]));
    EXPECT_NEAR(cvm.p, want["scipy.cramervonmises_2samp.auto"]["pvalue"], 2e-7);
    const TestResult t = welch_t(a, b);
    EXPECT_TRUE(close(t.statistic, want["scipy.ttest_ind.welch"]["statistic"]));
    EXPECT_TRUE(close(t.p, want["scipy.ttest_ind.welch"]["pvalue"], 1e-9, kNoFloor));
    EXPECT_TRUE(close(wasserstein(a, b), want["scipy.wasserstein_distance"]));
  }
  EXPECT_EQ(seen, 6);
}

TEST(TwoSamples, KsHoldsItsLevelUnderTheNull) {
  base::Rng rng(17);
  int alarms = 0;
  constexpr int kRuns = 1000;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> a(60);
    std::vector<double> b(45);
    std::generate(a.begin(), a.end(), [&] { return rng.normal(); });
    std::generate(b.begin(), b.end(), [&] { return rng.normal(); });
    alarms += ks_two_sample(a, b).p <= 0.05 ? 1 : 0;
  }
  EXPECT_LE(alarms, 75);  // at most 5 %, plus 3.6 standard deviations
  EXPECT_GE(alarms, 20);
}

TEST(TwoSamples, IdenticalSamplesDoNotDiffer) {
  const std::vector<double> a = {1, 2, 2, 3};
  EXPECT_EQ(ks_two_sample(a, a).p, 1);
  EXPECT_EQ(mann_whitney(a, a).p, 1);
  EXPECT_EQ(welch_t(std::vector<double>{2, 2}, std::vector<double>{2, 2}).p, 1);
  EXPECT_EQ(welch_t(std::vector<double>{2, 2}, std::vector<double>{3, 3}).p, 0);
  EXPECT_THROW(ks_two_sample(a, {}), base::Error);
  EXPECT_THROW(ks_two_sample(a, std::vector<double>{NAN}), base::Error);
}

TEST(Contingency, EqualsScipy) {
  const auto gold = tests::own_gold()["contingency"];
  for (const auto& c : gold) {
    const auto table = list<double>(c["table"]);
    const int rows = c["rows"];
    const int columns = static_cast<int>(table.size()) / rows;
    const auto& want = c["expected"];
    const Chi2Result yates = chi2_contingency(table, rows, columns);
    EXPECT_EQ(yates.degrees, want["degrees"]);
    EXPECT_TRUE(close(yates.statistic, want["yates"][0]));
    EXPECT_TRUE(close(yates.p, want["yates"][1]));
    EXPECT_TRUE(close(chi2_contingency(table, rows, columns, false).p, want["plain"][1]));
    EXPECT_TRUE(close(g_contingency(table, rows, columns).statistic, want["g"][0]));
    EXPECT_TRUE(close(g_contingency(table, rows, columns).p, want["g"][1]));
  }
}

TEST(Contingency, EmptyColumnsChangeNothing) {
  const std::vector<double> a = {12, 0, 5};
  const std::vector<double> b = {7, 0, 9};
  const Chi2Result with = chi2_two_samples(a, b);
  const Chi2Result without = chi2_two_samples(std::vector<double>{12, 5}, std::vector<double>{7, 9});
  EXPECT_DOUBLE_EQ(with.p, without.p);
  EXPECT_EQ(with.degrees, 1);
  EXPECT_EQ(chi2_two_samples(std::vector<double>{3}, std::vector<double>{4}).p, 1);
}

TEST(Multiple, CorrectsAsDefined) {
  const auto gold = tests::own_gold()["fdr"];
  const auto p = list<double>(gold["p"]);
  const auto fdr = benjamini_hochberg(p);
  for (size_t i = 0; i < p.size(); ++i) {
    EXPECT_TRUE(close(fdr[i], gold["expected"][i]));
  }
  EXPECT_EQ(bonferroni(std::vector<double>{0.01, 0.5}), (std::vector<double>{0.02, 1}));
  EXPECT_EQ(holm(std::vector<double>{0.01, 0.04, 0.02}), (std::vector<double>{0.03, 0.04, 0.04}));
}

}  // namespace
}  // namespace slipway::stats
