#include "text/json_grammar.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "text/aligned_text.h"

namespace slipway::text {
namespace {

using Expr = Grammar::Expr;

constexpr uint32_t kMaxIndent = 20;
constexpr uint32_t kMaxFraction = 15;
constexpr uint64_t kMaxWhole = 999'999'999'999'999'999;  // 18 digits: fits 64 bits
constexpr uint64_t kMaxNumber = 999'999'999'999'999;     // 15 digits: a double holds them all
// Characters of a string with a bounded length from which on each is a call: states of its own are larger.
constexpr uint32_t kCallLength = 48;

// What stands in a string as it is.
const std::vector<CodeRange>& plain_characters() {
  static const std::vector<CodeRange> ranges = {{0x20, 0x21}, {0x23, 0x5B}, {0x5D, 0xD7FF}, {0xE000, 0x10FFFF}};
  return ranges;
}

// Characters inside a JSON string: those that must be escaped are.
Expr write_json(Grammar& grammar, const std::vector<CodeRange>& ranges) {
  std::vector<CodeRange> plain;
  std::vector<Expr> parts;
  for (const CodeRange& range : ranges) {
    for (const CodeRange& allowed : plain_characters()) {
      const char32_t first = std::max(range.first, allowed.first);
      const char32_t last = std::min(range.last, allowed.last);
      if (first <= last) {
        plain.push_back({first, last});
      }
    }
    for (char32_t c = range.first; c <= std::min<char32_t>(range.last, '\\'); ++c) {
      if (c < 0x20 || c == '"' || c == '\\') {
        const std::string quoted = base::dump_json(base::Json(std::string(1, static_cast<char>(c))));
        parts.push_back(grammar.literal(quoted.substr(1, quoted.size() - 2)));
      }
    }
  }
  parts.push_back(grammar.chars(plain));
  return grammar.any_of(std::move(parts));
}

}  // namespace

Expr JsonGrammar::space() {
  return shared("space", [&] {
    const Expr line = grammar_.sequence(
        {grammar_.literal("\n"), grammar_.repeat(grammar_.chars({{' ', ' '}, {'\t', '\t'}}), 0, kMaxIndent)});
    return grammar_.optional(grammar_.any_of({grammar_.literal(" "), line}));
  });
}

Expr JsonGrammar::colon() {
  return grammar_.sequence({grammar_.literal(":"), grammar_.optional(grammar_.literal(" "))});
}

Expr JsonGrammar::comma() { return grammar_.sequence({grammar_.literal(","), space()}); }

Expr JsonGrammar::value(const base::Json& json) { return grammar_.literal(base::dump_json(json)); }

Expr JsonGrammar::enclosed(char open, Expr inside) {
  const char close = open == '{' ? '}' : ']';
  return grammar_.sequence(
      {grammar_.literal(std::string(1, open)), space(), inside, grammar_.literal(std::string(1, close))});
}

Expr JsonGrammar::list(char open, Expr element, uint32_t min, uint32_t max) {
  if (max == 0) {
    return enclosed(open, grammar_.empty());
  }
  const Expr more = grammar_.repeat(grammar_.sequence({comma(), element}), min > 0 ? min - 1 : 0,
                                    max == Grammar::kUnlimited ? max : max - 1);
  const Expr some = grammar_.sequence({element, more, space()});
  return enclosed(open, min > 0 ? some : grammar_.optional(some));
}

Expr JsonGrammar::any_value() {
  return shared("value", [&] {
    const Expr array = shared("array", [&] { return list('[', any_value(), 0, Grammar::kUnlimited); });
    return grammar_.any_of({any_object(), array, string(), number({}, {}), grammar_.literal("true"),
                            grammar_.literal("false"), grammar_.literal("null")});
  });
}

Expr JsonGrammar::any_object() {
  return shared("object", [&] {
    return list('{', grammar_.sequence({string(), colon(), any_value()}), 0, Grammar::kUnlimited);
  });
}

Expr JsonGrammar::character() {
  const std::vector<CodeRange> hex = {{'0', '9'}, {'a', 'f'}, {'A', 'F'}};
  const std::vector<CodeRange> not_d = {{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}};
  const Expr any = grammar_.chars(hex);
  const Expr d = grammar_.chars({{'d', 'd'}, {'D', 'D'}});
  const Expr two = grammar_.sequence({any, any});
  // A half of a surrogate pair alone is no character.
  const Expr pair = grammar_.sequence({d, grammar_.chars({{'8', '9'}, {'a', 'b'}, {'A', 'B'}}), two,
                                       grammar_.literal("\\u"), d, grammar_.chars({{'c', 'f'}, {'C', 'F'}}), two});
  const Expr code = grammar_.any_of({grammar_.sequence({grammar_.chars(not_d), any, two}),
                                     grammar_.sequence({d, grammar_.chars({{'0', '7'}}), two}), pair});
  const Expr letter = grammar_.chars(
      {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}});
  const Expr escape = grammar_.sequence(
      {grammar_.literal("\\"), grammar_.any_of({letter, grammar_.sequence({grammar_.literal("u"), code})})});
  return grammar_.any_of({grammar_.chars(plain_characters()), escape});
}

