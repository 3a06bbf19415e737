// Written once over GCC vectors of N floats and compiled three times; the compiler keeps the accumulators in registers.
#include "stats/mmd_kernel.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/cpu.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace slipway::stats {
namespace {

#define SLIPWAY_INLINE inline __attribute__((always_inline))

// Unaligned vectors that may alias floats. Spelled out for each width: attributes on dependent types are not reliable.
template <int kLanes>
struct Lanes;
#define SLIPWAY_LANES(lanes)                                                            \
  template <>                                                                           \
  struct Lanes<lanes> {                                                                 \
    typedef float Float __attribute__((vector_size((lanes)*4), aligned(4), may_alias)); \
    typedef int32_t Int __attribute__((vector_size((lanes)*4), aligned(4), may_alias)); \
  }
SLIPWAY_LANES(4);
SLIPWAY_LANES(8);
SLIPWAY_LANES(16);

// kRows x (2 vectors) accumulators: for each step of depth 2 loads, kRows broadcasts and 2 kRows multiply-adds.
template <int kLanes, int kRows>
SLIPWAY_INLINE void multiply_body(const float* a, size_t lda, const float* b, size_t ldb, size_t depth, float* c,
                                  size_t ldc, size_t columns) {
  using V = typename Lanes<kLanes>::Float;
  for (size_t j = 0; j < columns; j += 2 * kLanes) {
    for (size_t i = 0; i < kTile; i += kRows) {
      V sum[kRows][2] = {};
      const float* row = a + i * lda;
      const float* panel = b + j;
      for (size_t k = 0; k < depth; ++k, panel += ldb) {
        const V b0 = *reinterpret_cast<const V*>(panel);
        const V b1 = *reinterpret_cast<const V*>(panel + kLanes);
        for (int r = 0; r < kRows; ++r) {
          const float x = row[r * lda + k];
          sum[r][0] += x * b0;
          sum[r][1] += x * b1;
        }
      }
      for (int r = 0; r < kRows; ++r) {
        *reinterpret_cast<V*>(c + (i + r) * ldc + j) = sum[r][0];
        *reinterpret_cast<V*>(c + (i + r) * ldc + j + kLanes) = sum[r][1];
      }
    }
  }
}

// exp by 2^n 2^f, f in [-1/2, 1/2], a polynomial of degree 6: relative error below 2e-7 for arguments in [-87, 0].
template <int kLanes>
SLIPWAY_INLINE void rbf_body(float* tile, const float* x_norm, const float* y_norm, float scale) {
  using V = typename Lanes<kLanes>::Float;
  using I = typename Lanes<kLanes>::Int;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number in the low bits
  const float factor = scale * kLog2E;
  for (size_t i = 0; i < kTile; ++i) {
    for (size_t j = 0; j < kTile; j += kLanes) {
      float* at = tile + i * kTile + j;
      V d = x_norm[i] + *reinterpret_cast<const V*>(y_norm + j) - 2.0F * *reinterpret_cast<const V*>(at);
      d = d > 0.0F ? d : V{};
      V t = d * factor;
      t = t > -125.0F ? t : V{} - 125.0F;
      const V shifted = t + kRound;
      const V f = t - (shifted - kRound);
      V p = V{} + 1.5403530e-4F;
      p = p * f + 1.3333558e-3F;
      p = p * f + 9.6181291e-3F;
      p = p * f + 5.5504109e-2F;
      p = p * f + 2.4022651e-1F;
      p = p * f + 6.9314718e-1F;
      p = p * f + 1.0F;
      const I bits = reinterpret_cast<const I&>(shifted) << 23;  // n in the exponent; the constant's bits fall off
      const I result = reinterpret_cast<const I&>(p) + bits;
      *reinterpret_cast<I*>(at) = result;
    }
  }
}

// cos(2 pi t) after removing whole turns: |t| <= 1/2, folded to |u| <= 1/4 around the nearest half turn, Taylor to
// u^12: error below 1e-8 there.
template <int kLanes>
SLIPWAY_INLINE void cosine_body(float* values, size_t count, float amplitude) {
  using V = typename Lanes<kLanes>::Float;
  using I = typename Lanes<kLanes>::Int;
  constexpr float kRound = 12582912.0F;
  size_t at = 0;
  for (; at + kLanes <= count; at += kLanes) {
    V t = *reinterpret_cast<const V*>(values + at) * 2.0F;  // in half turns
    const V shifted = t + kRound;
    t = (t - (shifted - kRound)) * 3.14159265F;  // |t| <= pi / 2
    const I sign = reinterpret_cast<const I&>(shifted) << 31;
    const V s = t * t;
    V p = V{} + 2.0876757e-9F;
    p = p * s - 2.7557319e-7F;
    p = p * s + 2.4801587e-5F;
    p = p * s - 1.3888889e-3F;
    p = p * s + 4.1666667e-2F;
    p = p * s - 0.5F;
    p = (p * s + 1.0F) * amplitude;
    *reinterpret_cast<I*>(values + at) = reinterpret_cast<const I&>(p) ^ sign;
  }
  for (; at < count; ++at) {
    values[at] = amplitude * std::cos(6.2831853F * (values[at] - std::round(values[at])));
  }
}

void multiply_base(const float* a, size_t lda, const float* b, size_t ldb, size_t depth, float* c, size_t ldc,
                   size_t columns) {
  multiply_body<4, 4>(a, lda, b, ldb, depth, c, ldc, columns);
}
void rbf_base(float* tile, const float* x, const float* y, float scale) { rbf_body<4>(tile, x, y, scale); }
void cosine_base(float* values, size_t count, float amplitude) { cosine_body<4>(values, count, amplitude); }

#if defined(__x86_64__)
#define SLIPWAY_AVX2 __attribute__((target("avx2,fma")))
#define SLIPWAY_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))

SLIPWAY_AVX2 void multiply_avx2(const float* a, size_t lda, const float* b, size_t ldb, size_t depth, float* c,
                                size_t ldc, size_t columns) {
  multiply_body<8, 4>(a, lda, b, ldb, depth, c, ldc, columns);
}
SLIPWAY_AVX2 void rbf_avx2(float* tile, const float* x, const float* y, float scale) { rbf_body<8>(tile, x, y, scale); }
SLIPWAY_AVX2 void cosine_avx2(float* values, size_t count, float amplitude) {
  cosine_body<8>(values, count, amplitude);
}

SLIPWAY_AVX512 void multiply_avx512(const float* a, size_t lda, const float* b, size_t ldb, size_t depth, float* c,
                                    size_t ldc, size_t columns) {
  multiply_body<16, 8>(a, lda, b, ldb, depth, c, ldc, columns);
}
SLIPWAY_AVX512 void rbf_avx512(float* tile, const float* x, const float* y, float scale) {
  rbf_body<16>(tile, x, y, scale);
}
SLIPWAY_AVX512 void cosine_avx512(float* values, size_t count, float amplitude) {
  cosine_body<16>(values, count, amplitude);
}
#endif

constexpr MmdKernels kBase = {multiply_base, rbf_base, cosine_base};
#if defined(__x86_64__)
constexpr MmdKernels kAvx2 = {multiply_avx2, rbf_avx2, cosine_avx2};
constexpr MmdKernels kAvx512 = {multiply_avx512, rbf_avx512, cosine_avx512};
#endif

}  // namespace

const MmdKernels& mmd_kernels() noexcept {
#if defined(__x86_64__)
  const base::CpuFeatures& cpu = base::cpu_features();
  if (cpu.avx512) {
    return kAvx512;
  }
  if (cpu.avx2) {
    return kAvx2;
  }
#endif
  return kBase;
}

}  // namespace slipway::stats
