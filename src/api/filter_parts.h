// Private to the search language: what the grammars of the different records share. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/tracking.h"

namespace slipway::api::filter_parts {

// Of an operator as the lexer writes it, "NOT IN"; it must be one.
record::Comparator comparator(std::string_view word);
bool is_operator_word(std::string_view word);
// Without one pair of ', " or `.
std::string_view without_quotes(std::string_view text);
bool has_quotes(std::string_view text, char quote);
// The texts of "('a', 'b')". Throws ApiError in MLflow's words.
std::vector<std::string> texts_of_list(std::string_view text);
// As Python shows a set of texts, in the order given.
std::string python_set(std::span<const std::string_view> items);

}  // namespace slipway::api::filter_parts
