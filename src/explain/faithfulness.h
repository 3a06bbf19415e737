// Does the model agree with an explanation? Words are taken out in the order of their values and the answer watched
// (DeYoung 2020, ERASER; Samek 2017). One thread at a time per Answers.
#pragma once

#include <vector>

#include "explain/explanation.h"
#include "explain/masked_text.h"

namespace slipway::explain {

struct FaithfulnessOptions {
  int deletion_steps = 20;     // points of the deletion curve
  size_t max_loo_words = 128;  // no leave-one-out above this many words
};

// `values` one a word of `text`.
//   comprehensiveness  mean over the top 10 %, 20 %, ... 100 % of words (those with a positive value, equal sets once)
//   of
//                      answer(text) - answer(text without them)
//   sufficiency        the same of answer(text) - answer(them alone)
//   deletion_auc       mean answer as the words go one after the other, by value, positive to negative (trapezoid, in
//   0..1 of words) tau_loo            Kendall's tau-b between the values and answer(text) - answer(text without that
//   word)
// All 0 and NaN for a text without words. Agrees with ferret's definitions (gold in tests).
Faithfulness measure_faithfulness(Answers& answers, const MaskedText& text, const std::vector<double>& values,
                                  const FaithfulnessOptions& options = {});

// Kendall's tau-b; NaN when one side is constant. O(n^2).
double kendall_tau(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace slipway::explain
