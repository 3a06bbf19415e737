#include "model/recurrent_files.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "model/folder.h"
#include "model/folder_parts.h"

namespace slipway::model {

RecurrentWeights::RecurrentWeights(const RecurrentSpec& spec, std::shared_ptr<const TensorSource> source)
    : tied_(spec.tied_embeddings), source_(std::move(source)) {
  for (const RecurrentTensor& tensor : recurrent_tensors(spec)) {
    if (!tensor.optional || source_->find(tensor.name) != nullptr) {
      source_->require_float(tensor.name, tensor.shape);
    }
  }
}

std::string RecurrentWeights::in_file(const std::string& name) const {
  if (tied_ && name == "lm_head.weight") {
    return "embedding.weight";
  }
  if (!name.starts_with("rnn.")) {
    return name;
  }
  const size_t dot = name.rfind('.');  // "rnn.ih_l0.weight" -> "rnn.weight_ih_l0"
  return "rnn." + name.substr(dot + 1) + "_" + name.substr(4, dot - 4);
}

bool RecurrentWeights::has(const std::string& name) const { return source_->find(in_file(name)) != nullptr; }

LoadedTensor RecurrentWeights::load(const std::string& name) const {
  const TensorView* view = source_->find(in_file(name));
  if (view == nullptr) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: there is no tensor '{}'", source_->source(), name));
  }
  return {*view, nullptr};
}

OpenedRecurrent open_recurrent_lm(const std::filesystem::path& folder) {
  const std::filesystem::path config_path = folder / kConfigFile;
  if (!base::is_file(config_path)) {
    throw base::Error(base::Code::kNotFound,
                      fmt::format("'{}' has no {}: it is not a model's folder", folder.string(), kConfigFile));
  }
  OpenedRecurrent out;
  out.path = folder;
  out.spec = recurrent_spec_from_config(read_config_object(config_path), config_path.string());
  if (out.spec.head != RecurrentHead::kLanguageModel) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' is no language model but an encoder or a classifier: use `slipway predict`",
                                  folder.string()));
  }
  static_cast<TextFiles&>(out) = read_text_files(folder);
  add_eos_ids(out.spec.eos_ids, out.spec.vocab_size, out.generation_config,
              (folder / "generation_config.json").string());
  out.weights = std::make_shared<RecurrentWeights>(out.spec, open_folder_weights(folder));
  return out;
}

bool is_recurrent_lm_path(const std::filesystem::path& path) noexcept {
  try {
    return base::is_file(path / kConfigFile) && is_recurrent_lm_config(read_config_object(path / kConfigFile));
  } catch (const std::exception&) {
    return false;  // whoever opens it says why
  }
}

}  // namespace slipway::model
