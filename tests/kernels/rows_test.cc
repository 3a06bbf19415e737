#include <cmath>

#include "kernels/elementwise.h"
#include "kernels/helpers.h"
#include "kernels/peak.h"
#include "kernels/reference.h"

namespace slipway::kernels {
namespace {

class Rows : public EachIsa {};

TEST_P(Rows, LayerNormEqualsTheReference) {
  base::Rng rng(1);
  for (const int n : {1, 3, 8, 16, 17, 31, 48, 384, 391}) {
    const auto x = uniform_floats(rng, 2 * n, -3, 5);
    const auto gain = uniform_floats(rng, n);
    const auto bias = uniform_floats(rng, n);
    std::vector<float> y(2 * n);
    layer_norm(GetParam(), 2, n, x.data(), n, {gain.data(), bias.data(), 1e-6F}, y.data(), n);
    for (int row = 0; row < 2; ++row) {
      const auto expected = reference::layer_norm(x.data() + row * n, n, gain.data(), bias.data(), 1e-6F);
      for (int j = 0; j < n; ++j) {
        // Values are of unit variance; the mean of values up to 5 is rounded to 5 * 2^-24 * n at worst, far less as
        // summed.
        EXPECT_NEAR(y[row * n + j], expected[j], n == 1 ? 1e-3 : 2e-5) << n;
      }
    }
  }
}

TEST_P(Rows, LayerNormWorksInPlace) {
  base::Rng rng(2);
  auto x = uniform_floats(rng, 40);
  const std::vector<float> one(40, 1.0F);
  const std::vector<float> none(40, 0.0F);
  const auto expected = reference::layer_norm(x.data(), 40, one.data(), none.data(), 1e-12);
  layer_norm(GetParam(), 1, 40, x.data(), 40, {one.data(), none.data()}, x.data(), 40);
  for (int j = 0; j < 40; ++j) {
    EXPECT_NEAR(x[j], expected[j], 1e-5);
  }
}

double activation_bound(Activation f, double x) {
  return f == Activation::kRelu ? 0 : 5e-7 * std::max(1.0, std::abs(x));
}

TEST_P(Rows, ActivationsKeepTheirDocumentedError) {
  for (const Activation f : {Activation::kGelu, Activation::kGeluTanh, Activation::kRelu, Activation::kTanh}) {
    std::vector<float> x;
    for (int i = -12000; i <= 12003; ++i) {
      x.push_back(static_cast<float>(i) / 1000);
    }
    std::vector<float> y = x;
    activate(GetParam(), f, static_cast<int64_t>(y.size()), y.data());
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_NEAR(y[i], reference::activation(f, x[i]), activation_bound(f, x[i]))
          << "activation " << static_cast<int>(f) << " of " << x[i];
    }
  }
}

TEST_P(Rows, ActivationsHoldAtTheExtremes) {
  std::vector<float> x = {-1e30F, -100.0F, 0.0F, 100.0F, 1e30F};
  activate(GetParam(), Activation::kGelu, 5, x.data());
  EXPECT_EQ(x[2], 0.0F);
  EXPECT_FLOAT_EQ(x[3], 100.0F);
  EXPECT_FLOAT_EQ(x[4], 1e30F);
  EXPECT_NEAR(x[1], 0.0, 1e-4);
  x = {-1e30F, -100.0F, 0.0F, 100.0F, 1e30F};
  activate(GetParam(), Activation::kTanh, 5, x.data());
  EXPECT_EQ(x[0], -1.0F);
  EXPECT_NEAR(x[2], 0.0, 1e-7);
  EXPECT_EQ(x[4], 1.0F);
}

TEST_P(Rows, SoftmaxEqualsTheReference) {
  base::Rng rng(3);
  for (const int n : {1, 2, 7, 8, 15, 16, 33, 128, 511}) {
    auto x = uniform_floats(rng, n, -20, 20);
    const auto expected = reference::softmax(x.data(), n, 0.25);
    softmax(GetParam(), n, 0.25F, x.data());
    double sum = 0;
    for (int j = 0; j < n; ++j) {
      EXPECT_NEAR(x[j], expected[j], 1e-6 * expected[j] + 1e-12)
          << n;  // of exp, of its argument (10 * 2^-24), of 1 / sum
      sum += x[j];
    }
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

TEST_P(Rows, SoftmaxOfHugeScoresIsStable) {
  std::vector<float> x = {1e30F, -1e30F, 1e30F};
  softmax(GetParam(), 3, 1.0F, x.data());
  EXPECT_FLOAT_EQ(x[0], 0.5F);
  EXPECT_NEAR(x[1], 0, 1e-30);
}

TEST_P(Rows, EmbeddingRowsAdd) {
  base::Rng rng(4);
  for (const int n : {1, 9, 16, 37}) {
    const auto a = uniform_floats(rng, n);
    const auto b = uniform_floats(rng, n);
    const auto c = uniform_floats(rng, n);
    std::vector<int8_t> q(n);
    for (int8_t& v : q) {
      v = static_cast<int8_t>(between(rng, -127, 127));
    }
    std::vector<float> y(n);
    add_rows(GetParam(), n, a.data(), b.data(), c.data(), y.data());
    for (int j = 0; j < n; ++j) {
      EXPECT_FLOAT_EQ(y[j], a[j] + c[j] + b[j]);
    }
    add_rows(GetParam(), n, a.data(), nullptr, nullptr, y.data());
    EXPECT_EQ(y, a);
    add_rows_int8(GetParam(), n, q.data(), 0.5F, b.data(), c.data(), y.data());
    for (int j = 0; j < n; ++j) {
      EXPECT_FLOAT_EQ(y[j], 0.5F * static_cast<float>(q[j]) + c[j] + b[j]);
    }
  }
}

TEST_P(Rows, MeanPoolingNormalises) {
  base::Rng rng(5);
  for (const int n : {1, 10, 16, 50}) {
    const int m = between(rng, 1, 9);
    const auto x = uniform_floats(rng, static_cast<size_t>(m) * (n + 2));
    std::vector<double> mean(n);
    double squares = 0;
    for (int j = 0; j < n; ++j) {
      for (int i = 0; i < m; ++i) {
        mean[j] += x[i * (n + 2) + j];
      }
      mean[j] /= m;
      squares += mean[j] * mean[j];
    }
    std::vector<float> y(n);
    mean_pool_normalized(GetParam(), m, n, x.data(), n + 2, y.data());
    for (int j = 0; j < n; ++j) {
      EXPECT_NEAR(y[j], mean[j] / std::sqrt(squares), 2e-6);
    }
  }
}

TEST_P(Rows, MeanPoolingOfZerosStaysZero) {
  const std::vector<float> x(20, 0.0F);
  std::vector<float> y(10, 5.0F);
  mean_pool_normalized(GetParam(), 2, 10, x.data(), 10, y.data());
  EXPECT_EQ(y, std::vector<float>(10, 0.0F));
}

TEST_P(Rows, PeakPassesCountTheirWork) {
  EXPECT_GT(peak_f32_pass(GetParam()), 1e5);
  EXPECT_GT(peak_int8_pass(GetParam()), 1e5);
}

SLIPWAY_EACH_ISA(Rows);

}  // namespace
}  // namespace slipway::kernels
