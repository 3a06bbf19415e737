#include "kernels/gemm_blocks.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "kernels/helpers.h"
#include "kernels/reference_decoder.h"

namespace slipway::kernels {
namespace {

class GemmBlocks : public EachIsa {};

constexpr BlockType kTypes[] = {BlockType::kF32,  BlockType::kF16,  BlockType::kBf16,
                                BlockType::kQ8_0, BlockType::kQ4_0, BlockType::kQ4_1};

// W [n, k] of a type, as a file holds it and packed.
struct Matrix {
  Matrix(base::Isa isa, base::Rng& rng, BlockType type, int n, int k) : row_bytes(block_row_bytes(type, k)) {
    bytes.resize(static_cast<size_t>(n * row_bytes));
    for (int j = 0; j < n; ++j) {
      const auto w = uniform_floats(rng, k, -0.7, 1);
      quantize_row(type, k, w.data(), row(j));
    }
    packed = PackedBlocks(isa, type, n, k);
    packed.pack_all(bytes.data(), 0, nullptr);
  }
  uint8_t* row(int j) { return bytes.data() + j * row_bytes; }
  int64_t row_bytes;
  std::vector<uint8_t> bytes;
  PackedBlocks packed;
};

std::vector<float> product(const PackedBlocks& w, int m, const std::vector<float>& x, base::Pool* pool = nullptr) {
  std::vector<float> y(static_cast<size_t>(m) * w.n());
  Workspace workspace;
  const BlockProduct p{&w, y.data(), w.n(), {}};
  gemm_blocks({.m = m, .x = x.data(), .ldx = w.k(), .products = {&p, 1}}, workspace, pool);
  return y;
}

// Largest f32 error of a chain of `terms` multiply-adds whose absolute products sum to `magnitude`; the same bound
// holds for sums over blocks, which have fewer.
double bound(const reference::Element& e, int terms) { return e.magnitude * terms * 6e-8 + 1e-30; }

void check(base::Isa isa, base::Rng& rng, BlockType type, int m, int n, int k) {
  SCOPED_TRACE(fmt::format("{} m {} n {} k {}", block_type_name(type), m, n, k));
  Matrix w(isa, rng, type, n, k);
  const auto x = uniform_floats(rng, static_cast<size_t>(m) * k, -2, 2);
  const auto y = product(w.packed, m, x);
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      const auto e = reference::block_element(type, k, x.data() + static_cast<size_t>(i) * k, w.row(j));
      ASSERT_NEAR(y[static_cast<size_t>(i) * n + j], e.value, bound(e, k)) << "row " << i << " column " << j;
    }
  }
}

TEST_P(GemmBlocks, EqualsTheReferenceForEveryHeight) {
  base::Rng rng(1);
  for (const BlockType type : kTypes) {
    for (const int m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17, 40}) {
      check(GetParam(), rng, type, m, 37, 96);
    }
  }
}

TEST_P(GemmBlocks, EqualsTheReferenceForOddShapes) {
  base::Rng rng(2);
  for (const BlockType type : kTypes) {
    for (int i = 0; i < 6; ++i) {
      const int k = between(rng, 1, 20) * kBlockValues;
      check(GetParam(), rng, type, between(rng, 1, 30), between(rng, 1, 100), k);
    }
    check(GetParam(), rng, type, 130, 3, 576);
  }
  check(GetParam(), rng, BlockType::kF16, 3, 5, 7);
  check(GetParam(), rng, BlockType::kBf16, 30, 5, 601);
  check(GetParam(), rng, BlockType::kF32, 2, 33, 1);
}

TEST_P(GemmBlocks, ARowDoesNotDependOnOthersNorOnThreads) {
  base::Rng rng(3);
  const int m = 140;
  const int n = 200;
  const int k = 320;
  for (const BlockType type : kTypes) {
    const Matrix w(GetParam(), rng, type, n, k);
    const auto x = uniform_floats(rng, m * k, -1, 1);
    const auto all = product(w.packed, m, x);
    base::Pool pool(3);
    const auto threaded = product(w.packed, m, x, &pool);
    EXPECT_EQ(0, std::memcmp(all.data(), threaded.data(), all.size() * sizeof(float)));
    for (const auto& [first, rows] : {std::pair{0, 1}, std::pair{7, 5}, std::pair{100, 17}}) {
      const auto some = product(w.packed, rows, {x.begin() + first * k, x.begin() + (first + rows) * k});
      EXPECT_EQ(0, std::memcmp(all.data() + first * n, some.data(), some.size() * sizeof(float)))
          << block_type_name(type) << " rows " << rows;
    }
  }
}

