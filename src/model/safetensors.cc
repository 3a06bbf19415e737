#include "model/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "model/safetensors_header.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian and are used in place");

struct DTypeRow {
  DType dtype;
  const char* name;
  size_t size;
};

constexpr std::array<DTypeRow, 13> kDTypes = {{{DType::kBool, "BOOL", 1},
                                               {DType::kU8, "U8", 1},
                                               {DType::kI8, "I8", 1},
                                               {DType::kI16, "I16", 2},
                                               {DType::kU16, "U16", 2},
                                               {DType::kF16, "F16", 2},
                                               {DType::kBF16, "BF16", 2},
                                               {DType::kI32, "I32", 4},
                                               {DType::kU32, "U32", 4},
                                               {DType::kF32, "F32", 4},
                                               {DType::kI64, "I64", 8},
                                               {DType::kU64, "U64", 8},
                                               {DType::kF64, "F64", 8}}};

// Types that the format has and we do not read.
constexpr std::array<std::string_view, 10> kOtherDTypes = {
    "F4", "F6_E2M3", "F6_E3M2", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "C64", "F8_E3M4"};

[[noreturn]] void broken(const std::string& source, const std::string& what) {
  throw Error(Code::kIntegrity, fmt::format("{}: not a safetensors file: {}", source, what));
}

DType parse_dtype(const HeaderTensor& tensor, const std::string& source) {
  for (const DTypeRow& row : kDTypes) {
    if (tensor.dtype == row.name) {
      return row.dtype;
    }
  }
  if (std::find(kOtherDTypes.begin(), kOtherDTypes.end(), tensor.dtype) != kOtherDTypes.end()) {
    throw Error(Code::kInvalid,
                fmt::format("{}: tensor '{}' is {}, which is not supported; convert it to F32, F16 or BF16", source,
                            tensor.name, tensor.dtype));
  }
  broken(source, fmt::format("tensor '{}' has the unknown dtype '{}'", tensor.name, tensor.dtype));
}

// dtype size * product of the shape; false when that does not fit 63 bits.
bool checked_bytes(const HeaderTensor& tensor, size_t element, uint64_t& bytes) noexcept {
  bytes = element;
  for (const uint64_t size : tensor.shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) {
      return false;
    }
  }
  // A zero hides large sizes beside it: they must fit a signed 64-bit count too.
  return bytes <= INT64_MAX &&
         std::all_of(tensor.shape.begin(), tensor.shape.end(), [](uint64_t size) { return size <= INT64_MAX; });
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

template <class T>
T load(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

}  // namespace

const char* dtype_name(DType dtype) noexcept { return kDTypes[static_cast<size_t>(dtype)].name; }
size_t dtype_size(DType dtype) noexcept { return kDTypes[static_cast<size_t>(dtype)].size; }

int64_t TensorView::count() const {
  int64_t product = 1;
  for (const int64_t size : shape) {
    product *= size;
  }
  return product;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path), source_(path.string()) {
  parse(file_.bytes(), source_);
}

SafetensorsFile::SafetensorsFile(std::string_view bytes, const std::string& source) : source_(source) {
  parse(bytes, source_);
}

