// The lists behind identity.h. Constant; any thread.
#pragma once

#include <span>
#include <string_view>

namespace slipway::text {

struct GroupTerm {
  std::string_view term;  // lower case; several words separated by one space; or Chinese
  std::string_view group;
};
std::span<const GroupTerm> group_terms() noexcept;

// Two words that are each other's counterpart.
struct GenderPair {
  std::string_view female;
  std::string_view male;
};
std::span<const GenderPair> gender_pairs() noexcept;          // English, lower case; "her" is not in it
std::span<const GenderPair> chinese_gender_pairs() noexcept;  // longest first

struct NameList {
  std::string_view group;
  std::span<const std::string_view> names;
};
std::span<const NameList> name_lists() noexcept;  // sorted by group

// Names that are also common words: count only capitalised inside a sentence.
std::span<const std::string_view> ambiguous_names() noexcept;

// Words after which "her" stands alone (an object): "told her that", "saw her and"; everything else is taken for a noun
// phrase.
std::span<const std::string_view> words_after_object() noexcept;

}  // namespace slipway::text
