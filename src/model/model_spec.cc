#include "model/model_spec.h"

#include <fmt/format.h>
#include <set>

#include "base/error.h"
#include "model/encoder_names.h"

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
constexpr size_t kMaxLabelBytes = 1'000;

[[noreturn]] void invalid(const std::string& source, const std::string& what) {
  throw Error(Code::kInvalid, fmt::format("{}: {}", source, what));
}

void check_between(int value, int low, int high, const char* name, const std::string& source) {
  if (value < low || value > high) {
    invalid(source, fmt::format("'{}' is {}; it must be between {} and {}", name, value, low, high));
  }
}

void check_labels(const ModelSpec& spec, const std::string& source) {
  const bool classifies = spec.has_classifier() || spec.head == Head::kTokenClassification;
  if (classifies && spec.labels.empty()) {
    invalid(source, "the classifier has no labels");
  }
  if (!classifies && !spec.labels.empty()) {
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

const char* head_name(Head head) noexcept {
  switch (head) {
    case Head::kNone: return "none";
    case Head::kSequenceClassification: return "text-classification";
    case Head::kTokenClassification: return "token-classification";
    case Head::kQuestionAnswering: return "question-answering";
    case Head::kMaskedLm: return "fill-mask";
  }
  return "none";
}

int ModelSpec::outputs() const {
  switch (head) {
    case Head::kNone: return 0;
    case Head::kSequenceClassification:
    case Head::kTokenClassification: return static_cast<int>(labels.size());
    case Head::kQuestionAnswering: return 2;
    case Head::kMaskedLm: return vocab_size;
  }
  return 0;
}

int64_t ModelSpec::parameter_count() const {
  int64_t total = 0;
  for (const TensorInfo& tensor : encoder_tensors(*this, false)) {
    total += tensor.count();
  }
  return total;
}

void check_spec(const ModelSpec& spec, const std::string& source) {
  check_between(spec.vocab_size, 1, kMaxVocab, "vocab_size", source);
  check_between(spec.hidden_size, 1, kMaxHidden, "hidden_size", source);
  check_between(spec.embedding_size, 0, kMaxHidden, "embedding_size", source);
  check_between(spec.num_layers, 1, kMaxLayers, "num_hidden_layers", source);
  check_between(spec.num_heads, 1, spec.hidden_size, "num_attention_heads", source);
  check_between(spec.intermediate_size, 1, kMaxIntermediate, "intermediate_size", source);
  check_between(spec.max_positions, 2 + spec.position_offset, kMaxPositions, "max_position_embeddings", source);
  check_between(spec.type_vocab_size, 0, kMaxTypes, "type_vocab_size", source);
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

Json config_from_spec(const ModelSpec& spec) {
  if (spec.architecture != Architecture::kBert || (spec.head != Head::kNone && !spec.has_classifier())) {
    throw Error(Code::kInvalid, "only the configuration of BERT, alone or with a classifier, is written");
  }
  // A float as the shortest decimal that reads back to it: 0.1, not 0.10000000149011612.
  const auto number = [](float value) { return Json(std::stod(fmt::format("{}", value))); };
  Json config = {{"architectures", {spec.has_classifier() ? "BertForSequenceClassification" : "BertModel"}},
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
  if (spec.has_classifier()) {
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