Expr JsonGrammar::string(uint32_t min, uint32_t max) {
  return shared(fmt::format("string of {} to {}", min, max), [&] {
    const bool long_one = min > kCallLength || (max != Grammar::kUnlimited && max > kCallLength);
    const Expr one = long_one ? shared("character", [&] { return character(); }) : character();
    return grammar_.sequence({grammar_.literal("\""), grammar_.repeat(one, min, max), grammar_.literal("\"")});
  });
}

Expr JsonGrammar::string_matching(const std::string& pattern, bool whole, uint32_t min, uint32_t max,
                                  const std::string& source) {
  return shared(fmt::format("{} {} {} {}", whole ? "format" : "pattern", pattern, min, max), [&] {
    const Expr one = character();
    Expr inside =
        add_regex(grammar_, pattern, source, write_json, !whole, grammar_.repeat(one, 0, Grammar::kUnlimited));
    if (min > 0 || max != Grammar::kUnlimited) {
      inside = grammar_.intersect(inside, grammar_.repeat(one, min, max));
    }
    return grammar_.sequence({grammar_.literal("\""), inside, grammar_.literal("\"")});
  });
}

Expr JsonGrammar::string_except(const std::vector<std::string>& texts) {
  std::vector<std::u32string> all;
  for (const std::string& text : texts) {
    all.push_back(to_utf32(text));
  }
  std::sort(all.begin(), all.end());
  return grammar_.sequence({grammar_.literal("\""), except(all, 0), grammar_.literal("\"")});
}

// The ends of strings other than `texts`, which are sorted and have their first `at` characters in common.
Expr JsonGrammar::except(const std::vector<std::u32string>& texts, size_t at) {
  const Expr plain = grammar_.chars(plain_characters());
  const Expr rest = grammar_.repeat(plain, 0, Grammar::kUnlimited);
  std::vector<Expr> parts;
  std::vector<CodeRange> taken;
  bool ends_one = false;
  for (size_t i = 0; i < texts.size();) {
    if (texts[i].size() == at) {
      ends_one = true;
      ++i;
      continue;
    }
    const char32_t c = texts[i][at];
    std::vector<std::u32string> same;
    for (; i < texts.size() && texts[i].size() > at && texts[i][at] == c; ++i) {
      same.push_back(texts[i]);
    }
    taken.push_back({c, c});
    if (c >= 0x20 && c != '"' && c != '\\') {
      parts.push_back(grammar_.sequence({grammar_.chars({{c, c}}), except(same, at + 1)}));
    }
  }
  for (const CodeRange& range : complement_ranges(normal_ranges(plain_characters()))) {
    taken.push_back(range);
  }
  parts.push_back(grammar_.sequence({grammar_.chars(complement_ranges(normal_ranges(taken))), rest}));
  if (!ends_one) {
    parts.push_back(grammar_.empty());
  }
  return grammar_.any_of(std::move(parts));
}

