#include "api/annotate_agreement.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "stats/agreement.h"
#include "stats/span_agreement.h"

namespace slipway::api {
namespace {

using base::Json;
using record::Answer;
using record::Question;

constexpr int kPage = 1000;

// One answered task: whose answers, by annotator's number.
struct Item {
  std::vector<std::pair<int, Answer>> answers;
};

struct Measured {
  std::vector<std::string> annotators;
  std::vector<Item> items;
  bool cut = false;
};

Measured read_items(record::AnnotationTasks& tasks, int64_t project) {
  Measured measured;
  std::map<std::string, int> numbers;
  record::TaskReading reading;
  reading.shared = true;
  reading.limit = kPage;
  for (;;) {
    const auto page = tasks.read(project, reading);
    for (const record::KeptTask& task : page) {
      Item item;
      for (const record::KeptAnnotation& kept : task.annotations) {
        const record::Annotation& one = kept.annotation;
        if (one.ground_truth || one.skipped) {
          continue;
        }
        const auto [found, added] = numbers.emplace(one.annotator, static_cast<int>(numbers.size()));
        if (added) {
          measured.annotators.push_back(one.annotator);
        }
        item.answers.emplace_back(found->second, one.answer);
      }
      if (item.answers.size() > 1) {
        measured.items.push_back(std::move(item));
      }
      reading.after = task.task.id;
      if (measured.items.size() == static_cast<size_t>(kMaxMeasured)) {
        measured.cut = true;
        return measured;
      }
    }
    if (page.size() < static_cast<size_t>(kPage)) {
      return measured;
    }
  }
}

Json estimate(const stats::Interval& interval) { return stats::to_json(interval); }

void put_measures(Json& row, const stats::Agreement& agreement) {
  row["raw"] = estimate(agreement.raw);
  row["fleiss"] = estimate(agreement.fleiss);
  row["alpha"] = estimate(agreement.alpha);
  row["gwet"] = estimate(agreement.gwet);
}

class Report {
 public:
  Report(const Measured& measured, const record::AnnotationScheme& scheme) : measured_(measured), scheme_(scheme) {
    for (const Question question : scheme.questions) {
      add(question);
    }
  }
  Json questions = Json::array();
  Json labels = Json::array();
  Json pairs = Json::array();

 private:
  void add(Question question) {
    switch (question) {
      case Question::kClass: add_classes(question, false); break;
      case Question::kClasses: add_classes(question, true); break;
      case Question::kSpans: add_spans(); break;
      case Question::kRelations: add_relations(); break;
      case Question::kRating: add_ratings(); break;
      case Question::kPreference: add_preferences(); break;
      case Question::kText: add_texts(); break;
      case Question::kChatReview: add_chat(); break;
    }
  }

  // Category of each answer, -1: it does not answer the question.
  template <class Category>
  stats::Ratings ratings(int categories, Category category) const {
    stats::Ratings all(std::max(categories, 1));
    std::vector<stats::Ratings::Answer> row;
    for (const Item& item : measured_.items) {
      row.clear();
      for (const auto& [annotator, answer] : item.answers) {
        if (const int value = category(answer); value >= 0) {
          row.push_back({annotator, value});
        }
      }
      all.add(row);
    }
    return all;
  }

  Json row_of(Question question, int64_t tasks) const { return {{"question", record::name_of(question)}, {"tasks", tasks}}; }

  void put_overall(Question question, const stats::Ratings& all, stats::MeasureLevel level) {
    const stats::Agreement agreement = stats::agreement(all, level);
    Json row = row_of(question, agreement.raw.n);
    row["answers"] = agreement.answers;
    row["level"] = level == stats::MeasureLevel::kNominal ? "nominal" : "ordinal";
    put_measures(row, agreement);
    const auto by_pair = stats::pair_agreement(all, level == stats::MeasureLevel::kNominal ? stats::KappaWeights::kNone : stats::KappaWeights::kQuadratic);
    if (by_pair.size() == 1) {
      row["cohen"] = estimate(by_pair[0].kappa);
    }
    for (const stats::PairAgreement& pair : by_pair) {
      pairs.push_back({{"question", record::name_of(question)},
                       {"first", name(pair.first)},
                       {"second", name(pair.second)},
                       {"raw", estimate(pair.raw)},
                       {"kappa", estimate(pair.kappa)}});
    }
    questions.push_back(std::move(row));
  }

