#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace slipway::train {

double Schedule::at(int64_t step) const {
  if (step < warmup_steps) {
    return peak * static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, warmup_steps));
  }
  if (shape == Shape::kConstant) {
    return peak;
  }
  const auto after = static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / after);
  return shape == Shape::kLinear ? peak * (1 - progress) : peak * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

Schedule make_schedule(const TrainOptions& options, int64_t total_steps) {
  Schedule schedule;
  schedule.shape = options.scheduler == "cosine"     ? Schedule::Shape::kCosine
                   : options.scheduler == "constant" ? Schedule::Shape::kConstant
                                                     : Schedule::Shape::kLinear;
  schedule.peak = options.learning_rate;
  schedule.total_steps = total_steps;
  schedule.warmup_steps = static_cast<int64_t>(std::ceil(static_cast<double>(total_steps) * options.warmup_ratio));
  return schedule;
}

}  // namespace slipway::train
