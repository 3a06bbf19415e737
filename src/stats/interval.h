// The unit in which every measured number is reported: a value, its interval and how many rows it was measured on.
// Plain values; any thread.
#pragma once

#include <cstdint>

#include "base/json.h"

namespace slipway::stats {

struct Interval {
  double value = 0;
  double low = 0;   // the confidence interval of whoever made it (95 % unless said)
  double high = 0;  // low <= value <= high, except that all three are NaN where the measure is not defined
  int64_t n = 0;    // rows behind it
};

// {"value":…, "low":…, "high":…, "n":…}; a NaN is written as null and read back as NaN.
base::Json to_json(const Interval& interval);
// Throws Error(kInvalid) naming `source` and the field.
Interval interval_from_json(const base::Json& json, std::string_view source);

}  // namespace slipway::stats
