// A model's tensors under canonical names, whatever the file calls them: what packing weights needs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/tensor_source.h"

namespace slipway::model {

// A tensor and, when it is no view of the file, the bytes behind it. Keep it while the view is used; drop it after
// repacking. Movable (the view stays valid), not copyable.
struct LoadedTensor {
  TensorView view;
  std::unique_ptr<char[]> storage;
};

// Immutable; any thread.
class NamedTensors {
 public:
  virtual ~NamedTensors() = default;
  virtual bool has(const std::string& name) const = 0;
  // Throws Error(kInvalid) for a name that the model does not have.
  virtual LoadedTensor load(const std::string& name) const = 0;
  // Its name, type and shape without its bytes. For those whose load() copies it is overridden to cost nothing.
  virtual TensorView describe(const std::string& name) const {
    const LoadedTensor tensor = load(name);
    return {name, tensor.view.dtype, tensor.view.shape, {}};
  }
  virtual const TensorSource& source() const = 0;

  // The values as f32, row-major.
  std::vector<float> read_f32(const std::string& name) const {
    const LoadedTensor loaded = load(name);
    return tensor_to_f32(loaded.view, source().source());
  }
};

}  // namespace slipway::model
