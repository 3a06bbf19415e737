// What a model is, read from and written to a Hugging Face config.json. One description serves the trainer, the engine
// and the exporters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::model {

enum class Architecture { kBert };  // one value, one file, an architecture

struct ModelSpec {
  Architecture architecture = Architecture::kBert;
  int vocab_size = 0;
  int hidden_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int intermediate_size = 0;
  int max_positions = 0;
  int type_vocab_size = 2;
  float layer_norm_eps = 1e-12F;
  std::string activation = "gelu";  // "gelu" (erf), "gelu_new" (tanh), "relu"
  float dropout = 0.1F;
  float attention_dropout = 0.1F;
  float initializer_range = 0.02F;
  int pad_token_id = 0;
  // Classification head; empty when the model has none (an encoder alone).
  std::vector<std::string> labels;
  bool has_classifier = false;
  float classifier_dropout = -1;  // negative: the same as `dropout`

  int head_dim() const { return hidden_size / num_heads; }
  // Number of weights in encoder and head, for estimates of size and FLOPs.
  int64_t parameter_count() const;
};

// Throws Error(kInvalid) naming what is missing, unsupported or inconsistent (hidden not divisible by heads, sizes out
// of bounds). `source` is used in messages. A classifier is there when "architectures" names a
// ...ForSequenceClassification; its labels come from id2label (label2id must agree), else num_labels gives LABEL_0,
// LABEL_1, ...
ModelSpec spec_from_config(const base::Json& config, const std::string& source);
// A config.json that transformers.AutoConfig and AutoModelForSequenceClassification read.
base::Json config_from_spec(const ModelSpec& spec);
// Throws Error(kInvalid) when a size is out of bounds or sizes disagree; spec_from_config calls it.
void check_spec(const ModelSpec& spec, const std::string& source);

// Names of the tensors of BERT in a Hugging Face file. Some files put "bert." in front of encoder tensors: readers try
// both; we write with "bert." when there is a classifier. See bert_names.h for the table.

}  // namespace slipway::model
