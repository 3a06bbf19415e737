#include "kernels/decoder_ops.h"

#include <cmath>

#include "kernels/elementwise.h"
#include "kernels/helpers.h"
#include "kernels/reference_decoder.h"

namespace slipway::kernels {
namespace {

class DecoderOps : public EachIsa {};

constexpr int kLengths[] = {1, 3, 8, 15, 16, 33, 576};

TEST_P(DecoderOps, RmsNormEqualsTheReference) {
  base::Rng rng(1);
  for (const int n : kLengths) {
    const auto x = uniform_floats(rng, 2 * (n + 3), -3, 5);
    const auto weight = uniform_floats(rng, n);
    for (const RmsNorm& norm : {RmsNorm{weight.data(), 1e-5F, 0}, RmsNorm{weight.data(), 1e-6F, 1}, RmsNorm{}}) {
      std::vector<float> y(2 * n);
      rms_norm(GetParam(), 2, n, x.data(), n + 3, norm, y.data(), n);
      for (int i = 0; i < 2 * n; ++i) {
        const auto expected = reference::rms_norm(x.data() + i / n * (n + 3), n, norm);
        ASSERT_NEAR(y[i], expected[i % n], 2e-6 * (1 + std::abs(expected[i % n]))) << n;
      }
    }
  }
}

TEST_P(DecoderOps, RopeTurnsPairsByTheirAngle) {
  base::Rng rng(2);
  for (const auto& [dim, rotary] : {std::pair{64, 64}, std::pair{80, 32}, std::pair{8, 8}, std::pair{20, 10}}) {
    const auto frequencies = rope_inverse_frequencies(10000, rotary);
    const RopeTable table(frequencies, 50, 1.5F);
    ASSERT_EQ(table.rotary_dim(), rotary);
    for (const bool interleaved : {false, true}) {
      const auto x = uniform_floats(rng, 3 * dim);
      auto y = x;
      rope(GetParam(), table, 37, 3, dim, interleaved, y.data());
      for (int h = 0; h < 3; ++h) {
        for (int i = 0; i < rotary / 2; ++i) {
          const int a = h * dim + (interleaved ? 2 * i : i);
          const int b = a + (interleaved ? 1 : rotary / 2);
          const double angle = 37 * std::pow(10000.0, -2.0 * i / rotary);
          // The angle itself is a float: 37 x 2^-24.
          EXPECT_NEAR(y[a], 1.5 * (x[a] * std::cos(angle) - x[b] * std::sin(angle)), 1e-5);
          EXPECT_NEAR(y[b], 1.5 * (x[a] * std::sin(angle) + x[b] * std::cos(angle)), 1e-5);
        }
        for (int i = rotary; i < dim; ++i) {
          EXPECT_EQ(y[h * dim + i], x[h * dim + i]);
        }
      }
    }
  }
}

TEST_P(DecoderOps, GatesMultiply) {
  base::Rng rng(3);
  for (const int n : kLengths) {
    const auto g = uniform_floats(rng, n, -9, 9);
    const auto u = uniform_floats(rng, n, -2, 2);
    for (const Activation gate : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh, Activation::kRelu,
                                  Activation::kTanh, Activation::kNone}) {
      auto y = g;
      gated(GetParam(), gate, n, y.data(), u.data(), y.data());
      for (int i = 0; i < n; ++i) {
        ASSERT_NEAR(y[i], reference::activation(gate, g[i]) * u[i], 1e-5);
      }
    }
    auto silu = g;
    activate(GetParam(), Activation::kSilu, n, silu.data());
    for (int i = 0; i < n; ++i) {
      ASSERT_NEAR(silu[i], reference::activation(Activation::kSilu, g[i]), 5e-6);
    }
  }
}

TEST_P(DecoderOps, SiluOfLargeValuesIsFinite) {
  std::vector<float> x = {-1e30F, -200, 200, 1e30F};
  activate(GetParam(), Activation::kSilu, 4, x.data());
  EXPECT_NEAR(x[1], 0, 1e-5);
  EXPECT_EQ(x[2], 200);
  EXPECT_EQ(x[3], 1e30F);
  EXPECT_TRUE(std::isfinite(x[0]));
}

TEST_P(DecoderOps, SumsScalesAndCaps) {
  base::Rng rng(4);
  for (const int n : kLengths) {
    const auto x = uniform_floats(rng, n, -90, 90);
    auto y = uniform_floats(rng, n);
    const auto before = y;
    add(GetParam(), n, x.data(), y.data());
    for (int i = 0; i < n; ++i) {
      EXPECT_EQ(y[i], before[i] + x[i]);
    }
    y = x;
    scale(GetParam(), n, 3, y.data());
    for (int i = 0; i < n; ++i) {
      EXPECT_EQ(y[i], 3 * x[i]);
    }
    y = x;
    softcap(GetParam(), n, 30, y.data());
    for (int i = 0; i < n; ++i) {
      ASSERT_NEAR(y[i], 30 * std::tanh(x[i] / 30.0), 2e-5);
    }
  }
}

TEST_P(DecoderOps, LogSoftmaxEqualsTheReference) {
  base::Rng rng(5);
  for (const int n : {1, 5, 16, 49, 49152}) {
    auto x = uniform_floats(rng, n, -20, 20);
    const auto p = reference::softmax(x.data(), n, 1);
    log_softmax(GetParam(), n, x.data());
    for (int i = 0; i < n; ++i) {
      ASSERT_NEAR(x[i], std::log(p[i]), 1e-5) << n;
    }
  }
}

TEST_P(DecoderOps, ArgmaxIsTheFirstOfTheLargest) {
  base::Rng rng(6);
  for (const int n : kLengths) {
    const auto x = uniform_floats(rng, n);
    const auto expected = std::max_element(x.begin(), x.end()) - x.begin();
    EXPECT_EQ(argmax(GetParam(), n, x.data()), expected);
  }
  std::vector<float> x(70, 1.0F);
  EXPECT_EQ(argmax(GetParam(), 70, x.data()), 0);
  x[33] = 2;
  x[69] = 2;
  EXPECT_EQ(argmax(GetParam(), 70, x.data()), 33);
  x[0] = NAN;
  x[16] = NAN;
  x[68] = NAN;
  EXPECT_EQ(argmax(GetParam(), 70, x.data()), 33);
  const std::vector<float> none(70, NAN);
  EXPECT_EQ(argmax(GetParam(), 70, none.data()), 0);
  const std::vector<float> low(70, -INFINITY);
  EXPECT_EQ(argmax(GetParam(), 70, low.data()), 0);
}

SLIPWAY_EACH_ISA(DecoderOps);

}  // namespace
}  // namespace slipway::kernels
