// Chooses the next token of one sequence from its logits. A Sampler is the state of one request (its random generator,
// what it has said); what it chooses depends on that and the logits alone. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "engine/generator.h"

namespace slipway::engine {

// Throws Error(kInvalid) naming the parameter that is out of range, for a model with `vocab_size` tokens.
void check_sampling(const SamplingParams& params, int vocab_size);

// log softmax(logits)[id].
float log_probability(std::span<const float> logits, int32_t id);

struct Candidate {
  float logit = 0;
  int32_t id = 0;
};

struct Sampled {
  int32_t id = 0;
  float logprob = 0;                              // of the model's own distribution; when asked for
  std::vector<std::pair<int32_t, float>> likely;  // the top_logprobs likeliest, by falling probability
};

class Sampler {
 public:
  // `end_ids`: tokens that min_tokens holds back. The spans are copied.
  Sampler(const SamplingParams& params, std::span<const int32_t> prompt, std::span<const int32_t> end_ids,
          uint64_t seed);

  // The next token; `logits` [vocab] is overwritten, `scratch` is reused between calls. Bit i of `allowed`, when it is
  // given, says whether token i may be chosen; at least one may. Among equal logits the lower id
  // comes first, also at the border of top-k. O(vocab) plus the sorting of what top-k or top-p keep.
  Sampled sample(std::span<float> logits, std::vector<Candidate>& scratch, std::span<const uint64_t> allowed = {});

  // What may be drawn, by falling probability, and the probabilities (for tests): the state does not change.
  std::vector<std::pair<int32_t, double>> distribution(std::span<float> logits, std::vector<Candidate>& scratch) const;

 private:
  void penalise(std::span<float> logits) const;
  int32_t draw_from_all(std::span<const float> logits);
  void filter(std::span<const float> logits, std::vector<Candidate>& kept) const;

  SamplingParams params_;
  std::vector<int32_t> end_ids_;
  base::Rng rng_;
  std::unordered_map<int32_t, int> said_;  // how often a token is in the output; 0: in the prompt only
  int generated_ = 0;
};

}  // namespace slipway::engine