  void put_label(Question question, const std::string& label, int64_t answers, const stats::Ratings& two) {
    Json row = {{"question", record::name_of(question)}, {"label", label}, {"answers", answers}};
    put_measures(row, stats::agreement(two));
    labels.push_back(std::move(row));
  }

  static bool holds(const Answer& answer, const std::string& label) {
    return std::find(answer.classes.begin(), answer.classes.end(), label) != answer.classes.end();
  }

  // Several classes: a category is the whole set.
  void add_classes(Question question, bool several) {
    std::map<std::vector<std::string>, int> numbers;
    const auto category = [&](const Answer& answer) {
      if (answer.classes.empty() && !several) {
        return -1;
      }
      std::vector<std::string> sorted = answer.classes;
      std::sort(sorted.begin(), sorted.end());
      return numbers.emplace(std::move(sorted), static_cast<int>(numbers.size())).first->second;
    };
    for (const Item& item : measured_.items) {  // the categories first
      for (const auto& [annotator, answer] : item.answers) {
        category(answer);
      }
    }
    put_overall(question, ratings(static_cast<int>(numbers.size()), category), stats::MeasureLevel::kNominal);
    for (const record::Label& label : scheme_.classes) {
      int64_t answers = 0;
      const stats::Ratings two = ratings(2, [&](const Answer& answer) {
        if (answer.classes.empty() && !several) {
          return -1;
        }
        const bool there = holds(answer, label.name);
        answers += there ? 1 : 0;
        return there ? 1 : 0;
      });
      if (answers > 0) {
        put_label(question, label.name, answers, two);
      }
    }
  }

  void add_ratings() {
    put_overall(Question::kRating, ratings(scheme_.rating_max, [](const Answer& answer) { return answer.rating.value_or(0) - 1; }),
                stats::MeasureLevel::kOrdinal);
  }

  void add_preferences() {
    int most = 0;
    for (const Item& item : measured_.items) {
      for (const auto& [annotator, answer] : item.answers) {
        most = std::max(most, answer.preferred.value_or(0) + 2);
      }
    }
    put_overall(Question::kPreference, ratings(most, [](const Answer& answer) { return answer.preferred ? *answer.preferred + 1 : -1; }),
                stats::MeasureLevel::kNominal);
  }

  void add_texts() {
    std::map<std::vector<std::string>, int> numbers;
    const auto category = [&](const Answer& answer) {
      return answer.texts.empty() ? -1 : numbers.emplace(answer.texts, static_cast<int>(numbers.size())).first->second;
    };
    for (const Item& item : measured_.items) {
      for (const auto& [annotator, answer] : item.answers) {
        category(answer);
      }
    }
    put_overall(Question::kText, ratings(static_cast<int>(numbers.size()), category), stats::MeasureLevel::kNominal);
  }

  // Each message is an item.
  void add_chat() {
    stats::Ratings all(std::max(scheme_.rating_max, 1));
    std::vector<stats::Ratings::Answer> row;
    for (const Item& item : measured_.items) {
      size_t messages = 0;
      for (const auto& [annotator, answer] : item.answers) {
        messages = std::max(messages, answer.message_ratings.size());
      }
      for (size_t i = 0; i < messages; ++i) {
        row.clear();
        for (const auto& [annotator, answer] : item.answers) {
          if (i < answer.message_ratings.size() && answer.message_ratings[i] > 0) {
            row.push_back({annotator, answer.message_ratings[i] - 1});
          }
        }
        all.add(row);
      }
    }
    put_overall(Question::kChatReview, all, stats::MeasureLevel::kOrdinal);
  }

