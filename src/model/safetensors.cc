#include "model/safetensors.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "base/error.h"
#include "model/load.h"
#include "model/safetensors_header.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

// Types that the format has and we do not read.
constexpr std::array<std::string_view, 10> kOtherDTypes = {
    "F4", "F6_E2M3", "F6_E3M2", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "C64", "F8_E3M4"};

[[noreturn]] void broken(const std::string& source, const std::string& what) {
  throw Error(Code::kIntegrity, fmt::format("{}: not a safetensors file: {}", source, what));
}

DType parse_dtype(const HeaderTensor& tensor, const std::string& source) {
  // GGUF's block formats have no place in a safetensors file.
  if (const auto dtype = dtype_from_name(tensor.dtype); dtype && dtype_block(*dtype) == 1) {
    return *dtype;
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

}  // namespace

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

}  // namespace slipway::model
