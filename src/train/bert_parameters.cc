#include "train/bert_parameters.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/random.h"
#include "model/encoder_names.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using model::ModelSpec;
using model::TensorInfo;
using model::TensorRole;

// Declares tensors by canonical name, with the shapes that the spec gives them.
class Declarer {
 public:
  explicit Declarer(BertParameters& target) : target_(target) {
    for (TensorInfo& info : model::encoder_tensors(target.spec, true)) {
      infos_[info.name] = std::move(info);
    }
    naming_ = model::written_naming(target.spec, true);
  }

  int add(const std::string& canonical, bool trainable, bool joined = false) {
    const auto it = infos_.find(canonical);
    SLIPWAY_CHECK(it != infos_.end());
    const TensorInfo& info = it->second;
    Parameter parameter;
    parameter.name = naming_.in_file(canonical);
    parameter.shape = info.shape;
    parameter.trainable = trainable;
    parameter.decay = info.role != TensorRole::kBias && info.role != TensorRole::kNorm && info.shape.size() > 1;
    parameter.by_row = canonical == model::kWordEmbeddings;
    return target_.set.add(std::move(parameter), joined);
  }

 private:
  BertParameters& target_;
  std::map<std::string, TensorInfo> infos_;
  model::EncoderNaming naming_;
};

BertLayerIndex add_layer(Declarer& declare, int layer, bool trainable) {
  const model::EncoderLayerNames names = model::encoder_layer_names(layer);
  BertLayerIndex index{};
  index.qkv_weight = declare.add(names.query_weight, trainable);
  declare.add(names.key_weight, trainable, true);
  declare.add(names.value_weight, trainable, true);
  index.qkv_bias = declare.add(names.query_bias, trainable);
  declare.add(names.key_bias, trainable, true);
  declare.add(names.value_bias, trainable, true);
  index.attention_output_weight = declare.add(names.attention_output_weight, trainable);
  index.attention_output_bias = declare.add(names.attention_output_bias, trainable);
  index.attention_norm_weight = declare.add(names.attention_norm_weight, trainable);
  index.attention_norm_bias = declare.add(names.attention_norm_bias, trainable);
  index.intermediate_weight = declare.add(names.intermediate_weight, trainable);
  index.intermediate_bias = declare.add(names.intermediate_bias, trainable);
  index.output_weight = declare.add(names.output_weight, trainable);
  index.output_bias = declare.add(names.output_bias, trainable);
  index.output_norm_weight = declare.add(names.output_norm_weight, trainable);
  index.output_norm_bias = declare.add(names.output_norm_bias, trainable);
  return index;
}

void draw(const ModelSpec& spec, Parameter& parameter, uint64_t seed) {
  const bool norm = parameter.name.find("LayerNorm") != std::string::npos;
  if (parameter.shape.size() == 1) {
    std::fill(parameter.value.begin(), parameter.value.end(), norm && parameter.name.ends_with("weight") ? 1.0F : 0.0F);
    return;
  }
  base::Rng rng(seed, parameter.name);
  for (float& value : parameter.value) {
    value = static_cast<float>(rng.normal()) * spec.initializer_range;
  }
  if (parameter.by_row && spec.pad_token_id >= 0 && spec.pad_token_id < spec.vocab_size) {
    const auto dim = static_cast<size_t>(parameter.row_size());
    std::fill_n(parameter.value.begin() + static_cast<int64_t>(static_cast<size_t>(spec.pad_token_id) * dim), dim,
                0.0F);
  }
}

// Puts folder `fresh` in the place of `target`, in one step even when there is one already.
void replace_folder(const fs::path& fresh, const fs::path& target) {
  if (::rename(fresh.c_str(), target.c_str()) == 0) {
    base::sync_dir(target.parent_path().empty() ? "." : target.parent_path());
    return;
  }
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) != 0) {
    throw Error(Code::kFailure,
                fmt::format("cannot put the model at {}: {}", target.string(), base::errno_text(errno)));
  }
  base::sync_dir(target.parent_path().empty() ? "." : target.parent_path());
  fs::remove_all(fresh);
}

}  // namespace

