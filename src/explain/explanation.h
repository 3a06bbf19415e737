// What an explanation is, whoever made it. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace slipway::explain {

struct WordValue {
  size_t begin = 0;  // bytes of the text
  size_t end = 0;
  std::string word;
  double value = 0;  // what this word adds to the answer, in the answer's unit
};

// How far the model agrees with the ranking of words; see faithfulness.h.
struct Faithfulness {
  double comprehensiveness = 0;  // mean drop of the answer without the top words: high is good
  double sufficiency = 0;        // mean drop of the answer with nothing but the top words: low is good
  double deletion_auc = 0;       // area under the answer as words are deleted from the top down: low is good
  double tau_loo = 0;            // Kendall's tau-b against leaving out one word; NaN when not defined or not computed
  int64_t evaluations = 0;       // model calls it took beyond the explanation's own
};

struct Explanation {
  std::string text;
  std::string method;            // "lime", "shap", "shap-exact"
  std::string label;             // what was explained
  std::string output;            // "probability" or "logit" of it
  double base_value = 0;         // the answer with no words (SHAP), the regression's intercept (LIME)
  double prediction = 0;         // the answer for the text
  std::vector<WordValue> words;  // in the order of the text
  uint64_t seed = 0;
  int64_t samples = 0;                       // versions of the text that the method used
  int64_t evaluations = 0;                   // of them distinct, that the model was asked about
  bool complete = true;                      // false when SHAP's budget ended before its tree
  std::optional<double> local_r2;            // LIME: how well the regression fits
  std::optional<double> completeness_error;  // SHAP: |prediction - base_value - sum of values|
  std::optional<Faithfulness> faithfulness;
};

// Offsets in code points, as everywhere in Slipway's JSON. NaN is written as null.
base::Json to_json(const Explanation& explanation);

// A <div> that needs no style sheet: words coloured by value (orange for, blue against; strength by size), each with
// its value as a tooltip, and one line below with method, answer and measures. All text is escaped.
std::string to_html(const Explanation& explanation);

}  // namespace slipway::explain
