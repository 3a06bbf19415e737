// Regular expressions as grammars: the tree that the tokenizers' engine parses (regex_node.h), as expressions.
#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "text/aligned_text.h"
#include "text/grammar.h"
#include "text/regex_node.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using Expr = Grammar::Expr;
using Node = RegexNode;
using Ranges = std::vector<CodeRange>;

constexpr size_t kMaxPattern = 20'000;  // characters
constexpr char32_t kLastCode = 0x10FFFF;

Ranges ranges_where(bool (*holds)(char32_t)) {
  Ranges out;
  for (char32_t c = 0; c <= kLastCode; ++c) {
    if (!holds(c)) {
      continue;
    }
    if (!out.empty() && out.back().last + 1 == c) {
      out.back().last = c;
    } else {
      out.push_back({c, c});
    }
  }
  return normal_ranges(std::move(out));
}

const Ranges& word_ranges() {
  static const Ranges ranges = ranges_where(hf_is_word);
  return ranges;
}

Ranges kind_ranges(uint8_t kinds) {
  const uint8_t* const table = char_kind_table();
  Ranges out;
  for (char32_t c = 0; c < kKindCodePoints; ++c) {
    if ((table[c] & kinds) == 0) {
      continue;
    }
    if (!out.empty() && out.back().last + 1 == c) {
      out.back().last = c;
    } else {
      out.push_back({c, c});
    }
  }
  if ((kinds & kMarkKind) != 0) {
    out.push_back({0xE0100, 0xE01EF});
  }
  return normal_ranges(std::move(out));
}

Ranges without(const Ranges& a, const Ranges& b) {
  // A and not B is not (not A or B).
  Ranges either = complement_ranges(a);
  either.insert(either.end(), b.begin(), b.end());
  return complement_ranges(normal_ranges(std::move(either)));
}

Ranges both(const Ranges& a, const Ranges& b) { return without(a, complement_ranges(b)); }

void add_other_cases(Ranges& ranges) {
  constexpr char32_t kMost = 2'000;  // of a range: larger ones hold both cases
  const Ranges given = ranges;
  for (const CodeRange& range : given) {
    if (range.last - range.first > kMost) {
      continue;
    }
    for (char32_t c = range.first; c <= range.last; ++c) {
      ranges.push_back({to_lower(c), to_lower(c)});
      ranges.push_back({to_upper(c), to_upper(c)});
    }
  }
}

bool same(const Ranges& a, std::span<const CodeRange> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const CodeRange& x, const CodeRange& y) { return x.first == y.first && x.last == y.last; });
}

// The characters of a set. \d, \w and \s are the ASCII ones, and their opposites leave out all of Unicode's: both are
// within what ECMAScript and Python mean.
Ranges ranges_of(const CharSet& set) {
  Ranges out(set.ranges.begin(), set.ranges.end());
  if (set.any) {
    out.push_back({0, kLastCode});
  }
  if (set.word) {
    out.insert(out.end(), word_ranges().begin(), word_ranges().end());
  }
  if (set.kinds != 0) {
    const Ranges kinds = kind_ranges(set.kinds);
    out.insert(out.end(), kinds.begin(), kinds.end());
  }
  const bool perl = set.any_of.empty() && set.all_of.empty() &&
                    (set.word || set.kinds == kSpaceKind || same(set.ranges, decimal_digit_ranges()));
  for (const CharSet& part : set.any_of) {
    const Ranges more = ranges_of(part);
    out.insert(out.end(), more.begin(), more.end());
  }
  if (set.ignore_case) {
    add_other_cases(out);
  }
  out = normal_ranges(std::move(out));
  for (const CharSet& part : set.all_of) {
    out = both(out, ranges_of(part));
  }
  if (set.negated) {
    return complement_ranges(out);
  }
  return perl ? both(out, {{0, 0x7F}}) : out;
}

