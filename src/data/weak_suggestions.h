// What a project's rules say of the class of a text, joined: each rule that names a class is a labelling function (rules of one name are one
// together), a label model (weak_labels.h) learns from all tasks how far each is to be believed. Immutable once made: any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/label_rules.h"
#include "data/weak_labels.h"
#include "record/annotation_stores.h"

namespace slipway::data {

class ClassVoters {
 public:
  // Throws Error(kInvalid) for an expression that RE2 does not take. A project may have no voters.
  explicit ClassVoters(const record::AnnotationSettings& settings);
  const std::vector<std::string>& names() const noexcept { return names_; }
  const std::vector<std::string>& classes() const noexcept { return classes_; }
  // One of each voter: a class, or kAbstain. Cost as LabelRules::matched.
  std::vector<int> vote(std::string_view text) const;

 private:
  std::vector<std::string> names_, classes_;
  std::vector<std::pair<size_t, int>> by_rule_;  // its voter and class; names_.size(): none
  LabelRules rules_;
};

// The class that counts among what was said of a task: the decision's, else the first answer's; empty where there is none.
std::string class_said(const std::vector<record::KeptAnnotation>& annotations);

class WeakLabeller {
 public:
  // Texts are asked for until there are no more (nullopt); those beyond kMaxVotes / voters are left out. Throws Error(kInvalid) when there are
  // no voters, fewer than two classes, or nobody votes.
  static constexpr size_t kMaxVotes = 20'000'000;
  struct Text {
    std::string text;
    std::string truth;  // the class that people say; empty: not known. For the summary alone
  };
  using Texts = std::function<std::optional<Text>()>;
  WeakLabeller(const record::AnnotationSettings& settings, LabelModelKind kind, const Texts& texts);

  const ClassVoters& voters() const noexcept { return *voters_; }
  LabelModelKind kind() const noexcept { return kind_; }
  const LabelModelResult& model() const noexcept { return model_; }
  const VoteSummary& summary() const noexcept { return summary_; }
  int64_t texts() const noexcept { return texts_; }
  std::vector<double> probabilities(const std::vector<int>& votes) const { return label_probabilities(model_, kind_, votes); }
  // The likeliest class with its probability; nothing where nobody votes. Its source is "weak:" and the model's name.
  std::optional<record::Suggestion> suggest(std::string_view text) const;

 private:
  std::shared_ptr<const ClassVoters> voters_;
  LabelModelKind kind_;
  LabelModelResult model_;
  VoteSummary summary_;
  int64_t texts_ = 0;
};

}  // namespace slipway::data
