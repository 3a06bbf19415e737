// The learning rate over a run: linear warm-up, then linear or cosine decay to zero, or none; as transformers'
// get_{linear,cosine,constant}_schedule_with_warmup.
#pragma once

#include <cstdint>

#include "train/options.h"

namespace slipway::train {

struct Schedule {
  enum class Shape { kLinear, kCosine, kConstant };
  Shape shape = Shape::kLinear;
  double peak = 0;
  int64_t warmup_steps = 0;
  int64_t total_steps = 0;

  // The rate of the step with this 0-based number; 0 past the end (but for kConstant).
  double at(int64_t step) const;
};

// warmup_steps = ceil(total_steps * warmup_ratio).
Schedule make_schedule(const TrainOptions& options, int64_t total_steps);

}  // namespace slipway::train
