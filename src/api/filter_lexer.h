// Private to the search language: texts into tokens, as sqlparse sees them. Views into the text.
#pragma once

#include <string_view>
#include <vector>

namespace slipway::api {

enum class TokenKind {
  kName,      // a.b, a.`b c`, a."b c", "a": an identifier
  kText,      // 'single'
  kNumber,    // 5, -1.5, 1e3
  kOperator,  // = != < …, LIKE, ILIKE, IN, NOT IN, NOT LIKE, IS NULL, IS NOT NULL
  kWord,      // AND, OR, NOT and other keywords
  kList,      // ( … ) whole
  kOther      // anything else, a character
};

struct Token {
  TokenKind kind = TokenKind::kOther;
  std::string_view text;  // as written
  std::string_view word;  // of an operator: in the form "NOT IN"; of a word: upper case when it is known
};

std::vector<Token> lex_filter(std::string_view text);
// Without upper and lower case, for ASCII.
bool same_word(std::string_view a, std::string_view b) noexcept;

}  // namespace slipway::api
