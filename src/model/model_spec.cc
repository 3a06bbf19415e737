#include "model/model_spec.h"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <set>

#include "base/error.h"
#include "base/suggest.h"
#include "model/bert_names.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;
using base::Json;

// Bounds far above any model of this architecture, low enough that no product of sizes overflows int64.
constexpr int kMaxVocab = 10'000'000;
constexpr int kMaxHidden = 65'536;
constexpr int kMaxLayers = 1'000;
constexpr int kMaxIntermediate = 1'000'000;
constexpr int kMaxPositions = 1'000'000;
constexpr int kMaxTypes = 1'000;
constexpr size_t kMaxLabels = 100'000;
constexpr size_t kMaxLabelBytes = 1'000;

[[noreturn]] void invalid(const std::string& source, const std::string& what) {
  throw Error(Code::kInvalid, fmt::format("{}: {}", source, what));
}

int read_int(const Json& value, const std::string& key, const std::string& source) {
  // A number like 384.0 is refused: get<int>() would cut 384.7 silently.
  if (!value.is_number_integer()) {
    invalid(source, fmt::format("'{}' must be a whole number, not {}", key, base::dump_json(value).substr(0, 40)));
  }
  const auto number = value.is_number_unsigned() ? value.get<uint64_t>() : 0;
  const auto wide =
      value.is_number_unsigned() && number > 1'000'000'000 ? int64_t{1'000'000'001} : value.get<int64_t>();
  if (wide > 1'000'000'000 || wide < -1'000'000'000) {
    invalid(source, fmt::format("'{}' is out of bounds", key));
  }
  return static_cast<int>(wide);
}

int size_of(const Json& config, const char* key, const std::string& source) {
  const auto it = config.find(key);
  if (it == config.end()) {
    invalid(source, fmt::format("'{}' is missing; a BERT config.json must give it", key));
  }
  return read_int(*it, key, source);
}

int int_or(const Json& config, const char* key, int fallback, const std::string& source) {
  const auto it = config.find(key);
  return it == config.end() || it->is_null() ? fallback : read_int(*it, key, source);
}

float number_or(const Json& config, const char* key, float fallback, double low, double high,
                const std::string& source) {
  const auto it = config.find(key);
  if (it == config.end() || it->is_null()) {
    return fallback;
  }
  if (!it->is_number() || it->get<double>() < low || it->get<double>() > high) {
    invalid(source, fmt::format("'{}' must be a number between {} and {}", key, low, high));
  }
  return it->get<float>();
}

std::string read_activation(const Json& config, const std::string& source) {
  const auto name = base::get_or<std::string>(config, "hidden_act", "gelu", source);
  if (name == "gelu" || name == "relu" || name == "gelu_new") {
    return name;
  }
  if (name == "gelu_pytorch_tanh") {
    return "gelu_new";
  }
  invalid(source, fmt::format("'hidden_act' is '{}'; supported: gelu, gelu_new, gelu_pytorch_tanh, relu", name));
}

