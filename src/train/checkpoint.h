// The state of an unfinished run: everything the rest of it depends on, in one safetensors file that is replaced
// atomically. A run continued from it ends with the same bits as one that was never interrupted.
// Format: docs/formats/train-checkpoint.md. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "train/adamw.h"
#include "train/parameters.h"

namespace slipway::train {

struct BestEpoch {
  int epoch = 0;  // 1-based; 0 = none yet
  double loss = 0;
  double accuracy = 0;
};

struct RunState {
  std::string fingerprint;  // job_fingerprint
  int64_t step = 0;         // optimiser steps done
  int64_t epoch = 0;        // 0-based, of the next batch
  int64_t batch = 0;        // number in that epoch of the next batch
  double epoch_loss = 0;    // sums over the epoch so far: of each batch's loss, and batches
  int64_t epoch_batches = 0;
  double train_loss = 0;  // mean over the last finished epoch
  BestEpoch best;
  BestEpoch last;
  int epochs_without_improvement = 0;
  bool finished = false;  // nothing is left but to write the model
};

// The lock on a checkpoint folder: two workers on one folder would destroy each other's state. Creates the folder;
// waits up to `patience_seconds` for another holder (one that was just told to stop), then throws Error(kConflict).
class CheckpointLock {
 public:
  CheckpointLock(const std::filesystem::path& folder, double patience_seconds);
  ~CheckpointLock();
  CheckpointLock(const CheckpointLock&) = delete;
  CheckpointLock& operator=(const CheckpointLock&) = delete;

 private:
  int fd_ = -1;
};

// Writes trainable values, moments and state; durable on return.
void save_checkpoint(const std::filesystem::path& folder, const ParameterSet& parameters, AdamW& optimizer,
                     const RunState& state);

// nullopt when the folder holds none. Throws Error(kConflict) when it belongs to another job (`fingerprint`), saying
// how to start over; kIntegrity when it is damaged. Nothing is changed when it throws.
std::optional<RunState> load_checkpoint(const std::filesystem::path& folder, ParameterSet& parameters, AdamW& optimizer,
                                        const std::string& fingerprint);

// The weights of the best epoch so far lie beside the state; those of other epochs are removed.
std::filesystem::path best_weights_path(const std::filesystem::path& folder, int epoch);
void remove_other_best(const std::filesystem::path& folder, int keep_epoch);

// Removes what a finished run does not need any more (not the folder, nor files of others).
void remove_checkpoint(const std::filesystem::path& folder);

}  // namespace slipway::train
