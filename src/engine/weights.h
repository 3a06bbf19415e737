// An encoder's weights as the engine computes with them: linear layers packed for one instruction set, the rest as it
// lies in the file. Immutable once loaded; any thread. The word embeddings are read from the mapped file, which is
// kept.
#pragma once

#include <span>
#include <vector>

#include "base/cpu.h"
#include "base/pool.h"
#include "engine/relative_positions.h"
#include "kernels/decoder_ops.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/gemm_int8.h"
#include "model/folder.h"
#include "model/int8_layout.h"

namespace slipway::engine {

// y = x W^T + bias; one of the two matrices is filled.
struct Linear {
  kernels::PackedF32 f32;
  kernels::PackedInt8 int8;
  std::vector<float> bias;  // empty: none
  bool quantized = false;
  int in = 0;
  int out = 0;  // 0: there is no such layer
  int64_t bytes() const;
};

struct Norm {
  std::vector<float> gain;  // empty: there is no such norm
  std::vector<float> bias;
};

// In a model with the norms before the blocks, attention_norm is before attention and output_norm before the
// intermediate layer; else each is after its block's output.
struct Layer {
  Linear qkv;  // query, key, value outputs one after the other [3 hidden, hidden]
  Linear attention_output;
  Norm attention_norm;
  Linear intermediate;
  Linear output;
  Norm output_norm;
  PositionProjections positions;  // DeBERTa-v2's
};

// dense, activation and norm, each where the model has it, then out.
struct HeadWeights {
  Linear dense;
  kernels::Activation activation = kernels::Activation::kNone;
  Norm norm;
  Linear out;
};

// DeBERTa-v2-xlarge's: each output from `kernel` neighbours, which lie one after the other in the linear layer's input.
struct Convolution {
  Linear linear;  // [hidden, kernel hidden]; out is 0 where there is none
  Norm norm;      // of its output and the first layer's together
};

class Weights {
 public:
  // Maps and packs the folder's int8 or f32 weights, on all threads of the pool.
  // Throws Error(kNotFound | kInvalid | kIntegrity).
  Weights(const model::ModelFolder& folder, bool int8, base::Isa isa, base::Pool& pool);
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  // Of what is in the file (OpenedWeights::spec).
  const model::ModelSpec& spec() const { return opened_.spec; }
  base::Isa isa() const { return isa_; }
  bool int8() const { return int8_; }
  int64_t bytes() const;  // packed, mapped and copied together

  // The sum of the embeddings of token `id` at `position` (counted from 0) with token type `type`, before the norm. out
  // [word_size].
  void embed(int id, int position, int type, float* out) const;

  const Norm& embeddings_norm() const { return embeddings_norm_; }
  const Linear& embeddings_project() const { return embeddings_project_; }  // ELECTRA's
  const Convolution& convolution() const { return convolution_; }
  const std::vector<Layer>& layers() const { return layers_; }
  const Norm& final_norm() const { return final_norm_; }  // with the norms before the blocks
  const HeadWeights& head() const { return head_; }
  const DistanceBias& distance_bias() const { return distance_bias_; }           // MPNet's
  const DistanceBuckets& distance_buckets() const { return distance_buckets_; }  // DeBERTa-v2's
  // Null without rotary positions.
  const kernels::RopeTable* rope(int layer) const;

 private:
  struct Loader;
  void load_words();
  void make_positions();
  base::Isa isa_;
  bool int8_;
  model::OpenedWeights opened_;
  std::span<const float> words_;
  model::Int8Matrix words_int8_;  // instead of words_ when the file has them so
  std::vector<float> words_copy_;
  std::vector<float> positions_;
  std::vector<float> types_;
  Norm embeddings_norm_;
  Linear embeddings_project_;
  Convolution convolution_;
  std::vector<Layer> layers_;
  Norm final_norm_;
  HeadWeights head_;
  DistanceBias distance_bias_;
  DistanceBuckets distance_buckets_;
  kernels::RopeTable rope_global_;
  kernels::RopeTable rope_local_;
};

// "gelu" (erf), "gelu_new" (tanh), "relu", "tanh".
kernels::Activation activation_of(const std::string& name);

}  // namespace slipway::engine
