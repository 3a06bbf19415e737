// AdamW (Loshchilov & Hutter 2019), with the clipping of the gradient's global norm and the update in one pass over
// memory. Equal to torch::optim::AdamW with clip_grad_norm_ before it, up to float rounding.
//
// Tables of embeddings are handled by row and exactly: a row that no batch has used has zero moments, so dense AdamW
// would only decay it. Such rows have no moments here, and their decay is owed as one factor until someone looks
// (touch_rows, settle). A row once used is updated at every step, as in dense AdamW.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/pool.h"
#include "train/parameters.h"
#include "train/vector_ops.h"

namespace slipway::train {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double max_grad_norm = 1.0;  // 0 = no clipping
};

// The moments of one table: slot s belongs to row rows[s].
struct RowMoments {
  std::vector<int32_t> rows;         // in the order in which they were first used
  std::vector<int32_t> slot_of_row;  // [table rows], -1 = never used
  std::vector<float> first, second;  // [slots, dim]
  double owed_decay = 1.0;           // factor that unused rows still have to be multiplied with
};

class AdamW {
 public:
  // Borrows both. The parameters must be allocated.
  AdamW(ParameterSet& parameters, const AdamWOptions& options, base::Pool& pool);

  // Before the forward pass: the rows of table `parameter` that the batch looks up get moments and their owed decay.
  void touch_rows(int parameter, std::span<const int32_t> ids);

  // One update with the gradients that the parameters point to and the row gradients of the tables (`table_grads`, in
  // the order of by_row parameters). Returns the gradient's norm before clipping; when it is not finite nothing is
  // changed. The result does not depend on the number of threads.
  double step(double learning_rate, std::span<const RowGradient> table_grads);

  // Pays the owed decay: the values are then those of dense AdamW.
  void settle();

  // State, to be stored and restored by the checkpoint.
  int64_t steps_done() const { return steps_; }
  void set_steps_done(int64_t steps) { steps_ = steps; }
  // Of a dense trainable parameter: [count] each; empty otherwise.
  std::span<float> first_moment(int parameter);
  std::span<float> second_moment(int parameter);
  RowMoments& row_moments(int parameter);
  int64_t state_bytes() const;

 private:
  struct Piece {  // a run of one parameter's floats, the unit of parallel work
    int parameter;
    int64_t begin;
    int64_t count;
  };
  double grad_norm(std::span<const RowGradient> table_grads);
  void update_table(int parameter, const RowGradient& grad, const AdamWScalars& scalars);

  ParameterSet& parameters_;
  AdamWOptions options_;
  base::Pool& pool_;
  int64_t steps_ = 0;
  std::vector<int64_t> offsets_;  // of each dense parameter's moments, -1 = none
  FloatBlock first_, second_;
  std::vector<int> tables_;  // indices of by_row parameters
  std::vector<RowMoments> table_moments_;
  std::vector<Piece> pieces_;
  std::vector<double> partial_;
  std::vector<int32_t> grad_of_slot_;
};

}  // namespace slipway::train
