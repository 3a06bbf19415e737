#include "model/tensor_source.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::model {

const TensorView* TensorSource::find(const std::string& name) const {
  const auto it = tensors().find(name);
  return it == tensors().end() ? nullptr : &it->second;
}

std::vector<float> TensorSource::read_f32(const std::string& name) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: there is no tensor '{}'", source(), name));
  }
  return tensor_to_f32(*tensor, source());
}

std::vector<float> TensorSource::read_f32(const std::string& name, int64_t expected_count) const {
  const TensorView* tensor = find(name);
  if (tensor != nullptr && tensor->count() != expected_count) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: tensor '{}' has {} values, {} were expected", source(),
                                                        name, tensor->count(), expected_count));
  }
  return read_f32(name);
}

std::span<const float> TensorSource::map_f32(const std::string& name) const {
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