class Converter {
 public:
  Converter(Grammar& grammar, const std::string& source, CharWriter write)
      : grammar_(grammar), source_(source), write_(write) {}

  Expr whole(const Node& node, bool search, Expr any) {
    std::vector<Expr> parts;
    const Node* top = &node;
    while (top->type == Node::kSequence && top->parts.size() == 1) {
      top = &top->parts[0];
    }
    if (top->type != Node::kAlternatives) {
      return branch(*top, search, any);
    }
    for (const Node& part : top->parts) {
      parts.push_back(branch(part, search, any));
    }
    return grammar_.any_of(std::move(parts));
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: regular expression: {}", source_, what));
  }

  static bool is_begin(const Node& node) {
    return node.type == Node::kAssert && node.assertion == Regex::Program::kTextBegin;
  }
  static bool is_end(const Node& node) {
    return node.type == Node::kAssert && node.assertion == Regex::Program::kTextEnd;
  }

  // One alternative of the top, with its anchors.
  Expr branch(const Node& node, bool search, Expr any) {
    std::vector<const Node*> parts;
    if (node.type == Node::kSequence) {
      for (const Node& part : node.parts) {
        parts.push_back(&part);
      }
    } else {
      parts.push_back(&node);
    }
    bool begin = !search;
    bool end = !search;
    while (!parts.empty() && is_begin(*parts.front())) {
      begin = true;
      parts.erase(parts.begin());
    }
    while (!parts.empty() && is_end(*parts.back())) {
      end = true;
      parts.pop_back();
    }
    std::vector<Expr> out;
    if (!begin) {
      out.push_back(any);
    }
    for (const Node* part : parts) {
      out.push_back(convert(*part));
    }
    if (!end) {
      out.push_back(any);
    }
    return grammar_.sequence(std::move(out));
  }

  Expr convert(const Node& node) {
    switch (node.type) {
      case Node::kSet: return write_(grammar_, ranges_of(node.set));
      case Node::kSequence:
      case Node::kAlternatives: {
        std::vector<Expr> parts;
        for (const Node& part : node.parts) {
          parts.push_back(convert(part));
        }
        return node.type == Node::kSequence ? grammar_.sequence(std::move(parts)) : grammar_.any_of(std::move(parts));
      }
      case Node::kRepeat:
        if (node.mode == Node::kPossessive) {
          fail("possessive repetition is not supported here");
        }
        return grammar_.repeat(convert(node.parts[0]), node.min, node.max == kNoLimit ? Grammar::kUnlimited : node.max);
      case Node::kLook: fail("look-ahead and look-behind are not supported here");
      case Node::kAtomic: fail("atomic groups are not supported here");
      case Node::kAssert: fail("^ and $ are supported at the ends of the expression only, and word boundaries nowhere");
    }
    return grammar_.empty();
  }

  Grammar& grammar_;
  const std::string& source_;
  const CharWriter write_;
};

Expr write_plain(Grammar& grammar, const Ranges& ranges) { return grammar.chars(ranges); }

}  // namespace

Grammar::Expr add_regex(Grammar& grammar, std::string_view pattern, const std::string& source, CharWriter write,
                        bool search, Grammar::Expr any) {
  if (pattern.size() > kMaxPattern || !is_valid_utf8(pattern)) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: a regular expression is at most {} bytes of UTF-8", source, kMaxPattern));
  }
  // Rust's flavour: ^ and $ are the ends of the text.
  const RegexNode node = parse_regex(to_utf32(pattern), Regex::Flavor::kRust, source);
  return Converter(grammar, source, write).whole(node, search, any);
}

Grammar grammar_from_regex(std::string_view pattern, const std::string& source) {
  Grammar grammar;
  const Grammar::Rule root = grammar.add_rule("root");
  grammar.set_root(root);
  grammar.define(root, add_regex(grammar, pattern, source, write_plain, false, grammar.empty()));
  return grammar;
}

}  // namespace slipway::text
