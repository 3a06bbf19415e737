// The parameters of a BERT classifier in training: their layout in memory, how they are read from a Hugging Face folder
// or drawn, and how they are written as one. No torch.
#pragma once

#include <filesystem>
#include <vector>

#include "base/pool.h"
#include "model/folder.h"
#include "model/model_spec.h"
#include "train/parameters.h"

namespace slipway::train {

// Indices into the ParameterSet.
struct BertLayerIndex {
  // Query, key and value lie behind each other: the memory of the first is one matrix [3 hidden, hidden].
  int qkv_weight, qkv_bias;
  int attention_output_weight, attention_output_bias, attention_norm_weight, attention_norm_bias;
  int intermediate_weight, intermediate_bias, output_weight, output_bias, output_norm_weight, output_norm_bias;
};

struct BertIndex {
  int word, position, type, norm_weight, norm_bias;
  std::vector<BertLayerIndex> layers;
  int pooler_weight, pooler_bias, classifier_weight, classifier_bias;
};

struct BertParameters {
  model::ModelSpec spec;
  int frozen_layers = 0;  // > 0: the embeddings too
  ParameterSet set;
  BertIndex index;
};

// Declares and allocates (zeros). `spec` must have its labels. Throws Error(kInvalid) when there are fewer layers than
// `freeze_layers`.
BertParameters make_bert_parameters(const model::ModelSpec& spec, int freeze_layers);

// All weights drawn as transformers does: normal(0, initializer_range), biases 0, norms 1, the row of the padding token
// 0. Depends on (seed, name of the tensor) only.
void draw_weights(BertParameters& parameters, uint64_t seed);

// The encoder from the folder's model.safetensors; the pooler and the classifier too when the file has them in the
// right shape, else drawn. Returns the names of the tensors that were drawn. Throws Error(kIntegrity) naming what does
// not fit.
std::vector<std::string> load_weights(BertParameters& parameters, const model::ModelFolder& folder, uint64_t seed);

// Writes all values as a safetensors file with Hugging Face names, atomically; reads them back.
void write_weights(const BertParameters& parameters, const std::filesystem::path& path);
void read_weights(BertParameters& parameters, const std::filesystem::path& path);

// A folder that transformers loads: config.json, model.safetensors, the base's tokenizer files. It replaces `output` in
// one step, so that there is never half a model.
void write_model_folder(const BertParameters& parameters, const std::filesystem::path& base,
                        const std::filesystem::path& output);

}  // namespace slipway::train
