// The table for AVX-512 F, BW, DQ, VL. Compiled with those flags: see CMakeLists.txt.
#include <cstddef>
#include <cstdint>
#include <immintrin.h>

#include "kernels/table.h"

#define SLIPWAY_TILE_ROWS 8
#define SLIPWAY_INT8 3

namespace slipway::kernels {
namespace avx512 {
namespace {

constexpr int kInt8Group = 2;

// Each builds on those before it.
// clang-format off
#include "kernels/simd_avx512.h"
#include "kernels/impl_math.h"
#include "kernels/impl_gemm_f32.h"
#include "kernels/impl_gemm_int8.h"
#include "kernels/impl_rows.h"
#include "kernels/impl_attention.h"
#include "kernels/impl_lanes.h"
#include "kernels/impl_decoder.h"
#include "kernels/impl_recurrent.h"
#include "kernels/impl_block_dots.h"
#include "kernels/impl_gemm_strided.h"
#include "kernels/impl_gemm_blocks.h"
#include "kernels/impl_attention_cached.h"
#include "kernels/impl_peak.h"
#include "kernels/impl_table.h"
// clang-format on

}  // namespace
}  // namespace avx512

const Kernels& kernels_avx512() noexcept {
  static constexpr Kernels table = avx512::make();
  return table;
}

}  // namespace slipway::kernels
