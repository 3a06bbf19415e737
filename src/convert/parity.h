// Do two models say the same? A reference and a candidate (int8 beside f32, ours beside another program) on the same
// texts. One call at a time per predictor.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/json.h"
#include "model/predictor.h"
#include "stats/bootstrap.h"

namespace slipway::convert {

struct Parity {
  int64_t n = 0;                          // texts compared
  double max_logit_difference = 0;        // over all texts and labels
  double mean_logit_difference = 0;       // mean |difference|
  double max_probability_difference = 0;  // after softmax
  std::string worst_text;                 // where max_logit_difference is, cut to 200 bytes
  stats::Interval agreement;              // share of texts with the same label (Wilson)
  // With the truth given:
  std::optional<stats::Interval> accuracy_reference;
  std::optional<stats::Interval> accuracy_candidate;
  std::optional<stats::Difference>
      accuracy_loss;  // accuracy of the reference minus the candidate's, paired; positive = worse
  double seconds_reference = 0;
  double seconds_candidate = 0;
};

// `truth` holds label numbers, one a text, or is empty. Throws Error(kInvalid) when there are no texts, lengths differ,
// or the models' labels differ; kInterrupted when stopped.
Parity compare(model::Predictor& reference, model::Predictor& candidate, std::span<const std::string> texts,
               std::span<const int> truth, base::Context& context, const stats::BootstrapOptions& options = {});

// For encoders without a head: the largest 1 - cosine between the two embeddings of a text.
double max_cosine_distance(model::Predictor& reference, model::Predictor& candidate,
                           std::span<const std::string> texts);

base::Json to_json(const Parity& parity);

}  // namespace slipway::convert
