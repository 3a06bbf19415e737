// GBNF, llama.cpp's notation for grammars (grammars/README.md there): one rule after the other, `name ::= ...`.
#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "text/grammar.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using Expr = Grammar::Expr;

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr int kMaxDepth = 100;
constexpr size_t kMaxRules = 20'000;

class GbnfParser {
 public:
  GbnfParser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Grammar parse() {
    space(true);
    while (at_ < text_.size()) {
      rule();
      space(true);
    }
    const auto root = rules_.find("root");
    if (root == rules_.end() || !grammar_.rules()[root->second].defined) {
      throw base::Error(base::Code::kInvalid, fmt::format("{}: the grammar has no rule 'root'", source_));
    }
    for (const Grammar::RuleInfo& info : grammar_.rules()) {
      if (!info.defined) {
        throw base::Error(base::Code::kInvalid,
                          fmt::format("{}: rule '{}' is used and not defined", source_, info.name));
      }
    }
    grammar_.set_root(root->second);
    return std::move(grammar_);
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < at_ && i < text_.size(); ++i) {
      column = text_[i] == '\n' ? 1 : column + 1;
      line += text_[i] == '\n' ? 1 : 0;
    }
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: grammar, line {}, column {}: {}", source_, line, column, what));
  }
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) {
      return false;
    }
    at_ += token.size();
    return true;
  }

  // White space and comments; over line ends only where a rule goes on.
  void space(bool lines) {
    while (!done()) {
      const char c = peek();
      if (c == '#') {
        while (!done() && peek() != '\n' && peek() != '\r') {
          ++at_;
        }
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  }
  std::string_view name() {
    const size_t begin = at_;
    while (!done() && is_name(peek())) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }
  Grammar::Rule rule_of(std::string_view name) {
    const auto it = rules_.find(name);
    if (it != rules_.end()) {
      return it->second;
    }
    if (rules_.size() >= kMaxRules) {
      fail(fmt::format("more than {} rules", kMaxRules));
    }
    const Grammar::Rule rule = grammar_.add_rule(std::string(name));
    rules_.emplace(std::string(name), rule);
    return rule;
  }

  void rule() {
    const std::string_view word = name();
    if (word.empty()) {
      fail("expected the name of a rule");
    }
    const Grammar::Rule rule = rule_of(word);
    if (grammar_.rules()[rule].defined) {
      fail(fmt::format("rule '{}' is defined twice", word));
    }
    space(false);
    if (!take("::=")) {
      fail("expected '::='");
    }
    space(true);
    const Expr body = alternatives(0);
    if (!done() && peek() != '\n' && peek() != '\r') {
      fail("expected the end of the line");
    }
    grammar_.define(rule, body);
  }

  Expr alternatives(int depth) {
    if (depth > kMaxDepth) {
      fail(fmt::format("groups nested deeper than {}", kMaxDepth));
    }
    std::vector<Expr> parts = {sequence(depth)};
    while (next_alternative()) {
      space(true);
      parts.push_back(sequence(depth));
    }
    return grammar_.any_of(std::move(parts));
  }

  // A '|', which may begin a line.
  bool next_alternative() {
    const size_t begin = at_;
    space(true);
    if (take("|")) {
      return true;
    }
    at_ = begin;
    return false;
  }

  Expr sequence(int depth) {
    std::vector<Expr> parts;
    for (;;) {
      const char c = peek();
      Expr part = 0;
      if (c == '"') {
        part = literal();
      } else if (c == '[') {
        part = char_class();
      } else if (c == '.') {
        ++at_;
        part = grammar_.chars({{0, 0x10FFFF}});
      } else if (c == '(') {
        ++at_;
        space(true);
        part = alternatives(depth + 1);
        space(true);
        if (!take(")")) {
          fail("expected ')'");
        }
      } else if (is_name(c)) {
        part = grammar_.call(rule_of(name()));
      } else if (c == '<') {
        fail("tokens, as in <token>, are not supported; write the text");
      } else {
        return grammar_.sequence(std::move(parts));
      }
      // Between a part and its repetition there may be spaces; inside a group also line ends.
      space(depth > 0);
      parts.push_back(repeated(part, depth));
    }
  }

  Expr repeated(Expr part, int depth) {
    for (;;) {
      uint32_t min = 0;
      uint32_t max = Grammar::kUnlimited;
      if (take("+")) {
        min = 1;
      } else if (take("?")) {
        max = 1;
      } else if (take("{")) {
        space(depth > 0);
        const bool has_min = peek() >= '0' && peek() <= '9';
        min = has_min ? number() : 0;
        max = min;
        space(depth > 0);
        if (take(",")) {
          space(depth > 0);
          max = peek() >= '0' && peek() <= '9' ? number() : Grammar::kUnlimited;
          space(depth > 0);
        } else if (!has_min) {
          fail("expected a number");
        }
        if (!take("}")) {
          fail("expected '}'");
        }
        if (max < min) {
          fail("a repetition with fewer at most than at least");
        }
      } else if (!take("*")) {
        return part;
      }
      part = grammar_.repeat(part, min, max);
      space(depth > 0);
    }
  }

  uint32_t number() {
    uint32_t value = 0;
    while (peek() >= '0' && peek() <= '9') {
      value = value * 10 + static_cast<uint32_t>(text_[at_++] - '0');
      if (value > Grammar::kMaxRepeat) {
        fail(fmt::format("more than {} repetitions", Grammar::kMaxRepeat));
      }
    }
    return value;
  }

  char32_t hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = peek();
      const char lower = static_cast<char>(c | 0x20);
      const bool digit = c >= '0' && c <= '9';
      if (!digit && (lower < 'a' || lower > 'f')) {
        fail("expected hexadecimal digits");
      }
      value = value * 16 + static_cast<char32_t>(digit ? c - '0' : lower - 'a' + 10);
      ++at_;
    }
    return value;
  }

  char32_t character() {
    if (done()) {
      fail("it ends too early");
    }
    if (!take("\\")) {
      const Decoded decoded = decode_at(text_, at_);
      at_ += decoded.size;
      return decoded.code;
    }
    const char c = peek();
    ++at_;
    switch (c) {
      case 'n': return U'\n';
      case 'r': return U'\r';
      case 't': return U'\t';
      case 'x': return hex(2);
      case 'u': return hex(4);
      case 'U': return hex(8);
      case '\\':
      case '"':
      case '[':
      case ']': return static_cast<char32_t>(c);
      default: --at_; fail("an escape that is not supported");
    }
  }

  Expr literal() {
    ++at_;
    std::string bytes;
    while (!take("\"")) {
      append_utf8(character(), bytes);
    }
    return grammar_.literal(bytes);
  }

  Expr char_class() {
    ++at_;
    const bool negated = take("^");
    std::vector<CodeRange> ranges;
    while (!take("]")) {
      const char32_t first = character();
      char32_t last = first;
      if (peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        last = character();
      }
      if (last < first) {
        fail("a range that ends before it begins");
      }
      ranges.push_back({first, last});
    }
    ranges = normal_ranges(std::move(ranges));
    return grammar_.chars(negated ? complement_ranges(ranges) : ranges);
  }

  const std::string_view text_;
  const std::string& source_;
  size_t at_ = 0;
  Grammar grammar_;
  std::map<std::string, Grammar::Rule, std::less<>> rules_;
};

}  // namespace

Grammar grammar_from_gbnf(std::string_view gbnf, const std::string& source) {
  if (gbnf.size() > kMaxBytes || !is_valid_utf8(gbnf)) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: a grammar is at most {} bytes of UTF-8", source, kMaxBytes));
  }
  return GbnfParser(gbnf, source).parse();
}

}  // namespace slipway::text
