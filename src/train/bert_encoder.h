// The forward and backward pass of a BERT encoder over packed texts: no padding, biases, activations, dropout, residual
// sums and layer norms fused into one pass each behind every product, attention recomputed in the backward pass instead
// of stored. Torch-free; TorchClassifier puts it on autograd's tape as one function.
//
// Owns its activations and the gradients; borrows the parameters. One thread calls, the pool helps; the result does not
// depend on the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/pool.h"
#include "train/bert_parameters.h"
#include "train/learner.h"
#include "train/vector_ops.h"

namespace slipway::train {

struct Dropout {
  float hidden = 0.1F;     // after the embeddings, after each block's output and before the classifier
  float attention = 0.1F;  // on the attention's weights
};

class BertEncoder {
 public:
  BertEncoder(BertParameters& parameters, const Dropout& dropout, base::Pool& pool);
  ~BertEncoder();

  // The last hidden states [tokens, hidden], valid until the next call. `train`: dropout by `seed`, and what backward()
  // needs is kept.
  const float* forward(const PackedBatch& batch, bool train, uint64_t seed);

  // After forward(train): the gradients of the encoder's trainable parameters, given that of the last hidden states.
  // Points the parameters' `grad` to them and fills `words` with the rows of the word table (empty when frozen).
  // `d_hidden` is used up.
  void backward(const PackedBatch& batch, float* d_hidden, RowGradient& words);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Half-open runs of the batch: text i has begins[i + 1] - begins[i] tokens. Shared by attention's two directions.
struct AttentionShape {
  int heads = 0;
  int head_dim = 0;
  DropoutKey dropout;
};

// For each text: context [tokens, heads * head_dim] = dropout(softmax(q k^T / sqrt(head_dim))) v, from qkv
// [tokens, 3 * heads * head_dim].
void attention_forward(const AttentionShape& shape, const PackedBatch& batch, const float* qkv, float* context,
                       base::Pool& pool);
// d_qkv from d_context.
void attention_backward(const AttentionShape& shape, const PackedBatch& batch, const float* qkv, const float* d_context,
                        float* d_qkv, base::Pool& pool);

// The key of one place where dropout happens; none when probability is 0.
DropoutKey dropout_key(float probability, uint64_t seed, int site);

}  // namespace slipway::train
