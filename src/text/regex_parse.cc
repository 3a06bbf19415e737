#include <fmt/format.h>
#include <utility>

#include "base/error.h"
#include "text/regex_node.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using Node = RegexNode;
using Program = Regex::Program;

constexpr int kMaxDepth = 50;
constexpr uint32_t kMaxRepeat = 1'000;

class Parser {
 public:
  Parser(std::u32string pattern, Regex::Flavor flavor, const std::string& source)
      : pattern_(std::move(pattern)), flavor_(flavor), source_(source) {}

  Node parse() {
    Node node = alternatives(0);
    if (at_ < pattern_.size()) {
      fail("a ')' without '('");
    }
    return node;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: regular expression, character {}: {}", source_, at_ + 1, what));
  }
  bool done() const noexcept { return at_ >= pattern_.size(); }
  bool next_is(std::u32string_view text) const noexcept { return pattern_.compare(at_, text.size(), text) == 0; }
  bool take(std::u32string_view text) noexcept {
    if (!next_is(text)) {
      return false;
    }
    at_ += text.size();
    return true;
  }
  char32_t next() {
    if (done()) {
      fail("it ends too early");
    }
    return pattern_[at_++];
  }

  Node alternatives(int depth);
  Node sequence(int depth);
  Node atom(int depth);
  Node group(int depth);
  Node escaped();
  void repeat(Node& node);
  bool counts(uint32_t& min, uint32_t& max);
  bool options_group(bool& whole);
  uint32_t number();
  char32_t hex(int digits);
  char32_t literal_escape(char32_t c);
  bool class_escape(char32_t c, CharSet& set);
  void property(bool negated, CharSet& set);
  CharSet char_class(int depth);
  void posix_class(CharSet& set);

  std::u32string pattern_;
  Regex::Flavor flavor_;
  const std::string& source_;
  size_t at_ = 0;
  bool ignore_case_ = false;
};

Node set_node(CharSet set) {
  Node node;
  node.type = Node::kSet;
  node.set = std::move(set);
  return node;
}

Node assert_node(Program::Op op, bool negated = false) {
  Node node;
  node.type = Node::kAssert;
  node.assertion = op;
  node.negated = negated;
  return node;
}

Node Parser::alternatives(int depth) {
  if (depth > kMaxDepth) {
    fail(fmt::format("groups nested deeper than {}", kMaxDepth));
  }
  const bool ignore_case = ignore_case_;
  Node node;
  node.type = Node::kAlternatives;
  do {
    node.parts.push_back(sequence(depth));
  } while (take(U"|"));
  ignore_case_ = ignore_case;
  if (node.parts.size() == 1) {
    Node only = std::move(node.parts[0]);
    return only;
  }
  return node;
}

Node Parser::sequence(int depth) {
  Node node;
  while (!done() && !next_is(U"|") && !next_is(U")")) {
    bool whole = false;
    if (options_group(whole)) {
      continue;
    }
    node.parts.push_back(atom(depth));
    repeat(node.parts.back());
  }
  return node;
}

// (?i) for the rest of the group.
bool Parser::options_group(bool& whole) {
  for (const auto& [text, value] : {std::pair(U"(?i)", true), std::pair(U"(?-i)", false)}) {
    if (take(text)) {
      ignore_case_ = value;
      whole = true;
      return true;
    }
  }
  return false;
}

Node Parser::group(int depth) {
  Node node;
  const bool ignore_case = ignore_case_;
  if (take(U"?i:")) {
    ignore_case_ = true;
  } else if (take(U"?-i:")) {
    ignore_case_ = false;
  } else if (take(U"?>")) {
    node.type = Node::kAtomic;
  } else if (take(U"?=") || next_is(U"?!")) {
    node.type = Node::kLook;
    node.negated = take(U"?!");
  } else if (take(U"?<=") || next_is(U"?<!")) {
    node.type = Node::kLook;
    node.behind = true;
    node.negated = take(U"?<!");
  } else if (!take(U"?:") && next_is(U"?")) {
    fail(
        "this kind of group is not supported; supported: (...), (?:...), (?i:...), (?-i:...), (?=...), (?!...), "
        "(?<=...), (?<!...), (?>...)");
  }
  node.parts.push_back(alternatives(depth + 1));
  ignore_case_ = ignore_case;
  if (!take(U")")) {
    fail("a '(' without ')'");
  }
  return node;
}

