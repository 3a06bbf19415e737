// BERT and T5 as their authors publish them (google-research/bert, mesh-tensorflow), under the names that Hugging
// Face's files have: TensorFlow's kernels are [in, out] and become [out, in]. Checkpoints and .npz archives alike.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "model/tensor_source.h"

namespace slipway::model {

struct RenamedTensor {
  std::string name;
  bool transposed = false;
};
// What a variable of theirs is called in Hugging Face's files; nullopt for one that is not part of the model (an
// optimiser's, a step count) or of no such model.
std::optional<RenamedTensor> hugging_face_name(const std::string& variable);

// `source` with its tensors renamed and turned (copies, as far as they are turned), those that are not the model's left
// out; `source` itself where it has no such names.
std::shared_ptr<const TensorSource> with_hugging_face_names(std::shared_ptr<const TensorSource> source);

}  // namespace slipway::model
