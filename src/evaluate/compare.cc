#include "evaluate/compare.h"

#include "base/error.h"

namespace slipway::evaluate {

Comparison compare(const Report& champion, const Report& candidate, const Rows& rows, const std::string& champion_name,
                   const EvaluateOptions& options) {
  if (champion.labels != candidate.labels || champion.n != candidate.n ||
      candidate.n != static_cast<int64_t>(rows.truth.size())) {
    throw base::Error(base::Code::kInvalid, "cannot compare with '" + champion_name + "': its labels or rows differ");
  }
  const int labels = static_cast<int>(candidate.labels.size());
  const stats::BootstrapOptions bootstrap{.resamples = options.resamples, .seed = options.seed};
  Comparison result;
  result.champion = champion_name;
  result.n = candidate.n;
  result.champion_measures = champion.measures;
  result.differences =
      stats::classification_difference({rows.truth, champion.predicted, champion.probabilities, labels},
                                       {rows.truth, candidate.predicted, candidate.probabilities, labels}, bootstrap);
  result.mcnemar = stats::mcnemar(rows.truth, champion.predicted, candidate.predicted);
  return result;
}

Json to_json(const Comparison& comparison) {
  Json json = {{"champion", comparison.champion},
               {"n", comparison.n},
               {"differences", Json::object()},
               {"champion_measures", Json::object()}};
  for (const auto& [name, one] : comparison.differences) {
    Json entry = stats::to_json(one.difference);
    entry["p"] = one.p;
    json["differences"][name] = std::move(entry);
  }
  for (const auto& [name, interval] : comparison.champion_measures) {
    json["champion_measures"][name] = stats::to_json(interval);
  }
  json["mcnemar"] = {{"only_champion_right", comparison.mcnemar.b},
                     {"only_candidate_right", comparison.mcnemar.c},
                     {"exact_p", comparison.mcnemar.exact_p},
                     {"mid_p", comparison.mcnemar.mid_p}};
  return json;
}

}  // namespace slipway::evaluate