bool names_classifier(const Json& config, const std::string& source) {
  const auto it = config.find("architectures");
  if (it == config.end() || it->is_null()) {
    return config.contains("id2label") || config.contains("num_labels");
  }
  if (!it->is_array()) {
    invalid(source, "'architectures' must be a list of names");
  }
  for (const Json& name : *it) {
    if (name.is_string() && name.get_ref<const std::string&>().ends_with("ForSequenceClassification")) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> labels_from_id2label(const Json& id2label, const std::string& source) {
  if (!id2label.is_object() || id2label.empty()) {
    invalid(source, "'id2label' must be an object like {\"0\": \"negative\", \"1\": \"positive\"}");
  }
  if (id2label.size() > kMaxLabels) {
    invalid(source, fmt::format("'id2label' has {} labels, more than {}", id2label.size(), kMaxLabels));
  }
  std::vector<std::string> labels;
  for (size_t i = 0; i < id2label.size(); ++i) {
    const auto it = id2label.find(std::to_string(i));
    if (it == id2label.end()) {
      invalid(source, fmt::format("'id2label' has {} labels but none numbered {}", id2label.size(), i));
    }
    if (!it->is_string()) {
      invalid(source, fmt::format("'id2label' number {} is not a text", i));
    }
    labels.push_back(it->get<std::string>());
  }
  return labels;
}

void check_label2id(const Json& config, const std::vector<std::string>& labels, const std::string& source) {
  const auto it = config.find("label2id");
  if (it == config.end() || it->is_null()) {
    return;
  }
  if (!it->is_object() || it->size() != labels.size()) {
    invalid(source, fmt::format("'label2id' must have the {} labels of 'id2label'", labels.size()));
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto entry = it->find(labels[i]);
    if (entry == it->end() || read_int(*entry, "label2id", source) != static_cast<int>(i)) {
      invalid(source, fmt::format("'id2label' calls {} '{}', 'label2id' does not", i, labels[i]));
    }
  }
}

std::vector<std::string> read_labels(const Json& config, const std::string& source) {
  std::vector<std::string> labels;
  const int count = int_or(config, "num_labels", -1, source);
  if (const auto it = config.find("id2label"); it != config.end() && !it->is_null()) {
    labels = labels_from_id2label(*it, source);
    if (count >= 0 && static_cast<size_t>(count) != labels.size()) {
      invalid(source, fmt::format("'num_labels' is {} but 'id2label' has {}", count, labels.size()));
    }
    check_label2id(config, labels, source);
    return labels;
  }
  const int number = count >= 0 ? count : 2;  // what transformers assumes when the file is silent
  if (number < 1 || static_cast<size_t>(number) > kMaxLabels) {
    invalid(source, fmt::format("'num_labels' is {}; it must be between 1 and {}", number, kMaxLabels));
  }
  for (int i = 0; i < number; ++i) {
    labels.push_back(fmt::format("LABEL_{}", i));
  }
  return labels;
}

void refuse_unsupported(const Json& config, const std::string& source) {
  const auto type = base::get_or<std::string>(config, "model_type", "", source);
  if (type != "bert") {
    invalid(source, type.empty() ? "'model_type' is missing; supported: bert"
                                 : fmt::format("'model_type' is '{}'; supported: bert", type));
  }
  const auto positions = base::get_or<std::string>(config, "position_embedding_type", "absolute", source);
  if (positions != "absolute") {
    invalid(source, fmt::format("'position_embedding_type' is '{}'; supported: absolute", positions));
  }
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    if (base::get_or<bool>(config, key, false, source)) {
      invalid(source, fmt::format("'{}' is true: this BERT is a decoder, only encoders are supported", key));
    }
  }
  const auto problem = base::get_or<std::string>(config, "problem_type", "single_label_classification", source);
  if (problem != "single_label_classification") {
    invalid(source, fmt::format("'problem_type' is '{}'; supported: single_label_classification", problem));
  }
}

void check_between(int value, int low, int high, const char* name, const std::string& source) {
  if (value < low || value > high) {
    invalid(source, fmt::format("'{}' is {}; it must be between {} and {}", name, value, low, high));
  }
}

void check_labels(const ModelSpec& spec, const std::string& source) {
  if (spec.has_classifier && spec.labels.empty()) {
    invalid(source, "the classifier has no labels");
  }
  if (!spec.has_classifier && !spec.labels.empty()) {
    invalid(source, "there are labels but no classifier");
  }
  std::set<std::string> seen;
  for (const std::string& label : spec.labels) {
    if (label.empty() || label.size() > kMaxLabelBytes) {
      invalid(source, fmt::format("a label must have between 1 and {} bytes", kMaxLabelBytes));
    }
    if (!seen.insert(label).second) {
      invalid(source, fmt::format("two labels are called '{}'", label));
    }
  }
}

}  // namespace

int64_t ModelSpec::parameter_count() const {
  int64_t total = 0;
  for (const TensorInfo& tensor : bert_tensors(*this, false)) {
    total += tensor.count();
  }
  return total;
}

