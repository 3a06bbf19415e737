#include "kernels/recurrent.h"

#include <cmath>

#include "kernels/helpers.h"

namespace slipway::kernels {
namespace {

class Recurrent : public EachIsa {};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The gates' arguments are summed in f32: 8 * 2^-24 of them; tanh adds 2e-7, |c| stays below 4 here.
constexpr double kTolerance = 3e-6;

TEST_P(Recurrent, LstmCellIsItsEquations) {
  base::Rng rng(11);
  for (const int n : {1, 7, 8, 16, 33, 100}) {
    const auto size = static_cast<size_t>(n);
    const auto input = uniform_floats(rng, 4 * size, -4, 4);
    const auto recurrent = uniform_floats(rng, 4 * size, -4, 4);
    const auto before = uniform_floats(rng, size, -2, 2);
    std::vector<float> c = before;
    std::vector<float> h(size);
    lstm_cell(GetParam(), n, input.data(), recurrent.data(), c.data(), h.data());
    for (size_t j = 0; j < size; ++j) {
      const auto gate = [&](size_t index) {
        return static_cast<double>(input[index * size + j]) + recurrent[index * size + j];
      };
      const double cell = sigmoid(gate(1)) * before[j] + sigmoid(gate(0)) * std::tanh(gate(2));
      EXPECT_NEAR(c[j], cell, kTolerance) << n;
      EXPECT_NEAR(h[j], sigmoid(gate(3)) * std::tanh(cell), kTolerance) << n;
    }
  }
}

TEST_P(Recurrent, GruCellIsItsEquations) {
  base::Rng rng(12);
  for (const int n : {1, 7, 8, 16, 33, 100}) {
    const auto size = static_cast<size_t>(n);
    const auto input = uniform_floats(rng, 3 * size, -4, 4);
    const auto recurrent = uniform_floats(rng, 3 * size, -4, 4);
    const auto before = uniform_floats(rng, size);
    std::vector<float> h = before;
    gru_cell(GetParam(), n, input.data(), recurrent.data(), h.data());
    for (size_t j = 0; j < size; ++j) {
      const double reset = sigmoid(static_cast<double>(input[j]) + recurrent[j]);
      const double keep = sigmoid(static_cast<double>(input[size + j]) + recurrent[size + j]);
      const double fresh = std::tanh(input[2 * size + j] + reset * recurrent[2 * size + j]);
      EXPECT_NEAR(h[j], (1 - keep) * fresh + keep * before[j], kTolerance) << n;
    }
  }
}

// Gates that are wide open or shut keep or forget the state, whatever is added to them.
TEST_P(Recurrent, GatesHoldAtTheExtremes) {
  const std::vector<float> none(4, 0.0F);
  std::vector<float> c = {3.0F};
  std::vector<float> h = {9.0F};
  const std::vector<float> keep = {-1e30F, 1e30F, 1.0F, 1e30F};
  lstm_cell(GetParam(), 1, keep.data(), none.data(), c.data(), h.data());
  EXPECT_FLOAT_EQ(c[0], 3.0F);
  EXPECT_NEAR(h[0], std::tanh(3.0), 1e-6);
  const std::vector<float> replace = {0.0F, -1e30F, 0.5F};
  gru_cell(GetParam(), 1, replace.data(), none.data(), h.data());
  EXPECT_NEAR(h[0], std::tanh(0.5), 1e-6);
}

TEST_P(Recurrent, MaxIntoKeepsTheLarger) {
  base::Rng rng(13);
  const auto x = uniform_floats(rng, 37);
  const auto y = uniform_floats(rng, 37);
  std::vector<float> out = y;
  max_into(GetParam(), 37, x.data(), out.data());
  for (size_t j = 0; j < out.size(); ++j) {
    EXPECT_EQ(out[j], std::max(x[j], y[j]));
  }
}

SLIPWAY_EACH_ISA(Recurrent);

}  // namespace
}  // namespace slipway::kernels
