#include "model/folder.h"

#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "model/int8_layout.h"

namespace slipway::model {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxConfigBytes = size_t{8} << 20;  // 100,000 labels fit; a real one is 1 kB

std::optional<fs::path> existing(const fs::path& path) {
  return base::is_file(path) ? std::optional(path) : std::nullopt;
}

[[noreturn]] void no_weights(const fs::path& path) {
  const fs::path index = path / "model.safetensors.index.json";
  if (base::is_file(index)) {
    throw Error(Code::kInvalid,
                fmt::format("'{}' has its weights in several shards ({}), which is not supported for this "
                            "architecture; save it as one model.safetensors",
                            path.string(), index.filename().string()));
  }
  for (const char* pickle : {"pytorch_model.bin", "model.pt", "model.pth"}) {
    if (base::is_file(path / pickle)) {
      throw Error(
          Code::kNotFound,
          fmt::format("'{}' has no {}; its {} is a pickle, which can run code and is not read: save the model again "
                      "as safetensors",
                      path.string(), kWeightsFile, pickle));
    }
  }
  throw Error(Code::kNotFound,
              fmt::format("'{}' has neither {} nor {}", path.string(), kWeightsFile, kInt8WeightsFile));
}

OpenedWeights open_weights(const ModelFolder& folder, const std::optional<fs::path>& path, const char* name,
                           bool int8) {
  if (!path) {
    throw Error(Code::kNotFound, fmt::format("'{}' has no {}", folder.path.string(), name));
  }
  SafetensorsFile file(*path);
  if (is_int8_file(file) != int8) {
    throw Error(Code::kIntegrity, fmt::format("'{}' {} in the int8 layout (its metadata's \"format\" tells)",
                                              path->string(), int8 ? "is not" : "is"));
  }
  BertNaming naming = check_bert_file(file, folder.spec, folder.spec.has_classifier);
  return {std::move(file), std::move(naming)};
}

}  // namespace

ModelFolder open_model_folder(const fs::path& path, const FolderNeeds& needs) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw Error(fs::exists(path, ignored) ? Code::kInvalid : Code::kNotFound,
                fmt::format("'{}' is not a folder; a model is a folder with {}, {} and {}", path.string(), kConfigFile,
                            kWeightsFile, kTokenizerFile));
  }
  const fs::path config_path = path / kConfigFile;
  if (!base::is_file(config_path)) {
    throw Error(Code::kNotFound, fmt::format("'{}' has no {}: it is not a model's folder", path.string(), kConfigFile));
  }
  const std::string text = base::read_file(config_path, kMaxConfigBytes);
  if (text.empty()) {
    throw Error(Code::kIntegrity, fmt::format("'{}' is empty", config_path.string()));
  }
  ModelFolder folder;
  folder.path = path;
  folder.config = base::parse_json(text, config_path.string(), {.max_bytes = kMaxConfigBytes, .max_depth = 32});
  folder.spec = spec_from_config(folder.config, config_path.string());
  folder.weights = existing(path / kWeightsFile);
  folder.int8 = existing(path / kInt8WeightsFile);
  folder.tokenizer = existing(path / kTokenizerFile);
  if (!folder.tokenizer) {
    folder.tokenizer = existing(path / kVocabularyFile);
  }
  if (needs.weights && !folder.weights && !folder.int8) {
    no_weights(path);
  }
  if (needs.tokenizer && !folder.tokenizer) {
    throw Error(Code::kNotFound,
                fmt::format("'{}' has neither {} nor {}", path.string(), kTokenizerFile, kVocabularyFile));
  }
  return folder;
}

OpenedWeights open_float_weights(const ModelFolder& folder) {
  return open_weights(folder, folder.weights, kWeightsFile, false);
}

OpenedWeights open_int8_weights(const ModelFolder& folder) {
  return open_weights(folder, folder.int8, kInt8WeightsFile, true);
}

void copy_tokenizer_files(const fs::path& from, const fs::path& to) {
  for (const char* name : {kTokenizerFile, kVocabularyFile, "tokenizer_config.json", "special_tokens_map.json"}) {
    if (base::is_file(from / name)) {
      base::write_file_atomic(to / name, base::read_file(from / name));
    }
  }
}

}  // namespace slipway::model
