#include "explain/explain.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "base/error.h"
#include "base/suggest.h"
#include "explain/faithfulness.h"
#include "explain/lime.h"
#include "explain/shap.h"

namespace slipway::explain {
namespace {

using base::Code;
using base::Error;

const std::vector<std::string>& methods() {
  static const std::vector<std::string> names = {"lime", "shap", "shap-exact"};
  return names;
}

int label_index(const std::vector<std::string>& labels, const std::string& label) {
  const auto found = std::find(labels.begin(), labels.end(), label);
  if (found == labels.end()) {
    throw Error(Code::kInvalid, fmt::format("the model has no label '{}'{}", label, base::suggestion(label, labels)));
  }
  return static_cast<int>(found - labels.begin());
}

Output output_of(const std::string& name) {
  if (name != "probability" && name != "logit") {
    throw Error(Code::kInvalid, fmt::format("explain: unknown output '{}'; known: probability, logit", name));
  }
  return name == "logit" ? Output::kLogit : Output::kProbability;
}

Explanation by_lime(Answers& answers, const MaskedText& text, const ExplainOptions& options) {
  LimeOptions lime;
  lime.seed = options.seed;
  lime.num_samples = options.num_samples > 0 ? options.num_samples : lime.num_samples;
  lime.num_features = options.num_features;
  if (options.num_features <= 0) {
    lime.feature_selection = "none";
  }
  return explain_lime(answers, text, lime);
}

Explanation by_shap(Answers& answers, const MaskedText& text, const ExplainOptions& options) {
  ShapOptions shap;
  shap.max_evals = options.num_samples > 0 ? options.num_samples : shap.max_evals;
  shap.mask_token = options.mask_token;
  shap.exact = options.method == "shap-exact";
  Explanation result = explain_shap(answers, text, shap);
  result.seed = options.seed;
  return result;
}

}  // namespace

void ExplainOptions::describe(base::FieldTable& table) {
  table.add("method", method, "how to explain", methods());
  table.add("label", label, "label whose answer is explained; the predicted one when empty");
  table.add("output", output, "what is explained of it", {"probability", "logit"});
  table.add("seed", seed, "seed of the random choices");
  table.add("num_samples", num_samples,
            "versions of the text to ask about; 0 = the method's default (LIME 5000, SHAP 500)", {0, 1e6});
  table.add("num_features", num_features, "LIME: words with a value; 0 = all", {0, 1e4});
  table.add("mask_token", mask_token, "SHAP: what stands for words left out");
  table.add("faithfulness", faithfulness, "measure how far the model agrees with the explanation");
  table.add("max_words", max_words, "words explained; the rest of a longer text stays as it is", {1, 1e4});
}

Explanation explain(model::Predictor& predictor, const std::string& text, const ExplainOptions& options,
                    base::Context& context) {
  if (std::find(methods().begin(), methods().end(), options.method) == methods().end()) {
    throw Error(Code::kInvalid, fmt::format("unknown explanation method '{}'{}", options.method,
                                            base::suggestion(options.method, methods())));
  }
  const Output output = output_of(options.output);
  const std::vector<std::string>& labels = predictor.labels();
  if (labels.size() < 2) {
    throw Error(Code::kInvalid, "cannot explain: the model has no classification head (no labels)");
  }
  model::Matrix first;  // the answer for the text itself, when it has to say which label
  if (options.label.empty()) {
    first = predictor.logits(std::array{text});
  }
  const int label =
      options.label.empty() ? model::argmax(std::as_const(first).row(0)) : label_index(labels, options.label);
  Answers answers(predictor, label, output, context);
  if (options.label.empty()) {
    answers.know(text, std::as_const(first).row(0));
  }
  const MaskedText masked(text, static_cast<size_t>(std::max(1, options.max_words)));
  Explanation result = options.method == "lime" ? by_lime(answers, masked, options) : by_shap(answers, masked, options);
  result.evaluations = answers.evaluations();
  result.label = labels[static_cast<size_t>(label)];
  result.output = options.output;
  if (options.faithfulness) {
    std::vector<double> values;
    for (const WordValue& word : result.words) {
      values.push_back(word.value);
    }
    result.faithfulness = measure_faithfulness(answers, masked, values);
  }
  return result;
}

}  // namespace slipway::explain
