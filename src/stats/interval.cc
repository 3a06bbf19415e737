#include "stats/interval.h"

#include <cmath>
#include <limits>

#include "base/error.h"

namespace slipway::stats {

base::Json to_json(const Interval& interval) {
  const auto number = [](double x) { return std::isfinite(x) ? base::Json(x) : base::Json(nullptr); };
  return {{"value", number(interval.value)},
          {"low", number(interval.low)},
          {"high", number(interval.high)},
          {"n", interval.n}};
}

Interval interval_from_json(const base::Json& json, std::string_view source) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if (!json.is_object() || !json.contains("value")) {
    throw base::Error(base::Code::kInvalid,
                      std::string(source) + ": an interval must be an object with value, low, high and n");
  }
  Interval interval;
  interval.value = base::get_or<double>(json, "value", kNan, source);
  interval.low = base::get_or<double>(json, "low", kNan, source);
  interval.high = base::get_or<double>(json, "high", kNan, source);
  interval.n = base::get_or<int64_t>(json, "n", 0, source);
  return interval;
}

}  // namespace slipway::stats
