// The rules of the presets as one table. Internal to quality.cc.
#pragma once

#include <limits>
#include <span>
#include <string_view>

#include "data/quality.h"

namespace slipway::data {

enum class Breaks : uint8_t {
  kBelow,        // dropped when the signal is below the threshold
  kAbove,        // … above it
  kPositive,     // … above zero; the threshold is a switch, 0 or off: the rule is off
};

struct QualityRule {
  QualityStage stage;
  std::string_view parameter;  // in quality_parameters()
  double value;                // default threshold
  Signal signal;
  Breaks breaks;
  std::string_view reason;
};

constexpr double kOff = std::numeric_limits<double>::quiet_NaN();

// In the order in which each stage decides.
std::span<const QualityRule> quality_rules() noexcept;

}  // namespace slipway::data
