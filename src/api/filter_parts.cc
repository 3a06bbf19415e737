#include "api/filter_parts.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/errors.h"
#include "api/filter_lexer.h"

namespace slipway::api::filter_parts {
namespace {

using record::Comparator;

constexpr size_t kMaxList = 1000;

struct Operator {
  std::string_view text;
  Comparator comparator;
};
constexpr std::array<Operator, 13> kOperators = {{{"=", Comparator::kEqual},
                                                  {"!=", Comparator::kNotEqual},
                                                  {">", Comparator::kGreater},
                                                  {">=", Comparator::kGreaterEqual},
                                                  {"<", Comparator::kLess},
                                                  {"<=", Comparator::kLessEqual},
                                                  {"LIKE", Comparator::kLike},
                                                  {"ILIKE", Comparator::kILike},
                                                  {"RLIKE", Comparator::kRLike},
                                                  {"IN", Comparator::kIn},
                                                  {"NOT IN", Comparator::kNotIn},
                                                  {"IS NULL", Comparator::kIsNull},
                                                  {"IS NOT NULL", Comparator::kIsNotNull}}};

const Operator* find_operator(std::string_view word) {
  const auto* const found =
      std::find_if(kOperators.begin(), kOperators.end(), [&](const Operator& op) { return op.text == word; });
  return found == kOperators.end() ? nullptr : found;
}

}  // namespace

Comparator comparator(std::string_view word) { return find_operator(word)->comparator; }
bool is_operator_word(std::string_view word) { return find_operator(word) != nullptr; }

bool has_quotes(std::string_view text, char quote) {
  return text.size() >= 2 && text.front() == quote && text.back() == quote;
}

std::string_view without_quotes(std::string_view text) {
  const bool quoted = has_quotes(text, '\'') || has_quotes(text, '"') || has_quotes(text, '`');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::string python_set(std::span<const std::string_view> items) {
  std::string out = "{";
  for (const std::string_view item : items) {
    out += (out.size() > 1 ? ", " : "") + python_repr(item);
  }
  return out + "}";
}

std::vector<std::string> texts_of_list(std::string_view text) {
  std::vector<std::string> items;
  bool comma = true;  // an item may come
  for (const Token& token : lex_filter(text.substr(1, text.size() - 2))) {
    const bool quoted =
        token.kind == TokenKind::kText || (token.kind == TokenKind::kName && has_quotes(token.text, '"'));
    if (quoted && comma) {
      items.emplace_back(without_quotes(token.text));
      comma = false;
    } else if (token.text == "," && !comma) {
      comma = true;
    } else if (token.kind == TokenKind::kNumber && comma) {
      invalid(
          fmt::format("While parsing a list in the query, expected string value, punctuation, or whitespace, but got "
                      "different type in list: {}",
                      text));
    } else {
      invalid(
          "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.");
    }
  }
  if (items.empty()) {
    invalid("While parsing a list in the query, expected a non-empty list of string values, but got empty list");
  }
  if (items.size() > kMaxList) {
    invalid(fmt::format("a list in a filter may have {} items, this has {}", kMaxList, items.size()));
  }
  return items;
}

}  // namespace slipway::api::filter_parts
