#include "data/annotation_agreement.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <set>

#include "data/annotation_source.h"

namespace slipway::data {
namespace {

using base::Json;
using record::Answer;
using record::Question;

constexpr char kBetween = '\x1f';           // joins classes, or texts, to one category
constexpr size_t kMaxCategories = 100'000;  // of stats::Ratings

struct Answers {
  std::vector<std::vector<std::pair<int, const Answer*>>> tasks;  // by annotator
  std::vector<std::string> names;
};

// Who said what of each item; categories are in the order of their bytes.
class Votes {
 public:
  void say(int annotator, const std::string& category) {
    row_.push_back({annotator, categories_.try_emplace(category, static_cast<int>(categories_.size())).first->second});
  }
  void end_item() {
    if (!row_.empty()) {
      answers_ += static_cast<int64_t>(row_.size());
      rows_.push_back(std::move(row_));
      row_.clear();
    }
  }
  bool empty() const noexcept { return rows_.empty(); }
  size_t categories() const noexcept { return categories_.size(); }
  int64_t answers() const noexcept { return answers_; }
  stats::Ratings ratings() const {
    std::vector<int> ranks(categories_.size());
    int rank = 0;
    for (const auto& [name, number] : categories_) {
      ranks[static_cast<size_t>(number)] = rank++;
    }
    stats::Ratings ratings(std::max(rank, 1));
    for (std::vector<stats::Ratings::Answer> row : rows_) {
      for (stats::Ratings::Answer& answer : row) {
        answer.category = ranks[static_cast<size_t>(answer.category)];
      }
      ratings.add(row);
    }
    return ratings;
  }

