#include "model/folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file.h"
#include "model/int8_layout.h"
#include "model/safetensors_source.h"
#include "model/torch_file.h"

namespace slipway::model {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxConfigBytes = size_t{8} << 20;  // 100,000 labels fit; a real one is 1 kB

std::optional<fs::path> existing(const fs::path& path) {
  return base::is_file(path) ? std::optional(path) : std::nullopt;
}

base::Json read_json(const fs::path& path) {
  return base::parse_json(base::read_file(path, kMaxConfigBytes), path.string(),
                          {.max_bytes = kMaxConfigBytes, .max_depth = 32});
}

// The one of 1_Pooling/config.json's modes that is true; newer files have a "pooling_mode".
Pooling read_pooling(const fs::path& path) {
  const base::Json config = read_json(path);
  constexpr std::pair<std::string_view, Pooling> kModes[] = {{"mean_tokens", Pooling::kMean},
                                                             {"cls_token", Pooling::kFirst},
                                                             {"lasttoken", Pooling::kLast},
                                                             {"mean", Pooling::kMean},
                                                             {"cls", Pooling::kFirst}};
  std::vector<std::string> modes;
  for (const auto& [key, value] : config.items()) {
    if (key.starts_with("pooling_mode_") && value.is_boolean() && value.get<bool>()) {
      modes.push_back(key.substr(13));
    } else if (key == "pooling_mode" && value.is_string()) {
      modes.push_back(value.get<std::string>());
    }
  }
  for (const auto& [name, pooling] : kModes) {
    if (modes.size() == 1 && modes[0] == name) {
      return pooling;
    }
  }
  throw Error(Code::kInvalid, fmt::format("{}: pooling by '{}' is not supported; mean, cls and lasttoken are",
                                          path.string(), fmt::join(modes, " and ")));
}

// Of a sentence-transformers folder: modules.json lists a Pooling module with the folder of its config.json.
Pooling find_pooling(const fs::path& folder) {
  if (!base::is_file(folder / "modules.json")) {
    return Pooling::kMean;
  }
  const base::Json modules = read_json(folder / "modules.json");
  for (const base::Json& module : modules.is_array() ? modules : base::Json::array()) {
    const auto type = module.is_object() ? module.value("type", "") : std::string();
    const auto path = module.is_object() ? module.value("path", "") : std::string();
    const bool inside = !path.empty() && path.find("..") == std::string::npos && path[0] != '/';
    if (type.ends_with("Pooling") && inside && base::is_file(folder / path / kConfigFile)) {
      return read_pooling(folder / path / kConfigFile);
    }
  }
  return Pooling::kMean;
}

Pooling recurrent_pooling(const RecurrentSpec& spec) {
  switch (spec.pooling) {
    case RecurrentPooling::kLast: return Pooling::kLast;
    case RecurrentPooling::kMean: return Pooling::kMean;
    case RecurrentPooling::kMax: return Pooling::kMax;
  }
  return Pooling::kLast;
}

OpenedWeights open_file(const ModelFolder& folder, std::shared_ptr<const TensorSource> file, bool int8) {
  OpenedWeights opened;
  opened.file = std::move(file);
  opened.spec = folder.spec;
  if (opened.spec.head == Head::kMaskedLm && !detect_naming(*opened.file, opened.spec).has_head) {
    opened.spec.head = Head::kNone;
  }
  opened.naming = check_encoder_file(*opened.file, opened.spec, opened.spec.head != Head::kNone, int8);
  return opened;
}

[[noreturn]] void no_file(const ModelFolder& folder, const char* name) {
  throw Error(Code::kNotFound, fmt::format("'{}' has no {}", folder.path.string(), name));
}

[[noreturn]] void wrong_layout(const fs::path& path, bool int8) {
  throw Error(Code::kIntegrity, fmt::format("'{}' {} in the int8 layout (its metadata's \"format\" tells)",
                                            path.string(), int8 ? "is not" : "is"));
}

}  // namespace

ModelFolder open_model_folder(const fs::path& path, const FolderNeeds& needs) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw Error(fs::exists(path, ignored) ? Code::kInvalid : Code::kNotFound,
                fmt::format("'{}' is not a folder; a model is a folder with {}, {} and {}", path.string(), kConfigFile,
                            kWeightsFile, kTokenizerFile));
  }
  const bool google = !base::is_file(path / kConfigFile) && base::is_file(path / kBertConfigFile);
  const fs::path config_path = path / (google ? kBertConfigFile : kConfigFile);
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
  if (google && folder.config.is_object()) {
    // It says nothing of what it is: what they publish is pretrained, with a head for masks.
    folder.config.update({{"model_type", "bert"}, {"architectures", {"BertForPreTraining"}}});
  }
  folder.spec = spec_from_config(folder.config, config_path.string());
  folder.weights = find_weights(path);
  folder.int8 = existing(path / kInt8WeightsFile);
  folder.pooling = folder.spec.recurrent ? recurrent_pooling(*folder.spec.recurrent) : find_pooling(path);
  folder.tokenizer = existing(path / kTokenizerFile);
  if (!folder.tokenizer) {
    folder.tokenizer = existing(path / kVocabularyFile);
  }
  if (needs.weights && !folder.weights && !folder.int8) {
    throw Error(Code::kNotFound,
                fmt::format("'{}' has no weights: none of {}, {}", path.string(), kWeightFiles, kInt8WeightsFile));
  }
  if (needs.tokenizer && !folder.tokenizer) {
    throw Error(Code::kNotFound,
                fmt::format("'{}' has neither {} nor {}", path.string(), kTokenizerFile, kVocabularyFile));
  }
  return folder;
}

OpenedWeights open_float_weights(const ModelFolder& folder) {
  if (!folder.weights) {
    no_file(folder, kWeightsFile);
  }
  std::shared_ptr<const TensorSource> file;
  if (folder.weights->filename() == kWeightsFile) {
    auto safetensors = std::make_shared<SafetensorsFile>(*folder.weights);
    if (is_int8_file(*safetensors)) {
      wrong_layout(*folder.weights, false);
    }
    file = std::move(safetensors);
  } else {
    file = open_weights(*folder.weights);
  }
  return open_file(folder, std::move(file), false);
}

OpenedWeights open_int8_weights(const ModelFolder& folder) {
  if (!folder.int8) {
    no_file(folder, kInt8WeightsFile);
  }
  auto file = std::make_shared<SafetensorsFile>(*folder.int8);
  if (!is_int8_file(*file)) {
    wrong_layout(*folder.int8, true);
  }
  return open_file(folder, std::move(file), true);
}

void copy_tokenizer_files(const fs::path& from, const fs::path& to) {
  for (const char* name : {kTokenizerFile, kVocabularyFile, "tokenizer_config.json", "special_tokens_map.json"}) {
    if (base::is_file(from / name)) {
      base::write_file_atomic(to / name, base::read_file(from / name));
    }
  }
}

}  // namespace slipway::model
