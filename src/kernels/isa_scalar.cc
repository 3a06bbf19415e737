// The portable table: four lanes of vector extensions, no instruction beyond the baseline.
#include <cstddef>
#include <cstdint>

#include "kernels/table.h"

#define SLIPWAY_TILE_ROWS 4
#define SLIPWAY_INT8 1

namespace slipway::kernels {
namespace scalar {
namespace {

constexpr int kInt8Group = 2;

// Each builds on those before it.
// clang-format off
#include "kernels/simd_scalar.h"
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
}  // namespace scalar

const Kernels& kernels_scalar() noexcept {
  static constexpr Kernels table = scalar::make();
  return table;
}

}  // namespace slipway::kernels
