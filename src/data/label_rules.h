// What dictionaries and regular expressions (RE2) say of a text, as suggestions for its annotators: spans where the scheme has a label of
// spans of that name, else classes. Terms match whole words (of any language; a Han ideograph is one), in order, with only blanks and
// punctuation between. Immutable once made: any thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "record/annotation_stores.h"

namespace slipway::data {

class LabelRules {
 public:
  // Throws Error(kInvalid) naming the label for an expression that RE2 does not take.
  LabelRules(std::span<const record::LabelRule> rules, const record::AnnotationScheme& scheme);
  ~LabelRules();
  LabelRules(LabelRules&&) noexcept;

  // One of "dictionary" and one of "regex", if they say anything. The score of a class is its share of the matches; of spans it is 1.
  // O(words * longest term) and linear for each expression. At most kMaxMatches of each.
  static constexpr size_t kMaxMatches = 10000;
  std::vector<record::Suggestion> suggest(const record::Task& task) const;
  // Whether each rule, in their order, matches the text somewhere. Cost as suggest().
  std::vector<char> matched(std::string_view text) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace slipway::data
