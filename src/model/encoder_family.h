// What sets one encoder architecture apart: how its config.json calls things and how its files call the tensors. One
// table an architecture, in its own file (NAME_names.cc). Internal to the room; immutable.
#pragma once

#include <span>
#include <string_view>

#include "model/config_reader.h"
#include "model/encoder_names.h"
#include "model/model_spec.h"

namespace slipway::model {

// A canonical name without ".weight" or ".bias" (of a layer: without "encoder.layer.N." too) and the file's. A name
// that is not in the table stays. "~" stands for the prefix; names of heads do not take it otherwise.
struct Rename {
  std::string_view canonical;
  std::string_view file;
};

// Keys of config.json that not all architectures call the same.
struct ConfigKeys {
  const char* hidden_size = "hidden_size";
  const char* num_layers = "num_hidden_layers";
  const char* num_heads = "num_attention_heads";
  const char* intermediate_size = "intermediate_size";
  const char* activation = "hidden_act";
  const char* layer_norm_eps = "layer_norm_eps";
  const char* dropout = "hidden_dropout_prob";
  const char* attention_dropout = "attention_probs_dropout_prob";
};

struct EncoderFamily {
  Architecture architecture = Architecture::kBert;
  const char* model_type = "bert";             // as config.json has it
  const char* class_name = "Bert";             // BertForSequenceClassification
  const char* title = "BERT";                  // in texts
  std::string_view prefix = "bert.";           // in front of the encoder's tensors, of most files
  std::string_view layers = "encoder.layer.";  // in front of a layer's number
  std::span<const Rename> encoder = {};        // outside the layers
  std::span<const Rename> layer = {};          // inside
  std::span<const Rename> heads = {};
  // One tensor for queries, keys and values.
  bool joined_qkv = false;
  // The heads over tokens have a transform whatever they are, not only the masked language model's.
  bool transform_always = false;
  ConfigKeys keys = {};
  float default_eps = 1e-12F;  // of its layer norms, when config.json is silent
  // LSTM and GRU: read by recurrent_spec_from_config, and of the rest only the names above are used.
  bool recurrent = false;
  // Sets what the common keys do not say, and refuses what is not supported.
  void (*read)(const ConfigReader& config, ModelSpec& spec) = nullptr;
};

const EncoderFamily& encoder_family(Architecture architecture) noexcept;
// Null for a model type that is none of them.
const EncoderFamily* find_encoder_family(std::string_view model_type) noexcept;
// "bert, roberta, ...", for messages.
std::string encoder_family_names();

extern const EncoderFamily kBertFamily;
extern const EncoderFamily kRobertaFamily;
extern const EncoderFamily kXlmRobertaFamily;
extern const EncoderFamily kDistilBertFamily;
extern const EncoderFamily kMpnetFamily;
extern const EncoderFamily kElectraFamily;
extern const EncoderFamily kModernBertFamily;
extern const EncoderFamily kDebertaV2Family;
extern const EncoderFamily kLstmFamily;
extern const EncoderFamily kGruFamily;

// "id2label" (label2id must agree), else num_labels times LABEL_0, LABEL_1, ... Throws Error(kInvalid).
std::vector<std::string> read_labels(const base::Json& config, const std::string& source);

}  // namespace slipway::model
