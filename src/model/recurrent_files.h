// A recurrent network as it lies on disk: config.json, weights (safetensors or PyTorch), tokenizer files; its tensors
// under the names that packing weights asks for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "model/decoder_files.h"
#include "model/named_tensors.h"
#include "model/recurrent_spec.h"

namespace slipway::model {

// Immutable; any thread. Shares the source. Names: "embedding.weight"; of layer N and one of its directions, d being ""
// or "_reverse": "rnn.ih_lNd.weight" and ".bias", "rnn.hh_lNd.weight" and ".bias"; "classifier.weight", ".bias";
// "lm_head.weight" (also when tied), ".bias".
class RecurrentWeights final : public NamedTensors {
 public:
  // Throws Error(kIntegrity) naming the first tensor of the spec that is missing or has another shape or type.
  RecurrentWeights(const RecurrentSpec& spec, std::shared_ptr<const TensorSource> source);
  bool has(const std::string& name) const override;
  LoadedTensor load(const std::string& name) const override;
  const TensorSource& source() const override { return *source_; }

 private:
  std::string in_file(const std::string& name) const;
  bool tied_;
  std::shared_ptr<const TensorSource> source_;
};

struct OpenedRecurrent : TextFiles {
  std::filesystem::path path;
  RecurrentSpec spec;
  std::shared_ptr<const RecurrentWeights> weights;
};

// A language model's folder, as open_decoder opens a decoder's. Throws as it does.
OpenedRecurrent open_recurrent_lm(const std::filesystem::path& folder);
// True for a folder whose config.json is a recurrent language model's.
bool is_recurrent_lm_path(const std::filesystem::path& path) noexcept;

}  // namespace slipway::model
