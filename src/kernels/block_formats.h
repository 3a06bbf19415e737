// The weight formats of decoders that products read: plain f32, f16, bf16, and GGML blocks of 32 values. Conversions
// are for loading and tests; products work on what gemm_blocks.h packs. Any thread. Byte layouts: docs/formats of
// llama.cpp's ggml-common.h (block_q8_0, block_q4_0, block_q4_1), all little-endian.
#pragma once

#include <cstdint>

namespace slipway::kernels {

// A value of a block at i is d * q (kQ8_0), d * (q - 8) (kQ4_0) or d * q + m (kQ4_1).
enum class BlockType {
  kF32,
  kF16,
  kBf16,
  kQ8_0,  // 34 bytes: d f16, q s8 [32]
  kQ4_0,  // 18 bytes: d f16, then 16 bytes whose low nibbles are q[0..15] and whose high ones are q[16..31]
  kQ4_1,  // 20 bytes: d f16, m f16, nibbles as in kQ4_0
};

constexpr int kBlockValues = 32;  // of one block; k of a quantised matrix is a multiple of it

constexpr bool is_quantized(BlockType type) noexcept { return type >= BlockType::kQ8_0; }
const char* block_type_name(BlockType type) noexcept;

// Bytes of a row of k values as files store it; k is a multiple of 32 for quantised types.
int64_t block_row_bytes(BlockType type, int64_t k) noexcept;

// out [k] = the values of a row.
void dequantize_row(BlockType type, int64_t k, const void* row, float* out) noexcept;

// The row of `type` nearest to x [k]: rounding to nearest even for f16 and bf16; per block d = largest magnitude / 127
// for kQ8_0, the signed value of largest magnitude / -8 for kQ4_0, (max - min) / 15 and m = min for kQ4_1, as llama.cpp
// does. x must be finite.
void quantize_row(BlockType type, int64_t k, const float* x, void* row) noexcept;

float f16_to_f32(uint16_t bits) noexcept;
uint16_t f32_to_f16(float x) noexcept;  // to nearest even; too large becomes infinity

}  // namespace slipway::kernels
