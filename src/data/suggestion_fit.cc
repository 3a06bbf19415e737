#include "data/suggestion_fit.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using record::Answer;
using record::Question;
using record::Suggestion;

const std::string& renamed(const std::string& label, const LabelNames& labels) {
  const auto found = labels.find(label);
  return found == labels.end() ? label : found->second;
}

bool has(const std::vector<record::Label>& labels, const std::string& name) {
  return std::any_of(labels.begin(), labels.end(), [&](const record::Label& one) { return one.name == name; });
}

std::string_view trimmed(std::string_view text) {
  constexpr const char* kBlanks = " \t\r\n\"'`.";
  const size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

void fit_classes(Answer& answer, const record::AnnotationScheme& scheme, const LabelNames& labels) {
  const bool several = asks(scheme, Question::kClasses);
  std::vector<std::string> kept;
  for (const std::string& said : answer.classes) {
    const std::string& name = renamed(said, labels);
    if ((several || (asks(scheme, Question::kClass) && kept.empty())) && has(scheme.classes, name) && std::find(kept.begin(), kept.end(), name) == kept.end()) {
      kept.push_back(name);
    }
  }
  answer.classes = std::move(kept);
}

// Returns the new id of each old one.
std::map<std::string, std::string> fit_spans(Answer& answer, const record::AnnotationScheme& scheme, int64_t length, const LabelNames& labels) {
  std::map<std::string, std::string> ids;
  std::map<std::tuple<int64_t, int64_t, std::string>, std::string> seen;
  std::vector<record::Span> kept;
  int64_t covered = 0;
  if (asks(scheme, Question::kSpans)) {
    std::stable_sort(answer.spans.begin(), answer.spans.end(),
                     [](const record::Span& a, const record::Span& b) { return std::tuple(a.start, b.end) < std::tuple(b.start, a.end); });
    for (record::Span& span : answer.spans) {
      const std::string& name = renamed(span.label, labels);
      if (span.start < 0 || span.start >= span.end || span.end > length || !has(scheme.spans, name)) {
        continue;
      }
      const auto [place, is_new] = seen.try_emplace({span.start, span.end, name}, "");
      if (is_new) {
        if (!scheme.overlapping && span.start < covered) {
          seen.erase(place);
          continue;
        }
        covered = std::max(covered, span.end);
        place->second = "m" + std::to_string(kept.size() + 1);
        kept.push_back({place->second, span.start, span.end, name});
      }
      ids[span.id] = place->second;
    }
  }
  answer.spans = std::move(kept);
  return ids;
}

void fit_relations(Answer& answer, const record::AnnotationScheme& scheme, const std::map<std::string, std::string>& ids, const LabelNames& labels) {
  std::vector<record::Relation> kept;
  for (const record::Relation& relation : answer.relations) {
    const auto from = ids.find(relation.from);
    const auto to = ids.find(relation.to);
    const std::string& name = renamed(relation.label, labels);
    if (asks(scheme, Question::kRelations) && from != ids.end() && to != ids.end() && from->second != to->second && has(scheme.relations, name)) {
      record::Relation fitted{from->second, to->second, name};
      if (std::find(kept.begin(), kept.end(), fitted) == kept.end()) {
        kept.push_back(std::move(fitted));
      }
    }
  }
  answer.relations = std::move(kept);
}

}  // namespace

bool asks(const record::AnnotationScheme& scheme, Question question) noexcept {
  return std::find(scheme.questions.begin(), scheme.questions.end(), question) != scheme.questions.end();
}

std::optional<Suggestion> fit_suggestion(Suggestion suggestion, const record::AnnotationScheme& scheme, const record::Task& task, const LabelNames& labels) {
  Answer& answer = suggestion.answer;
  fit_classes(answer, scheme, labels);
  fit_relations(answer, scheme, fit_spans(answer, scheme, record::length_of(task.text), labels), labels);
  if (!asks(scheme, Question::kText)) {
    answer.texts.clear();
  }
  if (answer.rating && (!asks(scheme, Question::kRating) || *answer.rating < 1 || *answer.rating > scheme.rating_max)) {
    answer.rating.reset();
  }
  if (answer.preferred && (!asks(scheme, Question::kPreference) || *answer.preferred < -1 || *answer.preferred >= static_cast<int>(task.candidates.size()))) {
    answer.preferred.reset();
  }
  if (!asks(scheme, Question::kChatReview) || answer.message_ratings.size() != task.messages.size()) {
    answer.message_ratings.clear();
  }
  if (answer == Answer()) {
    return std::nullopt;
  }
  try {
    record::check(answer, scheme, task);
  } catch (const base::Error&) {
    return std::nullopt;
  }
  suggestion.score = std::isfinite(suggestion.score) ? std::clamp(suggestion.score, 0.0, 1.0) : 0;
  return suggestion;
}

std::optional<std::string> class_named(std::string_view text, const record::AnnotationScheme& scheme, const LabelNames& labels) {
  const std::string said = text::casefold(trimmed(text));
  for (const auto& [from, to] : labels) {
    if (text::casefold(from) == said && has(scheme.classes, to)) {
      return to;
    }
  }
  for (const record::Label& label : scheme.classes) {
    if (text::casefold(trimmed(label.name)) == said) {
      return label.name;
    }
  }
  return std::nullopt;
}

std::optional<Suggestion> suggestion_of_entities(std::vector<FoundEntity> found, std::string source) {
  std::stable_sort(found.begin(), found.end(), [](const FoundEntity& a, const FoundEntity& b) { return a.start < b.start; });
  std::vector<FoundEntity> joined;
  double sum = 0;
  for (FoundEntity& one : found) {
    const bool inside = one.label.starts_with("I-");
    if (inside || one.label.starts_with("B-")) {
      one.label.erase(0, 2);
    }
    sum += one.score;
    // A piece of a word, or a word after a blank.
    if (inside && !joined.empty() && joined.back().label == one.label && one.start <= joined.back().end + 1) {
      joined.back().end = std::max(joined.back().end, one.end);
    } else {
      joined.push_back(std::move(one));
    }
  }
  if (joined.empty()) {
    return std::nullopt;
  }
  Suggestion made{std::move(source), sum / static_cast<double>(found.size()), {}};
  for (const FoundEntity& one : joined) {
    made.answer.spans.push_back({"e" + std::to_string(made.answer.spans.size() + 1), one.start, one.end, one.label});
  }
  return made;
}

}  // namespace slipway::data
