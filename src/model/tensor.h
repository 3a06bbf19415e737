// A tensor in a file: its element type, shape and bytes. The types are those of safetensors and the block formats of
// GGUF, in which a row is a sequence of blocks of 32 or 256 values that share their scales. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::model {

// clang-format off
enum class DType {
  // One value an element.
  kBool, kU8, kI8, kI16, kU16, kF16, kBF16, kI32, kU32, kF32, kI64, kU64, kF64,
  // Blocks, as ggml's quants lay them out (block_formats.h decodes them).
  kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kQ2_K, kQ3_K, kQ4_K, kQ5_K, kQ6_K, kIQ4_NL, kIQ4_XS,
};
// clang-format on
inline constexpr int kDTypeCount = static_cast<int>(DType::kIQ4_XS) + 1;

const char* dtype_name(DType dtype) noexcept;  // "F32", "Q4_1"
size_t dtype_size(DType dtype) noexcept;       // bytes of an element, or of a block
std::optional<DType> dtype_from_name(std::string_view name) noexcept;
int64_t dtype_block(DType dtype) noexcept;  // values in a block; 1 for the element types
bool dtype_is_float(DType dtype) noexcept;  // read_f32 can read it: F16, BF16, F32, F64 and the block formats
// Bytes of `count` values (a multiple of the block); nullopt when it is no multiple or does not fit 63 bits.
std::optional<uint64_t> dtype_bytes(DType dtype, uint64_t count) noexcept;

// IEEE binary16 to f32, exact.
float half_to_float(uint16_t half) noexcept;

// A view of a tensor inside a file; valid as long as the file object.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // row-major, the last dimension is contiguous: a linear weight is [out, in]
  std::string_view bytes;      // not aligned: a safetensors file promises nothing
  int64_t count() const;
};

// The tensor's values as f32. Throws Error(kInvalid) naming `source` when its type is no floating-point one.
std::vector<float> tensor_to_f32(const TensorView& tensor, const std::string& source);

}  // namespace slipway::model
