#include "text/jinja_lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "text/python_text.h"
#include "text/unicode.h"

namespace slipway::text::jinja {
namespace {

constexpr std::array<std::string_view, 26> kOperators = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                         "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                         ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};

bool is_name_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit_char(char c) noexcept { return c >= '0' && c <= '9'; }

std::string unify_newlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      i += i + 1 < source.size() && source[i + 1] == '\n' ? 1 : 0;
    } else {
      out += source[i];
    }
  }
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string source) : source_(std::move(source)), text_(source_) {
    if (text_.ends_with('\n')) {  // keep_trailing_newline is off
      text_.remove_suffix(1);
    }
  }

  std::vector<Token> run() {
    while (at_ < text_.size()) {
      data();
    }
    push(TokenKind::kEnd);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw_at(line_, what); }

  void push(TokenKind kind, std::string text = {}) { tokens_.push_back({kind, std::move(text), 0, 0, line_}); }

  void advance(size_t to) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  size_t skip_space(size_t at) const {
    while (at < text_.size()) {
      const Decoded d = decode_at(text_, at);
      if (!python::is_space(d.code)) {
        break;
      }
      at += d.size;
    }
    return at;
  }

  // The end of a tag that closes at `at` with `close` ("%}", "}}", "#}"), white space that it eats included; nullopt
  // when it does not close there.
  std::optional<size_t> closing(size_t at, std::string_view close, bool plus_allowed, bool trim_newline) const {
    const std::string_view rest = text_.substr(at);
    if (rest.starts_with('-') && rest.substr(1).starts_with(close)) {
      return skip_space(at + 1 + close.size());
    }
    if (plus_allowed && rest.starts_with('+') && rest.substr(1).starts_with(close)) {
      return at + 1 + close.size();
    }
    if (!rest.starts_with(close)) {
      return std::nullopt;
    }
    const size_t end = at + close.size();
    return end + (trim_newline && end < text_.size() && text_[end] == '\n' ? 1 : 0);
  }

  // The end of "raw -%}" or "endraw -%}" when the block at `at` (behind its sign) is that.
  std::optional<size_t> raw_tag(size_t at, std::string_view name, bool opening) const {
    at = skip_space(at);
    if (!text_.substr(at).starts_with(name)) {
      return std::nullopt;
    }
    return closing(skip_space(at + name.size()), "%}", !opening, !opening);
  }

  // Text before a tag, cut as the tag's sign and lstrip_blocks say.
  void emit_data(std::string_view text, char sign, bool is_variable) {
    if (sign == '-') {
      text = python::strip(text, python::Side::kRight);
    } else if (sign != '+' && !is_variable) {
      const size_t newline = text.rfind('\n');
      const size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
      if ((begin > 0 || line_starting_) && python::strip(text.substr(begin)).empty()) {
        text = text.substr(0, begin);
      }
    }
    if (!text.empty()) {
      push(TokenKind::kData, std::string(text));
    }
  }

  char sign_at(size_t at) const {
    return at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : '\0';
  }

  void moved_past(size_t to) {
    line_starting_ = to > 0 && text_[to - 1] == '\n';
    advance(to);
  }

  // From text up to the next tag, and the tag.
  void data() {
    size_t open = at_;
    while ((open = text_.find('{', open)) != std::string_view::npos &&
           (open + 1 >= text_.size() || std::string_view("%{#").find(text_[open + 1]) == std::string_view::npos)) {
      ++open;
    }
    if (open == std::string_view::npos) {
      push(TokenKind::kData, std::string(text_.substr(at_)));
      advance(text_.size());
      return;
    }
    const char type = text_[open + 1];
    const char sign = sign_at(open + 2);
    const size_t inside = open + 2 + (sign != '\0' ? 1 : 0);
    emit_data(text_.substr(at_, open - at_), sign, type == '{');
    advance(inside);
    line_starting_ = false;
    if (type == '#') {
      comment();
    } else if (const auto raw = type == '%' ? raw_tag(inside, "raw", true) : std::nullopt) {
      moved_past(*raw);
      raw_block();
    } else {
      push(type == '%' ? TokenKind::kBlockBegin : TokenKind::kVariableBegin);
      tag(type == '%');
    }
  }

  void comment() {
    for (size_t at = at_; at < text_.size(); ++at) {
      if (const auto end = closing(at, "#}", true, true)) {
        moved_past(*end);
        return;
      }
    }
    fail("a comment {# has no end");
  }

  void raw_block() {
    for (size_t open = at_; (open = text_.find("{%", open)) != std::string_view::npos; ++open) {
      const char sign = sign_at(open + 2);
      if (const auto end = raw_tag(open + 2 + (sign != '\0' ? 1 : 0), "endraw", false)) {
        emit_data(text_.substr(at_, open - at_), sign, false);
        moved_past(*end);
        return;
      }
    }
    fail("{% raw %} has no {% endraw %}");
  }

  // The inside of a tag up to its end.
  void tag(bool is_block) {
    std::string open;  // brackets that wait for their closing one
    while (true) {
      if (open.empty()) {
        if (const auto end = closing(at_, is_block ? "%}" : "}}", is_block, is_block)) {
          push(is_block ? TokenKind::kBlockEnd : TokenKind::kVariableEnd);
          moved_past(*end);
          return;
        }
      }
      if (at_ >= text_.size()) {
        fail(is_block ? "a tag {% has no end" : "a tag {{ has no end");
      }
      const size_t after_space = skip_space(at_);
      if (after_space != at_) {
        advance(after_space);
      } else {
        word(open);
      }
    }
  }

  void word(std::string& open) {
    const char c = text_[at_];
    if (is_digit_char(c)) {
      number();
    } else if (is_name_start(c)) {
      size_t end = at_;
      while (end < text_.size() && (is_name_start(text_[end]) || is_digit_char(text_[end]))) {
        ++end;
      }
      push(TokenKind::kName, std::string(text_.substr(at_, end - at_)));
      advance(end);
    } else if (c == '\'' || c == '"') {
      string(c);
    } else {
      symbol(open);
    }
  }

  void symbol(std::string& open) {
    const std::string_view rest = text_.substr(at_);
    const auto* const found = std::find_if(kOperators.begin(), kOperators.end(),
                                           [&](std::string_view candidate) { return rest.starts_with(candidate); });
    if (found == kOperators.end()) {
      fail(fmt::format("unexpected character '{}'", rest.substr(0, decode_at(text_, at_).size)));
    }
    constexpr std::string_view kOpening = "([{";
    constexpr std::string_view kClosing = ")]}";
    if (const size_t which = kOpening.find(found->front()); which != std::string_view::npos) {
      open += kClosing[which];
    } else if (kClosing.find(found->front()) != std::string_view::npos) {
      if (open.empty() || open.back() != found->front()) {
        fail(fmt::format("unexpected '{}'", *found));
      }
      open.pop_back();
    }
    push(TokenKind::kOperator, std::string(*found));
    advance(at_ + found->size());
  }

  // Digits with single underscores between them.
  size_t digits(size_t at) const {
    while (at < text_.size() &&
           (is_digit_char(text_[at]) || (text_[at] == '_' && at + 1 < text_.size() && is_digit_char(text_[at + 1])))) {
      ++at;
    }
    return at;
  }

  void number() {
    if (text_[at_] == '0' && at_ + 1 < text_.size() &&
        std::string_view("xXoObB").find(text_[at_ + 1]) != std::string_view::npos) {
      return prefixed_integer();
    }
    size_t end = digits(at_);
    bool is_float = false;
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';  // x.0.1 takes items, it is no number
    if (!after_dot && end + 1 < text_.size() && text_[end] == '.' && is_digit_char(text_[end + 1])) {
      is_float = true;
      end = digits(end + 1);
    }
    if (!after_dot && end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      const size_t sign = end + 1 < text_.size() && (text_[end + 1] == '+' || text_[end + 1] == '-') ? 1 : 0;
      if (end + 1 + sign < text_.size() && is_digit_char(text_[end + 1 + sign])) {
        is_float = true;
        end = digits(end + 1 + sign);
      }
    }
    std::string value(text_.substr(at_, end - at_));
    std::erase(value, '_');
    push(is_float ? TokenKind::kFloat : TokenKind::kInteger);
    Token& token = tokens_.back();
    const char* const last = value.data() + value.size();
    const auto result = is_float ? std::from_chars(value.data(), last, token.number)
                                 : std::from_chars(value.data(), last, token.integer);
    if (result.ec != std::errc() || result.ptr != last) {
      fail(fmt::format("the number {} is out of range", value));
    }
    advance(end);
  }

  void prefixed_integer() {
    const char prefix = text_[at_ + 1];
    const int number_base = prefix == 'x' || prefix == 'X' ? 16 : prefix == 'o' || prefix == 'O' ? 8 : 2;
    push(TokenKind::kInteger);
    const char* const first = text_.data() + at_ + 2;
    const auto result = std::from_chars(first, text_.data() + text_.size(), tokens_.back().integer, number_base);
    if (result.ec != std::errc()) {
      fail("a number that cannot be read");
    }
    advance(static_cast<size_t>(result.ptr - text_.data()));
  }

  void string(char quote) {
    std::string value;
    size_t at = at_ + 1;
    while (at < text_.size() && text_[at] != quote) {
      if (text_[at] == '\\' && at + 1 < text_.size()) {
        at = escape(at + 1, value);
      } else {
        value += text_[at++];
      }
    }
    if (at >= text_.size()) {
      fail("a string has no end");
    }
    push(TokenKind::kString, std::move(value));
    advance(at + 1);
  }

  // The escape whose character behind the backslash is at `at`; returns where it ends. Python's rules: what is no
  // escape stays as it is.
  size_t escape(size_t at, std::string& out) const {
    constexpr std::string_view kNames = "abfnrtv\\'\"";
    constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\'\"";
    const char c = text_[at];
    if (const size_t which = kNames.find(c); which != std::string_view::npos) {
      out += kValues[which];
      return at + 1;
    }
    if (c == '\n') {
      return at + 1;
    }
    if (c >= '0' && c <= '7') {
      uint32_t code = 0;
      const size_t end = std::min(text_.size(), at + 3);
      while (at < end && text_[at] >= '0' && text_[at] <= '7') {
        code = code * 8 + static_cast<uint32_t>(text_[at++] - '0');
      }
      append_utf8(code, out);
      return at;
    }
    const size_t size = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (size == 0) {
      out += '\\';
      return at;
    }
    uint32_t code = 0;
    const char* const first = text_.data() + at + 1;
    const char* const last = text_.data() + std::min(text_.size(), at + 1 + size);
    const auto result = std::from_chars(first, last, code, 16);
    if (result.ptr != first + size) {
      fail("a string has a broken \\x, \\u or \\U escape");
    }
    append_utf8(code, out);
    return at + 1 + size;
  }

  const std::string source_;
  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // what was read last ended a line
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(unify_newlines(source)).run(); }

void throw_at(int line, const std::string& what) {
  throw base::Error(base::Code::kInvalid, fmt::format("chat template, line {}: {}", line, what));
}

}  // namespace slipway::text::jinja
