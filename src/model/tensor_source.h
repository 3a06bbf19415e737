// Where weights come from: one file or several, behind one interface. Implementations: SafetensorsFile,
// SafetensorsSource (one file, or the shards of a model.safetensors.index.json), GgufFile, TorchFile. Names and layouts
// are the file's own; a decoder's weights under one set of names and in one layout, whatever the file, are
// DecoderWeights (decoder_weights.h).
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/tensor.h"

namespace slipway::model {

// Immutable after opening; any thread. Views live as long as the source.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  // Every tensor by its name in the file.
  virtual const std::map<std::string, TensorView>& tensors() const = 0;
  // For messages: a path.
  virtual const std::string& source() const = 0;
  // "safetensors", "gguf", "pytorch".
  virtual const char* format() const noexcept = 0;
  // Gives back the memory of what was read of the mapped files so far; reading it again costs another look into them.
  virtual void drop_pages() const noexcept {}

  // nullptr when absent.
  const TensorView* find(const std::string& name) const;
  // The values as f32, block formats decoded. Throws Error(kInvalid) when absent or not floating point.
  std::vector<float> read_f32(const std::string& name) const;
  // The same, of a tensor that must have `expected_count` values, else Error(kInvalid).
  std::vector<float> read_f32(const std::string& name, int64_t expected_count) const;
  // The tensor that must be there in this shape; and in F16, BF16, F32 or F64. Throws Error(kIntegrity) saying what
  // there is instead.
  const TensorView& require(const std::string& name, const std::vector<int64_t>& shape) const;
  const TensorView& require_float(const std::string& name, const std::vector<int64_t>& shape) const;
  // The tensor inside the map, without a copy: F32 and aligned, else an empty span (then use read_f32).
  std::span<const float> map_f32(const std::string& name) const;
};

}  // namespace slipway::model
