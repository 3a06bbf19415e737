// A model folder as Hugging Face lays it out: config.json, tokenizer.json (or vocab.txt), model.safetensors and, beside
// it, our model.int8.safetensors. A plain value; opening reads config.json only, weights are mapped by those who use
// them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "model/bert_names.h"
#include "model/model_spec.h"
#include "model/safetensors.h"

namespace slipway::model {

inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kInt8WeightsFile = "model.int8.safetensors";
inline constexpr const char* kTokenizerFile = "tokenizer.json";
inline constexpr const char* kVocabularyFile = "vocab.txt";

struct ModelFolder {
  std::filesystem::path path;
  ModelSpec spec;
  base::Json config;                               // config.json as it was, unknown keys included
  std::optional<std::filesystem::path> weights;    // model.safetensors, when there
  std::optional<std::filesystem::path> int8;       // model.int8.safetensors, when there
  std::optional<std::filesystem::path> tokenizer;  // tokenizer.json, else vocab.txt, when there
};

struct FolderNeeds {
  bool weights = true;  // model.safetensors or model.int8.safetensors; false to train from a config.json alone
  bool tokenizer = true;
};

// Throws Error(kNotFound) when the folder or a needed part is missing (saying what to do: a pickle beside it is named
// and never read, shards are named), kInvalid for a bad config.json, kIntegrity for an empty or truncated one.
ModelFolder open_model_folder(const std::filesystem::path& path, const FolderNeeds& needs = {});

// Maps model.safetensors and checks it against the spec (check_bert_file). kNotFound when the folder has none.
struct OpenedWeights {
  SafetensorsFile file;
  BertNaming naming;
};
OpenedWeights open_float_weights(const ModelFolder& folder);
// The same for model.int8.safetensors, whose metadata must say format "slipway-int8", version "1".
OpenedWeights open_int8_weights(const ModelFolder& folder);

// Copies what makes a folder usable besides weights: the tokenizer's files (tokenizer.json, vocab.txt,
// tokenizer_config.json, special_tokens_map.json) that exist in `from`. Each is written atomically.
void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace slipway::model
