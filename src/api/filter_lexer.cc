#include "api/filter_lexer.h"

#include <algorithm>
#include <array>

#include "net/http.h"

namespace slipway::api {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_operator(char c) { return std::string_view("<>=~!").find(c) != std::string_view::npos; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    while (skip_space()) {
      tokens.push_back(next());
    }
    return tokens;
  }

 private:
  bool skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) {
      ++at_;
    }
    return at_ < text_.size();
  }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  std::string_view since(size_t start) const { return text_.substr(start, at_ - start); }

  // Past a quoted text that begins here; a doubled or (for ' and ") escaped quote does not end it. False: it has no
  // end.
  bool skip_quoted() {
    const char quote = text_[at_];
    for (size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\' && quote != '`' && i + 1 < text_.size() && text_[i + 1] == quote &&
          text_.find(quote, i + 2) != std::string_view::npos) {
        ++i;
      } else if (text_[i] == quote) {
        if (i + 1 < text_.size() && text_[i + 1] == quote) {
          ++i;
          continue;
        }
        at_ = i + 1;
        return true;
      }
    }
    return false;
  }

  Token next() {
    const size_t start = at_;
    const char c = peek();
    if (c == '\'') {
      return skip_quoted() ? Token{TokenKind::kText, since(start), {}} : other();
    }
    if (c == '(') {
      return list();
    }
    if (is_operator(c)) {
      while (is_operator(peek())) {
        ++at_;
      }
      return {TokenKind::kOperator, since(start), since(start)};
    }
    if (number()) {
      return {TokenKind::kNumber, since(start), {}};
    }
    if (is_name(c) || c == '"' || c == '`') {
      return name();
    }
    return other();
  }

  Token other() {
    const size_t start = at_++;
    return {TokenKind::kOther, since(start), {}};
  }

  bool number() {
    size_t i = at_ + (peek() == '-' ? 1 : 0);
    const size_t digits = i;
    const auto skip_digits = [&] {
      while (i < text_.size() && is_digit(text_[i])) {
        ++i;
      }
    };
    skip_digits();
    size_t count = i - digits;
    if (i < text_.size() && text_[i] == '.') {
      const size_t point = i++;
      skip_digits();
      count += i - point - 1;
    }
    if (count == 0) {
      return false;
    }
    if (i < text_.size() && (text_[i] == 'e' || text_[i] == 'E')) {
      size_t exponent = i + 1;
      if (exponent < text_.size() && (text_[exponent] == '-' || text_[exponent] == '+')) {
        ++exponent;
      }
      if (exponent < text_.size() && is_digit(text_[exponent])) {
        i = exponent;
        skip_digits();
      }
    }
    if (i < text_.size() && is_name(text_[i])) {
      return false;  // "1abc" is a name
    }
    at_ = i;
    return true;
  }

  Token list() {
    const size_t start = at_;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = peek();
      if ((c == '\'' || c == '"' || c == '`') && skip_quoted()) {
        continue;
      }
      ++at_;
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth == 0) {
        return {TokenKind::kList, since(start), {}};
      }
    }
    at_ = start;
    return other();
  }

  Token name() {
    const size_t start = at_;
    for (;;) {
      if (peek() == '"' || peek() == '`') {
        if (!skip_quoted()) {
          return other();
        }
      } else {
        while (is_name(peek())) {
          ++at_;
        }
      }
      if (peek() != '.' || !(is_name(peek(1)) || peek(1) == '"' || peek(1) == '`')) {
        break;
      }
      ++at_;
    }
    return keyword({TokenKind::kName, since(start), {}});
  }

  // The word that follows, when it is `wanted`; it is taken then.
  bool take_word(std::string_view wanted) {
    const size_t before = at_;
    if (skip_space()) {
      const size_t start = at_;
      while (is_name(peek())) {
        ++at_;
      }
      if (same_word(since(start), wanted)) {
        return true;
      }
    }
    at_ = before;
    return false;
  }

  Token keyword(Token token) {
    static constexpr std::array<std::string_view, 4> kOperators = {"LIKE", "ILIKE", "RLIKE", "IN"};
    static constexpr std::array<std::string_view, 7> kWords = {"AND", "OR", "NOT", "IS", "NULL", "TRUE", "FALSE"};
    const size_t start = at_ - token.text.size();
    const auto* const op = std::find_if(kOperators.begin(), kOperators.end(),
                                        [&](std::string_view word) { return same_word(word, token.text); });
    if (op != kOperators.end()) {
      return {TokenKind::kOperator, token.text, *op};
    }
    const auto* const word = std::find_if(kWords.begin(), kWords.end(),
                                          [&](std::string_view known) { return same_word(known, token.text); });
    if (word == kWords.end()) {
      return token;
    }
    if (*word == "NOT") {
      for (const auto& [follows, both] : {std::pair{"IN", "NOT IN"}, {"LIKE", "NOT LIKE"}, {"ILIKE", "NOT ILIKE"}}) {
        if (take_word(follows)) {
          return {TokenKind::kOperator, since(start), both};
        }
      }
    } else if (*word == "IS") {
      if (take_word("NULL")) {
        return {TokenKind::kOperator, since(start), "IS NULL"};
      }
      const size_t before = at_;
      if (take_word("NOT") && take_word("NULL")) {
        return {TokenKind::kOperator, since(start), "IS NOT NULL"};
      }
      at_ = before;
    }
    return {TokenKind::kWord, token.text, *word};
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

bool same_word(std::string_view a, std::string_view b) noexcept { return net::equal_ignoring_case(a, b); }

std::vector<Token> lex_filter(std::string_view text) { return Lexer(text).run(); }

}  // namespace slipway::api
