// How far a window of unchanged traffic lies from the reference by chance, found by resampling the reference, so that
// the chance of ANY false alarm in a window is known: about `target` over all references that could have been drawn,
// and at most `limit` for 95 % of them. Pure functions of sketch, window and options; same seed, same numbers, however
// many threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/pool.h"
#include "monitor/reference.h"

namespace slipway::monitor {

// A test looks at one column of the traffic:
//   psi: length, score, label   population stability index over ten quantile bins (or the labels)
//   js:  words                  Jensen-Shannon distance (base 2) between the frequent words' shares
//   mmd: embedding              unbiased MMD^2 with the RBF kernel, width by the median heuristic
struct TestName {
  std::string test;
  std::string column;
  bool operator==(const TestName&) const = default;
};

struct CalibrationOptions {
  std::vector<std::string> tests = {"psi", "js", "mmd"};
  double target = 0.02;  // wished family-wise false alarm rate of a window
  double limit = 0.05;   // bound on that rate for 95 of 100 references
  int references = 100;  // simulated references …
  int windows = 200;     // … each against all simulated windows
  uint64_t seed = 7;
};

struct TestNull {
  TestName name;
  double threshold = 0;     // a score above it is an alarm
  std::vector<float> null;  // scores of unchanged traffic, rising: a thinned copy of the simulated ones
  // P(score at least this large) when nothing changed: (1 + larger) / (1 + all).
  double p_value(double score) const;
};

struct Calibration {
  int window = 0;
  double family_rate = 0;  // simulated chance of any alarm in a window
  double worst_rate = 0;   // the same for the 95th of 100 references
  std::vector<TestNull> tests;
};

// Throws Error(kInvalid) for an unknown test or a window below 20. About 1 s for 1,000 rows with embeddings.
Calibration calibrate(const ReferenceSketch& sketch, int window, const CalibrationOptions& options = {},
                      base::Pool* pool = nullptr);

base::Json to_json(const Calibration& calibration);  // without the null scores

}  // namespace slipway::monitor
