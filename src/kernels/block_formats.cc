#include "kernels/block_formats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace slipway::kernels {
namespace {

uint16_t load16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
void store16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v);
  p[1] = static_cast<uint8_t>(v >> 8);
}

uint16_t f32_to_bf16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) {
    return static_cast<uint16_t>(bits >> 16 | 0x40U);
  }
  return static_cast<uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

uint8_t nibble(float x) { return static_cast<uint8_t>(std::clamp(static_cast<int>(x), 0, 15)); }

void quantize_q8_0(const float* x, uint8_t* out) {
  float largest = 0;
  for (int i = 0; i < kBlockValues; ++i) {
    largest = std::max(largest, std::abs(x[i]));
  }
  const float d = largest / 127.0F;
  const float inverse = d > 0 ? 1.0F / d : 0.0F;
  store16(out, f32_to_f16(d));
  for (int i = 0; i < kBlockValues; ++i) {
    out[2 + i] = static_cast<uint8_t>(static_cast<int8_t>(std::lround(std::clamp(x[i] * inverse, -127.0F, 127.0F))));
  }
}

void quantize_q4_0(const float* x, uint8_t* out) {
  float extreme = 0;
  for (int i = 0; i < kBlockValues; ++i) {
    extreme = std::abs(x[i]) > std::abs(extreme) ? x[i] : extreme;
  }
  const float d = extreme / -8.0F;
  const float inverse = d != 0 ? 1.0F / d : 0.0F;
  store16(out, f32_to_f16(d));
  for (int i = 0; i < 16; ++i) {
    out[2 + i] = static_cast<uint8_t>(nibble(x[i] * inverse + 8.5F) | nibble(x[i + 16] * inverse + 8.5F) << 4);
  }
}

void quantize_q4_1(const float* x, uint8_t* out) {
  const auto [low, high] = std::minmax_element(x, x + kBlockValues);
  const float m = *low;
  const float d = (*high - m) / 15.0F;
  const float inverse = d > 0 ? 1.0F / d : 0.0F;
  store16(out, f32_to_f16(d));
  store16(out + 2, f32_to_f16(m));
  for (int i = 0; i < 16; ++i) {
    out[4 + i] =
        static_cast<uint8_t>(nibble((x[i] - m) * inverse + 0.5F) | nibble((x[i + 16] - m) * inverse + 0.5F) << 4);
  }
}

}  // namespace

float f16_to_f32(uint16_t bits) noexcept {
  const uint32_t sign = (bits & 0x8000U) << 16;
  const uint32_t magnitude = bits & 0x7FFFU;
  if (magnitude >= 0x7C00U) {  // infinity and NaN
    return std::bit_cast<float>(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13);
  }
  if (magnitude < 0x400U) {  // zero and subnormals: multiples of 2^-24
    const float value = static_cast<float>(magnitude) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000U));
}

uint16_t f32_to_f16(float x) noexcept {
  const auto bits = std::bit_cast<uint32_t>(x);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000U);
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {
    return static_cast<uint16_t>(sign | 0x7E00U);
  }
  if (magnitude >= 0x477FF000U) {  // 65520: halfway beyond the largest
    return static_cast<uint16_t>(sign | 0x7C00U);
  }
  if (magnitude < 0x38800000U) {  // below 2^-14: adding 0.5 leaves multiples of 2^-24 in the low bits, rounded
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000U));
  }
  const uint32_t rounded = magnitude + 0xFFFU + (magnitude >> 13 & 1U);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000U) >> 13));
}

const char* block_type_name(BlockType type) noexcept {
  switch (type) {
    case BlockType::kF32: return "f32";
    case BlockType::kF16: return "f16";
    case BlockType::kBf16: return "bf16";
    case BlockType::kQ8_0: return "q8_0";
    case BlockType::kQ4_0: return "q4_0";
    case BlockType::kQ4_1: return "q4_1";
  }
  return "?";
}

int64_t block_row_bytes(BlockType type, int64_t k) noexcept {
  switch (type) {
    case BlockType::kF32: return 4 * k;
    case BlockType::kF16:
    case BlockType::kBf16: return 2 * k;
    case BlockType::kQ8_0: return k / kBlockValues * 34;
    case BlockType::kQ4_0: return k / kBlockValues * 18;
    case BlockType::kQ4_1: return k / kBlockValues * 20;
  }
  return 0;
}

void dequantize_row(BlockType type, int64_t k, const void* row, float* out) noexcept {
  const auto* bytes = static_cast<const uint8_t*>(row);
  if (type == BlockType::kF32) {
    std::memcpy(out, row, static_cast<size_t>(k) * sizeof(float));
    return;
  }
  if (!is_quantized(type)) {
    for (int64_t i = 0; i < k; ++i) {
      const uint16_t bits = load16(bytes + 2 * i);
      out[i] = type == BlockType::kF16 ? f16_to_f32(bits) : std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
    }
    return;
  }
  const int64_t block_bytes = block_row_bytes(type, kBlockValues);
  for (int64_t b = 0; b < k / kBlockValues; ++b, bytes += block_bytes, out += kBlockValues) {
    const float d = f16_to_f32(load16(bytes));
    if (type == BlockType::kQ8_0) {
      for (int i = 0; i < kBlockValues; ++i) {
        out[i] = d * static_cast<float>(static_cast<int8_t>(bytes[2 + i]));
      }
      continue;
    }
    const bool has_min = type == BlockType::kQ4_1;
    const float m = has_min ? f16_to_f32(load16(bytes + 2)) : -8 * d;
    const uint8_t* q = bytes + (has_min ? 4 : 2);
    for (int i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>(q[i] & 15) + m;
      out[i + 16] = d * static_cast<float>(q[i] >> 4) + m;
    }
  }
}

void quantize_row(BlockType type, int64_t k, const float* x, void* row) noexcept {
  auto* bytes = static_cast<uint8_t*>(row);
  if (type == BlockType::kF32) {
    std::memcpy(row, x, static_cast<size_t>(k) * sizeof(float));
    return;
  }
  if (!is_quantized(type)) {
    for (int64_t i = 0; i < k; ++i) {
      store16(bytes + 2 * i, type == BlockType::kF16 ? f32_to_f16(x[i]) : f32_to_bf16(x[i]));
    }
    return;
  }
  const int64_t block_bytes = block_row_bytes(type, kBlockValues);
  for (int64_t b = 0; b < k / kBlockValues; ++b, bytes += block_bytes, x += kBlockValues) {
    type == BlockType::kQ8_0   ? quantize_q8_0(x, bytes)
    : type == BlockType::kQ4_0 ? quantize_q4_0(x, bytes)
                               : quantize_q4_1(x, bytes);
  }
}

}  // namespace slipway::kernels
