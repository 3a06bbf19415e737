// Two models on the same rows: is the candidate better than the champion, or could chance have done it? Pure functions
// of two reports; any thread.
#pragma once

#include <map>
#include <string>

#include "evaluate/evaluate.h"
#include "stats/bootstrap.h"

namespace slipway::evaluate {

struct Comparison {
  std::string champion;                                  // what it is called: "movie-sentiment/3"
  int64_t n = 0;                                         // rows both were run on
  std::map<std::string, stats::Difference> differences;  // candidate - champion, paired bootstrap of the same rows
  std::map<std::string, stats::Interval>
      champion_measures;   // the champion on these rows: what gates call champion.NAME
  stats::McNemar mcnemar;  // b: only the champion was right; c: only the candidate
};

// Both reports must come from the same rows in the same order and have the same labels; throws Error(kInvalid) when
// not.
Comparison compare(const Report& champion, const Report& candidate, const Rows& rows, const std::string& champion_name,
                   const EvaluateOptions& options);
Json to_json(const Comparison& comparison);

}  // namespace slipway::evaluate