Expr JsonGrammar::digit(char first, char last) {
  return grammar_.chars({{static_cast<char32_t>(first), static_cast<char32_t>(last)}});
}

Expr JsonGrammar::digits(uint32_t min, uint32_t max) { return grammar_.repeat(digit('0', '9'), min, max); }

// Digit strings that are at least, at most, or between two of the same length.
Expr JsonGrammar::at_least(std::string_view low) {
  if (low.empty()) {
    return grammar_.empty();
  }
  const auto rest = static_cast<uint32_t>(low.size() - 1);
  std::vector<Expr> parts = {grammar_.sequence({digit(low[0], low[0]), at_least(low.substr(1))})};
  if (low[0] < '9') {
    parts.push_back(grammar_.sequence({digit(static_cast<char>(low[0] + 1), '9'), digits(rest, rest)}));
  }
  return grammar_.any_of(std::move(parts));
}

Expr JsonGrammar::at_most(std::string_view high) {
  if (high.empty()) {
    return grammar_.empty();
  }
  const auto rest = static_cast<uint32_t>(high.size() - 1);
  std::vector<Expr> parts = {grammar_.sequence({digit(high[0], high[0]), at_most(high.substr(1))})};
  if (high[0] > '0') {
    parts.push_back(grammar_.sequence({digit('0', static_cast<char>(high[0] - 1)), digits(rest, rest)}));
  }
  return grammar_.any_of(std::move(parts));
}

Expr JsonGrammar::same_length(std::string_view low, std::string_view high) {
  if (low.empty()) {
    return grammar_.empty();
  }
  if (low[0] == high[0]) {
    return grammar_.sequence({digit(low[0], low[0]), same_length(low.substr(1), high.substr(1))});
  }
  const auto rest = static_cast<uint32_t>(low.size() - 1);
  std::vector<Expr> parts = {grammar_.sequence({digit(low[0], low[0]), at_least(low.substr(1))}),
                             grammar_.sequence({digit(high[0], high[0]), at_most(high.substr(1))})};
  if (high[0] - low[0] > 1) {
    parts.push_back(
        grammar_.sequence({digit(static_cast<char>(low[0] + 1), static_cast<char>(high[0] - 1)), digits(rest, rest)}));
  }
  return grammar_.any_of(std::move(parts));
}

// Whole numbers from low to high without leading zeros; none when high < low.
Expr JsonGrammar::whole_between(uint64_t low, uint64_t high) {
  std::vector<Expr> parts;
  if (low == 0) {
    parts.push_back(grammar_.literal("0"));
    low = 1;
  }
  while (low <= high) {
    const std::string first = std::to_string(low);
    if (first.find_first_not_of('0', 1) == std::string::npos && first[0] == '1') {
      // From a power of ten on, all lengths that fit at once.
      const std::string last = std::to_string(high);
      const bool all_of_last = last.find_first_not_of('9') == std::string::npos;
      const size_t longest = all_of_last ? last.size() : last.size() - 1;
      if (longest >= first.size()) {
        parts.push_back(grammar_.sequence(
            {digit('1', '9'), digits(static_cast<uint32_t>(first.size() - 1), static_cast<uint32_t>(longest - 1))}));
        low = std::stoull(std::string(longest, '9')) + 1;
        continue;
      }
    }
    const std::string most(first.size(), '9');
    const uint64_t last = std::min<uint64_t>(high, std::stoull(most));
    parts.push_back(same_length(first, std::to_string(last)));
    low = last + 1;
  }
  return grammar_.any_of(std::move(parts));
}

