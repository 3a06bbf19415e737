#include "stats/drift.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "stats/gold.h"

namespace slipway::stats {
namespace {

using tests::close;
using tests::list;

TEST(Drift, NumericCasesEqualTheSharedGold) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/drift_univariate.json");
  for (const auto& c : gold["cases"]) {
    if (c["type"] != "numeric") {
      continue;
    }
    SCOPED_TRACE(c["name"].get<std::string>());
    const auto& want = c["expected"]["canonical.psi_quantile10_eps1e-4"];
    const auto reference = list<double>(c["reference"]);
    const auto edges = quantile_edges(reference, 10);
    ASSERT_EQ(edges.size(), want["edges"].size());
    for (size_t i = 0; i < edges.size(); ++i) {
      EXPECT_TRUE(close(edges[i], want["edges"][i], 1e-12));
    }
    const auto p = shares(bin_counts(reference, edges));
    const auto q = shares(bin_counts(list<double>(c["current"]), edges));
    for (size_t i = 0; i < p.size(); ++i) {
      EXPECT_TRUE(close(p[i], want["ref"][i]));
      EXPECT_TRUE(close(q[i], want["cur"][i]));
    }
    EXPECT_TRUE(close(psi(p, q), want["psi"]));
    EXPECT_TRUE(close(js_distance(p, q, 2), want["js_distance_base2"]));
    EXPECT_TRUE(close(js_divergence(p, q), want["js_divergence_nats"]));
    EXPECT_TRUE(close(hellinger(p, q), want["hellinger"]));
    EXPECT_TRUE(close(kl(p, q), want["kl_ref_cur"]));
    EXPECT_TRUE(close(tvd(p, q), want["tvd"]));
  }
}

TEST(Drift, CategoricalCasesEqualTheSharedGold) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/drift_univariate.json");
  for (const auto& c : gold["cases"]) {
    if (c["type"] != "categorical") {
      continue;
    }
    SCOPED_TRACE(c["name"].get<std::string>());
    const auto& want = c["expected"];
    const auto p = shares(list<double>(want["ref_counts"]));
    const auto q = shares(list<double>(want["cur_counts"]));
    EXPECT_TRUE(close(js_distance(p, q, 2), want["js_distance_base2"]));
    EXPECT_TRUE(close(js_distance(p, q, std::exp(1.0)), want["js_distance_nats"]));
    EXPECT_TRUE(close(hellinger(p, q), want["hellinger"]));
    EXPECT_TRUE(close(tvd(p, q), want["tvd"]));
    EXPECT_TRUE(close(l_infinity(p, q), want["l_infinity"]));
  }
}

TEST(Drift, DistancesOfASmallCaseByHand) {
  const std::vector<double> p = {0.5, 0.5};
  const std::vector<double> q = {0.25, 0.75};
  EXPECT_NEAR(psi(p, q), 0.25 * std::log(2.0) + 0.25 * std::log(1.5), 1e-15);
  EXPECT_NEAR(kl(p, q), 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3), 1e-15);
  EXPECT_NEAR(tvd(p, q), 0.25, 1e-15);
  EXPECT_NEAR(js_distance(std::vector<double>{1, 0}, std::vector<double>{0, 1}, 2), 1, 1e-15);
  EXPECT_NEAR(hellinger(std::vector<double>{1, 0}, std::vector<double>{0, 1}), 1, 1e-15);
  EXPECT_NEAR(psi(std::vector<double>{1, 0}, std::vector<double>{0, 1}), 2 * (1 - 1e-4) * std::log(1e4), 1e-9);
  EXPECT_TRUE(std::isinf(kl(std::vector<double>{1, 0}, std::vector<double>{0, 1}, 0)));
}

TEST(Drift, EqualInputsHaveNoDistance) {
  const std::vector<double> p = {0.2, 0.3, 0.5};
  for (const auto which :
       {Distance::kPsi, Distance::kJs, Distance::kKl, Distance::kHellinger, Distance::kTvd, Distance::kLInfinity}) {
    EXPECT_EQ(distance(which, p, p), 0) << distance_name(which);
    EXPECT_EQ(distance_of(distance_name(which)), which);
  }
  EXPECT_EQ(wasserstein(p, p), 0);
  EXPECT_THROW(distance_of("psy"), base::Error);
  EXPECT_THROW(psi(p, std::vector<double>{1}), base::Error);
}

TEST(Drift, ConstantReferenceHasOneBin) {
  const auto edges = quantile_edges(std::vector<double>{3, 3, 3});
  EXPECT_EQ(edges, (std::vector<double>{3, 3}));
  EXPECT_EQ(bin_counts(std::vector<double>{2, 3, 4, NAN}, edges), (std::vector<double>{3}));
}

TEST(Drift, WassersteinMovesTheMass) {
  EXPECT_DOUBLE_EQ(wasserstein(std::vector<double>{0, 1}, std::vector<double>{5, 6}), 5);
  EXPECT_DOUBLE_EQ(wasserstein(std::vector<double>{0, 1, 3}, std::vector<double>{5, 6, 8}), 5);
}

TEST(Drift, PsiThresholdHoldsItsLevel) {
  base::Rng rng(23);
  constexpr int kRuns = 1000;
  for (const auto& [n, m] : {std::pair{1000, 500}, std::pair{400, 1000}}) {
    int alarms = 0;
    const double threshold = psi_null_threshold(n, m, 10, 0.05);
    for (int run = 0; run < kRuns; ++run) {
      std::vector<double> a(n);
      std::vector<double> b(m);
      std::generate(a.begin(), a.end(), [&] { return rng.normal(); });
      std::generate(b.begin(), b.end(), [&] { return rng.normal(); });
      const auto edges = quantile_edges(a);
      alarms += distance(Distance::kPsi, bin_counts(a, edges), bin_counts(b, edges)) > threshold ? 1 : 0;
    }
    EXPECT_LE(alarms, 80);  // 5 %, plus four standard deviations
    EXPECT_GE(alarms, 20);
  }
}

TEST(Drift, PermutationTestHoldsItsLevelAndFindsAShift) {
  base::Rng rng(29);
  int alarms = 0;
  constexpr int kRuns = 300;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> a(8);
    std::vector<double> b(8);
    for (int i = 0; i < 200; ++i) {
      ++a[rng.below(8)];
      b[rng.below(8)] += i % 2;
    }
    alarms += permutation_test(Distance::kJs, a, b, 0.05, 99, run).p <= 0.05 ? 1 : 0;
  }
  EXPECT_LE(alarms, 32);
  EXPECT_GE(alarms, 3);
  const NullTest shifted =
      permutation_test(Distance::kJs, std::vector<double>{50, 50, 50}, std::vector<double>{90, 30, 30});
  EXPECT_GT(shifted.score, shifted.threshold);
  EXPECT_LT(shifted.p, 0.01);
  EXPECT_THROW(permutation_test(Distance::kJs, std::vector<double>{0.5}, std::vector<double>{1}), base::Error);
}

}  // namespace
}  // namespace slipway::stats