Node Parser::atom(int depth) {
  const bool ruby = flavor_ == Regex::Flavor::kOniguruma;
  const char32_t c = next();
  CharSet set;
  set.ignore_case = ignore_case_;
  switch (c) {
    case U'(': return group(depth);
    case U'[': return set_node(char_class(depth));
    case U'\\': return escaped();
    case U'^': return assert_node(ruby ? Program::kLineBegin : Program::kTextBegin);
    case U'$': return assert_node(ruby ? Program::kLineEnd : Program::kTextEnd);
    case U'.':
      set.ranges.push_back({U'\n', U'\n'});
      set.negated = true;
      return set_node(std::move(set));
    case U'*':
    case U'+':
    case U'?': --at_; fail("nothing to repeat");
    default: set.ranges.push_back({c, c}); return set_node(std::move(set));
  }
}

Node Parser::escaped() {
  const char32_t c = next();
  switch (c) {
    case U'A': return assert_node(Program::kTextBegin);
    case U'z': return assert_node(Program::kTextEnd);
    case U'Z': return assert_node(Program::kTextEndOrNewline);
    case U'b': return assert_node(Program::kWordBoundary);
    case U'B': return assert_node(Program::kWordBoundary, true);
    default: break;
  }
  CharSet set;
  set.ignore_case = ignore_case_;
  if (!class_escape(c, set)) {
    const char32_t literal = literal_escape(c);
    set.ranges.push_back({literal, literal});
  }
  return set_node(std::move(set));
}

uint32_t Parser::number() {
  uint32_t value = 0;
  while (!done() && pattern_[at_] >= U'0' && pattern_[at_] <= U'9') {
    value = value * 10 + (pattern_[at_++] - U'0');
    if (value > kMaxRepeat) {
      fail(fmt::format("more than {} repetitions", kMaxRepeat));
    }
  }
  return value;
}

// {n}, {n,}, {n,m}, {,m}; anything else is a literal brace.
bool Parser::counts(uint32_t& min, uint32_t& max) {
  const size_t begin = at_;
  if (!take(U"{")) {
    return false;
  }
  const size_t first = at_;
  min = number();
  const bool has_min = at_ > first;
  max = min;
  bool has_max = has_min;
  if (take(U",")) {
    const size_t second = at_;
    max = number();
    has_max = at_ > second;
    max = has_max ? max : kNoLimit;
  }
  if ((!has_min && !has_max) || !take(U"}")) {
    at_ = begin;
    return false;
  }
  if (max < min) {
    fail("a repetition with fewer at most than at least");
  }
  return true;
}

void Parser::repeat(Node& node) {
  for (;;) {
    uint32_t min = 0;
    uint32_t max = kNoLimit;
    bool counted = false;
    if (take(U"+")) {
      min = 1;
    } else if (take(U"?")) {
      max = 1;
    } else if (!take(U"*")) {
      counted = counts(min, max);
      if (!counted) {
        return;
      }
    }
    Node inner = std::move(node);
    node = Node();
    node.type = Node::kRepeat;
    node.min = min;
    node.max = max;
    if (take(U"?")) {
      node.mode = Node::kLazy;
    } else if ((!counted || flavor_ == Regex::Flavor::kRust) && take(U"+")) {
      // In Oniguruma's Ruby syntax a{1,3}+ repeats the whole again.
      node.mode = Node::kPossessive;
    }
    node.parts.push_back(std::move(inner));
  }
}

