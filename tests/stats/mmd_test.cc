#include "stats/mmd.h"

#include "base/error.h"
#include "base/random.h"
#include "stats/gold.h"
#include "stats/mmd_kernel.h"

namespace slipway::stats {
namespace {

std::vector<float> normal_rows(size_t rows, size_t dim, double shift, uint64_t seed) {
  base::Rng rng(seed);
  std::vector<float> data(rows * dim);
  for (float& x : data) {
    x = static_cast<float>(rng.normal() + shift);
  }
  return data;
}

// The definition, in double, pair by pair.
double plain_mmd2(Matrix x, Matrix y, double sigma) {
  const auto mean = [&](Matrix a, Matrix b, bool same) {
    double sum = 0;
    for (size_t i = 0; i < a.rows; ++i) {
      for (size_t j = 0; j < b.rows; ++j) {
        if (same && i == j) {
          continue;
        }
        double d = 0;
        for (size_t k = 0; k < a.dim; ++k) {
          const double gap = static_cast<double>(a.data[i * a.dim + k]) - b.data[j * b.dim + k];
          d += gap * gap;
        }
        sum += std::exp(-d / (2 * sigma * sigma));
      }
    }
    const auto n = static_cast<double>(a.rows);
    return sum / (same ? n * (n - 1) : n * static_cast<double>(b.rows));
  };
  return mean(x, x, true) + mean(y, y, true) - 2 * mean(x, y, false);
}

TEST(Mmd, EqualsTheDefinitionForAwkwardSizes) {
  for (const auto& [n, m, dim] : {std::tuple{2, 3, 1}, std::tuple{64, 65, 8}, std::tuple{130, 71, 33}}) {
    const auto a = normal_rows(n, dim, 0, 1);
    const auto b = normal_rows(m, dim, 0.3, 2);
    const Matrix x{a.data(), static_cast<size_t>(n), static_cast<size_t>(dim)};
    const Matrix y{b.data(), static_cast<size_t>(m), static_cast<size_t>(dim)};
    const double want = plain_mmd2(x, y, 2.5);
    EXPECT_NEAR(mmd2_unbiased(x, y, 2.5), want, 2e-6);
    EXPECT_NEAR(mmd_test(x, y, {.sigma = 2.5, .permutations = 10}).mmd2, want, 2e-6);
    EXPECT_NEAR(MmdReference(x, 2.5).mmd2(y), want, 2e-6);
  }
}

TEST(Mmd, EqualsAlibiDetect) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/drift_mmd_alibi.json");
  for (const auto& c : gold["cases"]) {
    SCOPED_TRACE(c["name"].get<std::string>());
    const auto a = tests::flatten<float>(c["X_ref"]);
    const auto b = tests::flatten<float>(c["X"]);
    const size_t dim = c["X"][0].size();
    const Matrix x{a.data(), c["X_ref"].size(), dim};
    const Matrix y{b.data(), c["X"].size(), dim};
    const auto& want = c["expected"];
    EXPECT_NEAR(median_sigma(x), want["sigma_from_ref(median)"], 1e-5);
    const MmdResult got = mmd_test(x, y, {.permutations = 1000});
    EXPECT_NEAR(got.mmd2, want["mmd2"], 1e-5);
    EXPECT_NEAR(mmd2_unbiased(x, y, 2), want["mmd2_sigma2"], 1e-5);
    const double p = want["p_val_1000perm"];
    EXPECT_NEAR(got.p, p, 2e-3 + 6 * std::sqrt(p * (1 - p) / 1000));  // two draws of 1,000
  }
}

TEST(Mmd, PermutationHoldsItsLevelAndFindsAShift) {
  int alarms = 0;
  constexpr int kRuns = 200;
  for (int run = 0; run < kRuns; ++run) {
    const auto a = normal_rows(60, 6, 0, 1000 + run);
    const auto b = normal_rows(40, 6, 0, 5000 + run);
    alarms += mmd_test({a.data(), 60, 6}, {b.data(), 40, 6}, {.permutations = 99}).p <= 0.05 ? 1 : 0;
  }
  EXPECT_LE(alarms, 22);  // 5 %, plus four standard deviations
  const auto a = normal_rows(200, 16, 0, 1);
  const auto b = normal_rows(200, 16, 0.25, 2);
  const MmdResult shifted = mmd_test({a.data(), 200, 16}, {b.data(), 200, 16});
  EXPECT_GT(shifted.mmd2, shifted.threshold);
  EXPECT_NEAR(shifted.p, 1.0 / 101, 1e-12);
}

TEST(Mmd, DoesNotDependOnThreads) {
  const auto a = normal_rows(300, 20, 0, 1);
  const auto b = normal_rows(200, 20, 0.1, 2);
  base::Pool pool(3);
  for (const int features : {0, 100}) {
    const MmdOptions options{.permutations = 20, .features = features};
    const MmdResult alone = mmd_test({a.data(), 300, 20}, {b.data(), 200, 20}, options);
    const MmdResult shared = mmd_test({a.data(), 300, 20}, {b.data(), 200, 20}, options, &pool);
    EXPECT_EQ(alone.mmd2, shared.mmd2);
    EXPECT_EQ(alone.threshold, shared.threshold);
  }
}

TEST(Mmd, FeaturesApproachTheKernel) {
  const auto a = normal_rows(200, 10, 0, 1);
  const auto b = normal_rows(150, 10, 0.4, 2);
  const Matrix x{a.data(), 200, 10};
  const Matrix y{b.data(), 150, 10};
  const MmdResult exact = mmd_test(x, y, {.permutations = 50});
  const MmdResult features = mmd_test(x, y, {.permutations = 50, .features = 4000});
  EXPECT_NEAR(features.mmd2, exact.mmd2, 0.15 * exact.mmd2);
  EXPECT_EQ(features.p, exact.p);

  // The kernel itself, one row at a time as a stream would.
  const RandomFeatures map(10, exact.sigma, 4000, 7);
  std::vector<double> zx(4000);
  std::vector<double> zy(4000);
  EXPECT_NEAR(map.accumulate({a.data(), 10}, zx), 1, 0.05);
  map.accumulate({a.data() + 10, 10}, zy);
  double dot = 0;
  for (size_t f = 0; f < zx.size(); ++f) {
    dot += zx[f] * zy[f];
  }
  const auto k = rbf_matrix({a.data(), 2, 10}, {a.data(), 2, 10}, exact.sigma);
  EXPECT_NEAR(dot, k[1], 0.06);
  EXPECT_NEAR(k[0], 1, 1e-6);
}

TEST(Mmd, KernelsAreAccurate) {
  alignas(64) float tile[kTile * kTile];
  std::vector<float> x(kTile);
  std::vector<float> y(kTile);
  for (size_t i = 0; i < kTile; ++i) {
    x[i] = static_cast<float>(i) * 0.7F;
    y[i] = static_cast<float>(i) * 0.3F;
  }
  std::fill(std::begin(tile), std::end(tile), 0.25F);
  mmd_kernels().rbf(tile, x.data(), y.data(), -1.3F);
  for (size_t i = 0; i < kTile; ++i) {
    for (size_t j = 0; j < kTile; ++j) {
      const double want = std::exp(-1.3 * std::max(0.0, static_cast<double>(x[i]) + y[j] - 0.5));
      ASSERT_NEAR(tile[i * kTile + j], want, 1e-5 * want + 1e-37);
    }
  }
  std::vector<float> turns;
  for (int i = -1000; i <= 1000; ++i) {
    turns.push_back(static_cast<float>(i) * 0.0137F);
  }
  std::vector<float> cosines = turns;
  mmd_kernels().cosine(cosines.data(), cosines.size(), 2);
  for (size_t i = 0; i < turns.size(); ++i) {
    ASSERT_NEAR(cosines[i], 2 * std::cos(2 * 3.14159265358979 * turns[i]), 2e-5);
  }
}

TEST(Mmd, EqualRowsAndBadShapes) {
  const std::vector<float> same(40, 1.5F);
  EXPECT_EQ(median_sigma({same.data(), 10, 4}), 1);
  const MmdResult none = mmd_test({same.data(), 10, 4}, {same.data(), 10, 4});
  EXPECT_NEAR(none.mmd2, 0, 1e-6);
  EXPECT_EQ(none.p, 1);
  EXPECT_THROW(mmd_test({same.data(), 1, 4}, {same.data(), 10, 4}), base::Error);
  EXPECT_THROW(mmd_test({same.data(), 10, 4}, {same.data(), 10, 3}), base::Error);
}

}  // namespace
}  // namespace slipway::stats
