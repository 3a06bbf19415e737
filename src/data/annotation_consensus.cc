#include "data/annotation_consensus.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <tuple>

#include "base/error.h"
#include "data/suggestion_fit.h"
#include "data/weak_labels.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using record::Answer;
using record::Question;

constexpr std::array<std::string_view, 3> kKinds = {"none", "majority", "dawid-skene"};
constexpr int kMaxCandidates = 1000;  // of a preference

int place_of(const std::vector<record::Label>& labels, const std::string& name) {
  const auto found = std::find_if(labels.begin(), labels.end(), [&](const record::Label& one) { return one.name == name; });
  return found == labels.end() ? -1 : static_cast<int>(found - labels.begin());
}

// The most frequent; the smallest of those. `values` is not empty.
template <class Value>
Value most_frequent(const std::vector<Value>& values) {
  std::map<Value, int> counts;
  for (const Value& value : values) {
    ++counts[value];
  }
  return std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
}

// The lower one of two.
int median(std::vector<int> values) {
  const size_t middle = (values.size() - 1) / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle), values.end());
  return values[middle];
}

using Place = std::tuple<int64_t, int64_t, std::string>;

// What more than half marked, with their relations, which are compared by the places of their ends.
void agree_on_marks(const std::vector<const Answer*>& answers, Answer& agreed) {
  std::map<Place, size_t> places;
  std::map<std::tuple<Place, Place, std::string>, size_t> links;
  for (const Answer* answer : answers) {
    std::map<std::string_view, Place> by_id;
    std::set<Place> own;
    for (const record::Span& span : answer->spans) {
      own.insert(by_id.emplace(span.id, Place(span.start, span.end, span.label)).first->second);
    }
    for (const Place& place : own) {
      ++places[place];
    }
    std::set<std::tuple<Place, Place, std::string>> own_links;
    for (const record::Relation& relation : answer->relations) {
      if (by_id.contains(relation.from) && by_id.contains(relation.to) && by_id[relation.from] != by_id[relation.to]) {
        own_links.emplace(by_id[relation.from], by_id[relation.to], relation.label);
      }
    }
    for (const auto& link : own_links) {
      ++links[link];
    }
  }
  std::map<Place, std::string> ids;
  for (const auto& [place, count] : places) {
    if (2 * count > answers.size()) {
      const std::string id = fmt::format("c{}", agreed.spans.size() + 1);
      ids[place] = id;
      agreed.spans.push_back({id, std::get<0>(place), std::get<1>(place), std::get<2>(place)});
    }
  }
  for (const auto& [link, count] : links) {
    const auto& [from, to, label] = link;
    if (2 * count > answers.size() && ids.contains(from) && ids.contains(to)) {
      agreed.relations.push_back({ids[from], ids[to], label});
    }
  }
}

std::vector<int> chat_medians(const std::vector<const Answer*>& answers) {
  size_t messages = 0;
  for (const Answer* answer : answers) {
    messages = std::max(messages, answer->message_ratings.size());
  }
  std::vector<int> ratings(messages, 0);
  for (size_t i = 0; i < messages; ++i) {
    std::vector<int> said;
    for (const Answer* answer : answers) {
      if (i < answer->message_ratings.size() && answer->message_ratings[i] > 0) {
        said.push_back(answer->message_ratings[i]);
      }
    }
    ratings[i] = said.empty() ? 0 : median(std::move(said));
  }
  return ratings;
}

std::vector<std::pair<const std::string*, const Answer*>> answers_of(const record::AnnotatedTask& task) {
  std::vector<std::pair<const std::string*, const Answer*>> answers;
  for (const record::Annotation& one : task.annotations) {
    if (!one.skipped && !one.ground_truth) {
      answers.emplace_back(&one.annotator, &one.answer);
    }
  }
  return answers;
}

}  // namespace

std::string_view name_of(ConsensusKind kind) noexcept { return kKinds[static_cast<size_t>(kind)]; }
ConsensusKind consensus_named(std::string_view name) {
  const auto found = std::find(kKinds.begin(), kKinds.end(), name);
  if (found == kKinds.end()) {
    throw Error(Code::kInvalid, fmt::format("a consensus is one of {}, not '{}'", fmt::join(kKinds, ", "), name.substr(0, 100)));
  }
  return static_cast<ConsensusKind>(found - kKinds.begin());
}

// Of the model: the class or each of several classes, then the rating, then the preference.
size_t Consensus::columns() const noexcept {
  if (kind_ != ConsensusKind::kDawidSkene) {
    return 0;
  }
  return (asks(scheme_, Question::kClasses) ? scheme_.classes.size() : 1) + 2;
}

int Consensus::category(const Answer& answer, size_t column) const {
  const bool several = asks(scheme_, Question::kClasses);
  const size_t of_classes = columns() - 2;
  if (column < of_classes) {
    if (several) {
      return std::find(answer.classes.begin(), answer.classes.end(), scheme_.classes[column].name) == answer.classes.end() ? 0 : 1;
    }
    return answer.classes.empty() || !asks(scheme_, Question::kClass) ? -1 : place_of(scheme_.classes, answer.classes[0]);
  }
  if (column == of_classes) {
    return answer.rating && asks(scheme_, Question::kRating) ? *answer.rating - 1 : -1;
  }
  return answer.preferred && asks(scheme_, Question::kPreference) && *answer.preferred < kMaxCandidates ? *answer.preferred + 1 : -1;
}

