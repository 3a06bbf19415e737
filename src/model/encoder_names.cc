#include "model/encoder_names.h"

#include <fmt/format.h>

#include "base/error.h"
#include "model/encoder_family.h"
#include "model/int8_layout.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kLayers = "encoder.layer.";

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

void check_tensor(const TensorSource& file, const std::string& name, const TensorInfo& expected, bool int8) {
  const TensorView& found = file.require(name, expected.shape);
  const bool must_be_int8 = int8 && expected.role == TensorRole::kLinear;
  if (must_be_int8 || (int8 && expected.name == kWordEmbeddings && found.dtype == DType::kI8)) {
    read_int8(file, name, expected.shape[0], expected.shape[1]);
  } else {
    file.require_float(name, expected.shape);
  }
}

bool is_head(std::string_view canonical) {
  for (const std::string_view stem :
       {"pooler.", "classifier.", "token_classifier.", "qa_outputs.", "transform.", "decoder."}) {
    if (canonical.starts_with(stem)) {
      return true;
    }
  }
  return false;
}

// `name` with what the table has for it, as a whole or but for ".weight" or ".bias".
std::string renamed(std::span<const Rename> table, std::string_view name) {
  for (const Rename& rename : table) {
    if (name.starts_with(rename.canonical)) {
      const std::string_view rest = name.substr(rename.canonical.size());
      if (rest.empty() || rest == ".weight" || rest == ".bias") {
        return std::string(rename.file) + std::string(rest);
      }
    }
  }
  return std::string(name);
}

// The tensors of a spec, collected in the order of computing.
class Lister {
 public:
  explicit Lister(const ModelSpec& spec) : spec_(spec), family_(encoder_family(spec.architecture)) {}

  void embeddings() {
    const int64_t size = spec_.word_size();
    add(kWordEmbeddings, {spec_.vocab_size, size}, TensorRole::kEmbedding);
    if (spec_.position_table) {
      add(kPositionEmbeddings, {spec_.max_positions, size}, TensorRole::kEmbedding);
    }
    if (spec_.type_vocab_size > 0) {
      add(kTypeEmbeddings, {spec_.type_vocab_size, size}, TensorRole::kEmbedding);
    }
    norm(kEmbeddingsNormWeight, kEmbeddingsNormBias, size);
    if (size != spec_.hidden_size) {
      add(kEmbeddingsProjectWeight, {spec_.hidden_size, size}, TensorRole::kEmbedding);
      add(kEmbeddingsProjectBias, {spec_.hidden_size}, TensorRole::kBias);
    }
    if (spec_.relative_buckets > 0) {
      add(kRelativeBiasTable, {spec_.relative_buckets, spec_.num_heads}, TensorRole::kEmbedding);
    }
    if (spec_.relative_span > 0) {
      add(kRelativeEmbeddings, {2 * spec_.relative_span, spec_.hidden_size}, TensorRole::kEmbedding);
      if (spec_.norm_relative) {
        norm(kRelativeNormWeight, kRelativeNormBias, spec_.hidden_size);
      }
    }
    if (spec_.conv_kernel > 0) {
      add(kConvWeight, {spec_.hidden_size, spec_.hidden_size, spec_.conv_kernel}, TensorRole::kEmbedding);
      add(kConvBias, {spec_.hidden_size}, TensorRole::kBias);
      norm(kConvNormWeight, kConvNormBias, spec_.hidden_size);
    }
  }

  void layer(int index) {
    const int64_t hidden = spec_.hidden_size;
    const int64_t inner = spec_.intermediate_size;
    const EncoderLayerNames names = encoder_layer_names(index);
    const bool bias = spec_.attention_bias;
    if (spec_.pre_norm && index > 0) {  // before the first block the embeddings' norm serves
      norm(names.attention_norm_weight, names.attention_norm_bias, hidden);
    }
    if (family_.joined_qkv) {
      linear(names.qkv_weight, names.qkv_bias, 3 * hidden, hidden, bias);
    } else {
      linear(names.query_weight, names.query_bias, hidden, hidden, bias);
      linear(names.key_weight, names.key_bias, hidden, hidden, bias);
      linear(names.value_weight, names.value_bias, hidden, hidden, bias);
    }
    linear(names.attention_output_weight, names.attention_output_bias, hidden, hidden, bias);
    if (spec_.pre_norm) {
      norm(names.output_norm_weight, names.output_norm_bias, hidden);
    } else {
      norm(names.attention_norm_weight, names.attention_norm_bias, hidden);
    }
    linear(names.intermediate_weight, names.intermediate_bias, spec_.gated ? 2 * inner : inner, hidden, spec_.mlp_bias);
    linear(names.output_weight, names.output_bias, hidden, inner, spec_.mlp_bias);
    if (!spec_.pre_norm) {
      norm(names.output_norm_weight, names.output_norm_bias, hidden);
    }
  }

