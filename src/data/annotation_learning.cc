#include "data/annotation_learning.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "data/suggestion_fit.h"
#include "stats/bootstrap.h"

namespace slipway::data {
namespace {

using record::Question;

// With the score: the likeliest's, or the mean chance of what is said of each of several.
std::pair<std::vector<int>, double> classes_of(const LightClassifier& classifier, std::string_view text) {
  const std::vector<double> p = classifier.probabilities(text_features(text, classifier.bits()));
  if (!classifier.several()) {
    const auto most = std::max_element(p.begin(), p.end());
    return {{static_cast<int>(most - p.begin())}, *most};
  }
  std::vector<int> classes;
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (p[i] >= 0.5) {
      classes.push_back(static_cast<int>(i));
    }
    sum += std::max(p[i], 1 - p[i]);
  }
  return {classes, sum / static_cast<double>(p.size())};
}

// Of several classes the mean over them.
double class_uncertainty(const std::vector<double>& p, bool several, Uncertainty kind) {
  if (!several) {
    return uncertainty(p, static_cast<int>(p.size()), kind).front();
  }
  double sum = 0;
  for (const double one : p) {
    const std::array<double, 2> two = {one, 1 - one};
    sum += uncertainty(two, 2, kind).front();
  }
  return sum / static_cast<double>(p.size());
}

// On a fifth, chosen by the digest of the text so that it stays, trained without it.
std::optional<stats::Interval> accuracy_of(const std::vector<std::string>& texts, const std::vector<std::vector<int>>& labels, int classes,
                                           const LightClassifier::Options& options) {
  if (texts.size() < LearnedAnswers::kHoldOutFrom) {
    return std::nullopt;
  }
  std::vector<std::string> taught;
  std::vector<std::vector<int>> taught_labels;
  std::vector<size_t> held;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (base::xxh64(texts[i]) % 5 == 0) {
      held.push_back(i);
    } else {
      taught.push_back(texts[i]);
      taught_labels.push_back(labels[i]);
    }
  }
  if (held.empty() || taught.empty()) {
    return std::nullopt;
  }
  const auto classifier = LightClassifier::train(taught, taught_labels, classes, options);
  int64_t right = 0;
  for (const size_t i : held) {
    std::vector<int> want = labels[i];
    std::sort(want.begin(), want.end());
    right += classes_of(classifier, texts[i]).first == want ? 1 : 0;
  }
  return stats::wilson(right, static_cast<int64_t>(held.size()));
}

}  // namespace

AnnotationLessons::AnnotationLessons(const record::AnnotationScheme& scheme) : scheme_(scheme), used_(scheme.classes.size(), 0) {}

void AnnotationLessons::add(const std::string& text, const record::Answer& answer) {
  ++texts_;
  const bool several = asks(scheme_, Question::kClasses);
  if (several || (asks(scheme_, Question::kClass) && !answer.classes.empty())) {
    std::vector<int>& row = labels_.emplace_back();
    for (size_t i = 0; i < scheme_.classes.size(); ++i) {
      if (std::find(answer.classes.begin(), answer.classes.end(), scheme_.classes[i].name) != answer.classes.end()) {
        row.push_back(static_cast<int>(i));
        used_[i] = 1;
      }
    }
    if (row.empty() && !several) {
      labels_.pop_back();  // a class that the scheme has not any more
    } else {
      class_texts_.push_back(text);
    }
  }
  if (asks(scheme_, Question::kSpans) && spans_.size() < kMaxSpanLessons) {
    spans_.push_back({text, answer.spans});
    any_span_ = any_span_ || !answer.spans.empty();
  }
}

bool AnnotationLessons::teach_classes() const noexcept { return std::count(used_.begin(), used_.end(), 1) > 1; }
bool AnnotationLessons::teach_spans() const noexcept { return any_span_; }

std::string AnnotationLessons::lacking() const {
  if (teach_classes() || teach_spans()) {
    return "";
  }
  const bool spans = asks(scheme_, Question::kSpans);
  const bool classes = asks(scheme_, Question::kClass) || asks(scheme_, Question::kClasses);
  return fmt::format("it learns when there are answers {}{}{}", classes ? "of two classes" : "", classes && spans ? " or " : "", spans ? "with spans" : "");
}

LearnedAnswers LearnedAnswers::learn(const AnnotationLessons& lessons, const std::function<bool()>& stop) {
  if (const std::string lacking = lessons.lacking(); !lacking.empty()) {
    throw base::Error(base::Code::kInvalid, lacking);
  }
  LearnedAnswers learned;
  if (lessons.teach_classes()) {
    for (const record::Label& label : lessons.scheme_.classes) {
      learned.classes_.push_back(label.name);
    }
    const int classes = static_cast<int>(learned.classes_.size());
    LightClassifier::Options options;
    options.several = asks(lessons.scheme_, Question::kClasses);
    options.stop = stop;
    learned.accuracy_ = accuracy_of(lessons.class_texts_, lessons.labels_, classes, options);
    learned.classifier_ = LightClassifier::train(lessons.class_texts_, lessons.labels_, classes, options);
  }
  if (lessons.teach_spans()) {
    SpanTagger::Options options;
    options.stop = stop;
    SpanTagger::Trained trained = SpanTagger::train(lessons.spans_, options);
    learned.tagger_ = std::move(trained.tagger);
    if (trained.quality) {
      learned.span_f1_ = trained.quality->exact;
    }
  }
  if (stop && stop()) {
    throw base::Error(base::Code::kInterrupted, "the training was stopped");
  }
  return learned;
}

std::vector<record::Suggestion> LearnedAnswers::suggest(std::string_view text, int64_t version) const {
  std::vector<record::Suggestion> all;
  if (classifier_) {
    const auto [classes, score] = classes_of(*classifier_, text);
    record::Suggestion& made = all.emplace_back(record::Suggestion{fmt::format("learned@{}", version), score, {}});
    for (const int one : classes) {
      made.answer.classes.push_back(classes_[static_cast<size_t>(one)]);
    }
  }
  if (tagger_) {
    if (auto spans = tagger_->suggest(text, fmt::format("learned-spans@{}", version))) {
      all.push_back(std::move(*spans));
    }
  }
  return all;
}

double LearnedAnswers::uncertainty(std::string_view text, Uncertainty kind) const {
  double sum = 0;
  if (classifier_) {
    sum += class_uncertainty(classifier_->probabilities(text_features(text, classifier_->bits())), classifier_->several(), kind);
  }
  if (tagger_) {
    sum += tagger_->uncertainty(text, kind);
  }
  return classifier_ && tagger_ ? sum / 2 : sum;
}

}  // namespace slipway::data