Expr JsonGrammar::integer(std::optional<int64_t> low, std::optional<int64_t> high) {
  constexpr auto kMost = static_cast<int64_t>(kMaxWhole);
  const int64_t first = std::clamp(low.value_or(-kMost), -kMost, kMost);
  const int64_t last = std::clamp(high.value_or(kMost), -kMost, kMost);
  if (low.value_or(-kMost) > kMost || high.value_or(kMost) < -kMost || first > last) {
    return grammar_.any_of({});
  }
  return shared(fmt::format("integer from {} to {}", first, last), [&] {
    std::vector<Expr> parts;
    if (last >= 0) {
      parts.push_back(whole_between(static_cast<uint64_t>(std::max<int64_t>(first, 0)), static_cast<uint64_t>(last)));
    }
    if (first < 0) {
      const auto least = static_cast<uint64_t>(last < 0 ? -last : 1);
      parts.push_back(grammar_.sequence({grammar_.literal("-"), whole_between(least, static_cast<uint64_t>(-first))}));
    }
    return grammar_.any_of(std::move(parts));
  });
}

// Numbers x with low <= x <= high (or <), low >= 0.
Expr JsonGrammar::not_negative(Bound low, std::optional<Bound> high) {
  const Expr point = grammar_.literal(".");
  const Expr fraction = grammar_.optional(grammar_.sequence({point, digits(1, kMaxFraction)}));
  const Expr zeros = grammar_.optional(grammar_.sequence({point, grammar_.repeat(digit('0', '0'), 1, kMaxFraction)}));
  const Expr above_zero = grammar_.sequence(
      {point, grammar_.repeat(digit('0', '0'), 0, kMaxFraction - 1), digit('1', '9'), digits(0, kMaxFraction)});
  const auto a = static_cast<uint64_t>(low.value);
  const uint64_t b = high ? static_cast<uint64_t>(high->value) : kMaxNumber + 1;
  if (high && (b < a || (b == a && !(low.inclusive && high->inclusive)))) {
    return grammar_.any_of({});
  }
  const Expr first = grammar_.literal(std::to_string(a));
  if (high && a == b) {
    return grammar_.sequence({first, zeros});
  }
  std::vector<Expr> parts = {grammar_.sequence({first, low.inclusive ? fraction : above_zero})};
  if (a + 1 <= b - 1) {
    parts.push_back(grammar_.sequence({whole_between(a + 1, b - 1), fraction}));
  }
  if (high && high->inclusive) {
    parts.push_back(grammar_.sequence({grammar_.literal(std::to_string(b)), zeros}));
  }
  return grammar_.any_of(std::move(parts));
}

Expr JsonGrammar::number(std::optional<Bound> low, std::optional<Bound> high) {
  const auto name = [](const std::optional<Bound>& bound) {
    return bound ? fmt::format("{} {}", bound->value, bound->inclusive ? "inclusive" : "exclusive") : "none";
  };
  return shared(fmt::format("number from {} to {}", name(low), name(high)), [&] {
    const Expr minus = grammar_.literal("-");
    if (!low && !high) {
      const Expr sign = grammar_.optional(grammar_.chars({{'+', '+'}, {'-', '-'}}));
      const Expr exponent = grammar_.sequence({grammar_.chars({{'e', 'e'}, {'E', 'E'}}), sign, digits(1, 2)});
      return grammar_.sequence(
          {grammar_.optional(minus), not_negative({0, true}, std::nullopt), grammar_.optional(exponent)});
    }
    std::vector<Expr> parts;
    if (!high || high->value > 0 || (high->value == 0 && high->inclusive)) {
      parts.push_back(not_negative(low && low->value >= 0 ? *low : Bound{0, true}, high));
    }
    if (!low || low->value < 0) {  // -y, with y above 0
      const Bound least = high && high->value < 0 ? Bound{-high->value, high->inclusive} : Bound{0, false};
      const std::optional<Bound> most = low ? std::optional(Bound{-low->value, low->inclusive}) : std::nullopt;
      parts.push_back(grammar_.sequence({minus, not_negative(least, most)}));
    }
    return grammar_.any_of(std::move(parts));
  });
}

}  // namespace slipway::text