  void final_norm() {
    if (spec_.pre_norm) {
      norm(kFinalNormWeight, kFinalNormBias, spec_.hidden_size);
    }
  }

  void pooler() {
    const int64_t hidden = spec_.hidden_size;
    add(kPoolerWeight, {hidden, hidden}, TensorRole::kPooler);
    if (spec_.head_bias) {
      add(kPoolerBias, {hidden}, TensorRole::kPooler);
    }
    if (family_.transform_always) {
      add(kPoolerNormWeight, {hidden}, TensorRole::kPooler);
      if (spec_.norm_bias) {
        add(kPoolerNormBias, {hidden}, TensorRole::kPooler);
      }
    }
  }

  void head() {
    const int64_t hidden = spec_.hidden_size;
    const int64_t outputs = spec_.outputs();
    if (spec_.head == Head::kSequenceClassification) {
      outputs_of(kClassifierWeight, kClassifierBias, outputs, hidden);
      return;
    }
    if (spec_.head == Head::kNone) {
      return;
    }
    if (spec_.head == Head::kMaskedLm || family_.transform_always) {
      const int64_t size = spec_.head == Head::kMaskedLm ? spec_.word_size() : hidden;
      add(kTransformWeight, {size, hidden}, TensorRole::kPooler);
      if (spec_.head_bias) {
        add(kTransformBias, {size}, TensorRole::kPooler);
      }
      add(kTransformNormWeight, {size}, TensorRole::kPooler);
      if (spec_.norm_bias) {
        add(kTransformNormBias, {size}, TensorRole::kPooler);
      }
    }
    if (spec_.head == Head::kTokenClassification) {
      outputs_of(kTokenClassifierWeight, kTokenClassifierBias, outputs, hidden);
    } else if (spec_.head == Head::kQuestionAnswering) {
      outputs_of(kSpanWeight, kSpanBias, outputs, hidden);
    } else {
      if (!spec_.tied_decoder) {
        add(kDecoderWeight, {outputs, spec_.word_size()}, TensorRole::kClassifier);
      }
      if (spec_.decoder_bias) {
        add(kDecoderBias, {outputs}, TensorRole::kClassifier);
      }
    }
  }

  std::vector<TensorInfo> take() { return std::move(tensors_); }

 private:
  void add(const std::string& name, std::vector<int64_t> shape, TensorRole role) {
    tensors_.push_back({name, std::move(shape), role});
  }
  void linear(const std::string& weight, const std::string& bias, int64_t out, int64_t in, bool with_bias) {
    add(weight, {out, in}, TensorRole::kLinear);
    if (with_bias) {
      add(bias, {out}, TensorRole::kBias);
    }
  }
  void norm(const std::string& weight, const std::string& bias, int64_t size) {
    add(weight, {size}, TensorRole::kNorm);
    if (spec_.norm_bias) {
      add(bias, {size}, TensorRole::kNorm);
    }
  }
  void outputs_of(const std::string& weight, const std::string& bias, int64_t out, int64_t in) {
    add(weight, {out, in}, TensorRole::kClassifier);
    add(bias, {out}, TensorRole::kClassifier);
  }

  const ModelSpec& spec_;
  const EncoderFamily& family_;
  std::vector<TensorInfo> tensors_;
};

// The first of the head's tensors, of which one looks whether the file has the head; empty without a head.
const char* first_of_head(const ModelSpec& spec) {
  switch (spec.head) {
    case Head::kNone: return "";
    case Head::kSequenceClassification: return kClassifierWeight;
    case Head::kTokenClassification: return kTokenClassifierWeight;
    case Head::kQuestionAnswering: return kSpanWeight;
    case Head::kMaskedLm: return kTransformWeight;
  }
  return "";
}

}  // namespace

int64_t TensorInfo::count() const {
  int64_t product = 1;
  for (const int64_t size : shape) {
    product *= size;
  }
  return product;
}

