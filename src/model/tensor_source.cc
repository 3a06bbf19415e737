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

}  // namespace slipway::model
