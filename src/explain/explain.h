// Explains one answer of a classifier: method by name, everything else an option. Any thread, one call at a time per
// predictor.
#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/fields.h"
#include "explain/explanation.h"
#include "model/predictor.h"

namespace slipway::explain {

struct ExplainOptions {
  std::string method = "shap";         // "lime", "shap" (Owen values), "shap-exact" (Shapley values, few words)
  std::string label;                   // which answer; empty: the predicted one
  std::string output = "probability";  // or "logit"
  uint64_t seed = 7;
  int num_samples = 0;             // LIME: versions of the text (0: 5000). SHAP: at most so many (0: 500)
  int num_features = 10;           // LIME: words with a value; 0 = all of them
  std::string mask_token = "...";  // SHAP: what stands for a word left out
  bool faithfulness = true;        // measure how far the model agrees
  int max_words = 512;             // words explained; those after them stay in the text

  void describe(base::FieldTable& table);
};

// Throws Error(kInvalid) for an unknown method, label or output, a model without labels, and for what a method cannot
// do; kInterrupted. The same text, model and options give the same bytes.
Explanation explain(model::Predictor& predictor, const std::string& text, const ExplainOptions& options,
                    base::Context& context);

}  // namespace slipway::explain
