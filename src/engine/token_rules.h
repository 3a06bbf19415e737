// Rules on the next token that depend on the text so far: what transformers' logits processors do before a token is
// chosen, greedily or by beam search. Pure functions of their arguments; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace slipway::engine {

struct TokenRules {
  double repetition_penalty = 1;                     // of tokens that occurred (Keskar et al. 2019, CTRL); 1: off
  int no_repeat_ngram_size = 0;                      // no n tokens in a row twice; 0: off
  std::vector<std::vector<int32_t>> bad_words = {};  // sequences that are never completed
  int min_length = 0;                                // tokens, the first included, before which no end token is chosen
  int max_length = 0;                                // the text's length in tokens, the first included
  std::optional<int32_t> forced_bos = {};            // the token after the first
  std::optional<int32_t> forced_eos = {};            // the token that reaches max_length
  std::vector<int32_t> suppressed = {};              // never chosen
  std::vector<int32_t> eos_ids = {};
};

// Throws Error(kInvalid) naming the rule with an id outside the vocabulary or a number out of range.
void check_rules(const TokenRules& rules, int vocab_size);

// Changes `scores` [vocab], the next token's logits or log-probabilities after `text` (not empty), in transformers'
// order: repetition penalty, repeated n-grams, bad words, minimum length, forced first and last token, suppressed ones.
// O(text + rules).
void apply_rules(const TokenRules& rules, std::span<const int32_t> text, std::span<float> scores);

}  // namespace slipway::engine
