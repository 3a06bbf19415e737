#include "model/recurrent_spec.h"

#include <fmt/format.h>

#include "model/config_parts.h"
#include "model/encoder_family.h"

namespace slipway::model {
namespace {

using base::Json;

constexpr int kMaxVocab = 10'000'000;
constexpr int kMaxSize = 65'536;
constexpr int kMaxLayers = 1'000;
constexpr int kMaxPositions = 1'000'000;
constexpr int kDefaultPositions = 32'768;  // the network has no limit; memory of one pass grows with the text

// "architectures" names the head (LstmForCausalLM) where it is there; else labels make a classifier, and what has none
// is a language model.
RecurrentHead head_of(const Json& config) {
  const auto it = config.find("architectures");
  if (it != config.end() && it->is_array() && !it->empty() && it->front().is_string()) {
    const auto& name = it->front().get_ref<const std::string&>();
    return name.ends_with("ForSequenceClassification") ? RecurrentHead::kClassifier
           : name.ends_with("ForCausalLM")             ? RecurrentHead::kLanguageModel
                                                       : RecurrentHead::kNone;
  }
  const bool labels = config.contains("id2label") || config.contains("num_labels");
  return labels ? RecurrentHead::kClassifier : RecurrentHead::kLanguageModel;
}

RecurrentPooling read_pooling(const ConfigReader& config) {
  const std::string name = config.text_or("pooling", "last");
  for (const RecurrentPooling pooling : {RecurrentPooling::kLast, RecurrentPooling::kMean, RecurrentPooling::kMax}) {
    if (name == pooling_name(pooling)) {
      return pooling;
    }
  }
  config.fail(fmt::format("'pooling' is '{}'; supported: last, mean, max", name));
}

void check(const ConfigReader& config, const RecurrentSpec& spec) {
  if (config.size_or("proj_size", 0, 0, kMaxSize) > 0) {
    config.fail("'proj_size' is set: LSTMs with projections are not supported");
  }
  if (config.size_or("input_size", spec.embedding_dim, 1, kMaxSize) != spec.embedding_dim) {
    config.fail("'input_size' is not 'embedding_dim': the embeddings go into the network as they are");
  }
  if (spec.head == RecurrentHead::kLanguageModel && spec.bidirectional) {
    config.fail("'bidirectional' is true: a language model must not see the tokens that come");
  }
  if (spec.tied_embeddings && spec.embedding_dim != spec.hidden_size) {
    config.fail(fmt::format("'tie_word_embeddings' is true, but 'embedding_dim' is {} and 'hidden_size' {}",
                            spec.embedding_dim, spec.hidden_size));
  }
}

}  // namespace

const char* cell_name(RecurrentCell cell) noexcept { return cell == RecurrentCell::kLstm ? "lstm" : "gru"; }

const char* pooling_name(RecurrentPooling pooling) noexcept {
  switch (pooling) {
    case RecurrentPooling::kLast: return "last";
    case RecurrentPooling::kMean: return "mean";
    case RecurrentPooling::kMax: return "max";
  }
  return "";
}

bool is_recurrent_config(const Json& config) noexcept {
  const auto type = config.is_object() ? config.find("model_type") : config.end();
  return config.is_object() && type != config.end() && (*type == "lstm" || *type == "gru");
}

bool is_recurrent_lm_config(const Json& config) noexcept {
  return is_recurrent_config(config) && head_of(config) == RecurrentHead::kLanguageModel;
}

RecurrentSpec recurrent_spec_from_config(const Json& json, const std::string& source) {
  const ConfigReader config(json, source);
  if (!is_recurrent_config(json)) {
    config.fail("'model_type' is neither lstm nor gru");
  }
  RecurrentSpec spec;
  spec.cell = json.at("model_type") == "lstm" ? RecurrentCell::kLstm : RecurrentCell::kGru;
  spec.head = head_of(json);
  spec.vocab_size = config.size("vocab_size", 1, kMaxVocab);
  spec.embedding_dim = config.size("embedding_dim", 1, kMaxSize);
  spec.hidden_size = config.size("hidden_size", 1, kMaxSize);
  spec.num_layers = config.size_or("num_layers", 1, 1, kMaxLayers);
  spec.bidirectional = config.flag_or("bidirectional", false);
  spec.bias = config.flag_or("bias", true);
  spec.pooling = read_pooling(config);
  spec.max_positions = config.size_or("max_position_embeddings", kDefaultPositions, 1, kMaxPositions);
  spec.pad_id = config.size_or("pad_token_id", 0, 0, spec.vocab_size - 1);
  spec.bos_id = config.size_or("bos_token_id", -1, -1, spec.vocab_size - 1);
  spec.eos_ids = read_eos_ids(config, spec.vocab_size);
  spec.tied_embeddings = spec.head == RecurrentHead::kLanguageModel && config.flag_or("tie_word_embeddings", false);
  if (spec.head == RecurrentHead::kClassifier) {
    spec.labels = read_labels(json, source);
  }
  check(config, spec);
  return spec;
}

std::vector<RecurrentTensor> recurrent_tensors(const RecurrentSpec& spec) {
  std::vector<RecurrentTensor> tensors;
  const int64_t rows = int64_t{spec.gates()} * spec.hidden_size;
  tensors.push_back({"embedding.weight", {spec.vocab_size, spec.embedding_dim}});
  for (int layer = 0; layer < spec.num_layers; ++layer) {
    for (int direction = 0; direction < spec.directions(); ++direction) {
      const std::string at = fmt::format("l{}{}", layer, direction == 1 ? "_reverse" : "");
      tensors.push_back({"rnn.weight_ih_" + at, {rows, spec.layer_input(layer)}});
      tensors.push_back({"rnn.weight_hh_" + at, {rows, spec.hidden_size}});
      if (spec.bias) {
        tensors.push_back({"rnn.bias_ih_" + at, {rows}});
        tensors.push_back({"rnn.bias_hh_" + at, {rows}});
      }
    }
  }
  if (spec.head == RecurrentHead::kClassifier) {
    const auto labels = static_cast<int64_t>(spec.labels.size());
    tensors.push_back({"classifier.weight", {labels, spec.features()}});
    tensors.push_back({"classifier.bias", {labels}, true});
  } else if (spec.head == RecurrentHead::kLanguageModel) {
    if (!spec.tied_embeddings) {
      tensors.push_back({"lm_head.weight", {spec.vocab_size, spec.hidden_size}});
    }
    tensors.push_back({"lm_head.bias", {spec.vocab_size}, true});
  }
  return tensors;
}

int64_t RecurrentSpec::parameter_count() const {
  int64_t total = 0;
  for (const RecurrentTensor& tensor : recurrent_tensors(*this)) {
    total += tensor.shape[0] * (tensor.shape.size() > 1 ? tensor.shape[1] : 1);
  }
  return total;
}

const EncoderFamily kLstmFamily = {.architecture = Architecture::kLstm,
                                   .model_type = "lstm",
                                   .class_name = "Lstm",
                                   .title = "LSTM",
                                   .prefix = "",
                                   .recurrent = true};
const EncoderFamily kGruFamily = {.architecture = Architecture::kGru,
                                  .model_type = "gru",
                                  .class_name = "Gru",
                                  .title = "GRU",
                                  .prefix = "",
                                  .recurrent = true};

}  // namespace slipway::model
