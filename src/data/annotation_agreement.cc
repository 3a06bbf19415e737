#include "data/annotation_agreement.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "data/annotation_source.h"

namespace slipway::data {
namespace {

using base::Json;
using record::Answer;

constexpr char kBetween = '\x1f';  // joins classes to one category

std::string joined(const std::vector<std::string>& classes) {
  std::set<std::string> sorted(classes.begin(), classes.end());
  std::string all;
  for (const std::string& name : sorted) {
    all += name + kBetween;
  }
  return all;
}

struct Answers {
  std::vector<std::vector<std::pair<int, const Answer*>>> tasks;
  std::vector<std::string> names;
};

// Categories of what `value` says of answers, in order; tasks whose answers say nothing are left out.
using Value = std::function<std::optional<std::string>(const Answer&)>;

stats::Ratings ratings_of(const Answers& answers, const Value& value, const std::vector<std::string>& categories) {
  stats::Ratings ratings(static_cast<int>(categories.size()));
  std::vector<stats::Ratings::Answer> row;
  for (const auto& task : answers.tasks) {
    row.clear();
    for (const auto& [annotator, answer] : task) {
      if (const auto said = value(*answer); said) {
        const auto found = std::lower_bound(categories.begin(), categories.end(), *said);
        row.push_back({annotator, static_cast<int>(found - categories.begin())});
      }
    }
    if (!row.empty()) {
      ratings.add(row);
    }
  }
  return ratings;
}

std::vector<std::string> categories_of(const Answers& answers, const Value& value) {
  std::set<std::string> all;
  for (const auto& task : answers.tasks) {
    for (const auto& [annotator, answer] : task) {
      if (const auto said = value(*answer); said) {
        all.insert(*said);
      }
    }
  }
  return {all.begin(), all.end()};
}

std::optional<QuestionAgreement> question_of(const Answers& answers, const char* name, stats::MeasureLevel level, const Value& value,
                                             const stats::AgreementOptions& options) {
  const std::vector<std::string> categories = categories_of(answers, value);
  if (categories.empty()) {
    return std::nullopt;
  }
  QuestionAgreement question;
  question.question = name;
  question.level = level;
  const stats::Ratings ratings = ratings_of(answers, value, categories);
  question.items = ratings.items();
  question.overall = stats::agreement(ratings, level, options);
  const auto weights = level == stats::MeasureLevel::kNominal ? stats::KappaWeights::kNone : stats::KappaWeights::kQuadratic;
  for (const stats::PairAgreement& pair : stats::pair_agreement(ratings, weights, options)) {
    question.pairs.push_back({answers.names[static_cast<size_t>(pair.first)], answers.names[static_cast<size_t>(pair.second)], pair});
  }
  return question;
}

void add_labels(const Answers& answers, QuestionAgreement& question, const stats::AgreementOptions& options) {
  std::map<std::string, int64_t> used;
  for (const auto& task : answers.tasks) {
    for (const auto& [annotator, answer] : task) {
      for (const std::string& name : answer->classes) {
        ++used[name];
      }
    }
  }
  for (const auto& [name, count] : used) {
    const auto has = [&label = name](const Answer& answer) -> std::optional<std::string> {
      if (answer.classes.empty()) {
        return std::nullopt;
      }
      return std::find(answer.classes.begin(), answer.classes.end(), label) == answer.classes.end() ? "0" : "1";
    };
    question.labels.push_back({name, count, stats::agreement(ratings_of(answers, has, {"0", "1"}), stats::MeasureLevel::kNominal, options)});
  }
}

std::vector<stats::LabelledSpan> spans_of(const Answer& answer, std::string_view only) {
  std::vector<stats::LabelledSpan> spans;
  for (const record::Span& span : answer.spans) {
    if (only.empty() || span.label == only) {
      spans.push_back({static_cast<size_t>(std::max<int64_t>(span.start, 0)), static_cast<size_t>(std::max<int64_t>(span.end, 0)), span.label});
    }
  }
  return spans;
}

void add_spans(const Answers& answers, AgreementReport& report, const stats::AgreementOptions& options) {
  std::set<std::string> labels;
  for (const auto& task : answers.tasks) {
    for (const auto& [annotator, answer] : task) {
      for (const record::Span& span : answer->spans) {
        labels.insert(span.label);
      }
    }
  }
  if (labels.empty()) {
    return;
  }
  std::vector<stats::SpanPairCounts> all;
  std::map<std::pair<int, int>, std::vector<stats::SpanPairCounts>> by_pair;
  std::map<std::string, std::vector<stats::SpanPairCounts>> by_label;
  for (const auto& task : answers.tasks) {
    for (size_t i = 0; i < task.size(); ++i) {
      for (size_t j = i + 1; j < task.size(); ++j) {
        all.push_back(stats::count_span_pair(spans_of(*task[i].second, ""), spans_of(*task[j].second, "")));
        by_pair[{task[i].first, task[j].first}].push_back(all.back());
        for (const std::string& label : labels) {
          if (all.back().first + all.back().second > 0) {
            by_label[label].push_back(stats::count_span_pair(spans_of(*task[i].second, label), spans_of(*task[j].second, label)));
          }
        }
      }
    }
  }
  const auto named = [&](std::string first, std::string second, const std::vector<stats::SpanPairCounts>& texts) {
    return NamedSpanAgreement{std::move(first), std::move(second), static_cast<int64_t>(texts.size()), stats::span_agreement(texts, options)};
  };
  report.spans.push_back(named("", "", all));
  for (const auto& [who, texts] : by_pair) {
    report.span_pairs.push_back(named(answers.names[static_cast<size_t>(who.first)], answers.names[static_cast<size_t>(who.second)], texts));
  }
  for (const auto& [label, texts] : by_label) {
    report.span_labels.push_back(named(label, "", texts));
  }
}

Json agreement_json(const stats::Agreement& agreement) {
  return {{"raw", to_json(agreement.raw)},       {"fleiss", to_json(agreement.fleiss)}, {"alpha", to_json(agreement.alpha)},
          {"gwet", to_json(agreement.gwet)},     {"answers", agreement.answers},        {"annotators", agreement.annotators}};
}

Json span_json(const NamedSpanAgreement& spans) {
  return {{"texts", spans.texts}, {"exact", to_json(spans.agreement.exact)}, {"overlap", to_json(spans.agreement.overlap)}, {"characters", to_json(spans.agreement.characters)}};
}

Json question_json(const QuestionAgreement& question) {
  Json labels = Json::array();
  for (const LabelAgreement& label : question.labels) {
    Json entry = agreement_json(label.agreement);
    entry["label"] = label.label;
    entry["used"] = label.used;
    labels.push_back(std::move(entry));
  }
  Json pairs = Json::array();
  for (const NamedPairAgreement& pair : question.pairs) {
    pairs.push_back({{"first", pair.first}, {"second", pair.second}, {"raw", to_json(pair.agreement.raw)}, {"kappa", to_json(pair.agreement.kappa)}});
  }
  return {{"question", question.question}, {"level", question.level == stats::MeasureLevel::kNominal ? "nominal" : "ordinal"}, {"items", question.items},
          {"overall", agreement_json(question.overall)}, {"labels", std::move(labels)}, {"pairs", std::move(pairs)}};
}

}  // namespace

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
  const auto ask = [&](const char* name, stats::MeasureLevel level, const Value& value) {
    if (auto question = question_of(answers, name, level, value, options); question) {
      report.questions.push_back(std::move(*question));
      return true;
    }
    return false;
  };
  if (ask("classes", stats::MeasureLevel::kNominal,
          [](const Answer& a) { return a.classes.empty() ? std::nullopt : std::optional(joined(a.classes)); })) {
    add_labels(answers, report.questions.back(), options);
  }
  ask("rating", stats::MeasureLevel::kOrdinal, [](const Answer& a) -> std::optional<std::string> {
    return a.rating ? std::optional(std::string(1, static_cast<char>(*a.rating))) : std::nullopt;  // 1 to 100: in order as bytes
  });
  ask("preference", stats::MeasureLevel::kNominal, [](const Answer& a) { return a.preferred ? std::optional(std::to_string(*a.preferred)) : std::nullopt; });
  add_spans(answers, report, options);
  return report;
}

Json to_json(const AgreementReport& report) {
  Json questions = Json::array();
  for (const QuestionAgreement& question : report.questions) {
    questions.push_back(question_json(question));
  }
  Json json = {{"tasks", report.tasks}, {"answers", report.answers}, {"annotators", report.annotators}, {"questions", std::move(questions)}};
  if (!report.spans.empty()) {
    Json spans = span_json(report.spans[0]);
    for (const NamedSpanAgreement& pair : report.span_pairs) {
      Json entry = span_json(pair);
      entry["first"] = pair.first;
      entry["second"] = pair.second;
      spans["pairs"].push_back(std::move(entry));
    }
    for (const NamedSpanAgreement& label : report.span_labels) {
      Json entry = span_json(label);
      entry["label"] = label.first;
      spans["labels"].push_back(std::move(entry));
    }
    json["spans"] = std::move(spans);
  }
  return json;
}

}  // namespace slipway::data
