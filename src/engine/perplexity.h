// Perplexity of a language model on a text longer than its context, by a sliding window.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "engine/generator.h"

namespace slipway::engine {

struct PerplexityOptions {
  int window = 0;  // tokens of one pass; 0: the model's context, at most 1024
  int stride = 0;  // tokens a window moves on; 0: half of it. Smaller: more context for each token, and more work
  std::string adapter = {};  // one of the generator's; empty: the model itself
  // All but `adapter`.
  void describe(base::FieldTable& table);
};

// Sums, so that documents can be added up.
struct PerplexitySums {
  double logprob = 0;    // natural log, of the scored tokens
  int64_t tokens = 0;    // scored
  int64_t computed = 0;  // rows that the model worked on, those of context included

  double perplexity() const;  // exp(-logprob / tokens); NaN without tokens
  PerplexitySums& operator+=(const PerplexitySums& other);
};

// Scores each of ids[1..] once. Windows begin every `stride` tokens; each scores the tokens that no window before it
// scored, given all before them in the window (the sliding window of the Hugging Face guide "Perplexity of fixed-length
// models"). When ids[0] is the model's BOS, every window begins with it. `scored(n)` is told how many of ids are done,
// after every window; it may throw to end the work. Throws Error(kInvalid) for a window that is longer than the
// generator's context, shorter than 2, or a stride longer than the window allows.
PerplexitySums perplexity(Generator& generator, std::span<const int32_t> ids, const PerplexityOptions& options,
                          const std::function<void(int64_t)>& scored = {});

}  // namespace slipway::engine
