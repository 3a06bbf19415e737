// LIME for text (Ribeiro, Singh & Guestrin 2016), as its authors' program defines it: words as a bag, random deletions,
// a ridge regression weighted by closeness. The random numbers are our own, so values agree with theirs in
// distribution, not to the bit; the regression agrees to rounding (gold in tests).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "explain/explanation.h"
#include "explain/masked_text.h"

namespace slipway::explain {

struct LimeOptions {
  int num_samples = 5000;  // the text itself and this many less one versions
  int num_features = 10;  // words in the answer; <= 6 are chosen by forward selection, more by the size of their weight
  double kernel_width = 25;
  std::string feature_selection = "auto";  // "auto", "none", "forward_selection", "highest_weights"
  uint64_t seed = 7;
};

// The weighted regression: which words of `masks` explain `answers`.
struct LimeFit {
  std::vector<double> distance;      // of each row to the whole text: 100 * (1 - cosine)
  std::vector<double> weight;        // sqrt(exp(-distance^2 / width^2))
  std::vector<size_t> features;      // chosen words, rising
  std::vector<double> coefficients;  // one each of features
  double intercept = 0;
  double r2 = 0;
  double local_prediction = 0;  // of the regression for the whole text
};

// masks [rows][words], row 0 all there; answers [rows]. Ridge with alpha 1 and intercept. Throws Error(kInvalid) for an
// unknown feature_selection or lengths that differ. Cost O(rows * words^2).
LimeFit lime_fit(const std::vector<Mask>& masks, const std::vector<double>& answers, const LimeOptions& options);

// One feature a distinct word; where a word stands several times each place gets the word's value. Words not chosen get
// 0.
Explanation explain_lime(Answers& answers, const MaskedText& text, const LimeOptions& options);

}  // namespace slipway::explain
