#include "data/weak_suggestions.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/error.h"

namespace slipway::data {

ClassVoters::ClassVoters(const record::AnnotationSettings& settings) : rules_(settings.rules, settings.scheme) {
  for (const record::Label& label : settings.scheme.classes) {
    classes_.push_back(label.name);
  }
  std::map<std::string, size_t> numbers;
  for (size_t i = 0; i < settings.rules.size(); ++i) {
    const record::LabelRule& rule = settings.rules[i];
    const auto found = std::find(classes_.begin(), classes_.end(), rule.label);
    const bool span = std::any_of(settings.scheme.spans.begin(), settings.scheme.spans.end(), [&](const record::Label& one) { return one.name == rule.label; });
    if (found == classes_.end() || span) {
      by_rule_.emplace_back(SIZE_MAX, kAbstain);
      continue;
    }
    const std::string name = rule.name.empty() ? fmt::format("{} (rule {})", rule.label, i + 1) : rule.name;
    const auto [voter, is_new] = numbers.try_emplace(name, names_.size());
    if (is_new) {
      names_.push_back(name);
    }
    by_rule_.emplace_back(voter->second, static_cast<int>(found - classes_.begin()));
  }
}

std::vector<int> ClassVoters::vote(std::string_view text) const {
  std::vector<int> votes(names_.size(), kAbstain);
  const std::vector<char> matched = rules_.matched(text);
  for (size_t i = 0; i < matched.size(); ++i) {
    const auto [voter, number] = by_rule_[i];
    if (matched[i] != 0 && number != kAbstain && votes[voter] == kAbstain) {
      votes[voter] = number;
    }
  }
  return votes;
}

std::string class_said(const std::vector<record::KeptAnnotation>& annotations) {
  for (const record::KeptAnnotation& one : annotations) {
    if (!one.annotation.skipped && !one.annotation.answer.classes.empty()) {
      return one.annotation.answer.classes.front();
    }
  }
  return "";
}

WeakLabeller::WeakLabeller(const record::AnnotationSettings& settings, LabelModelKind kind, const Texts& texts)
    : voters_(std::make_shared<const ClassVoters>(settings)), kind_(kind) {
  if (voters_->names().empty() || voters_->classes().size() < 2) {
    throw base::Error(base::Code::kInvalid, "a label model needs two classes, and dictionaries or expressions (rules) that name classes");
  }
  VoteMatrix votes;
  std::vector<int> truth;
  votes.voters = static_cast<int>(voters_->names().size());
  votes.classes = static_cast<int>(voters_->classes().size());
  while (votes.votes.size() + voters_->names().size() <= kMaxVotes) {
    const auto text = texts();
    if (!text) {
      break;
    }
    const std::vector<int> row = voters_->vote(text->text);
    const auto known = std::find(voters_->classes().begin(), voters_->classes().end(), text->truth);
    truth.push_back(known == voters_->classes().end() ? kAbstain : static_cast<int>(known - voters_->classes().begin()));
    votes.votes.insert(votes.votes.end(), row.begin(), row.end());
    ++votes.items;
  }
  if (std::all_of(votes.votes.begin(), votes.votes.end(), [](int vote) { return vote == kAbstain; })) {
    throw base::Error(base::Code::kInvalid, fmt::format("none of the rules matches any of {} texts", votes.items));
  }
  texts_ = votes.items;
  summary_ = summarize_votes(votes, truth);
  model_ = fit_label_model(votes, kind);
  model_.probabilities.clear();  // those of texts are asked for one by one
  model_.probabilities.shrink_to_fit();
}

std::optional<record::Suggestion> WeakLabeller::suggest(std::string_view text) const {
  const std::vector<int> votes = voters_->vote(text);
  if (std::all_of(votes.begin(), votes.end(), [](int vote) { return vote == kAbstain; })) {
    return std::nullopt;
  }
  const std::vector<double> p = probabilities(votes);
  const auto best = std::max_element(p.begin(), p.end());
  record::Suggestion made{fmt::format("weak:{}", name_of(kind_)), *best, {}};
  made.answer.classes = {voters_->classes()[static_cast<size_t>(best - p.begin())]};
  return made;
}

}  // namespace slipway::data
