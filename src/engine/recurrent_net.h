// LSTM and GRU on the CPU: embeddings and layers over a packed batch of parts of texts, nothing padded. The inputs'
// products are one a layer and direction over all tokens; the recurrent ones go step by step over the texts that are
// still that long. A text's numbers are the same bits whatever else is in the batch (kernels/gemm_blocks.h promises a
// row to depend on itself alone). Immutable; any thread, one scratch a pass. The pool is borrowed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/packer.h"
#include "engine/row_ops.h"
#include "model/recurrent_files.h"

namespace slipway::engine {

// Tokens that follow a state. A state is, a layer and direction after the other, h [hidden] and, of an LSTM, c
// [hidden]: spec.state_values() numbers.
struct RecurrentPart {
  struct Save {
    int after = 0;           // index into ids
    float* state = nullptr;  // written with the state after that token; may be where `begin` is
  };
  std::span<const int32_t> ids;  // at least one
  const float* begin = nullptr;  // null: zeros
  std::vector<Save> saves = {};  // by rising `after`; none of a bidirectional network
};

class RecurrentNet {
 public:
  // Buffers of one pass.
  struct Scratch {
    Scratch(base::Isa isa, base::Pool& pool) : ops(isa, pool) {}
    RowOps ops;
    std::vector<size_t> order;      // of the parts, longest first
    std::vector<int64_t> begins;    // first row of each part
    std::vector<float> in;          // [tokens, layer_input]
    std::vector<float> out;         // [tokens, features]
    std::vector<float> input;       // [tokens, gates hidden]: W_ih x + b_ih
    std::vector<float> recurrent;   // [parts, gates hidden]: W_hh h + b_hh
    std::vector<float> h;           // [parts, hidden], in the order of `order`
    std::vector<float> c;           // the same, of an LSTM
    std::vector<size_t> next_save;  // of each part
  };

  // Packs the weights; `weight_type` as of Packer.
  RecurrentNet(const model::RecurrentSpec& spec, std::shared_ptr<const model::RecurrentWeights> weights,
               Packer& packer);

  // The last layer's outputs [tokens of all parts, in order; features], valid until the scratch's next pass.
  std::span<const float> forward(std::span<const RecurrentPart> parts, Scratch& scratch) const;
  const model::RecurrentSpec& spec() const noexcept { return spec_; }

 private:
  struct Direction {
    PackedLinear ih;
    PackedLinear hh;
  };
  void embed(std::span<const RecurrentPart> parts, Scratch& scratch) const;
  void run(int layer, int direction, std::span<const RecurrentPart> parts, Scratch& scratch) const;
  void step(const Direction& weights, int state_at, bool backward, int t, int active,
            std::span<const RecurrentPart> parts, Scratch& scratch) const;

  model::RecurrentSpec spec_;
  std::shared_ptr<const model::RecurrentWeights> weights_;  // keeps the embeddings' file mapped
  model::LoadedTensor embeddings_;
  std::vector<Direction> directions_;  // [layers, directions]
};

}  // namespace slipway::engine
