// The AVX-512 table with int8 products by vpdpbusd. Compiled with those flags: see CMakeLists.txt.
#include <cstddef>
#include <cstdint>
#include <immintrin.h>

#include "kernels/table.h"

#define SLIPWAY_TILE_ROWS 8
#define SLIPWAY_INT8 4

namespace slipway::kernels {
namespace avx512_vnni {
namespace {

constexpr int kInt8Group = 4;

// Each builds on those before it.
// clang-format off
#include "kernels/simd_avx512.h"
#include "kernels/impl_math.h"
#include "kernels/impl_gemm_int8.h"
#include "kernels/impl_lanes.h"
#include "kernels/impl_block_dots.h"
#include "kernels/impl_gemm_strided.h"
#include "kernels/impl_gemm_blocks.h"
#include "kernels/impl_peak.h"
// clang-format on
static_assert(kTileRows == SLIPWAY_TILE_ROWS);

Kernels make() noexcept {
  Kernels t = kernels_avx512();
  t.panel_int8 = kPanel8;
  t.group_int8 = kGroup;
  t.gemm_int8 = gemm_int8_impl;
  t.pack_int8 = pack_int8_impl;
  t.offset_blocks = kOffset8;
  t.gemm_panels = gemm_panels_impl;
  t.peak_int8 = peak_int8_impl;
  return t;
}

}  // namespace
}  // namespace avx512_vnni

const Kernels& kernels_avx512_vnni() noexcept {
  static const Kernels table = avx512_vnni::make();
  return table;
}

}  // namespace slipway::kernels
