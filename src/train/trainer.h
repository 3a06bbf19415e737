// The training loop: epochs, steps, validation, the best epoch, checkpoints, events. It knows neither torch nor files
// of models: a Learner gives losses and gradients, `ModelFiles` keeps and writes weights. One thread runs it; the
// pool's threads help inside.
#pragma once

#include <filesystem>
#include <functional>

#include "base/context.h"
#include "train/adamw.h"
#include "train/checkpoint.h"
#include "train/dataset.h"
#include "train/learner.h"
#include "train/options.h"
#include "train/sampler.h"
#include "train/schedule.h"

namespace slipway::train {

// How the loop keeps the best epoch's weights. Both throw base::Error.
struct ModelFiles {
  std::function<void(const std::filesystem::path&)> write;  // all values, atomically
  std::function<void(const std::filesystem::path&)> read;
};

struct Outcome {
  int64_t steps = 0;
  double train_loss = 0;  // mean of the batches' losses over the last epoch
  bool has_validation = false;
  BestEpoch kept;            // of the weights that are now in the learner
  int64_t samples = 0;       // seen by this process
  double train_seconds = 0;  // of them, validation and checkpoints not counted
  double seconds = 0;
};

struct TrainerInputs {
  const TrainOptions& options;
  const EncodedSplit& train;
  const EncodedSplit* validation = nullptr;  // null: none
  std::filesystem::path checkpoint;          // the folder, locked by the caller
  std::string fingerprint;
  ModelFiles files;
  std::function<void(const base::Json&)> event;
};

class Trainer {
 public:
  // Borrows everything it is given.
  Trainer(Learner& learner, const TrainerInputs& inputs, base::Context& context);

  // From the checkpoint when there is one, to the end; the learner then holds the weights to keep. Throws
  // Error(kInterrupted) after writing a checkpoint when the context's stop token says so; Error(kFailure) naming the
  // step when a loss is not finite (the last checkpoint stays).
  Outcome run();

 private:
  void start();
  void run_epoch();
  void train_step(const EpochOrder& order);
  void finish_epoch(bool complete);
  BestEpoch validate();
  bool improves(const BestEpoch& result) const;
  void keep_best();
  void save();
  void report_step(double learning_rate, double loss, double grad_norm, int texts);
  void load_batch(std::span<const int32_t> rows, const EncodedSplit& split);
  [[noreturn]] void fail_not_finite(const char* what, double value, double learning_rate) const;

  Learner& learner_;
  const TrainerInputs& inputs_;
  const TrainOptions& options_;
  base::Context& context_;
  AdamW optimizer_;
  std::vector<int32_t> lengths_;
  int64_t batches_per_epoch_ = 0;
  int64_t total_steps_ = 0;
  Schedule schedule_;
  RunState state_;
  PackedBatch batch_;
  std::vector<RowGradient> table_grads_;
  // Since the last "step" event.
  double window_loss_ = 0;
  int64_t window_steps_ = 0;
  int64_t window_samples_ = 0;
  double window_seconds_ = 0;
  Outcome outcome_;
};

}  // namespace slipway::train
