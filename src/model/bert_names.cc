#include "model/bert_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "model/int8_layout.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

// "…LayerNorm.weight" -> "…LayerNorm.gamma", "…LayerNorm.bias" -> "…LayerNorm.beta".
std::string old_norm_name(const std::string& name) {
  constexpr std::string_view kWeight = "LayerNorm.weight";
  constexpr std::string_view kBias = "LayerNorm.bias";
  if (name.ends_with(kWeight)) {
    return name.substr(0, name.size() - 6) + "gamma";
  }
  if (name.ends_with(kBias)) {
    return name.substr(0, name.size() - 4) + "beta";
  }
  return name;
}

std::string shape_text(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

bool is_float(DType dtype) noexcept {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF64;
}

void check_tensor(const SafetensorsFile& file, const std::string& name, const TensorInfo& expected, bool int8) {
  const TensorView* found = file.find(name);
  if (found == nullptr) {
    throw Error(Code::kIntegrity, fmt::format("{}: tensor '{}' {} is missing; config.json asks for it", file.source(),
                                              name, shape_text(expected.shape)));
  }
  if (found->shape != expected.shape) {
    throw Error(Code::kIntegrity, fmt::format("{}: tensor '{}' has shape {}, config.json asks for {}", file.source(),
                                              name, shape_text(found->shape), shape_text(expected.shape)));
  }
  const bool must_be_int8 = int8 && expected.role == TensorRole::kLinear;
  if (must_be_int8 || (int8 && expected.name == kWordEmbeddings && found->dtype == DType::kI8)) {
    read_int8(file, name, expected.shape[0], expected.shape[1]);
  } else if (!is_float(found->dtype)) {
    throw Error(Code::kIntegrity, fmt::format("{}: tensor '{}' is {}; supported: F32, F16, BF16, F64", file.source(),
                                              name, dtype_name(found->dtype)));
  }
}

}  // namespace

int64_t TensorInfo::count() const {
  int64_t product = 1;
  for (const int64_t size : shape) {
    product *= size;
  }
  return product;
}

BertLayerNames bert_layer_names(int layer) {
  const std::string base = fmt::format("encoder.layer.{}.", layer);
  const std::string attention = base + "attention.";
  BertLayerNames names;
  names.query_weight = attention + "self.query.weight";
  names.query_bias = attention + "self.query.bias";
  names.key_weight = attention + "self.key.weight";
  names.key_bias = attention + "self.key.bias";
  names.value_weight = attention + "self.value.weight";
  names.value_bias = attention + "self.value.bias";
  names.attention_output_weight = attention + "output.dense.weight";
  names.attention_output_bias = attention + "output.dense.bias";
  names.attention_norm_weight = attention + "output.LayerNorm.weight";
  names.attention_norm_bias = attention + "output.LayerNorm.bias";
  names.intermediate_weight = base + "intermediate.dense.weight";
  names.intermediate_bias = base + "intermediate.dense.bias";
  names.output_weight = base + "output.dense.weight";
  names.output_bias = base + "output.dense.bias";
  names.output_norm_weight = base + "output.LayerNorm.weight";
  names.output_norm_bias = base + "output.LayerNorm.bias";
  return names;
}