 private:
  std::map<std::string, int> categories_;
  std::vector<std::vector<stats::Ratings::Answer>> rows_;
  std::vector<stats::Ratings::Answer> row_;
  int64_t answers_ = 0;
};

std::string joined(std::vector<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) {
    all += part + kBetween;
  }
  return all;
}

std::string graded(int grade) { return {1, static_cast<char>(grade)}; }  // 1 to 100: in order as bytes

// The category of an answer, or nothing where it does not answer the question.
std::optional<std::string> category_of(const Answer& answer, Question question) {
  switch (question) {
    case Question::kClass:
    case Question::kClasses: {
      if (answer.classes.empty() && question == Question::kClass) {
        return std::nullopt;
      }
      const std::set<std::string> sorted(answer.classes.begin(), answer.classes.end());
      return joined({sorted.begin(), sorted.end()});
    }
    case Question::kText: return answer.texts.empty() ? std::nullopt : std::optional(joined(answer.texts));
    case Question::kRating: return answer.rating ? std::optional(graded(*answer.rating)) : std::nullopt;
    case Question::kPreference: return answer.preferred ? std::optional(std::to_string(*answer.preferred)) : std::nullopt;
    case Question::kSpans:
    case Question::kRelations:
    case Question::kChatReview: break;
  }
  return std::nullopt;
}

Votes votes_of_chat(const Answers& answers) {
  Votes votes;
  for (const auto& task : answers.tasks) {
    size_t messages = 0;
    for (const auto& [annotator, answer] : task) {
      messages = std::max(messages, answer->message_ratings.size());
    }
    for (size_t i = 0; i < messages; ++i) {
      for (const auto& [annotator, answer] : task) {
        if (i < answer->message_ratings.size() && answer->message_ratings[i] > 0) {
          votes.say(annotator, graded(answer->message_ratings[i]));
        }
      }
      votes.end_item();
    }
  }
  return votes;
}

Votes votes_of(const Answers& answers, Question question) {
  if (question == Question::kChatReview) {
    return votes_of_chat(answers);
  }
  Votes votes;
  for (const auto& task : answers.tasks) {
    for (const auto& [annotator, answer] : task) {
      if (const auto said = category_of(*answer, question); said) {
        votes.say(annotator, *said);
      }
    }
    votes.end_item();
  }
  return votes;
}

std::vector<LabelAgreement> labels_of(const Answers& answers, Question question, const stats::AgreementOptions& options) {
  std::map<std::string, int64_t> used;
  for (const auto& task : answers.tasks) {
    for (const auto& [annotator, answer] : task) {
      for (const std::string& name : std::set<std::string>(answer->classes.begin(), answer->classes.end())) {
        ++used[name];
      }
    }
  }
  std::vector<LabelAgreement> labels;
  for (const auto& [name, count] : used) {
    stats::Ratings two(2);
    std::vector<stats::Ratings::Answer> row;
    for (const auto& task : answers.tasks) {
      row.clear();
      for (const auto& [annotator, answer] : task) {
        if (category_of(*answer, question)) {
          row.push_back({annotator, std::find(answer->classes.begin(), answer->classes.end(), name) == answer->classes.end() ? 0 : 1});
        }
      }
      if (!row.empty()) {
        two.add(row);
      }
    }
    labels.push_back({name, count, stats::agreement(two, stats::MeasureLevel::kNominal, options)});
  }
  return labels;
}

QuestionAgreement question_of(const Answers& answers, Question question, const Votes& votes, const stats::AgreementOptions& options) {
  const bool graded = question == Question::kRating || question == Question::kChatReview;
  QuestionAgreement made;
  made.question = record::name_of(question);
  made.level = graded ? stats::MeasureLevel::kOrdinal : stats::MeasureLevel::kNominal;
  const stats::Ratings ratings = votes.ratings();
  made.items = ratings.items();
  made.overall = stats::agreement(ratings, made.level, options);
  const auto weights = graded ? stats::KappaWeights::kQuadratic : stats::KappaWeights::kNone;
  for (const stats::PairAgreement& pair : stats::pair_agreement(ratings, weights, options)) {
    made.pairs.push_back({answers.names[static_cast<size_t>(pair.first)], answers.names[static_cast<size_t>(pair.second)], pair});
  }
  if (question == Question::kClass || question == Question::kClasses) {
    made.labels = labels_of(answers, question, options);
  }
  return made;
}

// What an answer marks, with the label that it is counted under. A relation is a place, too: that of the span it comes from, labelled by
// all the rest. Ends that name no span are left out.
struct Mark {
  stats::LabelledSpan place;
  std::string_view label;
};
using Kept = std::set<std::string>;  // labels of relations' places, which are borrowed

std::vector<Mark> marks_of(const Answer& answer, Question question, Kept& kept) {
  const auto place = [](const record::Span& span, std::string_view label) {
    return stats::LabelledSpan{static_cast<size_t>(std::max<int64_t>(span.start, 0)), static_cast<size_t>(std::max<int64_t>(span.end, 0)), label};
  };
  std::vector<Mark> marks;
  if (question == Question::kSpans) {
    for (const record::Span& span : answer.spans) {
      marks.push_back({place(span, span.label), span.label});
    }
    return marks;
  }
  std::map<std::string_view, const record::Span*> by_id;
  for (const record::Span& span : answer.spans) {
    by_id.emplace(span.id, &span);
  }
  for (const record::Relation& relation : answer.relations) {
    const auto from = by_id.find(relation.from);
    const auto to = by_id.find(relation.to);
    if (from != by_id.end() && to != by_id.end()) {
      const record::Span& end = *to->second;
      std::string what = fmt::format("{}\n{}\n{} {} {}", relation.label, from->second->label, end.start, end.end, end.label);
      marks.push_back({place(*from->second, *kept.insert(std::move(what)).first), relation.label});
    }
  }
  return marks;
}

// `only`: null for all labels.
stats::SpanPairCounts count(const std::vector<Mark>& first, const std::vector<Mark>& second, const std::string_view* only) {
  const auto places = [&](const std::vector<Mark>& marks) {
    std::vector<stats::LabelledSpan> chosen;
    for (const Mark& mark : marks) {
      if (only == nullptr || mark.label == *only) {
        chosen.push_back(mark.place);
      }
    }
    return chosen;
  };
  return stats::count_span_pair(places(first), places(second));
}

PlaceAgreement places_of(const Answers& answers, Question question, const stats::AgreementOptions& options) {
  std::vector<stats::SpanPairCounts> all;
  std::map<std::pair<int, int>, std::vector<stats::SpanPairCounts>> by_pair;
  std::map<std::string, std::vector<stats::SpanPairCounts>, std::less<>> by_label;
  Kept kept;
  for (const auto& task : answers.tasks) {
    std::vector<std::vector<Mark>> said;
    for (const auto& [annotator, answer] : task) {
      said.push_back(marks_of(*answer, question, kept));
    }
    for (size_t i = 0; i < said.size(); ++i) {
      for (size_t j = i + 1; j < said.size(); ++j) {
        all.push_back(count(said[i], said[j], nullptr));
        by_pair[{task[i].first, task[j].first}].push_back(all.back());
        std::set<std::string_view> labels;
        for (const std::vector<Mark>* marks : {&said[i], &said[j]}) {
          for (const Mark& mark : *marks) {
            labels.insert(mark.label);
          }
        }
        for (const std::string_view label : labels) {
          by_label[std::string(label)].push_back(count(said[i], said[j], &label));
        }
      }
    }
  }
  const auto named = [&](std::string first, std::string second, const std::vector<stats::SpanPairCounts>& texts) {
    return NamedSpanAgreement{std::move(first), std::move(second), static_cast<int64_t>(texts.size()), stats::span_agreement(texts, options)};
  };
  PlaceAgreement made;
  made.question = record::name_of(question);
  made.overall = named("", "", all);
  for (const auto& [who, texts] : by_pair) {
    made.pairs.push_back(named(answers.names[static_cast<size_t>(who.first)], answers.names[static_cast<size_t>(who.second)], texts));
  }
  for (const auto& [label, texts] : by_label) {
    made.labels.push_back(named(label, "", texts));
  }
  return made;
}

bool marks(Question question) { return question == Question::kSpans || question == Question::kRelations; }

bool any_marks(const Answers& answers, Question question) {
  return std::any_of(answers.tasks.begin(), answers.tasks.end(), [&](const auto& task) {
    return std::any_of(task.begin(), task.end(), [&](const auto& said) {
      return question == Question::kSpans ? !said.second->spans.empty() : !said.second->relations.empty();
    });
  });
}

}  // namespace

