// What an encoder is, read from and written to a Hugging Face config.json. One description serves the trainer, the
// engine and the exporters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/recurrent_spec.h"

namespace slipway::model {

// One value, one file (NAME_names.cc), an architecture.
// clang-format off
enum class Architecture {
  kBert, kRoberta, kXlmRoberta, kDistilBert, kMpnet, kElectra, kModernBert, kDebertaV2, kLstm, kGru,
  kWordVectors,  // static ones (word_vectors.h), which have no config.json
};
// clang-format on

// What a model has on top of its encoder. kSequenceClassification reads the first token (or a mean), the others every
// token.
enum class Head { kNone, kSequenceClassification, kTokenClassification, kQuestionAnswering, kMaskedLm };

struct ModelSpec {
  Architecture architecture = Architecture::kBert;
  int vocab_size = 0;
  int hidden_size = 0;
  int embedding_size = 0;  // of words, positions and types; 0: hidden_size (only ELECTRA's may differ)
  int num_layers = 0;
  int num_heads = 0;
  int intermediate_size = 0;
  int max_positions = 0;    // rows of the table of positions, or where there is none the longest text
  int position_offset = 0;  // row of the first token's position: pad_token_id + 1 in RoBERTa, 2 in MPNet
  bool position_table = true;
  int type_vocab_size = 2;  // 0: no token types
  float layer_norm_eps = 1e-12F;
  std::string activation = "gelu";  // "gelu" (erf), "gelu_new" (tanh), "relu"
  float dropout = 0.1F;
  float attention_dropout = 0.1F;
  float initializer_range = 0.02F;
  int pad_token_id = 0;
  // The head. `labels` are of sequence and token classification; empty with other heads.
  Head head = Head::kNone;
  std::vector<std::string> labels;
  float classifier_dropout = -1;           // negative: the same as `dropout`
  std::string pooler_activation = "tanh";  // between the head's two layers: "tanh", "relu", "gelu"
  bool mean_classifier = false;            // the classifier reads the mean of all tokens, not the first
  bool tied_decoder = true;                // the masked language model's output weights are the word embeddings

  // Relative positions as a bias of the scores, the same in all layers (MPNet): 0 buckets when there are none.
  int relative_buckets = 0;

  // Disentangled attention (DeBERTa-v2): a table of 2 * relative_span rows, shared by all layers.
  int relative_span = 0;
  int max_relative = 0;  // the distance at which buckets end; with log_buckets only
  bool log_buckets = false;
  bool norm_relative = false;
  bool content_to_position = false;
  bool position_to_content = false;

  // A convolution over the embeddings' output, added to the first layer's (DeBERTa-v2-xlarge): tokens it sees, odd; 0:
  // there is none.
  int conv_kernel = 0;
  std::string conv_activation = "tanh";

  // ModernBERT: norms before the blocks, rotary positions, gated intermediate layers, windows, few biases.
  bool pre_norm = false;
  bool gated = false;
  bool attention_bias = true;
  bool mlp_bias = true;
  bool norm_bias = true;
  bool head_bias = true;
  bool decoder_bias = true;
  float rope_theta_global = 0;  // 0: no rotary positions
  float rope_theta_local = 0;
  std::vector<int> layer_window;  // per layer: tokens seen on each side, 0 for all; empty: all, everywhere

  // An LSTM or GRU: then this is the whole description, and the sizes above follow it (hidden_size is features()).
  std::optional<RecurrentSpec> recurrent;

  int head_dim() const { return hidden_size / num_heads; }
  int word_size() const { return embedding_size > 0 ? embedding_size : hidden_size; }
  // Tokens of the longest text.
  int max_tokens() const { return max_positions - position_offset; }
  bool has_classifier() const { return head == Head::kSequenceClassification; }
  // Scores a token (or, for sequence classification, a text) gets: labels, 2 for spans, the vocabulary; 0 without head.
  int outputs() const;
  // Number of weights in encoder and head, for estimates of size and FLOPs.
  int64_t parameter_count() const;
};

// "BERT", "XLM-RoBERTa".
const char* architecture_name(Architecture architecture) noexcept;
// "token-classification" etc. as the Hugging Face tasks are called; "none" for kNone.
const char* head_name(Head head) noexcept;

// Throws Error(kInvalid) naming what is missing, unsupported or inconsistent (hidden not divisible by heads, sizes out
// of bounds). `source` is used in messages. The head is what "architectures" names (BertForTokenClassification); the
// labels of a classifier come from id2label (label2id must agree), else num_labels gives LABEL_0, LABEL_1, ...
ModelSpec spec_from_config(const base::Json& config, const std::string& source);
// A config.json that transformers.AutoConfig and AutoModelForSequenceClassification read. Of BERT without a head or
// with a classifier, which is what the trainer writes; else Error(kInvalid).
base::Json config_from_spec(const ModelSpec& spec);
// Throws Error(kInvalid) when a size is out of bounds or sizes disagree; spec_from_config calls it.
void check_spec(const ModelSpec& spec, const std::string& source);

}  // namespace slipway::model
