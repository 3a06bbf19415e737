#include "model/tensor_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace slipway::model {

const TensorView* TensorSource::find(const std::string& name) const {
  const auto it = tensors().find(name);
  return it == tensors().end() ? nullptr : &it->second;
}

const TensorView& TensorSource::require(const std::string& name, const std::vector<int64_t>& shape) const {
  const TensorView* found = find(name);
  if (found == nullptr) {
    throw base::Error(base::Code::kIntegrity, fmt::format("{}: tensor '{}' [{}] is missing; config.json asks for it",
                                                          source(), name, fmt::join(shape, ", ")));
  }
  if (found->shape != shape) {
    throw base::Error(base::Code::kIntegrity,
                      fmt::format("{}: tensor '{}' has shape [{}], config.json asks for [{}]", source(), name,
                                  fmt::join(found->shape, ", "), fmt::join(shape, ", ")));
  }
  return *found;
}

const TensorView& TensorSource::require_float(const std::string& name, const std::vector<int64_t>& shape) const {
  const TensorView& found = require(name, shape);
  if (!dtype_is_float(found.dtype) || dtype_block(found.dtype) > 1) {
    throw base::Error(base::Code::kIntegrity, fmt::format("{}: tensor '{}' is {}; supported: F32, F16, BF16, F64",
                                                          source(), name, dtype_name(found.dtype)));
  }
  return found;
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
