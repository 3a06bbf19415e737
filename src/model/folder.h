// An encoder's folder as Hugging Face lays it out: config.json, tokenizer.json (or vocab.txt), its weights and, beside
// them, our model.int8.safetensors. A plain value; opening reads config.json only, weights are mapped by those who use
// them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "model/encoder_names.h"
#include "model/model_spec.h"
#include "model/safetensors.h"

namespace slipway::model {

inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kBertConfigFile = "bert_config.json";  // google-research/bert's, where there is no other
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kInt8WeightsFile = "model.int8.safetensors";
inline constexpr const char* kTokenizerFile = "tokenizer.json";
inline constexpr const char* kVocabularyFile = "vocab.txt";

// What a text's embedding is made of: the mean of its tokens, the first, or the last (of an LSTM or GRU: the states at
// the ends), or their maximum (of those two only).
enum class Pooling { kMean, kFirst, kLast, kMax };

struct ModelFolder {
  std::filesystem::path path;
  ModelSpec spec;
  base::Json config;  // config.json as it was, unknown keys included
  // model.safetensors, else the index of its shards, else pytorch_model.bin or the index of its shards, when there.
  std::optional<std::filesystem::path> weights;
  std::optional<std::filesystem::path> int8;       // model.int8.safetensors, when there
  std::optional<std::filesystem::path> tokenizer;  // tokenizer.json, else vocab.txt, when there
  Pooling pooling = Pooling::kMean;                // as modules.json of sentence-transformers says, where there is one
};

struct FolderNeeds {
  bool weights = true;  // in floats or int8; false to train from a config.json alone
  bool tokenizer = true;
};

// Throws Error(kNotFound) when the folder or a needed part is missing (saying what there may be), kInvalid for a bad
// config.json, kIntegrity for an empty or truncated one. kInvalid too for a way of pooling that is not computed.
ModelFolder open_model_folder(const std::filesystem::path& path, const FolderNeeds& needs = {});

// Maps the weights and checks them against the spec (check_encoder_file). kNotFound when the folder has none. PyTorch's
// files are read without running anything in them (torch_file.h).
struct OpenedWeights {
  std::shared_ptr<const TensorSource> file;
  EncoderNaming naming;
  // The folder's, without the head of a masked language model when the file does not have it: encoders taken out of one
  // keep its config.json.
  ModelSpec spec;
};
OpenedWeights open_float_weights(const ModelFolder& folder);
// The same for model.int8.safetensors, whose metadata must say format "slipway-int8", version "1".
OpenedWeights open_int8_weights(const ModelFolder& folder);

// Copies what makes a folder usable besides weights: the tokenizer's files (tokenizer.json, vocab.txt,
// tokenizer_config.json, special_tokens_map.json) that exist in `from`. Each is written atomically.
void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace slipway::model
