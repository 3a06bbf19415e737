#include <fmt/format.h>

#include "base/error.h"
#include "model/encoder_family.h"
#include "model/model_spec.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxLabels = 100'000;

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
    invalid(source, fmt::format("'{}' is missing; a config.json must give it", key));
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

std::string read_activation(const Json& config, const char* key, const std::string& source) {
  const auto name = base::get_or<std::string>(config, key, "gelu", source);
  if (name == "gelu" || name == "relu" || name == "gelu_new") {
    return name;
  }
  if (name == "gelu_pytorch_tanh") {
    return "gelu_new";
  }
  invalid(source, fmt::format("'{}' is '{}'; supported: gelu, gelu_new, gelu_pytorch_tanh, relu", key, name));
}

// The endings of class names in "architectures". What pretraining leaves (BertForPreTraining) is a masked language
// model.
constexpr std::pair<std::string_view, Head> kHeadClasses[] = {
    {"ForSequenceClassification", Head::kSequenceClassification},
    {"ForTokenClassification", Head::kTokenClassification},
    {"ForQuestionAnswering", Head::kQuestionAnswering},
    {"ForMaskedLM", Head::kMaskedLm},
    {"BertForPreTraining", Head::kMaskedLm}};

Head read_head(const Json& config, const std::string& source) {
  const auto it = config.find("architectures");
  if (it == config.end() || it->is_null()) {
    const bool labels = config.contains("id2label") || config.contains("num_labels");
    return labels ? Head::kSequenceClassification : Head::kNone;
  }
  if (!it->is_array()) {
    invalid(source, "'architectures' must be a list of names");
  }
  for (const Json& name : *it) {
    for (const auto& [ending, head] : kHeadClasses) {
      if (name.is_string() && name.get_ref<const std::string&>().ends_with(ending)) {
        return head;
      }
    }
  }
  return Head::kNone;
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

}  // namespace

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

namespace {

// An encoder of one of the older families, as engines and servers describe it.
ModelSpec recurrent_model_spec(Architecture architecture, const Json& config, const std::string& source) {
  const RecurrentSpec recurrent = recurrent_spec_from_config(config, source);
  if (recurrent.head == RecurrentHead::kLanguageModel) {
    invalid(source, "this is a language model's: it generates text, and has nothing to classify or to embed with");
  }
  ModelSpec spec;
  spec.architecture = architecture;
  spec.vocab_size = recurrent.vocab_size;
  spec.hidden_size = recurrent.features();
  spec.embedding_size = recurrent.embedding_dim;
  spec.num_layers = recurrent.num_layers;
  spec.num_heads = 1;
  spec.intermediate_size = recurrent.gates() * recurrent.hidden_size;
  spec.max_positions = recurrent.max_positions;
  spec.position_table = false;
  spec.type_vocab_size = 0;
  spec.pad_token_id = recurrent.pad_id;
  spec.labels = recurrent.labels;
  spec.head = recurrent.head == RecurrentHead::kClassifier ? Head::kSequenceClassification : Head::kNone;
  spec.recurrent = recurrent;
  return spec;
}

const EncoderFamily& family_of(const Json& config, const std::string& source) {
  const auto type = base::get_or<std::string>(config, "model_type", "", source);
  const EncoderFamily* family = find_encoder_family(type);
  if (family == nullptr) {
    invalid(source, type.empty() ? fmt::format("'model_type' is missing; supported: {}", encoder_family_names())
                                 : fmt::format("'model_type' is '{}'; supported: {}", type, encoder_family_names()));
  }
  return *family;
}

void refuse_unsupported(const Json& config, const std::string& source) {
  const auto positions = base::get_or<std::string>(config, "position_embedding_type", "absolute", source);
  if (positions != "absolute") {
    invalid(source, fmt::format("'position_embedding_type' is '{}'; supported: absolute", positions));
  }
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    if (base::get_or<bool>(config, key, false, source)) {
      invalid(source, fmt::format("'{}' is true: this model is a decoder, only encoders are supported", key));
    }
  }
  const auto problem = base::get_or<std::string>(config, "problem_type", "single_label_classification", source);
  if (problem != "single_label_classification") {
    invalid(source, fmt::format("'problem_type' is '{}'; supported: single_label_classification", problem));
  }
}

}  // namespace

ModelSpec spec_from_config(const Json& config, const std::string& source) {
  if (!config.is_object()) {
    invalid(source, "a model's configuration must be a JSON object");
  }
  const EncoderFamily& family = family_of(config, source);
  const ConfigKeys& keys = family.keys;
  refuse_unsupported(config, source);
  if (family.recurrent) {
    return recurrent_model_spec(family.architecture, config, source);
  }
  ModelSpec spec;
  spec.architecture = family.architecture;
  spec.vocab_size = size_of(config, "vocab_size", source);
  spec.hidden_size = size_of(config, keys.hidden_size, source);
  spec.num_layers = size_of(config, keys.num_layers, source);
  spec.num_heads = size_of(config, keys.num_heads, source);
  spec.intermediate_size = size_of(config, keys.intermediate_size, source);
  spec.max_positions = size_of(config, "max_position_embeddings", source);
  spec.pad_token_id = int_or(config, "pad_token_id", spec.pad_token_id, source);
  spec.activation = read_activation(config, keys.activation, source);
  spec.layer_norm_eps = number_or(config, keys.layer_norm_eps, family.default_eps, 0, 1, source);
  spec.dropout = number_or(config, keys.dropout, spec.dropout, 0, 1, source);
  spec.attention_dropout = number_or(config, keys.attention_dropout, spec.attention_dropout, 0, 1, source);
  spec.initializer_range = number_or(config, "initializer_range", spec.initializer_range, 0, 1e3, source);
  spec.classifier_dropout = number_or(config, "classifier_dropout", spec.classifier_dropout, 0, 1, source);
  spec.tied_decoder = base::get_or<bool>(config, "tie_word_embeddings", true, source);
  spec.head = read_head(config, source);
  if (spec.has_classifier() || spec.head == Head::kTokenClassification) {
    spec.labels = read_labels(config, source);
  }
  check_spec(spec, source);  // a family's reader works with sizes that make sense
  family.read(ConfigReader(config, source), spec);
  check_spec(spec, source);
  return spec;
}

}  // namespace slipway::model
