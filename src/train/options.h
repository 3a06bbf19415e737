// What a training run may be told: one struct, one table. slipway.yaml's `train:` section, flags and the worker's job
// file derive from it. Names follow the Hugging Face Trainer where it has one. Plain values: copy freely.
#pragma once

#include <cstdint>
#include <string>

#include "base/fields.h"

namespace slipway::train {

struct TrainOptions {
  std::string objective = "classification";  // the only one so far
  int epochs = 2;
  int max_steps = 0;  // > 0 ends the run after so many optimiser steps, whatever `epochs` says
  int batch_size = 32;
  int eval_batch_size = 64;
  int max_length = 128;         // tokens a text, special tokens included; lowered to what the model has positions for
  bool group_by_length = true;  // batches of similar length (shuffled all the same); off: plain random order
  double learning_rate = 5e-5;
  double weight_decay = 0.01;  // not on biases and layer norms
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double max_grad_norm = 1.0;        // global norm; 0 = no clipping
  std::string scheduler = "linear";  // "linear", "cosine", "constant"
  double warmup_ratio = 0.06;        // part of all steps
  double dropout = -1;               // hidden and attention dropout; -1 = what config.json says
  int freeze_layers = 0;             // n > 0: the embeddings and the first n layers stay as they are
  bool from_scratch = false;         // weights drawn from config.json's initializer_range instead of read
  uint64_t seed = 42;
  int checkpoint_every = 200;                // steps; 0 = only when interrupted and at the end of an epoch
  int logging_steps = 10;                    // a "step" event every so many steps (and after the first and last)
  std::string metric_for_best = "accuracy";  // "accuracy" or "loss", on the validation split
  bool load_best = true;                     // the output is the best epoch's model, not the last one's
  int early_stopping_patience = 0;           // epochs without improvement before the run ends; 0 = never
  int threads = 0;                           // 0 = all usable cores

  // Fills the table: every field above with its help and range. The table borrows this object.
  void describe(base::FieldTable& table);
};

// The options that `object` sets over the defaults, checked. Throws Error(kInvalid) naming `where` and the field.
TrainOptions options_from_json(const base::Json& object, const std::string& where);
base::Json options_to_json(const TrainOptions& options);

// Checks what ranges alone cannot (e.g. min and max together). Throws Error(kInvalid).
void validate(const TrainOptions& options, const std::string& where);

}  // namespace slipway::train
