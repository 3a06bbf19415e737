#include "kernels/gemm.h"

#include <cmath>
#include <cstring>

#include "kernels/helpers.h"
#include "kernels/reference.h"

namespace slipway::kernels {
namespace {

// A sum of k products in float, each step rounded: |error| <= (k + 2) u sum |a b| with u = 2^-24 (Higham 2002, 3.1).
double sum_bound(int k, double magnitude) { return (k + 2) * std::ldexp(1.0, -24) * magnitude + 1e-30; }

class Gemm : public EachIsa {};

struct Case {
  int m, n, k;
};

void check_packed(base::Isa isa, base::Rng& rng, const Case& s, base::Pool* pool) {
  SCOPED_TRACE(fmt::format("m {} n {} k {}", s.m, s.n, s.k));
  const int64_t lda = s.k + between(rng, 0, 3);
  const int64_t ldc = s.n + between(rng, 0, 3);
  const auto a = uniform_floats(rng, static_cast<size_t>(s.m * lda));
  const auto w = uniform_floats(rng, static_cast<size_t>(s.n) * s.k);
  const auto bias = uniform_floats(rng, s.n);
  const auto residual = uniform_floats(rng, static_cast<size_t>(s.m * ldc));
  PackedF32 packed(isa, s.n, s.k);
  packed.pack(0, s.n, w.data(), s.k);
  std::vector<float> c(static_cast<size_t>(s.m * ldc), 7.0F);
  gemm_f32(s.m, a.data(), lda, packed, {.bias = bias.data(), .residual = residual.data(), .ld_residual = ldc}, c.data(),
           ldc, pool);
  const Sgemm plain{
      .trans_b = true, .m = s.m, .n = s.n, .k = s.k, .a = a.data(), .lda = lda, .b = w.data(), .ldb = s.k};
  const auto expected = reference::sgemm(plain);
  for (int i = 0; i < s.m; ++i) {
    for (int j = 0; j < s.n; ++j) {
      const size_t at = static_cast<size_t>(i) * s.n + j;
      const double added = double{bias[j]} + residual[i * ldc + j];
      ASSERT_NEAR(c[i * ldc + j], expected.value[at] + added,
                  sum_bound(s.k + 2, expected.magnitude[at] + std::abs(bias[j]) + std::abs(residual[i * ldc + j])))
          << "row " << i << " column " << j;
    }
    for (int64_t j = s.n; j < ldc; ++j) {
      ASSERT_EQ(c[i * ldc + j], 7.0F) << "wrote past the columns";
    }
  }
}

TEST_P(Gemm, EqualsTheReferenceForEveryTileHeight) {
  base::Rng rng(1);
  for (int m = 1; m <= 30; ++m) {
    check_packed(GetParam(), rng, {m, 33, 19}, nullptr);
  }
}

TEST_P(Gemm, EqualsTheReferenceForRandomShapes) {
  base::Rng rng(2);
  base::Pool pool(3);
  for (int i = 0; i < 25; ++i) {
    check_packed(GetParam(), rng, {between(rng, 1, 70), between(rng, 1, 90), between(rng, 1, 120)}, &pool);
  }
}

TEST_P(Gemm, DeepSumsAreTakenInBlocks) {
  base::Rng rng(3);
  check_packed(GetParam(), rng, {5, 40, 1537}, nullptr);
  check_packed(GetParam(), rng, {17, 3, 513}, nullptr);
}

TEST_P(Gemm, ActivationComesBetweenBiasAndResidual) {
  base::Rng rng(4);
  const auto a = uniform_floats(rng, 3 * 8);
  const auto w = uniform_floats(rng, 5 * 8);
  const auto bias = uniform_floats(rng, 5);
  const auto residual = uniform_floats(rng, 3 * 5);
  PackedF32 packed(GetParam(), 5, 8);
  packed.pack(0, 5, w.data(), 8);
  const auto expected =
      reference::sgemm({.trans_b = true, .m = 3, .n = 5, .k = 8, .a = a.data(), .lda = 8, .b = w.data(), .ldb = 8});
  for (const Activation f :
       {Activation::kNone, Activation::kGelu, Activation::kGeluTanh, Activation::kRelu, Activation::kTanh}) {
    std::vector<float> c =
        residual;  // the residual may be C itself, once a product has not yet been written: use a copy
    gemm_f32(3, a.data(), 8, packed,
             {.bias = bias.data(), .activation = f, .residual = residual.data(), .ld_residual = 5}, c.data(), 5,
             nullptr);
    for (size_t i = 0; i < c.size(); ++i) {
      EXPECT_NEAR(c[i], reference::activation(f, expected.value[i] + bias[i % 5]) + residual[i], 3e-6);
    }
  }
}

TEST_P(Gemm, ThreadsDoNotChangeABit) {
  base::Rng rng(5);
  const int m = 150;
  const int n = 200;
  const int k = 700;
  const auto a = uniform_floats(rng, m * k);
  const auto w = uniform_floats(rng, n * k);
  PackedF32 packed(GetParam(), n, k);
  packed.pack(0, n, w.data(), k);
  std::vector<float> serial(m * n);
  gemm_f32(m, a.data(), k, packed, {.activation = Activation::kGelu}, serial.data(), n, nullptr);
  for (const int threads : {2, 5}) {
    base::Pool pool(threads);
    std::vector<float> parallel(m * n);
    gemm_f32(m, a.data(), k, packed, {.activation = Activation::kGelu}, parallel.data(), n, &pool);
    EXPECT_EQ(0, std::memcmp(serial.data(), parallel.data(), serial.size() * sizeof(float)));
  }
}

TEST_P(Gemm, ARowDoesNotDependOnItsCompany) {
  base::Rng rng(6);
  const int n = 70;
  const int k = 600;
  const auto a = uniform_floats(rng, 40 * k);
  const auto w = uniform_floats(rng, n * k);
  PackedF32 packed(GetParam(), n, k);
  packed.pack(0, n, w.data(), k);
  std::vector<float> all(40 * n);
  gemm_f32(40, a.data(), k, packed, {}, all.data(), n, nullptr);
  for (const int row : {0, 13, 39}) {
    std::vector<float> alone(n);
    gemm_f32(1, a.data() + row * k, k, packed, {}, alone.data(), n, nullptr);
    EXPECT_EQ(0, std::memcmp(alone.data(), all.data() + row * n, n * sizeof(float))) << row;
  }
}

TEST_P(Gemm, PackingPanelByPanelEqualsPackingAtOnce) {
  base::Rng rng(7);
  const int n = 100;
  const int k = 21;
  const auto a = uniform_floats(rng, 4 * k);
  const auto w = uniform_floats(rng, n * k);
  PackedF32 whole(GetParam(), n, k);
  whole.pack(0, n, w.data(), k);
  PackedF32 pieces(GetParam(), n, k);
  for (int first = 0; first < n; first += pieces.panel_columns()) {
    pieces.pack(first, std::min(pieces.panel_columns(), n - first), w.data() + first * k, k);
  }
  std::vector<float> x(4 * n);
  std::vector<float> y(4 * n);
  gemm_f32(4, a.data(), k, whole, {}, x.data(), n, nullptr);
  gemm_f32(4, a.data(), k, pieces, {}, y.data(), n, nullptr);
  EXPECT_EQ(x, y);
}

void check_general(base::Isa isa, base::Rng& rng, base::Pool& pool, Sgemm g) {
  SCOPED_TRACE(fmt::format("m {} n {} k {} transposed {} {} beta {}", g.m, g.n, g.k, g.trans_a, g.trans_b, g.beta));
  g.lda = (g.trans_a ? g.m : g.k) + between(rng, 0, 5);
  g.ldb = (g.trans_b ? g.k : g.n) + between(rng, 0, 5);
  g.ldc = g.n + between(rng, 0, 5);
  const auto a = uniform_floats(rng, static_cast<size_t>((g.trans_a ? g.k : g.m) * g.lda));
  const auto b = uniform_floats(rng, static_cast<size_t>((g.trans_b ? g.n : g.k) * g.ldb));
  auto c = uniform_floats(rng, static_cast<size_t>(g.m * g.ldc));
  g.a = a.data();
  g.b = b.data();
  g.c = c.data();
  const auto expected = reference::sgemm(g);
  sgemm(g, pool, isa);
  for (int i = 0; i < g.m; ++i) {
    for (int j = 0; j < g.n; ++j) {
      const size_t at = static_cast<size_t>(i) * g.n + j;
      ASSERT_NEAR(c[i * g.ldc + j], expected.value[at], sum_bound(g.k + 1, expected.magnitude[at]))
          << "row " << i << " column " << j;
    }
  }
}

TEST_P(Gemm, GeneralProductEqualsTheReference) {
  base::Rng rng(8);
  base::Pool pool(2);
  for (const bool trans_a : {false, true}) {
    for (const bool trans_b : {false, true}) {
      for (const float beta : {0.0F, 1.0F, -0.5F}) {
        for (int i = 0; i < 4; ++i) {
          check_general(GetParam(), rng, pool,
                        {.trans_a = trans_a,
                         .trans_b = trans_b,
                         .m = between(rng, 1, 80),
                         .n = between(rng, 1, 80),
                         .k = between(rng, 1, 80),
                         .beta = beta});
        }
      }
    }
  }
  check_general(GetParam(), rng, pool, {.trans_a = true, .m = 70, .n = 65, .k = 1100, .beta = 1});
  check_general(GetParam(), rng, pool, {.trans_b = true, .m = 9, .n = 4100, .k = 5});
}

TEST_P(Gemm, GeneralProductCopiesRowsThatShareCacheSets) {
  base::Rng rng(9);
  base::Pool pool(1);
  const auto a = uniform_floats(rng, 20 * 1024);
  const auto b = uniform_floats(rng, 512 * 30);
  std::vector<float> c(20 * 30);
  const Sgemm g{
      .m = 20, .n = 30, .k = 512, .a = a.data(), .lda = 1024, .b = b.data(), .ldb = 30, .c = c.data(), .ldc = 30};
  sgemm(g, pool, GetParam());
  const auto expected = reference::sgemm(g);
  for (size_t i = 0; i < c.size(); ++i) {
    ASSERT_NEAR(c[i], expected.value[i], sum_bound(512, expected.magnitude[i]));
  }
}

TEST_P(Gemm, EmptyProductsScaleC) {
  base::Pool pool(1);
  std::vector<float> c = {1, 2, 3, 4};
  sgemm({.m = 0, .n = 2, .k = 3, .c = c.data(), .ldc = 2}, pool, GetParam());
  EXPECT_EQ(c, (std::vector<float>{1, 2, 3, 4}));
  sgemm({.m = 2, .n = 2, .k = 0, .beta = 0.5F, .c = c.data(), .ldc = 2}, pool, GetParam());
  EXPECT_EQ(c, (std::vector<float>{0.5F, 1, 1.5F, 2}));
  sgemm({.m = 2, .n = 2, .k = 0, .beta = 0, .c = c.data(), .ldc = 2}, pool, GetParam());
  EXPECT_EQ(c, (std::vector<float>{0, 0, 0, 0}));
}

TEST_P(Gemm, ZeroBetaIgnoresWhatCHeld) {
  base::Pool pool(1);
  const std::vector<float> a = {2};
  std::vector<float> c = {std::nanf("")};
  sgemm({.m = 1, .n = 1, .k = 1, .a = a.data(), .lda = 1, .b = a.data(), .ldb = 1, .c = c.data(), .ldc = 1}, pool,
        GetParam());
  EXPECT_EQ(c[0], 4.0F);
}

SLIPWAY_EACH_ISA(Gemm);

TEST(GemmIsas, InstructionSetsWithFusedMultiplyAddAgreeToTheBit) {
  base::Rng rng(10);
  const auto a = uniform_floats(rng, 20 * 700);
  const auto w = uniform_floats(rng, 45 * 700);
  std::vector<float> first;
  for (const base::Isa isa : available_isas()) {
    if (isa == base::Isa::kScalar) {
      continue;
    }
    PackedF32 packed(isa, 45, 700);
    packed.pack(0, 45, w.data(), 700);
    std::vector<float> c(20 * 45);
    gemm_f32(20, a.data(), 700, packed, {}, c.data(), 45, nullptr);
    if (first.empty()) {
      first = c;
    }
    EXPECT_EQ(first, c) << base::isa_name(isa);
  }
}

}  // namespace
}  // namespace slipway::kernels
