// Agreement of the annotators of a project or of files: from tasks with their annotations to the numbers of stats/agreement.h and
// stats/span_agreement.h, overall, per label and per pair. Skipped answers do not count. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "record/annotation.h"
#include "stats/agreement.h"
#include "stats/span_agreement.h"

namespace slipway::data {

struct LabelAgreement {
  std::string label;
  int64_t used = 0;  // answers that have it
  stats::Agreement agreement;  // this label or another
};
struct NamedPairAgreement {
  std::string first, second;
  stats::PairAgreement agreement;
};
// Of one question whose answers are categories. Classes: names; several classes of a text are one category, and per label each is a question
// of its own. Ratings, also of the messages of a chat (each message is an item): grades in order; grades that nobody used are no categories.
// Preferences: which candidate, or a tie. Texts: equal or not.
struct QuestionAgreement {
  std::string question;  // of a scheme its name; of files "classes", "rating", "preference", "text", "chat-review"
  stats::MeasureLevel level = stats::MeasureLevel::kNominal;
  int64_t items = 0;  // with an answer
  stats::Agreement overall;
  std::vector<LabelAgreement> labels;     // of classes, by name
  std::vector<NamedPairAgreement> pairs;  // Cohen's kappa; quadratic weights for ratings
};
struct NamedSpanAgreement {
  std::string first, second;  // annotators; of labels: the label and ""
  int64_t texts = 0;
  stats::SpanAgreement agreement;
};
// Of spans, or of relations: those are equal that join the same places with the same labels, so that of them only `exact` says something.
// Each pair of answers to a text is a row.
struct PlaceAgreement {
  std::string question;  // "spans", "relations"
  NamedSpanAgreement overall;
  std::vector<NamedSpanAgreement> pairs, labels;  // by name
};
struct AgreementReport {
  int64_t tasks = 0;
  int64_t answers = 0;  // not skipped
  std::vector<std::string> annotators;  // by name
  std::vector<QuestionAgreement> questions;
  std::vector<PlaceAgreement> places;
  std::map<std::string, int64_t> left_out;  // what could not be measured, with how many answers
};

// Add tasks, then ask. A task that comes again (the same key, or text) adds its annotations to what there is: files of single annotators
// together make a project. Memory: the answers.
class AgreementBuilder {
 public:
  // `by_text`: tasks are the same when their texts are, for files that number them differently. What is asked is what the answers show.
  explicit AgreementBuilder(bool by_text = false) : by_text_(by_text) {}
  // What the scheme asks, each in its order though nobody answered it; with multi-label no class is an answer.
  explicit AgreementBuilder(const record::AnnotationScheme& scheme);
  void add(const record::AnnotatedTask& task);
  int64_t tasks() const noexcept { return static_cast<int64_t>(tasks_.size()); }
  // Cost: that of stats::agreement for each question, label and pair.
  AgreementReport report(const stats::AgreementOptions& options = {}) const;

 private:
  struct Answered {
    std::map<int, record::Answer> by_annotator;  // the last of each
  };
  bool by_text_ = false;
  bool asked_ = false;  // by a scheme
  std::vector<record::Question> questions_;
  std::map<std::string, size_t, std::less<>> keys_;
  std::map<std::string, int, std::less<>> annotators_;
  std::vector<Answered> tasks_;
};

base::Json to_json(const AgreementReport& report);

}  // namespace slipway::data