std::vector<TensorInfo> bert_tensors(const ModelSpec& spec, bool with_pooler) {
  const int64_t hidden = spec.hidden_size;
  const int64_t inner = spec.intermediate_size;
  std::vector<TensorInfo> tensors = {{kWordEmbeddings, {spec.vocab_size, hidden}, TensorRole::kEmbedding},
                                     {kPositionEmbeddings, {spec.max_positions, hidden}, TensorRole::kEmbedding},
                                     {kTypeEmbeddings, {spec.type_vocab_size, hidden}, TensorRole::kEmbedding},
                                     {kEmbeddingsNormWeight, {hidden}, TensorRole::kNorm},
                                     {kEmbeddingsNormBias, {hidden}, TensorRole::kNorm}};
  const auto linear = [&](const std::string& weight, const std::string& bias, int64_t out, int64_t in) {
    tensors.push_back({weight, {out, in}, TensorRole::kLinear});
    tensors.push_back({bias, {out}, TensorRole::kBias});
  };
  for (int layer = 0; layer < spec.num_layers; ++layer) {
    const BertLayerNames names = bert_layer_names(layer);
    linear(names.query_weight, names.query_bias, hidden, hidden);
    linear(names.key_weight, names.key_bias, hidden, hidden);
    linear(names.value_weight, names.value_bias, hidden, hidden);
    linear(names.attention_output_weight, names.attention_output_bias, hidden, hidden);
    tensors.push_back({names.attention_norm_weight, {hidden}, TensorRole::kNorm});
    tensors.push_back({names.attention_norm_bias, {hidden}, TensorRole::kNorm});
    linear(names.intermediate_weight, names.intermediate_bias, inner, hidden);
    linear(names.output_weight, names.output_bias, hidden, inner);
    tensors.push_back({names.output_norm_weight, {hidden}, TensorRole::kNorm});
    tensors.push_back({names.output_norm_bias, {hidden}, TensorRole::kNorm});
  }
  if (with_pooler || spec.has_classifier) {
    tensors.push_back({kPoolerWeight, {hidden, hidden}, TensorRole::kPooler});
    tensors.push_back({kPoolerBias, {hidden}, TensorRole::kPooler});
  }
  if (spec.has_classifier) {
    const auto labels = static_cast<int64_t>(spec.labels.size());
    tensors.push_back({kClassifierWeight, {labels, hidden}, TensorRole::kClassifier});
    tensors.push_back({kClassifierBias, {labels}, TensorRole::kClassifier});
  }
  return tensors;
}

std::string BertNaming::in_file(const std::string& canonical) const {
  if (canonical.starts_with("classifier.")) {
    return canonical;
  }
  return prefix + (gamma_beta ? old_norm_name(canonical) : canonical);
}

BertNaming detect_bert_naming(const SafetensorsFile& file) {
  BertNaming naming;
  naming.prefix = file.find(kWordEmbeddings) != nullptr ? "" : "bert.";
  if (file.find(naming.prefix + kWordEmbeddings) == nullptr) {
    throw Error(Code::kIntegrity, fmt::format("{}: neither '{}' nor 'bert.{}' is in it: these are not BERT's weights",
                                              file.source(), kWordEmbeddings, kWordEmbeddings));
  }
  naming.gamma_beta = file.find(naming.prefix + kEmbeddingsNormWeight) == nullptr &&
                      file.find(naming.prefix + old_norm_name(kEmbeddingsNormWeight)) != nullptr;
  naming.has_pooler = file.find(naming.prefix + kPoolerWeight) != nullptr;
  naming.has_classifier = file.find(kClassifierWeight) != nullptr;
  return naming;
}

BertNaming written_bert_naming(const ModelSpec& spec, bool with_pooler) {
  BertNaming naming;
  naming.prefix = spec.has_classifier ? "bert." : "";
  naming.has_pooler = with_pooler || spec.has_classifier;
  naming.has_classifier = spec.has_classifier;
  return naming;
}

BertNaming check_bert_file(const SafetensorsFile& file, const ModelSpec& spec, bool need_classifier) {
  const BertNaming naming = detect_bert_naming(file);
  const bool int8 = is_int8_file(file);
  for (const TensorInfo& tensor : bert_tensors(spec, naming.has_pooler)) {
    if (!need_classifier &&
        (tensor.role == TensorRole::kClassifier || (tensor.role == TensorRole::kPooler && !naming.has_pooler))) {
      continue;
    }
    check_tensor(file, naming.in_file(tensor.name), tensor, int8);
  }
  return naming;
}

}  // namespace slipway::model
