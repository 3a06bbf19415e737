// What the training loop asks of a model: one step's loss and gradients, and logits. TorchClassifier is the one that
// trains; tests use small ones.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/parameters.h"

namespace slipway::train {

// Texts end to end, without padding.
struct PackedBatch {
  std::vector<int32_t> ids;     // [tokens]
  std::vector<int32_t> begins;  // [texts + 1], text i is ids[begins[i], begins[i + 1])
  std::vector<int32_t> labels;  // [texts]
  int texts() const { return static_cast<int>(begins.size()) - 1; }
  int tokens() const { return begins.back(); }
};

class Learner {
 public:
  virtual ~Learner() = default;
  virtual ParameterSet& parameters() = 0;
  // The tables whose gradients come by row, as indices into parameters().
  virtual std::vector<int> tables() const = 0;
  // Mean loss over the batch's texts; leaves the gradients where parameters() point to and those of the tables in
  // `table_grads`, in the order of tables(). The same arguments and weights give the same bits. `dropout_seed` is drawn
  // anew for each step.
  virtual double step(const PackedBatch& batch, uint64_t dropout_seed, std::vector<RowGradient>& table_grads) = 0;
  // Scores before softmax [texts, labels], without dropout.
  virtual void logits(const PackedBatch& batch, std::span<float> out) = 0;
  virtual int label_count() const = 0;
};

}  // namespace slipway::train