char32_t Parser::hex(int digits) {
  char32_t value = 0;
  for (int i = 0; i < digits; ++i) {
    const char32_t c = next();
    const char32_t lower = c | 0x20;
    if (c >= U'0' && c <= U'9') {
      value = value * 16 + (c - U'0');
    } else if (lower >= U'a' && lower <= U'f') {
      value = value * 16 + (lower - U'a' + 10);
    } else {
      fail("expected hexadecimal digits");
    }
  }
  return value;
}

char32_t Parser::literal_escape(char32_t c) {
  switch (c) {
    case U'n': return U'\n';
    case U'r': return U'\r';
    case U't': return U'\t';
    case U'f': return U'\f';
    case U'v': return U'\v';
    case U'a': return U'\a';
    case U'e': return 0x1B;
    case U'0': return 0;
    case U'u': return hex(4);
    case U'x': {
      if (!take(U"{")) {
        return hex(2);
      }
      const size_t close = pattern_.find(U'}', at_);
      if (close == std::u32string::npos || close == at_ || close - at_ > 6) {
        fail("expected \\x{...}");
      }
      const char32_t value = hex(static_cast<int>(close - at_));
      ++at_;
      return value;
    }
    default: break;
  }
  if ((c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'1' && c <= U'9')) {
    fail("an escape that is not supported");
  }
  return c;
}

void Parser::property(bool negated, CharSet& set) {
  std::string name;
  if (take(U"{")) {
    negated ^= take(U"^");
    for (char32_t c = next(); c != U'}'; c = next()) {
      if (name.size() > 40) {
        fail("a property name that does not end");
      }
      append_utf8(c, name);
    }
  } else {
    append_utf8(next(), name);
  }
  constexpr uint8_t kCased = kUpperKind | kLowerKind;
  // kinds, and kinds that must be absent.
  static const std::pair<const char*, std::pair<int, int>> kProperties[] = {
      {"L", {kLetterKind, 0}},      {"Letter", {kLetterKind, 0}},
      {"N", {kNumberKind, 0}},      {"Number", {kNumberKind, 0}},
      {"M", {kMarkKind, 0}},        {"Mark", {kMarkKind, 0}},
      {"P", {kPunctuationKind, 0}}, {"Punctuation", {kPunctuationKind, 0}},
      {"S", {kSymbolKind, 0}},      {"Symbol", {kSymbolKind, 0}},
      {"Ll", {kLowerKind, 0}},      {"White_Space", {kSpaceKind, 0}},
      {"Space", {kSpaceKind, 0}},
  };
  CharSet item;
  bool found = false;
  for (const auto& [known, kinds] : kProperties) {
    if (name == known) {
      item.kinds = static_cast<uint8_t>(kinds.first);
      found = true;
    }
  }
  if (!found) {
    std::span<const CodeRange> ranges;
    if (name == "Lu" || name == "Lt") {
      // Titlecase letters are in the same kind; they have a lower case and are not their own upper case.
      item.kinds = kUpperKind;
      CharSet title;
      title.ranges = {{0x1C5, 0x1C5},   {0x1C8, 0x1C8},   {0x1CB, 0x1CB},   {0x1F2, 0x1F2},   {0x1F88, 0x1F8F},
                      {0x1F98, 0x1F9F}, {0x1FA8, 0x1FAF}, {0x1FBC, 0x1FBC}, {0x1FCC, 0x1FCC}, {0x1FFC, 0x1FFC}};
      title.negated = name == "Lu";
      item.all_of.push_back(std::move(title));
    } else if (name == "Lm" || name == "Lo") {
      item.kinds = kLetterKind;
      CharSet cased;
      cased.kinds = kCased;
      cased.negated = true;
      CharSet modifier;
      modifier.ranges.assign(modifier_letter_ranges().begin(), modifier_letter_ranges().end());
      modifier.negated = name == "Lo";
      item.all_of.push_back(std::move(cased));
      item.all_of.push_back(std::move(modifier));
    } else if (name == "Nd") {
      ranges = decimal_digit_ranges();
    } else if (name == "Han" || name == "Script=Han" || name == "IsHan") {
      ranges = han_ranges();
    } else {
      fail(fmt::format("the property {} is not supported", name));
    }
    item.ranges.insert(item.ranges.end(), ranges.begin(), ranges.end());
  }
  item.negated = negated;
  set.any_of.push_back(std::move(item));
}