EncoderLayerNames encoder_layer_names(int layer) {
  const std::string base = fmt::format("encoder.layer.{}.", layer);
  const std::string attention = base + "attention.";
  EncoderLayerNames names;
  names.query_weight = attention + "self.query.weight";
  names.query_bias = attention + "self.query.bias";
  names.key_weight = attention + "self.key.weight";
  names.key_bias = attention + "self.key.bias";
  names.value_weight = attention + "self.value.weight";
  names.value_bias = attention + "self.value.bias";
  names.qkv_weight = attention + "self.qkv.weight";
  names.qkv_bias = attention + "self.qkv.bias";
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

std::vector<TensorInfo> encoder_tensors(const ModelSpec& spec, bool with_pooler) {
  if (spec.architecture == Architecture::kWordVectors) {  // all but the unknown word have one
    return {{"vectors", {spec.vocab_size - 1, spec.hidden_size}, TensorRole::kEmbedding}};
  }
  if (spec.recurrent) {
    std::vector<TensorInfo> tensors;
    for (RecurrentTensor& tensor : recurrent_tensors(*spec.recurrent)) {
      tensors.push_back({std::move(tensor.name), std::move(tensor.shape), TensorRole::kEmbedding});
    }
    return tensors;
  }
  Lister list(spec);
  list.embeddings();
  for (int layer = 0; layer < spec.num_layers; ++layer) {
    list.layer(layer);
  }
  list.final_norm();
  if ((with_pooler && spec.architecture == Architecture::kBert) || spec.has_classifier()) {
    list.pooler();
  }
  list.head();
  return list.take();
}

std::string EncoderNaming::in_file(const std::string& canonical) const {
  const EncoderFamily& family = encoder_family(architecture);
  std::string name;
  if (is_head(canonical)) {
    const std::string file = renamed(family.heads, canonical);
    const std::string spelled = gamma_beta ? old_norm_name(file) : file;
    return spelled.starts_with('~') ? prefix + spelled.substr(1) : spelled;
  }
  if (canonical.starts_with(kLayers)) {
    const size_t dot = canonical.find('.', kLayers.size()) + 1;
    name = std::string(family.layers) + canonical.substr(kLayers.size(), dot - kLayers.size()) +
           renamed(family.layer, std::string_view(canonical).substr(dot));
  } else {
    name = renamed(family.encoder, canonical);
  }
  return prefix + (gamma_beta ? old_norm_name(name) : name);
}

EncoderNaming detect_naming(const TensorSource& file, const ModelSpec& spec) {
  const EncoderFamily& family = encoder_family(spec.architecture);
  EncoderNaming naming;
  naming.architecture = spec.architecture;
  const std::string bare = naming.in_file(kWordEmbeddings);
  naming.prefix = file.find(bare) != nullptr ? "" : std::string(family.prefix);
  if (file.find(naming.in_file(kWordEmbeddings)) == nullptr) {
    throw Error(Code::kIntegrity, fmt::format("{}: neither '{}' nor '{}{}' is in it: these are not {}'s weights",
                                              file.source(), bare, family.prefix, bare, family.class_name));
  }
  const std::string norm = naming.in_file(kEmbeddingsNormWeight);
  naming.gamma_beta = file.find(norm) == nullptr && file.find(old_norm_name(norm)) != nullptr;
  naming.has_pooler = spec.architecture == Architecture::kBert && file.find(naming.in_file(kPoolerWeight)) != nullptr;
  naming.has_head = spec.head != Head::kNone && file.find(naming.in_file(first_of_head(spec))) != nullptr;
  return naming;
}

EncoderNaming written_naming(const ModelSpec& spec, bool with_pooler) {
  EncoderNaming naming;
  naming.architecture = spec.architecture;
  naming.prefix = spec.has_classifier() ? "bert." : "";
  naming.has_pooler = with_pooler || spec.has_classifier();
  naming.has_head = spec.has_classifier();
  return naming;
}

EncoderNaming check_encoder_file(const TensorSource& file, const ModelSpec& spec, bool need_head, bool int8) {
  if (spec.recurrent) {  // whose tensors RecurrentWeights checks when it takes them
    return {.architecture = spec.architecture, .prefix = {}, .has_head = spec.has_classifier()};
  }
  const EncoderNaming naming = detect_naming(file, spec);
  ModelSpec needed = spec;
  if (!need_head) {
    needed.head = Head::kNone;
  }
  for (const TensorInfo& tensor : encoder_tensors(needed, naming.has_pooler)) {
    check_tensor(file, naming.in_file(tensor.name), tensor, int8);
  }
  return naming;
}

}  // namespace slipway::model