void SafetensorsFile::parse(std::string_view bytes, const std::string& source) {
  if (bytes.starts_with("version https://git-lfs")) {
    throw Error(Code::kIntegrity,
                fmt::format("{}: a Git LFS pointer, not the weights; fetch them with 'git lfs pull'", source));
  }
  if (bytes.size() < 8) {
    broken(source, fmt::format("{} bytes, fewer than the 8 of the header's length", bytes.size()));
  }
  const auto header_bytes = load<uint64_t>(bytes.data());
  if (header_bytes > kMaxHeaderBytes) {
    broken(source, fmt::format("the header's length (bytes 0-7) is {}, more than {}", header_bytes, kMaxHeaderBytes));
  }
  if (header_bytes > bytes.size() - 8) {
    broken(source, fmt::format("the header's length is {} but only {} bytes follow: the file is cut short",
                               header_bytes, bytes.size() - 8));
  }
  Header header = parse_safetensors_header(bytes.substr(8, header_bytes), source);
  metadata_ = std::move(header.metadata);
  const std::string_view data = bytes.substr(8 + header_bytes);

  std::sort(header.tensors.begin(), header.tensors.end(), [](const HeaderTensor& a, const HeaderTensor& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t expected_begin = 0;
  for (HeaderTensor& tensor : header.tensors) {
    const DType dtype = parse_dtype(tensor, source);
    uint64_t size = 0;
    if (!checked_bytes(tensor, dtype_size(dtype), size)) {
      broken(source, fmt::format("tensor '{}' has a shape too large to be true", tensor.name));
    }
    if (tensor.begin != expected_begin) {
      broken(source,
             fmt::format("tensor '{}' begins at {} but the one before it ends at {}: {}", tensor.name, tensor.begin,
                         expected_begin, tensor.begin < expected_begin ? "they overlap" : "there is a hole"));
    }
    if (tensor.end < tensor.begin || tensor.end - tensor.begin != size) {
      broken(source, fmt::format("tensor '{}' has data_offsets [{}, {}] but its dtype and shape need {} bytes",
                                 tensor.name, tensor.begin, tensor.end, size));
    }
    if (tensor.end > data.size()) {
      broken(source, fmt::format("tensor '{}' ends at byte {} but the file has {}: it is cut short", tensor.name,
                                 8 + header_bytes + tensor.end, bytes.size()));
    }
    expected_begin = tensor.end;
    TensorView view;
    view.name = tensor.name;
    view.dtype = dtype;
    view.shape.assign(tensor.shape.begin(), tensor.shape.end());
    view.bytes = data.substr(tensor.begin, size);
    tensors_.emplace(std::move(tensor.name), std::move(view));
  }
  if (expected_begin != data.size()) {
    broken(source, fmt::format("{} bytes after the last tensor", data.size() - expected_begin));
  }
}

const TensorView* SafetensorsFile::find(const std::string& name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

std::vector<float> SafetensorsFile::read_f32(const std::string& name, int64_t expected_count) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) {
    throw Error(Code::kInvalid, fmt::format("{}: there is no tensor '{}'", source_, name));
  }
  if (tensor->count() != expected_count) {
    throw Error(Code::kInvalid, fmt::format("{}: tensor '{}' has {} values, {} were expected", source_, name,
                                            tensor->count(), expected_count));
  }
  const size_t count = static_cast<size_t>(expected_count);
  std::vector<float> values(count);
  const char* from = tensor->bytes.data();
  switch (tensor->dtype) {
    case DType::kF32:
      if (count > 0) {
        std::memcpy(values.data(), from, count * sizeof(float));
      }
      break;
    case DType::kF16:
      for (size_t i = 0; i < count; ++i) {
        values[i] = half_to_float(load<uint16_t>(from + (2 * i)));
      }
      break;
    case DType::kBF16:
      for (size_t i = 0; i < count; ++i) {
        values[i] = std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(from + (2 * i))) << 16);
      }
      break;
    case DType::kF64:
      for (size_t i = 0; i < count; ++i) {
        values[i] = static_cast<float>(load<double>(from + (8 * i)));
      }
      break;
    default:
      throw Error(Code::kInvalid,
                  fmt::format("{}: tensor '{}' is {}, not floating point", source_, name, dtype_name(tensor->dtype)));
  }
  return values;
}

std::span<const float> SafetensorsFile::map_f32(const std::string& name) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr || tensor->dtype != DType::kF32) {
    return {};
  }
  const char* data = tensor->bytes.data();
  if (reinterpret_cast<uintptr_t>(data) % alignof(float) != 0) {
    return {};
  }
  return {reinterpret_cast<const float*>(data), tensor->bytes.size() / sizeof(float)};
}

}  // namespace slipway::model