TEST_P(GemmBlocks, PartsGiveTheSameBitsAsTheWhole) {
  base::Rng rng(4);
  const int m = 9;
  const Matrix a(GetParam(), rng, BlockType::kQ8_0, 70, 64);
  const Matrix b(GetParam(), rng, BlockType::kF16, 100, 64);
  const Matrix c(GetParam(), rng, BlockType::kQ4_1, 33, 64);
  const auto x = uniform_floats(rng, m * 64);
  std::vector<float> y(m * 203);
  const BlockProduct products[] = {
      {&a.packed, y.data(), 203, {}}, {&b.packed, y.data() + 70, 203, {}}, {&c.packed, y.data() + 170, 203, {}}};
  Workspace workspace;
  BlockGemm gemm({.m = m, .x = x.data(), .ldx = 64, .products = products}, workspace);
  gemm.prepare(nullptr);
  gemm.run(0, 1);
  const std::vector<float> whole = y;
  for (const int parts : {2, 3, 7, 40, 100}) {
    std::fill(y.begin(), y.end(), NAN);
    for (int i = 0; i < parts; ++i) {
      gemm.run(i, parts);
    }
    EXPECT_EQ(0, std::memcmp(whole.data(), y.data(), y.size() * sizeof(float))) << parts;
  }
  const auto alone = product(b.packed, m, x);
  for (int i = 0; i < m; ++i) {
    EXPECT_EQ(0, std::memcmp(alone.data() + i * 100, whole.data() + i * 203 + 70, 100 * sizeof(float)));
  }
}

TEST_P(GemmBlocks, EpiloguesAreApplied) {
  base::Rng rng(5);
  const int m = 7;
  const int n = 45;
  for (const BlockType type : {BlockType::kF32, BlockType::kQ4_0}) {
    const Matrix w(GetParam(), rng, type, n, 64);
    const auto x = uniform_floats(rng, m * 64);
    const auto bias = uniform_floats(rng, n);
    const auto before = uniform_floats(rng, m * n);
    const auto plain = product(w.packed, m, x);
    auto y = before;
    const BlockProduct p{&w.packed, y.data(), n, {bias.data(), Activation::kGelu, y.data(), n}};
    Workspace workspace;
    gemm_blocks({.m = m, .x = x.data(), .ldx = 64, .products = {&p, 1}}, workspace, nullptr);
    for (int i = 0; i < m * n; ++i) {
      const double expected = reference::activation(Activation::kGelu, plain[i] + bias[i % n]) + before[i];
      EXPECT_NEAR(y[i], expected, 1e-5);
    }
  }
}

TEST_P(GemmBlocks, GatedPairsMultiply) {
  base::Rng rng(6);
  const int m = 20;
  const int n = 75;
  base::Pool pool(2);
  for (const auto& [gate_type, up_type] :
       {std::pair{BlockType::kQ8_0, BlockType::kQ8_0}, std::pair{BlockType::kF16, BlockType::kF16},
        std::pair{BlockType::kQ4_1, BlockType::kF16}}) {
    const Matrix gate(GetParam(), rng, gate_type, n, 96);
    const Matrix up(GetParam(), rng, up_type, n, 96);
    const auto x = uniform_floats(rng, m * 96);
    const auto g = product(gate.packed, m, x);
    const auto u = product(up.packed, m, x);
    std::vector<float> y(m * n);
    std::vector<float> other(m * n);
    const BlockProduct products[] = {{&gate.packed, y.data(), n, {}}, {&up.packed, other.data(), n, {}}};
    Workspace workspace;
    gemm_blocks({.m = m, .x = x.data(), .ldx = 96, .products = products, .gate = Activation::kSilu}, workspace, &pool);
    for (int i = 0; i < m * n; ++i) {
      const double expected = reference::activation(Activation::kSilu, g[i]) * u[i];
      ASSERT_NEAR(y[i], expected, 1e-6 * (1 + std::abs(expected))) << i;
    }
    EXPECT_EQ(0, std::memcmp(u.data(), other.data(), u.size() * sizeof(float)));
  }
}

TEST_P(GemmBlocks, RowsAreReadBackExactly) {
  base::Rng rng(7);
  for (const BlockType type : kTypes) {
    Matrix w(GetParam(), rng, type, 41, 96);
    std::vector<float> expected(96);
    std::vector<float> got(96);
    for (const int j : {0, 5, 31, 32, 40}) {
      dequantize_row(type, 96, w.row(j), expected.data());
      w.packed.row(j, got.data());
      EXPECT_EQ(expected, got) << block_type_name(type) << " row " << j;
    }
  }
}

