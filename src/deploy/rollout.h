// Giving a new version the traffic step by step, and taking it back when it does worse. The judge compares error rate
// and latency of the canary with the primary over the same time; it says "worse" only when the interval of the
// difference says so.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/fields.h"
#include "record/stores.h"

namespace slipway::deploy {

struct RolloutOptions {
  std::string strategy = "canary";            // "canary", "replace": all of it at once
  std::vector<double> steps = {10, 50, 100};  // percent
  int min_requests = 100;                     // of the canary before a step is judged
  int step_timeout_ms =
      60'000;  // a step with less traffic than that is judged on what came; see `proceed_without_traffic`
  bool proceed_without_traffic = true;  // an idle endpoint may still be upgraded; said in the result
  double max_error_increase = 0.01;     // tolerated rise of the error rate (absolute)
  double max_latency_ratio = 1.25;      // tolerated ratio of median latencies
  double max_latency_increase_ms = 1;   // tolerated rise of the median latency, whatever the ratio
  void describe(base::FieldTable& table);
};

// What the judge sees of one version.
struct Traffic {
  int64_t requests = 0;
  int64_t errors = 0;
  std::vector<double> latencies_ms;  // the newest, at most a few thousand
};

struct Verdict {
  enum class Kind { kGood, kWorse, kTooLittle };
  Kind kind = Kind::kTooLittle;
  std::string reason;           // for people, with the numbers
  double error_difference = 0;  // canary - primary
  double error_low = 0;         // 95 % interval (Newcombe 1998, method 10)
  double error_high = 0;
  double latency_ratio = 1;  // of medians
  double latency_p = 1;      // one-sided Mann-Whitney: canary slower than the tolerated ratio
};

// "Worse" when the whole 95 % interval of the error difference lies above max_error_increase, or the canary's median
// latency passes both tolerances and its latencies lie above the primary's times max_latency_ratio with a one-sided
// Mann-Whitney p below 0.01. Fewer than min_requests: kTooLittle.
Verdict judge(const Traffic& primary, const Traffic& canary, const RolloutOptions& options);

struct RolloutStep {
  double percent = 0;
  Verdict verdict;
};
struct RolloutResult {
  bool promoted = false;
  std::vector<RolloutStep> steps;
  std::string reason;
  base::Json to_json() const;
};

// Rolls version `version` of `model` out on the running `deployment` that follows `alias`: canary steps through its
// admin routes, then the alias moves. On "worse" the canary is taken away and the alias stays. `idle` (may be empty) is
// called while waiting, e.g. to send traffic of one's own. Throws Error(kUnavailable) when the deployment does not
// answer.
RolloutResult roll_out(record::Store& store, const record::Deployment& deployment, const std::string& model,
                       const std::string& alias, int version, const RolloutOptions& options, base::Context& context,
                       const std::function<void()>& idle = {});

}  // namespace slipway::deploy
