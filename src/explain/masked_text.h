// A text as words that can be left out, and a model that answers about the versions. The text and predictor are
// borrowed. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/context.h"
#include "model/predictor.h"
#include "text/words.h"

namespace slipway::explain {

// Which words are there: one entry a word.
using Mask = std::vector<bool>;

class MaskedText {
 public:
  // Words as text::split_words finds them. A text with more than `max_words` explains the first ones; the rest stays.
  explicit MaskedText(std::string text, size_t max_words = 512);

  const std::string& text() const { return text_; }
  const std::vector<text::Span>& words() const { return words_; }
  std::string_view word(size_t i) const { return text::slice(text_, words_[i]); }
  size_t size() const { return words_.size(); }

  // The text with the words that are not there cut out; everything between words stays. LIME's way.
  std::string without(const Mask& there) const;
  // Words that are not there replaced, together with what follows them up to the next word, by `mask_token`; runs of it
  // become one when `collapse`. White space is collapsed. SHAP's way.
  std::string replaced(const Mask& there, std::string_view mask_token, bool collapse) const;

 private:
  std::string text_;
  std::vector<text::Span> words_;
};

// What is explained: the probability of one label, or its logit (log-odds against the other labels together).
enum class Output { kProbability, kLogit };

class Answers {
 public:
  // `label` is an index into predictor.labels(). Throws Error(kInvalid) when the model has no such label.
  Answers(model::Predictor& predictor, int label, Output output, base::Context& context);

  // One value a text. Texts never seen before go to the predictor together, each once. Throws Error(kInterrupted).
  std::vector<double> values(const std::vector<std::string>& texts);
  double value(const std::string& text) { return values({text})[0]; }
  // Takes an answer that the predictor has given already: its row of logits for `text`. Counts as an evaluation.
  void know(const std::string& text, std::span<const float> logits);
  // How many texts the predictor was asked about.
  int64_t evaluations() const { return evaluations_; }

 private:
  double answer_of(std::span<const float> logits) const;

  model::Predictor& predictor_;
  int label_;
  Output output_;
  base::Context& context_;
  std::unordered_map<std::string, double> known_;
  int64_t evaluations_ = 0;
};

}  // namespace slipway::explain
