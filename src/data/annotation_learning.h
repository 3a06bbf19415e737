// What is learnt from answers while people give them: a classifier of texts (light_classifier.h) where classes are asked for, a tagger
// (span_tagger.h) where spans are; what they suggest, and how unsure they are of a text. Immutable once made: any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/active_learning.h"
#include "data/light_classifier.h"
#include "data/span_tagger.h"
#include "record/annotation.h"
#include "stats/interval.h"

namespace slipway::data {

// Texts with the answers that count. Add them, then learn.
class AnnotationLessons {
 public:
  explicit AnnotationLessons(const record::AnnotationScheme& scheme);
  // Of spans the first kMaxSpanLessons are learnt from.
  static constexpr size_t kMaxSpanLessons = 10'000;
  void add(const std::string& text, const record::Answer& answer);
  size_t size() const noexcept { return texts_; }
  // Of the classifier; what others are compared with (active_learning.h).
  const std::vector<std::string>& class_texts() const noexcept { return class_texts_; }
  const std::vector<SpanTagger::Lesson>& span_lessons() const noexcept { return spans_; }
  const record::AnnotationScheme& scheme() const noexcept { return scheme_; }
  // Why nothing can be learnt yet; empty: it can.
  std::string lacking() const;

 private:
  friend class LearnedAnswers;
  bool teach_classes() const noexcept;
  bool teach_spans() const noexcept;
  record::AnnotationScheme scheme_;
  size_t texts_ = 0;
  std::vector<std::string> class_texts_;
  std::vector<std::vector<int>> labels_;
  std::vector<char> used_;  // classes
  std::vector<SpanTagger::Lesson> spans_;
  bool any_span_ = false;
};

class LearnedAnswers {
 public:
  // Accuracy is measured on a fifth held out, from kHoldOutFrom answers on (of spans: SpanTagger::train). Throws Error(kInvalid) when lessons
  // lack something, Error(kInterrupted) when `stop` says so.
  static constexpr size_t kHoldOutFrom = 50;
  static LearnedAnswers learn(const AnnotationLessons& lessons, const std::function<bool()>& stop);

  // "learned@VERSION" of classes, "learned-spans@VERSION" of spans.
  std::vector<record::Suggestion> suggest(std::string_view text, int64_t version) const;
  // Of classes, and of the tokens' labels; their mean where both are asked for.
  double uncertainty(std::string_view text, Uncertainty kind) const;
  const std::optional<stats::Interval>& accuracy() const noexcept { return accuracy_; }
  const std::optional<stats::Interval>& span_f1() const noexcept { return span_f1_; }
  bool has_spans() const noexcept { return tagger_.has_value(); }

 private:
  std::vector<std::string> classes_;
  std::optional<LightClassifier> classifier_;
  std::optional<SpanTagger> tagger_;
  std::optional<stats::Interval> accuracy_, span_f1_;
};

}  // namespace slipway::data