// \d \s \w \p{..} and their negations; false for other escapes.
bool Parser::class_escape(char32_t c, CharSet& set) {
  CharSet item;
  switch (c) {
    case U'p':
    case U'P': property(c == U'P', set); return true;
    case U'd':
    case U'D': item.ranges.assign(decimal_digit_ranges().begin(), decimal_digit_ranges().end()); break;
    case U's':
    case U'S': item.kinds = kSpaceKind; break;
    case U'w':
    case U'W': item.word = true; break;
    case U'h':
    case U'H':
      if (flavor_ != Regex::Flavor::kOniguruma) {
        return false;
      }
      item.ranges = {{U'0', U'9'}, {U'a', U'f'}, {U'A', U'F'}};
      break;
    default: return false;
  }
  item.negated = c < U'a';
  set.any_of.push_back(std::move(item));
  return true;
}

void Parser::posix_class(CharSet& set) {
  CharSet item;
  item.negated = take(U"^");
  if (take(U"alpha:]")) {
    item.kinds = kLetterKind;
  } else if (take(U"digit:]")) {
    item.ranges.assign(decimal_digit_ranges().begin(), decimal_digit_ranges().end());
  } else if (take(U"space:]")) {
    item.kinds = kSpaceKind;
  } else if (take(U"punct:]")) {
    item.kinds = kPunctuationKind | kSymbolKind;
  } else if (take(U"upper:]")) {
    item.kinds = kUpperKind;
  } else if (take(U"lower:]")) {
    item.kinds = kLowerKind;
  } else {
    fail("a POSIX class that is not supported");
  }
  set.any_of.push_back(std::move(item));
}

CharSet Parser::char_class(int depth) {
  if (depth > kMaxDepth) {
    fail("classes nested too deep");
  }
  CharSet set;
  set.ignore_case = ignore_case_;
  set.negated = take(U"^");
  for (bool first = true;; first = false) {
    const char32_t c = next();
    if (c == U']' && !first) {
      return set;
    }
    if (c == U'[') {
      if (take(U":")) {
        posix_class(set);
      } else {
        set.any_of.push_back(char_class(depth + 1));
      }
      continue;
    }
    if (c == U'&' && take(U"&")) {
      // What follows up to the end is the other side.
      CharSet left = std::move(set);
      set = CharSet();
      set.ignore_case = ignore_case_;
      set.negated = std::exchange(left.negated, false);
      CharSet right = char_class(depth + 1);
      set.any = true;
      set.all_of = {std::move(left), std::move(right)};
      return set;
    }
    char32_t low = c;
    if (c == U'\\') {
      const char32_t escape = next();
      if (class_escape(escape, set)) {
        continue;
      }
      low = escape == U'b' ? 8 : literal_escape(escape);
    }
    char32_t high = low;
    if (next_is(U"-") && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != U']' && pattern_[at_ + 1] != U'[') {
      ++at_;
      high = next();
      if (high == U'\\') {
        const size_t back = at_ - 2;
        const char32_t escape = next();
        CharSet ignored;
        if (class_escape(escape, ignored)) {
          at_ = back;  // [a-\d]: the dash is itself
          high = low;
        } else {
          high = literal_escape(escape);
        }
      }
      if (high < low) {
        fail("a range that ends before it begins");
      }
    }
    set.ranges.push_back({low, high});
  }
}

}  // namespace

RegexNode parse_regex(std::u32string pattern, Regex::Flavor flavor, const std::string& source) {
  return Parser(std::move(pattern), flavor, source).parse();
}

}  // namespace slipway::text
