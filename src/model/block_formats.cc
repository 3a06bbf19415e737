#include "model/block_formats.h"

#include <array>
#include <cstring>

#include "base/error.h"

namespace slipway::model {
namespace {

// Each decoder takes one block and writes its values. Bytes of a block are read through this cursor in the order in
// which the format lists them.
struct Block {
  const uint8_t* at;
  float half() noexcept {
    uint16_t bits = 0;
    std::memcpy(&bits, at, sizeof(bits));
    at += sizeof(bits);
    return half_to_float(bits);
  }
  uint32_t word() noexcept {
    uint32_t value = 0;
    std::memcpy(&value, at, sizeof(value));
    at += sizeof(value);
    return value;
  }
  const uint8_t* take(int bytes) noexcept {
    const uint8_t* from = at;
    at += bytes;
    return from;
  }
};

// Blocks of 32 keep value i in the low half of byte i, value i + 16 in its high half.
int nibble32(const uint8_t* packed, int i) noexcept { return i < 16 ? packed[i] & 15 : packed[i - 16] >> 4; }

void decode_q4_0(Block block, float* y) noexcept {
  const float d = block.half();
  const uint8_t* q = block.take(16);
  for (int i = 0; i < 32; ++i) {
    y[i] = static_cast<float>(nibble32(q, i) - 8) * d;
  }
}

void decode_q4_1(Block block, float* y) noexcept {
  const float d = block.half();
  const float m = block.half();
  const uint8_t* q = block.take(16);
  for (int i = 0; i < 32; ++i) {
    y[i] = static_cast<float>(nibble32(q, i)) * d + m;
  }
}

// Bit i of the word is the fifth bit of value i.
int with_fifth_bit(const uint8_t* q, uint32_t high, int i) noexcept {
  return nibble32(q, i) | static_cast<int>(((high >> i) & 1U) << 4);
}

void decode_q5_0(Block block, float* y) noexcept {
  const float d = block.half();
  const uint32_t high = block.word();
  const uint8_t* q = block.take(16);
  for (int i = 0; i < 32; ++i) {
    y[i] = static_cast<float>(with_fifth_bit(q, high, i) - 16) * d;
  }
}

void decode_q5_1(Block block, float* y) noexcept {
  const float d = block.half();
  const float m = block.half();
  const uint32_t high = block.word();
  const uint8_t* q = block.take(16);
  for (int i = 0; i < 32; ++i) {
    y[i] = static_cast<float>(with_fifth_bit(q, high, i)) * d + m;
  }
}

void decode_q8_0(Block block, float* y) noexcept {
  const float d = block.half();
  const uint8_t* q = block.take(32);
  for (int i = 0; i < 32; ++i) {
    y[i] = static_cast<float>(static_cast<int8_t>(q[i])) * d;
  }
}

// Blocks of 256 (the "K" formats): two halves of 128 values; within a half, each of 32 bytes holds one value of each
// group of 32, the lowest bits first.
int two_bits256(const uint8_t* q, int i) noexcept { return (q[(i / 128) * 32 + i % 32] >> (2 * (i % 128 / 32))) & 3; }

void decode_q2_k(Block block, float* y) noexcept {
  const uint8_t* scales = block.take(16);  // of 16 values each: scale in the low half, minimum in the high half
  const uint8_t* q = block.take(64);
  const float d = block.half();
  const float dmin = block.half();
  for (int i = 0; i < 256; ++i) {
    const int scale = scales[i / 16];
    y[i] = (d * static_cast<float>(scale & 15)) * static_cast<float>(two_bits256(q, i)) -
           dmin * static_cast<float>(scale >> 4);
  }
}

void decode_q3_k(Block block, float* y) noexcept {
  const uint8_t* high = block.take(32);  // bit g of byte i % 32: the third bit of value i of the group g of 32
  const uint8_t* q = block.take(64);
  const uint8_t* packed = block.take(12);  // sixteen 6-bit scales: 8 bytes of low halves, 4 bytes of high pairs
  const float d = block.half();
  for (int i = 0; i < 256; ++i) {
    const int group = i / 16;
    const int low = group < 8 ? packed[group] & 15 : packed[group - 8] >> 4;
    const int pair = (packed[8 + group % 4] >> (2 * (group / 4))) & 3;
    const float scale = d * static_cast<float>((low | (pair << 4)) - 32);
    const int third = (high[i % 32] >> (i / 32)) & 1;
    y[i] = scale * static_cast<float>(two_bits256(q, i) - (third != 0 ? 0 : 4));
  }
}

// Eight pairs of 6-bit scale and minimum in 12 bytes, shared by Q4_K and Q5_K: the first four pairs whole in bytes 0-3
// and 4-7, of the last four the low halves in bytes 8-11 and the high pairs above the first four.
struct ScaleMin {
  int scale, minimum;
};
ScaleMin scale_min(const uint8_t* packed, int group) noexcept {
  if (group < 4) {
    return {packed[group] & 63, packed[group + 4] & 63};
  }
  return {(packed[group + 4] & 15) | ((packed[group - 4] >> 6) << 4),
          (packed[group + 4] >> 4) | ((packed[group] >> 6) << 4)};
}

// Groups of 32: the even ones in the low halves of 32 bytes, the odd ones in the high halves.
int nibble256(const uint8_t* q, int i) noexcept {
  const int byte = q[(i / 64) * 32 + i % 32];
  return i % 64 < 32 ? byte & 15 : byte >> 4;
}

void decode_q4_k(Block block, float* y) noexcept {
  const float d = block.half();
  const float dmin = block.half();
  const uint8_t* packed = block.take(12);
  const uint8_t* q = block.take(128);
  for (int i = 0; i < 256; ++i) {
    const ScaleMin group = scale_min(packed, i / 32);
    y[i] = (d * static_cast<float>(group.scale)) * static_cast<float>(nibble256(q, i)) -
           dmin * static_cast<float>(group.minimum);
  }
}

void decode_q5_k(Block block, float* y) noexcept {
  const float d = block.half();
  const float dmin = block.half();
  const uint8_t* packed = block.take(12);
  const uint8_t* high = block.take(32);  // bit g of byte i % 32: the fifth bit of value i of the group g of 32
  const uint8_t* q = block.take(128);
  for (int i = 0; i < 256; ++i) {
    const ScaleMin group = scale_min(packed, i / 32);
    const int value = nibble256(q, i) | (((high[i % 32] >> (i / 32)) & 1) << 4);
    y[i] = (d * static_cast<float>(group.scale)) * static_cast<float>(value) - dmin * static_cast<float>(group.minimum);
  }
}

void decode_q6_k(Block block, float* y) noexcept {
  const uint8_t* low = block.take(128);
  const uint8_t* high = block.take(64);    // two bits a value, as two_bits256
  const uint8_t* scales = block.take(16);  // int8, of 16 values each
  const float d = block.half();
  for (int i = 0; i < 256; ++i) {
    // Within a half of 128: groups 0 and 1 of 32 in the low halves of bytes 0-31 and 32-63, groups 2 and 3 in the high.
    const int byte = low[(i / 128) * 64 + i % 64];
    const int four = i % 128 < 64 ? byte & 15 : byte >> 4;
    const float scale = d * static_cast<float>(static_cast<int8_t>(scales[i / 16]));
    y[i] = scale * static_cast<float>((four | (two_bits256(high, i) << 4)) - 32);
  }
}

// The levels that four bits choose from in the IQ4 formats.
constexpr std::array<float, 16> kIq4Levels = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

void decode_iq4_nl(Block block, float* y) noexcept {
  const float d = block.half();
  const uint8_t* q = block.take(16);
  for (int i = 0; i < 32; ++i) {
    y[i] = d * kIq4Levels[static_cast<size_t>(nibble32(q, i))];
  }
}

void decode_iq4_xs(Block block, float* y) noexcept {
  const float d = block.half();
  const uint8_t* high_bytes = block.take(2);
  const int high = high_bytes[0] | (high_bytes[1] << 8);  // two bits of each of eight 6-bit scales
  const uint8_t* low = block.take(4);                     // four bits of each
  const uint8_t* q = block.take(128);
  for (int group = 0; group < 8; ++group) {
    const int four = (low[group / 2] >> (4 * (group % 2))) & 15;
    const float scale = d * static_cast<float>((four | (((high >> (2 * group)) & 3) << 4)) - 32);
    for (int i = 0; i < 32; ++i) {
      y[group * 32 + i] = scale * kIq4Levels[static_cast<size_t>(nibble32(q + group * 16, i))];
    }
  }
}

struct Row {
  DType dtype;
  void (*decode)(Block, float*) noexcept;
};
constexpr std::array<Row, 12> kRows = {{{DType::kQ4_0, decode_q4_0},
                                        {DType::kQ4_1, decode_q4_1},
                                        {DType::kQ5_0, decode_q5_0},
                                        {DType::kQ5_1, decode_q5_1},
                                        {DType::kQ8_0, decode_q8_0},
                                        {DType::kQ2_K, decode_q2_k},
                                        {DType::kQ3_K, decode_q3_k},
                                        {DType::kQ4_K, decode_q4_k},
                                        {DType::kQ5_K, decode_q5_k},
                                        {DType::kQ6_K, decode_q6_k},
                                        {DType::kIQ4_NL, decode_iq4_nl},
                                        {DType::kIQ4_XS, decode_iq4_xs}}};

}  // namespace

void decode_blocks(DType dtype, std::string_view bytes, std::span<float> values) {
  const auto size = dtype_bytes(dtype, values.size());
  SLIPWAY_CHECK(size && *size == bytes.size());
  for (const Row& row : kRows) {
    if (row.dtype != dtype) {
      continue;
    }
    const auto block = static_cast<size_t>(dtype_block(dtype));
    const auto* from = reinterpret_cast<const uint8_t*>(bytes.data());
    for (size_t i = 0; i < values.size(); i += block, from += dtype_size(dtype)) {
      row.decode(Block{from}, values.data() + i);
    }
    return;
  }
  SLIPWAY_CHECK(!"a type with a decoder");
}

}  // namespace slipway::model