BertParameters make_bert_parameters(const ModelSpec& spec, int freeze_layers) {
  if (freeze_layers > spec.num_layers) {
    throw Error(Code::kInvalid,
                fmt::format("'freeze_layers' is {}, but the model has {} layers", freeze_layers, spec.num_layers));
  }
  BertParameters result;
  result.spec = spec;
  result.spec.head = model::Head::kSequenceClassification;
  result.frozen_layers = freeze_layers;
  Declarer declare(result);
  const bool embeddings = freeze_layers == 0;
  BertIndex& index = result.index;
  index.word = declare.add(model::kWordEmbeddings, embeddings);
  index.position = declare.add(model::kPositionEmbeddings, embeddings);
  index.type = declare.add(model::kTypeEmbeddings, embeddings);
  index.norm_weight = declare.add(model::kEmbeddingsNormWeight, embeddings);
  index.norm_bias = declare.add(model::kEmbeddingsNormBias, embeddings);
  for (int layer = 0; layer < spec.num_layers; ++layer) {
    index.layers.push_back(add_layer(declare, layer, layer >= freeze_layers));
  }
  index.pooler_weight = declare.add(model::kPoolerWeight, true);
  index.pooler_bias = declare.add(model::kPoolerBias, true);
  index.classifier_weight = declare.add(model::kClassifierWeight, true);
  index.classifier_bias = declare.add(model::kClassifierBias, true);
  result.set.allocate();
  return result;
}

void draw_weights(BertParameters& parameters, uint64_t seed) {
  for (int i = 0; i < parameters.set.size(); ++i) {
    draw(parameters.spec, parameters.set[i], seed);
  }
}

std::vector<std::string> load_weights(BertParameters& parameters, const model::ModelFolder& folder, uint64_t seed) {
  const model::OpenedWeights weights = model::open_float_weights(folder);
  const model::EncoderNaming written = model::written_naming(parameters.spec, true);
  std::vector<std::string> drawn;
  for (const TensorInfo& info : model::encoder_tensors(parameters.spec, true)) {
    Parameter& parameter = parameters.set[parameters.set.find(written.in_file(info.name))];
    const bool head = info.role == TensorRole::kPooler || info.role == TensorRole::kClassifier ||
                      info.name.starts_with("pooler.") || info.name.starts_with("classifier.");
    const std::string name = weights.naming.in_file(info.name);
    const model::TensorView* found = weights.file->find(name);
    if (head && (found == nullptr || found->shape != info.shape)) {
      draw(parameters.spec, parameter, seed);
      drawn.push_back(parameter.name);
      continue;
    }
    const std::vector<float> values = weights.file->read_f32(name, parameter.count);
    std::copy(values.begin(), values.end(), parameter.value.begin());
  }
  return drawn;
}

void write_weights(const BertParameters& parameters, const fs::path& path) {
  std::vector<model::TensorData> tensors;
  for (int i = 0; i < parameters.set.size(); ++i) {
    const Parameter& p = parameters.set[i];
    tensors.push_back({p.name,
                       model::DType::kF32,
                       p.shape,
                       {reinterpret_cast<const char*>(p.value.data()), p.value.size() * sizeof(float)}});
  }
  model::write_safetensors(path, tensors, {{"format", "pt"}});
}

void read_weights(BertParameters& parameters, const fs::path& path) {
  const model::SafetensorsFile file(path);
  for (int i = 0; i < parameters.set.size(); ++i) {
    Parameter& p = parameters.set[i];
    const std::vector<float> values = file.read_f32(p.name, p.count);
    std::copy(values.begin(), values.end(), p.value.begin());
  }
}

void write_model_folder(const BertParameters& parameters, const fs::path& base, const fs::path& output) {
  const fs::path fresh = output.string() + ".partial";
  fs::remove_all(fresh);
  base::make_dirs(fresh);
  write_weights(parameters, fresh / model::kWeightsFile);
  base::write_file_atomic(fresh / model::kConfigFile, base::dump_json_pretty(model::config_from_spec(parameters.spec)));
  model::copy_tokenizer_files(base, fresh);
  base::sync_dir(fresh);
  replace_folder(fresh, output);
}

}  // namespace slipway::train
