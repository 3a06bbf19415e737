#include "model/seq2seq_files.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "model/folder.h"
#include "model/folder_parts.h"

namespace slipway::model {

OpenedSeq2Seq open_seq2seq(const std::filesystem::path& folder) {
  const std::filesystem::path config_path = folder / kConfigFile;
  if (!base::is_file(config_path)) {
    throw base::Error(base::Code::kNotFound,
                      fmt::format("'{}' has no {}: it is not a model's folder", folder.string(), kConfigFile));
  }
  OpenedSeq2Seq out;
  out.path = folder;
  out.config = read_config_object(config_path);
  out.spec = seq2seq_spec_from_config(out.config, config_path.string());
  out.tokenizer_config = read_config_object(folder / "tokenizer_config.json");
  out.generation_config = read_config_object(folder / "generation_config.json");
  out.weights = std::make_shared<Seq2SeqWeights>(out.spec, open_folder_weights(folder));
  return out;
}

bool is_seq2seq_path(const std::filesystem::path& path) noexcept {
  try {
    return base::is_file(path / kConfigFile) && is_seq2seq_config(read_config_object(path / kConfigFile));
  } catch (const std::exception&) {
    return false;  // whoever opens it says why
  }
}

}  // namespace slipway::model