void check_spec(const ModelSpec& spec, const std::string& source) {
  check_between(spec.vocab_size, 1, kMaxVocab, "vocab_size", source);
  check_between(spec.hidden_size, 1, kMaxHidden, "hidden_size", source);
  check_between(spec.num_layers, 1, kMaxLayers, "num_hidden_layers", source);
  check_between(spec.num_heads, 1, spec.hidden_size, "num_attention_heads", source);
  check_between(spec.intermediate_size, 1, kMaxIntermediate, "intermediate_size", source);
  check_between(spec.max_positions, 2, kMaxPositions, "max_position_embeddings", source);
  check_between(spec.type_vocab_size, 1, kMaxTypes, "type_vocab_size", source);
  check_between(spec.pad_token_id, 0, spec.vocab_size - 1, "pad_token_id", source);
  if (spec.hidden_size % spec.num_heads != 0) {
    invalid(source, fmt::format("'hidden_size' {} is not a multiple of 'num_attention_heads' {}", spec.hidden_size,
                                spec.num_heads));
  }
  if (!(spec.layer_norm_eps > 0) || spec.layer_norm_eps > 1) {
    invalid(source, "'layer_norm_eps' must be above 0 and at most 1");
  }
  check_labels(spec, source);
}

ModelSpec spec_from_config(const Json& config, const std::string& source) {
  if (!config.is_object()) {
    invalid(source, "a model's configuration must be a JSON object");
  }
  refuse_unsupported(config, source);
  ModelSpec spec;
  spec.vocab_size = size_of(config, "vocab_size", source);
  spec.hidden_size = size_of(config, "hidden_size", source);
  spec.num_layers = size_of(config, "num_hidden_layers", source);
  spec.num_heads = size_of(config, "num_attention_heads", source);
  spec.intermediate_size = size_of(config, "intermediate_size", source);
  spec.max_positions = size_of(config, "max_position_embeddings", source);
  spec.type_vocab_size = int_or(config, "type_vocab_size", spec.type_vocab_size, source);
  spec.pad_token_id = int_or(config, "pad_token_id", spec.pad_token_id, source);
  spec.activation = read_activation(config, source);
  spec.layer_norm_eps = number_or(config, "layer_norm_eps", spec.layer_norm_eps, 0, 1, source);
  spec.dropout = number_or(config, "hidden_dropout_prob", spec.dropout, 0, 1, source);
  spec.attention_dropout = number_or(config, "attention_probs_dropout_prob", spec.attention_dropout, 0, 1, source);
  spec.initializer_range = number_or(config, "initializer_range", spec.initializer_range, 0, 1e3, source);
  spec.classifier_dropout = number_or(config, "classifier_dropout", spec.classifier_dropout, 0, 1, source);
  spec.has_classifier = names_classifier(config, source);
  if (spec.has_classifier) {
    spec.labels = read_labels(config, source);
  }
  check_spec(spec, source);
  return spec;
}

Json config_from_spec(const ModelSpec& spec) {
  // A float as the shortest decimal that reads back to it: 0.1, not 0.10000000149011612.
  const auto number = [](float value) { return Json(std::stod(fmt::format("{}", value))); };
  Json config = {{"architectures", {spec.has_classifier ? "BertForSequenceClassification" : "BertModel"}},
                 {"model_type", "bert"},
                 {"vocab_size", spec.vocab_size},
                 {"hidden_size", spec.hidden_size},
                 {"num_hidden_layers", spec.num_layers},
                 {"num_attention_heads", spec.num_heads},
                 {"intermediate_size", spec.intermediate_size},
                 {"hidden_act", spec.activation},
                 {"hidden_dropout_prob", number(spec.dropout)},
                 {"attention_probs_dropout_prob", number(spec.attention_dropout)},
                 {"max_position_embeddings", spec.max_positions},
                 {"type_vocab_size", spec.type_vocab_size},
                 {"initializer_range", number(spec.initializer_range)},
                 {"layer_norm_eps", number(spec.layer_norm_eps)},
                 {"pad_token_id", spec.pad_token_id},
                 {"position_embedding_type", "absolute"},
                 {"classifier_dropout", spec.classifier_dropout < 0 ? Json(nullptr) : number(spec.classifier_dropout)},
                 {"use_cache", true},
                 {"torch_dtype", "float32"}};
  if (spec.has_classifier) {
    Json id2label = Json::object();
    Json label2id = Json::object();
    for (size_t i = 0; i < spec.labels.size(); ++i) {
      id2label[std::to_string(i)] = spec.labels[i];
      label2id[spec.labels[i]] = i;
    }
    config["id2label"] = std::move(id2label);
    config["label2id"] = std::move(label2id);
    config["problem_type"] = "single_label_classification";
  }
  return config;
}

}  // namespace slipway::model
