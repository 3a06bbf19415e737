// Made-up and real traffic for the monitor's tests.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "monitor/observation.h"
#include "text/words.h"

namespace slipway::tests {

struct Domain {
  double length_scale = 1;  // factor on lengths
  double word_tilt = 0;     // > 0: rare words become more usual
  double positive = 0.5;    // share of positive predictions
  double embedding_shift = 0;
};

// Texts of words w0, w1, … with frequencies like those of language (Zipf), log-normal lengths, scores of a fair
// classifier, Gaussian embeddings. Rows come from one population per `domain`.
inline std::vector<monitor::Observation> made_up(int rows, const Domain& domain, uint64_t seed, int dim = 8) {
  base::Rng rng(seed, "traffic");
  std::vector<monitor::Observation> result;
  for (int i = 0; i < rows; ++i) {
    monitor::Observation row;
    const int words = std::max(1, static_cast<int>(std::exp(2.7 + 0.5 * rng.normal()) * domain.length_scale));
    for (int w = 0; w < words; ++w) {
      const double u = std::pow(rng.uniform(), 1 - domain.word_tilt);
      row.text += "w" + std::to_string(static_cast<int>(std::exp(u * std::log(20000.0)) - 1)) + " ";
    }
    row.tokens = words + 2;
    const double logit = 2 * rng.normal() + (rng.uniform() < domain.positive ? 1.5 : -1.5);
    const auto p = static_cast<float>(1 / (1 + std::exp(-logit)));
    row.scores = {1 - p, p};
    for (int d = 0; d < dim; ++d) {
      row.embedding.push_back(static_cast<float>(rng.normal() + domain.embedding_shift));
    }
    row.latency_ms = 5 + rng.uniform();
    row.prediction_id = "p-" + std::to_string(i);
    result.push_back(std::move(row));
  }
  return result;
}

// Real sentences as traffic: no model is asked, the number of words stands in for tokens; scores come from the rating
// that people gave.
inline monitor::Observation rated(const std::string& text, double rating) {
  monitor::Observation row;
  row.text = text;
  row.tokens = static_cast<int>(text::count_words(text)) + 2;
  const auto p = static_cast<float>(1 / (1 + std::exp(-1.5 * rating)));
  row.scores = {1 - p, p};
  return row;
}

}  // namespace slipway::tests
