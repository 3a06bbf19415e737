// One answered request as the monitor sees it. A plain value.
#pragma once

#include <string>
#include <vector>

namespace slipway::monitor {

struct Observation {
  std::string prediction_id;     // "p-…"; empty in simulations
  std::string text;              // what was asked
  int tokens = 0;                // length in the model's tokens
  std::vector<float> scores;     // probabilities in the order of the model's labels; empty when the request failed
  std::vector<float> embedding;  // mean of the last hidden states; empty: not watched
  double latency_ms = 0;
  bool error = false;  // the request failed: counted in the error rate, left out of everything else
};

}  // namespace slipway::monitor
