// A small BERT folder with random weights, for tests that need a whole model: config.json, model.safetensors,
// tokenizer.json. The same options give the same bytes. Users link the room `model`.
#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "model/encoder_names.h"
#include "model/folder.h"

namespace slipway::tests {

struct TinyBert {
  int hidden = 32;
  int layers = 2;
  int heads = 4;
  int intermediate = 64;
  int positions = 64;
  std::vector<std::string> labels = {"negative", "positive"};  // empty: an encoder alone
  bool pooler = true;                                          // with labels there always is one
  std::string activation = "gelu";
  double weight_scale = 0.2;  // larger than a real initialisation, so that logits differ between texts
  uint64_t seed = 1;
};

// Words that the tiny tokenizer has whole; everything else falls into letters.
inline std::vector<std::string> tiny_vocabulary() {
  std::vector<std::string> words = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (const char* word :
       {"the", "a",    "is",   "was",  "not", "very", "good", "bad",  "great", "awful", "movie", "film",
        "i",   "love", "hate", "this", "and", "but",  "it",   "plot", "actor", ".",     ",",     "!"}) {
    words.emplace_back(word);
  }
  for (char c = 'a'; c <= 'z'; ++c) {
    if (c != 'a' && c != 'i') {
      words.emplace_back(1, c);
    }
    words.push_back(std::string("##") + c);
  }
  return words;
}

inline model::ModelSpec tiny_spec(const TinyBert& tiny) {
  model::ModelSpec spec;
  spec.vocab_size = static_cast<int>(tiny_vocabulary().size());
  spec.hidden_size = tiny.hidden;
  spec.num_layers = tiny.layers;
  spec.num_heads = tiny.heads;
  spec.intermediate_size = tiny.intermediate;
  spec.max_positions = tiny.positions;
  spec.activation = tiny.activation;
  spec.labels = tiny.labels;
  spec.head = tiny.labels.empty() ? model::Head::kNone : model::Head::kSequenceClassification;
  return spec;
}

inline std::string tiny_tokenizer_json() {
  base::Json vocab = base::Json::object();
  base::Json added = base::Json::array();
  int id = 0;
  for (const std::string& word : tiny_vocabulary()) {
    if (id < 5) {
      added.push_back({{"id", id},
                       {"content", word},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", true}});
    }
    vocab[word] = id++;
  }
  const auto special = [](const char* token) { return base::Json{{"SpecialToken", {{"id", token}, {"type_id", 0}}}}; };
  const auto sequence = [](const char* which, int type) {
    return base::Json{{"Sequence", {{"id", which}, {"type_id", type}}}};
  };
  const auto entry = [](const char* token, int token_id) {
    return base::Json{{"id", token}, {"ids", base::Json::array({token_id})}, {"tokens", base::Json::array({token})}};
  };
  const base::Json json = {{"version", "1.0"},
                           {"truncation", nullptr},
                           {"padding", nullptr},
                           {"added_tokens", added},
                           {"normalizer",
                            {{"type", "BertNormalizer"},
                             {"clean_text", true},
                             {"handle_chinese_chars", true},
                             {"strip_accents", nullptr},
                             {"lowercase", true}}},
                           {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                           {"post_processor",
                            {{"type", "TemplateProcessing"},
                             {"single", base::Json::array({special("[CLS]"), sequence("A", 0), special("[SEP]")})},
                             {"pair", base::Json::array({special("[CLS]"), sequence("A", 0), special("[SEP]"),
                                                         sequence("B", 1), special("[SEP]")})},
                             {"special_tokens", {{"[CLS]", entry("[CLS]", 2)}, {"[SEP]", entry("[SEP]", 3)}}}}},
                           {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
                           {"model",
                            {{"type", "WordPiece"},
                             {"unk_token", "[UNK]"},
                             {"continuing_subword_prefix", "##"},
                             {"max_input_chars_per_word", 100},
                             {"vocab", vocab}}}};
  return base::dump_json_pretty(json);
}

// Writes the folder (created when absent) and returns its spec.
inline model::ModelSpec write_tiny_bert(const std::filesystem::path& folder, const TinyBert& tiny = {}) {
  const model::ModelSpec spec = tiny_spec(tiny);
  base::make_dirs(folder);
  base::write_file_atomic(folder / model::kConfigFile, base::dump_json_pretty(model::config_from_spec(spec)));
  base::write_file_atomic(folder / model::kTokenizerFile, tiny_tokenizer_json());
  base::Rng rng(tiny.seed);
  const model::EncoderNaming naming = model::written_naming(spec, tiny.pooler);
  const std::vector<model::TensorInfo> infos = model::encoder_tensors(spec, tiny.pooler);
  std::vector<std::vector<float>> values;
  std::vector<model::TensorData> tensors;
  for (const model::TensorInfo& info : infos) {
    const bool norm_weight = info.role == model::TensorRole::kNorm && info.name.ends_with("weight");
    std::vector<float>& buffer = values.emplace_back(static_cast<size_t>(info.count()));
    for (float& value : buffer) {
      value = static_cast<float>((norm_weight ? 1.0 : 0.0) + tiny.weight_scale * rng.normal());
    }
    tensors.push_back({naming.in_file(info.name),
                       model::DType::kF32,
                       info.shape,
                       {reinterpret_cast<const char*>(buffer.data()), buffer.size() * sizeof(float)}});
  }
  model::write_safetensors(folder / model::kWeightsFile, tensors, {{"format", "pt"}});
  return spec;
}

}  // namespace slipway::tests
