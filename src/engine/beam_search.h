// Beam search over one text's continuations, as transformers defines it (generation/utils.py, _beam_search): scores are
// sums of log-probabilities, divided by length^length_penalty when a hypothesis ends; the search stops when enough have
// ended, or when no running one can become better than the worst of those. Knows no model: it is told log-probabilities
// and tells which hypotheses go on with which token. f32 arithmetic in transformers' order, so that texts are equal
// token for token. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace slipway::engine {

enum class EarlyStopping {
  kHeuristic,  // false: until the best running score, at its present length, cannot beat the worst ended one
  kEnough,     // true: until num_beams hypotheses have ended
  kNever,      // "never": until no running hypothesis could, at the best length, beat the worst ended one
};

struct BeamOptions {
  int num_beams = 1;
  double length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::kHeuristic;
  int max_length = 20;                // tokens, the prompt included
  std::vector<int32_t> eos_ids = {};  // end tokens
};

struct Hypothesis {
  std::vector<int32_t> ids;  // the prompt included; an end token too
  float score = 0;
};

// A running hypothesis of the next step.
struct BeamMove {
  int parent = 0;  // of the running ones before
  int32_t id = 0;  // the token that it goes on with
};

class BeamSearch {
 public:
  // `prompt`: what every hypothesis begins with; at least one token, fewer than max_length.
  BeamSearch(BeamOptions options, std::span<const int32_t> prompt);

  // The running hypotheses, num_beams of them. Before the first step all are the prompt, and only the first counts.
  std::span<const Hypothesis> running() const { return running_; }
  // Takes one step: log_probs [num_beams, vocab] of the token after each running hypothesis, after rules (-infinity:
  // forbidden); vocab at least 2. False when the search is over: then moves() are of no use. O(num_beams * vocab).
  bool step(std::span<const float> log_probs, int vocab);
  std::span<const BeamMove> moves() const { return moves_; }
  // The best `count` <= num_beams hypotheses, by falling score.
  std::vector<Hypothesis> best(int count) const;

 private:
  struct Candidate {
    float score = 0;
    int parent = 0;
    int32_t id = 0;
    bool ends = false;
  };
  void take_candidates(std::span<const float> log_probs, int vocab);
  void keep_running();
  void keep_ended();
  bool can_improve() const;

  BeamOptions options_;
  int prompt_ = 0;
  std::vector<Hypothesis> running_;
  std::vector<Hypothesis> ended_;  // num_beams; those not ended yet have a score of -1e9
  std::vector<bool> is_ended_;
  bool improvable_ = true;
  std::vector<Candidate> candidates_;  // the best of the step, by falling score
  std::vector<BeamMove> moves_;
};

}  // namespace slipway::engine
