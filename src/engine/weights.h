// An encoder's weights as the engine computes with them: linear layers packed for one instruction set, the rest as it
// lies in the file. Immutable once loaded; any thread. The word embeddings are read from the mapped file, which is
// kept.
#pragma once

#include <span>
#include <vector>

#include "base/cpu.h"
#include "base/pool.h"
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
  std::vector<float> bias;
  bool quantized = false;
  int in = 0;
  int out = 0;
  int64_t bytes() const;
};

struct Norm {
  std::vector<float> gain;
  std::vector<float> bias;
};

struct Layer {
  Linear qkv;  // query, key, value outputs one after the other [3 hidden, hidden]
  Linear attention_output;
  Norm attention_norm;
  Linear intermediate;
  Linear output;
  Norm output_norm;
};

class Weights {
 public:
  // Maps and packs the folder's int8 or f32 weights, on all threads of the pool.
  // Throws Error(kNotFound | kInvalid | kIntegrity).
  Weights(const model::ModelFolder& folder, bool int8, base::Isa isa, base::Pool& pool);
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  const model::ModelSpec& spec() const { return spec_; }
  base::Isa isa() const { return isa_; }
  bool int8() const { return int8_; }
  int64_t bytes() const;  // packed, mapped and copied together

  // The sum of the embeddings of token `id` at `position`, type 0, before the norm. out [hidden].
  void embed(int id, int position, float* out) const;

  const Norm& embeddings_norm() const { return embeddings_norm_; }
  const std::vector<Layer>& layers() const { return layers_; }
  const Linear& pooler() const { return pooler_; }          // empty (out = 0) without a classifier
  const Linear& classifier() const { return classifier_; }  // the same

 private:
  struct Loader;
  model::ModelSpec spec_;
  base::Isa isa_;
  bool int8_;
  model::OpenedWeights opened_;
  std::span<const float> words_;
  model::Int8Matrix words_int8_;  // instead of words_ when the file has them so
  std::vector<float> words_copy_;
  std::vector<float> positions_;
  std::vector<float> types_;
  Norm embeddings_norm_;
  std::vector<Layer> layers_;
  Linear pooler_;
  Linear classifier_;
};

}  // namespace slipway::engine