void Consensus::see(const record::AnnotatedTask& task) {
  const auto answers = answers_of(task);
  columns_.resize(columns());
  if (answers.empty() || columns_.empty() || !tasks_.emplace(task.task.key, tasks_.size()).second) {
    return;
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    Row& row = columns_[i].rows.emplace_back();
    for (const auto& [who, answer] : answers) {
      const int annotator = annotators_.emplace(*who, static_cast<int>(annotators_.size())).first->second;
      if (const int said = category(*answer, i); said >= 0) {
        row.emplace_back(annotator, said);
        columns_[i].categories = std::max(columns_[i].categories, said + 1);
      }
    }
  }
}

void Consensus::fit() {
  const size_t voters = annotators_.size();
  if (voters * tasks_.size() > kMaxCells) {
    throw Error(Code::kInvalid, fmt::format("{} tasks of {} annotators are too many for dawid-skene; take majority, or only some of the states", tasks_.size(), voters));
  }
  for (Column& column : columns_) {
    column.chosen.assign(column.rows.size(), -1);
    column.probability.assign(column.rows.size(), 1);
    if (column.categories == 0) {
      continue;
    }
    VoteMatrix votes;
    votes.items = static_cast<int64_t>(column.rows.size());
    votes.voters = static_cast<int>(voters);
    votes.classes = std::max(column.categories, 2);
    votes.votes.assign(column.rows.size() * voters, kAbstain);
    for (size_t i = 0; i < column.rows.size(); ++i) {
      for (const auto& [annotator, said] : column.rows[i]) {
        votes.votes[i * voters + static_cast<size_t>(annotator)] = said;
      }
    }
    const LabelModelResult fitted = fit_label_model(votes, LabelModelKind::kDawidSkene);
    for (size_t i = 0; i < column.rows.size(); ++i) {
      if (!column.rows[i].empty()) {
        const auto p = fitted.probabilities.begin() + static_cast<std::ptrdiff_t>(i * static_cast<size_t>(votes.classes));
        const auto best = std::max_element(p, p + votes.classes);
        column.chosen[i] = static_cast<int>(best - p);
        column.probability[i] = *best;
      }
    }
  }
}

Answer Consensus::agreed(const std::vector<const Answer*>& answers) const {
  Answer made;
  std::vector<int> classes;
  std::vector<int> ratings;
  std::vector<int> preferences;
  std::vector<std::vector<std::string>> texts;
  std::map<int, size_t> several;
  for (const Answer* answer : answers) {
    for (const std::string& name : answer->classes) {
      if (const int place = place_of(scheme_.classes, name); place >= 0) {
        classes.push_back(place);
        ++several[place];
      }
    }
    if (answer->rating) {
      ratings.push_back(*answer->rating);
    }
    if (answer->preferred) {
      preferences.push_back(*answer->preferred);
    }
    if (!answer->texts.empty()) {
      texts.push_back(answer->texts);
    }
  }
  if (asks(scheme_, Question::kClasses)) {
    for (const auto& [place, count] : several) {
      if (2 * count > answers.size()) {
        made.classes.push_back(scheme_.classes[static_cast<size_t>(place)].name);
      }
    }
  } else if (!classes.empty()) {
    made.classes = {scheme_.classes[static_cast<size_t>(most_frequent(classes))].name};
  }
  if (!ratings.empty()) {
    made.rating = median(std::move(ratings));
  }
  if (!preferences.empty()) {
    made.preferred = most_frequent(preferences);
  }
  if (!texts.empty()) {
    made.texts = most_frequent(texts);
  }
  agree_on_marks(answers, made);
  made.message_ratings = chat_medians(answers);
  return made;
}

void Consensus::put_fitted(size_t row, Answer& answer, double& least) const {
  const bool several = asks(scheme_, Question::kClasses);
  const size_t of_classes = columns() - 2;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const int chosen = columns_[i].chosen[row];
    if (chosen < 0) {
      continue;
    }
    least = std::min(least, columns_[i].probability[row]);
    if (i == of_classes) {
      answer.rating = chosen + 1;
    } else if (i > of_classes) {
      answer.preferred = chosen - 1;
    } else if (!several) {
      answer.classes = {scheme_.classes[static_cast<size_t>(chosen)].name};
    } else if (chosen == 1) {
      answer.classes.push_back(scheme_.classes[i].name);
    }
  }
}

bool Consensus::add(record::AnnotatedTask& task) const {
  const bool decided = std::any_of(task.annotations.begin(), task.annotations.end(), [](const auto& one) { return one.ground_truth; });
  const auto answers = answers_of(task);
  if (kind_ == ConsensusKind::kNone || decided || answers.size() < 2) {
    return false;
  }
  std::vector<const Answer*> said;
  for (const auto& [who, answer] : answers) {
    said.push_back(answer);
  }
  record::Annotation made;
  made.task = task.task.id;
  made.annotator = fmt::format("consensus:{}", name_of(kind_));
  made.ground_truth = true;
  made.answer = agreed(said);
  if (kind_ == ConsensusKind::kDawidSkene) {
    const auto row = tasks_.find(task.task.key);
    if (row == tasks_.end()) {
      return false;
    }
    double least = 1;
    if (asks(scheme_, Question::kClasses)) {
      made.answer.classes.clear();
    }
    put_fitted(row->second, made.answer, least);
    made.note = fmt::format("probability {:.3f}", least);
  }
  for (const record::Annotation& one : task.annotations) {
    made.created_ms = std::max(made.created_ms, one.updated_ms);  // the same answers give the same bytes
  }
  made.updated_ms = made.created_ms;
  task.annotations.insert(task.annotations.begin(), std::move(made));
  return true;
}

}  // namespace slipway::data