  // Places with labels as numbers. Relations are a place too: the ends' text ranges and the label together are one label.
  using Places = std::vector<stats::LabelledSpan>;
  template <class Of>
  void add_places(Question question, const std::vector<record::Label>& labels_of_kind, Of places_of) {
    std::vector<stats::SpanPairCounts> all;
    std::map<std::string, std::vector<stats::SpanPairCounts>> by_label;
    std::map<std::pair<int, int>, std::vector<stats::SpanPairCounts>> by_pair;
    for (const Item& item : measured_.items) {
      std::vector<std::map<std::string, Places>> said;
      for (const auto& [annotator, answer] : item.answers) {
        said.push_back(places_of(answer));
      }
      for (size_t i = 0; i < said.size(); ++i) {
        for (size_t j = i + 1; j < said.size(); ++j) {
          stats::SpanPairCounts sum = count(flat(said[i]), flat(said[j]));
          all.push_back(sum);
          const int a = std::min(item.answers[i].first, item.answers[j].first);
          const int b = std::max(item.answers[i].first, item.answers[j].first);
          by_pair[{a, b}].push_back(sum);
          for (const record::Label& label : labels_of_kind) {
            const Places first = of_label(said[i], label.name);
            const Places second = of_label(said[j], label.name);
            if (!first.empty() || !second.empty()) {
              by_label[label.name].push_back(count(first, second));
            }
          }
        }
      }
    }
    const stats::SpanAgreement overall = stats::span_agreement(all);
    Json row = row_of(question, static_cast<int64_t>(measured_.items.size()));
    row["span_f1"] = estimate(overall.exact);
    if (question == Question::kSpans) {
      row["span_overlap_f1"] = estimate(overall.overlap);
    }
    questions.push_back(std::move(row));
    for (const auto& [label, counts] : by_label) {
      labels.push_back({{"question", record::name_of(question)}, {"label", label}, {"span_f1", estimate(stats::span_agreement(counts).exact)}});
    }
    for (const auto& [pair, counts] : by_pair) {
      pairs.push_back({{"question", record::name_of(question)},
                       {"first", name(pair.first)},
                       {"second", name(pair.second)},
                       {"span_f1", estimate(stats::span_agreement(counts).exact)}});
    }
  }

  static stats::SpanPairCounts count(const Places& first, const Places& second) { return stats::count_span_pair(first, second); }
  static Places flat(const std::map<std::string, Places>& by_label) {
    Places all;
    for (const auto& [label, places] : by_label) {
      all.insert(all.end(), places.begin(), places.end());
    }
    return all;
  }
  static Places of_label(const std::map<std::string, Places>& by_label, const std::string& label) {
    const auto found = by_label.find(label);
    return found == by_label.end() ? Places() : found->second;
  }
  std::string_view kept(std::string text) { return *kept_.insert(std::move(text)).first; }

  void add_spans() {
    add_places(Question::kSpans, scheme_.spans, [this](const Answer& answer) {
      std::map<std::string, Places> all;
      for (const record::Span& span : answer.spans) {
        all[span.label].push_back(place(span.start, span.end, kept(span.label)));
      }
      return all;
    });
  }
  void add_relations() {
    add_places(Question::kRelations, scheme_.relations, [this](const Answer& answer) {
      std::map<std::string, const record::Span*> by_id;
      for (const record::Span& span : answer.spans) {
        by_id[span.id] = &span;
      }
      std::map<std::string, Places> all;
      for (const record::Relation& relation : answer.relations) {
        const record::Span* from = by_id[relation.from];
        const record::Span* to = by_id[relation.to];
        if (from != nullptr && to != nullptr) {
          std::string what = fmt::format("{}\n{}\n{} {} {}", relation.label, from->label, to->start, to->end, to->label);
          all[relation.label].push_back(place(from->start, from->end, kept(std::move(what))));
        }
      }
      return all;
    });
  }

  static stats::LabelledSpan place(int64_t begin, int64_t end, std::string_view label) {
    return {static_cast<size_t>(begin), static_cast<size_t>(end), label};
  }

  const std::string& name(int annotator) const { return measured_.annotators[static_cast<size_t>(annotator)]; }

  const Measured& measured_;
  const record::AnnotationScheme& scheme_;
  std::set<std::string> kept_;  // labels of places, which are borrowed
};

}  // namespace

Json annotation_agreement(record::AnnotationTasks& tasks, const record::AnnotationProject& project) {
  const Measured measured = read_items(tasks, project.id);
  Report report(measured, project.settings.scheme);
  return {{"tasks", measured.items.size()},
          {"annotators", measured.annotators},
          {"questions", std::move(report.questions)},
          {"labels", std::move(report.labels)},
          {"pairs", std::move(report.pairs)},
          {"cut", measured.cut}};
}

}  // namespace slipway::api