AgreementBuilder::AgreementBuilder(const record::AnnotationScheme& scheme) : asked_(true), questions_(scheme.questions) {}

void AgreementBuilder::add(const record::AnnotatedTask& task) {
  const auto [found, is_new] = keys_.try_emplace(by_text_ ? text_key(task.task) : task.task.key, tasks_.size());
  if (is_new) {
    tasks_.emplace_back();
  }
  for (const record::Annotation& annotation : task.annotations) {
    if (!annotation.skipped) {
      const int annotator = annotators_.try_emplace(annotation.annotator, static_cast<int>(annotators_.size())).first->second;
      tasks_[found->second].by_annotator[annotator] = annotation.answer;
    }
  }
}

AgreementReport AgreementBuilder::report(const stats::AgreementOptions& options) const {
  AgreementReport report;
  report.tasks = tasks();
  Answers answers;
  answers.names.resize(annotators_.size());
  std::vector<int> sorted(annotators_.size());  // annotators numbered by name
  for (const auto& [name, annotator] : annotators_) {
    sorted[static_cast<size_t>(annotator)] = static_cast<int>(report.annotators.size());
    answers.names[report.annotators.size()] = name;
    report.annotators.push_back(name);
  }
  for (const Answered& task : tasks_) {
    auto& row = answers.tasks.emplace_back();
    for (const auto& [annotator, answer] : task.by_annotator) {
      row.emplace_back(sorted[static_cast<size_t>(annotator)], &answer);
      ++report.answers;
    }
    std::sort(row.begin(), row.end());
  }
  const std::vector<Question> shown = {Question::kClass, Question::kRating, Question::kPreference, Question::kText,
                                       Question::kChatReview, Question::kSpans, Question::kRelations};
  for (const Question question : asked_ ? questions_ : shown) {
    if (marks(question)) {
      if (asked_ || any_marks(answers, question)) {
        report.places.push_back(places_of(answers, question, options));
      }
      continue;
    }
    const Votes votes = votes_of(answers, question);
    if (votes.categories() > kMaxCategories) {
      report.left_out[fmt::format("answers to '{}': more than {} different ones", record::name_of(question), kMaxCategories)] = votes.answers();
    } else if (asked_ || !votes.empty()) {
      report.questions.push_back(question_of(answers, question, votes, options));
      if (!asked_ && question == Question::kClass) {
        report.questions.back().question = "classes";  // files do not say whether there may be several
      }
    }
  }
  return report;
}

}  // namespace slipway::data
