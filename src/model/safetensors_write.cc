#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "model/safetensors.h"
#include "model/safetensors_header.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

constexpr size_t kAlignment = 64;  // a cache line, and the widest vector registers

std::string quoted(const std::string& text) { return base::dump_json(base::Json(text)); }

void check_tensors(const std::vector<TensorData>& tensors) {
  if (tensors.size() > kMaxTensors) {
    throw Error(Code::kInvalid, fmt::format("{} tensors, more than {} in one file", tensors.size(), kMaxTensors));
  }
  std::set<std::string> names = {"__metadata__"};
  for (const TensorData& tensor : tensors) {
    if (tensor.name.empty() || tensor.name.size() > kMaxTensorNameBytes || !names.insert(tensor.name).second) {
      throw Error(Code::kInvalid, fmt::format("the tensor name '{}' is repeated or not allowed", tensor.name));
    }
    if (dtype_block(tensor.dtype) != 1) {
      throw Error(Code::kInvalid, fmt::format("tensor '{}' is {}, which safetensors has no name for", tensor.name,
                                              dtype_name(tensor.dtype)));
    }
    uint64_t bytes = dtype_size(tensor.dtype);
    for (const int64_t size : tensor.shape) {
      if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) {
        throw Error(Code::kInvalid, fmt::format("tensor '{}' has a shape out of bounds", tensor.name));
      }
    }
    if (bytes != tensor.bytes.size() || tensor.shape.size() > kMaxRank) {
      throw Error(Code::kInvalid, fmt::format("tensor '{}' has {} bytes, its dtype and shape need {}", tensor.name,
                                              tensor.bytes.size(), bytes));
    }
  }
}

// Indices of the tensors in the order of their data: see write_safetensors.
std::vector<size_t> data_order(const std::vector<TensorData>& tensors) {
  std::vector<size_t> order(tensors.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  const auto rank = [&](size_t i) {
    return tensors[i].bytes.size() % kAlignment == 0 ? size_t{0} : 1 + 8 - dtype_size(tensors[i].dtype);
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  return order;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorData>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  check_tensors(tensors);
  const std::vector<size_t> order = data_order(tensors);
  std::string header = "{";
  const auto separate = [&] {
    if (header.size() > 1) {
      header += ',';
    }
  };
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      header += fmt::format("{}{}:{}", header.ends_with('{') ? "" : ",", quoted(key), quoted(value));
    }
    header += '}';
  }
  uint64_t offset = 0;
  for (const size_t i : order) {
    const TensorData& tensor = tensors[i];
    separate();
    header += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", quoted(tensor.name),
                          dtype_name(tensor.dtype), fmt::join(tensor.shape, ","), offset, offset + tensor.bytes.size());
    offset += tensor.bytes.size();
  }
  header += '}';
  header.append((kAlignment - (8 + header.size()) % kAlignment) % kAlignment, ' ');
  if (header.size() > kMaxHeaderBytes) {
    throw Error(Code::kInvalid, fmt::format("'{}': the header would have {} bytes, more than {}", path.string(),
                                            header.size(), kMaxHeaderBytes));
  }

  const auto header_bytes = static_cast<uint64_t>(header.size());
  std::string length(8, '\0');
  std::memcpy(length.data(), &header_bytes, 8);
  base::AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const size_t i : order) {
    file.write(tensors[i].bytes);
  }
  file.commit();
}

}  // namespace slipway::model
