#include "model/tensor.h"

#include <array>
#include <bit>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "model/block_formats.h"
#include "model/load.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

static_assert(std::endian::native == std::endian::little,
              "tensors are little-endian in every format and used in place");

struct DTypeRow {
  DType dtype;
  const char* name;
  int block;    // values
  size_t size;  // bytes of a block
  bool is_float;
};

// Sizes of the block formats: ggml's ggml-common.h.
constexpr std::array<DTypeRow, kDTypeCount> kDTypes = {{
    {DType::kBool, "BOOL", 1, 1, false},
    {DType::kU8, "U8", 1, 1, false},
    {DType::kI8, "I8", 1, 1, false},
    {DType::kI16, "I16", 1, 2, false},
    {DType::kU16, "U16", 1, 2, false},
    {DType::kF16, "F16", 1, 2, true},
    {DType::kBF16, "BF16", 1, 2, true},
    {DType::kI32, "I32", 1, 4, false},
    {DType::kU32, "U32", 1, 4, false},
    {DType::kF32, "F32", 1, 4, true},
    {DType::kI64, "I64", 1, 8, false},
    {DType::kU64, "U64", 1, 8, false},
    {DType::kF64, "F64", 1, 8, true},
    {DType::kQ4_0, "Q4_0", 32, 18, true},
    {DType::kQ4_1, "Q4_1", 32, 20, true},
    {DType::kQ5_0, "Q5_0", 32, 22, true},
    {DType::kQ5_1, "Q5_1", 32, 24, true},
    {DType::kQ8_0, "Q8_0", 32, 34, true},
    {DType::kQ2_K, "Q2_K", 256, 84, true},
    {DType::kQ3_K, "Q3_K", 256, 110, true},
    {DType::kQ4_K, "Q4_K", 256, 144, true},
    {DType::kQ5_K, "Q5_K", 256, 176, true},
    {DType::kQ6_K, "Q6_K", 256, 210, true},
    {DType::kIQ4_NL, "IQ4_NL", 32, 18, true},
    {DType::kIQ4_XS, "IQ4_XS", 256, 136, true},
}};

constexpr bool rows_in_order() {
  for (size_t i = 0; i < kDTypes.size(); ++i) {
    if (static_cast<size_t>(kDTypes[i].dtype) != i) {
      return false;
    }
  }
  return true;
}
static_assert(rows_in_order());

const DTypeRow& row_of(DType dtype) noexcept { return kDTypes[static_cast<size_t>(dtype)]; }

}  // namespace

const char* dtype_name(DType dtype) noexcept { return row_of(dtype).name; }
size_t dtype_size(DType dtype) noexcept { return row_of(dtype).size; }
int64_t dtype_block(DType dtype) noexcept { return row_of(dtype).block; }
bool dtype_is_float(DType dtype) noexcept { return row_of(dtype).is_float; }

std::optional<DType> dtype_from_name(std::string_view name) noexcept {
  for (const DTypeRow& row : kDTypes) {
    if (name == row.name) {
      return row.dtype;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> dtype_bytes(DType dtype, uint64_t count) noexcept {
  const DTypeRow& row = row_of(dtype);
  uint64_t bytes = 0;
  if (count % static_cast<uint64_t>(row.block) != 0 ||
      __builtin_mul_overflow(count / static_cast<uint64_t>(row.block), row.size, &bytes) || bytes > INT64_MAX) {
    return std::nullopt;
  }
  return bytes;
}

int64_t TensorView::count() const {
  int64_t product = 1;
  for (const int64_t size : shape) {
    product *= size;
  }
  return product;
}

float half_to_float(uint16_t half) noexcept {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fU;
  const uint32_t mantissa = half & 0x3ffU;
  if (exponent == 0x1f) {
    return std::bit_cast<float>(sign | 0x7f800000U | (mantissa << 13));
  }
  if (exponent != 0) {
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  }
  const float small = static_cast<float>(mantissa) * 0x1p-24F;  // exact: zero or a subnormal half
  return sign != 0 ? -small : small;
}

std::vector<float> tensor_to_f32(const TensorView& tensor, const std::string& source) {
  const auto count = static_cast<size_t>(tensor.count());
  std::vector<float> values(count);
  const char* from = tensor.bytes.data();
  switch (tensor.dtype) {
    case DType::kF32:
      if (count > 0) {
        std::memcpy(values.data(), from, count * sizeof(float));
      }
      return values;
    case DType::kF16:
      for (size_t i = 0; i < count; ++i) {
        values[i] = half_to_float(load<uint16_t>(from + (2 * i)));
      }
      return values;
    case DType::kBF16:
      for (size_t i = 0; i < count; ++i) {
        values[i] = std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(from + (2 * i))) << 16);
      }
      return values;
    case DType::kF64:
      for (size_t i = 0; i < count; ++i) {
        values[i] = static_cast<float>(load<double>(from + (8 * i)));
      }
      return values;
    default: break;
  }
  if (!dtype_is_float(tensor.dtype)) {
    throw Error(Code::kInvalid, fmt::format("{}: tensor '{}' is {}, not floating point", source, tensor.name,
                                            dtype_name(tensor.dtype)));
  }
  decode_blocks(tensor.dtype, tensor.bytes, values);
  return values;
}

}  // namespace slipway::model
