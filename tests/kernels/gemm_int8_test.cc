#include "kernels/gemm_int8.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/helpers.h"
#include "kernels/reference.h"

namespace slipway::kernels {
namespace {

class GemmInt8 : public EachIsa {};

// Activations, quantised, with the buffers they lie in.
struct Rows {
  Rows(base::Isa isa, int m, int k, const std::vector<float>& x)
      : q(static_cast<size_t>(m * int8_stride(k)), 0xEE), scale(m), zero(m) {
    view = {q.data(), int8_stride(k), scale.data(), zero.data()};
    quantize_rows(isa, m, k, x.data(), k, view);
  }
  std::vector<uint8_t> q;
  std::vector<float> scale;
  std::vector<int32_t> zero;
  QuantizedRows view;
};

std::vector<int8_t> random_weights(base::Rng& rng, size_t count) {
  std::vector<int8_t> w(count);
  for (int8_t& v : w) {
    v = static_cast<int8_t>(between(rng, -127, 127));
  }
  return w;
}

void check_exact(base::Isa isa, base::Rng& rng, int m, int n, int k, base::Pool* pool) {
  SCOPED_TRACE(fmt::format("m {} n {} k {}", m, n, k));
  const auto x = uniform_floats(rng, static_cast<size_t>(m) * k, -0.3, 1.5);
  const auto w = random_weights(rng, static_cast<size_t>(n) * k);
  const auto scales = uniform_floats(rng, n, 0.001, 0.1);
  const auto bias = uniform_floats(rng, n);
  PackedInt8 packed(isa, n, k);
  packed.pack(0, n, w.data(), k, scales.data());
  const Rows rows(isa, m, k, x);
  std::vector<float> c(static_cast<size_t>(m) * n);
  gemm_int8(m, rows.view, packed, {.bias = bias.data()}, c.data(), n, pool);
  for (int i = 0; i < m; ++i) {
    const auto row = reference::quantize(x.data() + static_cast<size_t>(i) * k, k);
    for (int j = 0; j < n; ++j) {
      const float expected = reference::int8_element(row, w.data() + static_cast<size_t>(j) * k, scales[j], &bias[j]);
      ASSERT_EQ(c[static_cast<size_t>(i) * n + j], expected) << "row " << i << " column " << j;
    }
  }
}

TEST_P(GemmInt8, EqualsTheReferenceToTheBitForEveryTileHeight) {
  base::Rng rng(1);
  for (int m = 1; m <= 30; ++m) {
    check_exact(GetParam(), rng, m, 35, 18, nullptr);
  }
}

TEST_P(GemmInt8, EqualsTheReferenceToTheBitForRandomShapes) {
  base::Rng rng(2);
  base::Pool pool(3);
  for (int i = 0; i < 25; ++i) {
    check_exact(GetParam(), rng, between(rng, 1, 60), between(rng, 1, 90), between(rng, 1, 150), &pool);
  }
}

TEST_P(GemmInt8, DeepSumsAreTakenInPieces) {
  base::Rng rng(3);
  check_exact(GetParam(), rng, 3, 33, 5001, nullptr);
  check_exact(GetParam(), rng, 15, 5, 2049, nullptr);
}

TEST_P(GemmInt8, ExtremesNeitherSaturateNorOverflow) {
  const int k = 4096;
  // All activations 255 and 0 by turns would be the worst for 16-bit sums: rows of the largest value, but for one zero.
  std::vector<float> x(k, 1.0F);
  const Rows rows(GetParam(), 1, k, x);
  for (const int8_t value : {int8_t{127}, int8_t{-127}}) {
    const std::vector<int8_t> w(k, value);
    const float scale = 1;
    PackedInt8 packed(GetParam(), 1, k);
    packed.pack(0, 1, w.data(), k, &scale);
    float c = 0;
    gemm_int8(1, rows.view, packed, {}, &c, 1, nullptr);
    EXPECT_EQ(c, static_cast<float>(255 * value * k) * (1.0F / 255.0F));
    EXPECT_EQ(packed.sums()[0], value * k);
  }
}

TEST_P(GemmInt8, ThreadsDoNotChangeABit) {
  base::Rng rng(4);
  const int m = 300;
  const int n = 190;
  const int k = 200;
  const auto x = uniform_floats(rng, m * k);
  const auto w = random_weights(rng, n * k);
  const std::vector<float> scales(n, 0.01F);
  PackedInt8 packed(GetParam(), n, k);
  packed.pack(0, n, w.data(), k, scales.data());
  const Rows rows(GetParam(), m, k, x);
  std::vector<float> serial(m * n);
  std::vector<float> parallel(m * n);
  gemm_int8(m, rows.view, packed, {.activation = Activation::kGelu}, serial.data(), n, nullptr);
  base::Pool pool(4);
  gemm_int8(m, rows.view, packed, {.activation = Activation::kGelu}, parallel.data(), n, &pool);
  EXPECT_EQ(0, std::memcmp(serial.data(), parallel.data(), serial.size() * sizeof(float)));
}

TEST_P(GemmInt8, QuantisingKeepsTheBoundAndZeroesThePadding) {
  base::Rng rng(5);
  for (const int k : {1, 7, 16, 65, 384}) {
    const auto x = uniform_floats(rng, 3 * k, -2, 5);
    const Rows rows(GetParam(), 3, k, x);
    for (int i = 0; i < 3; ++i) {
      const auto expected = reference::quantize(x.data() + i * k, k);
      EXPECT_EQ(rows.scale[i], expected.scale);
      EXPECT_EQ(rows.zero[i], expected.zero);
      for (int p = 0; p < int8_stride(k); ++p) {
        const int q = rows.q[i * int8_stride(k) + p];
        ASSERT_EQ(q, p < k ? expected.q[p] : 0);
        if (p < k) {
          EXPECT_NEAR(rows.scale[i] * static_cast<float>(q - rows.zero[i]), x[i * k + p], rows.scale[i] * 1.001F);
        }
      }
    }
  }
}

TEST_P(GemmInt8, RowsOfZerosTinyAndOneSignedValuesQuantise) {
  const int k = 20;
  std::vector<float> x(4 * k, 0.0F);
  std::fill_n(x.begin() + k, k, 1e-35F);     // too small to scale: taken as zeros
  std::fill_n(x.begin() + 2 * k, k, -3.0F);  // zero is the largest
  std::fill_n(x.begin() + 3 * k, k, 1e20F);
  const Rows rows(GetParam(), 4, k, x);
  EXPECT_EQ(rows.scale[0], 0.0F);
  EXPECT_EQ(rows.scale[1], 0.0F);
  EXPECT_EQ(rows.zero[2], 255);
  EXPECT_EQ(rows.q[2 * int8_stride(k)], 0);
  EXPECT_EQ(rows.zero[3], 0);
  EXPECT_EQ(rows.q[3 * int8_stride(k)], 255);
}

SLIPWAY_EACH_ISA(GemmInt8);

}  // namespace
}  // namespace slipway::kernels