TEST_P(GemmBlocks, ExtremesNeitherSaturateNorOverflow) {
  const int k = 64;
  const std::vector<float> x(k, 3.0F);  // every q is 127
  for (const int value : {-128, -127, 127}) {
    std::vector<uint8_t> row(2 * 34, static_cast<uint8_t>(value));
    const uint16_t one = f32_to_f16(1.0F);
    std::memcpy(row.data(), &one, 2);
    std::memcpy(row.data() + 34, &one, 2);
    PackedBlocks packed(GetParam(), BlockType::kQ8_0, 1, k);
    packed.pack(0, 1, row.data());
    const auto y = product(packed, 1, x);
    EXPECT_NEAR(y[0], 3.0 * value * k, 1e-3);
  }
  std::vector<uint8_t> row(2 * 18, 0xFF);
  const uint16_t one = f32_to_f16(1.0F);
  std::memcpy(row.data(), &one, 2);
  std::memcpy(row.data() + 18, &one, 2);
  PackedBlocks packed(GetParam(), BlockType::kQ4_0, 1, k);
  packed.pack(0, 1, row.data());
  EXPECT_NEAR(product(packed, 1, x)[0], 3.0 * 7 * k, 1e-3);
}

TEST_P(GemmBlocks, ZerosAndTinyValuesGiveZero) {
  base::Rng rng(8);
  const Matrix w(GetParam(), rng, BlockType::kQ4_1, 3, 64);
  std::vector<float> x(64, 0.0F);
  std::fill_n(x.begin() + 32, 32, 1e-35F);
  for (const float y : product(w.packed, 1, x)) {
    EXPECT_EQ(y, 0.0F);
  }
}

TEST_P(GemmBlocks, ShapesThatDoNotFitAreRefused) {
  EXPECT_THROW(PackedBlocks(GetParam(), BlockType::kQ4_0, 4, 33), base::Error);
  base::Rng rng(10);
  const Matrix a(GetParam(), rng, BlockType::kF32, 4, 32);
  const Matrix b(GetParam(), rng, BlockType::kF32, 4, 64);
  std::vector<float> y(8);
  const BlockProduct products[] = {{&a.packed, y.data(), 4, {}}, {&b.packed, y.data() + 4, 4, {}}};
  Workspace workspace;
  EXPECT_THROW(gemm_blocks({.m = 1, .x = y.data(), .ldx = 64, .products = products}, workspace, nullptr), base::Error);
}

SLIPWAY_EACH_ISA(GemmBlocks);

TEST(BlockFormats, VectorInstructionSetsGiveTheSameBits) {
  for (const BlockType type : kTypes) {
    std::vector<std::vector<float>> results;
    for (const base::Isa isa : available_isas()) {
      if (isa != base::Isa::kScalar) {
        base::Rng rng(9);
        const Matrix w(isa, rng, type, 67, 672);
        results.push_back(product(w.packed, 11, uniform_floats(rng, 11 * 672)));
        EXPECT_EQ(0, std::memcmp(results[0].data(), results.back().data(), results[0].size() * sizeof(float)))
            << block_type_name(type) << " " << base::isa_name(isa);
      }
    }
  }
}

TEST(BlockFormats, HalfFloatsGoThereAndBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float x = f16_to_f32(static_cast<uint16_t>(bits));
    if (!std::isnan(x)) {
      ASSERT_EQ(f32_to_f16(x), bits);
    }
  }
  EXPECT_EQ(f32_to_f16(65519.0F), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65520.0F), 0x7C00);
  EXPECT_EQ(f32_to_f16(1.0F + 0x1p-11F), 0x3C00);  // halfway, to even
  EXPECT_EQ(f32_to_f16(1.0F + 0x3p-11F), 0x3C02);
  EXPECT_EQ(f32_to_f16(0x1p-25F), 0);
  EXPECT_EQ(f32_to_f16(0x1.8p-25F), 1);
  EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(NAN))));
}

TEST(BlockFormats, RoundingStaysWithinHalfAStep) {
  base::Rng rng(11);
  for (const BlockType type :
       {BlockType::kQ8_0, BlockType::kQ4_0, BlockType::kQ4_1, BlockType::kF16, BlockType::kBf16}) {
    const auto x = uniform_floats(rng, 320, -3, 1);
    std::vector<uint8_t> row(static_cast<size_t>(block_row_bytes(type, 320)));
    std::vector<float> y(320);
    quantize_row(type, 320, x.data(), row.data());
    dequantize_row(type, 320, row.data(), y.data());
    // Steps of a block of values in [-3, 1]: 3/127, 3/8 (and one more step at the end 8 does not reach), 4/15; f16 and
    // bf16 have 11 and 8 bits. The scales are f16 themselves.
    const double step = type == BlockType::kQ8_0   ? 3.0 / 127
                        : type == BlockType::kQ4_0 ? 3.0 / 8
                        : type == BlockType::kQ4_1 ? 4.0 / 15
                        : type == BlockType::kF16  ? 3.0 / 1024
                                                   : 3.0 / 128;
    for (int i = 0; i < 320; ++i) {
      EXPECT_NEAR(x[i], y[i], step * 0.5 + 3e-3) << block_type_name(type);
    }
  }
}

}  // namespace
}  // namespace slipway::kernels
