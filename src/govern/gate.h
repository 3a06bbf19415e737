// Gates: conditions a model must meet before it is registered or deployed, as text:
//   accuracy >= 0.85          f1 >= champion.f1 - 0.005          bias.flip_rate <= 5%          latency_p50_ms < 2 * 2.5
// Grammar: sum OP sum, OP one of >= <= > < == !=; sums of + - * / ( ) over numbers (a % divides by 100) and metric
// names: letters, digits, _ and . (any UTF-8), or any text in `backquotes`. `champion.NAME` is the metric of the
// version that now serves. A Gate is an immutable value; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::govern {

// A measured number. `low` and `high` are NaN when it has no interval; n is 0 when unknown.
struct Measure {
  double value = 0;
  double low = 0;
  double high = 0;
  int64_t n = 0;
};
using Measures = std::map<std::string, Measure>;

// From {"accuracy": {"value", "low", "high", "n"}, "bias": {"flip_rate": 0.03}}: numbers and measures at any depth (at
// most 16), names joined with '.'; everything else is skipped. Null values become NaN.
Measures measures_from_json(const base::Json& json);

struct GateResult {
  std::string text;  // as written
  bool passed = false;
  double left = 0;  // NaN when it could not be computed
  double right = 0;
  std::string reason;  // for people: "0.874 >= 0.85", "no metric 'f2'; did you mean 'f1'?", "no champion yet"
  // Of the left side when it is one metric: its interval and rows; NaN and 0 otherwise.
  Measure interval;
  // The whole interval lies on the side that decided it: more rows would hardly change the answer.
  bool certain = false;
};

class Gate {
 public:
  // Throws Error(kInvalid) naming the gate and the position where it stops making sense; texts over 1,000 bytes, more
  // than 200 terms or nesting over 32 are refused.
  static Gate parse(std::string_view text);

  // A missing or NaN metric fails the gate, saying so with the nearest name. `champion` null: there is none yet, and a
  // gate that needs it passes, saying so.
  GateResult evaluate(const Measures& candidate, const Measures* champion) const;

  // Metric names used, "champion." included.
  std::vector<std::string> metrics() const;
  // Throws Error(kInvalid) with the nearest name when a metric (without "champion.") is none of `known`: for checking a
  // configuration before any work.
  void check_names(std::span<const std::string> known) const;
  const std::string& text() const { return text_; }

 private:
  struct Node;
  bool left_is_first() const;
  std::string text_;
  std::shared_ptr<const std::vector<Node>> nodes_;  // postfix order; the last is the comparison
};

// All gates of a list, in order.
std::vector<GateResult> check_gates(std::span<const std::string> gates, const Measures& candidate,
                                    const Measures* champion);
bool all_passed(std::span<const GateResult> results) noexcept;

base::Json to_json(const GateResult& result);

}  // namespace slipway::govern
