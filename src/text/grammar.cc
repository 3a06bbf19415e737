#include "text/grammar.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::text {
namespace {

constexpr char32_t kLastCode = 0x10FFFF;
constexpr CodeRange kSurrogates = {0xD800, 0xDFFF};

}  // namespace

std::vector<CodeRange> normal_ranges(std::vector<CodeRange> ranges) {
  std::vector<CodeRange> cut;
  for (CodeRange range : ranges) {
    range.last = std::min(range.last, kLastCode);
    if (range.first < kSurrogates.first && range.last >= kSurrogates.first) {
      cut.push_back({range.first, kSurrogates.first - 1});
    }
    if (range.last > kSurrogates.last && range.first <= kSurrogates.last) {
      cut.push_back({kSurrogates.last + 1, range.last});
    }
    if (range.first <= range.last && (range.last < kSurrogates.first || range.first > kSurrogates.last)) {
      cut.push_back(range);
    }
  }
  std::sort(cut.begin(), cut.end(), [](const CodeRange& a, const CodeRange& b) { return a.first < b.first; });
  std::vector<CodeRange> out;
  for (const CodeRange& range : cut) {
    if (!out.empty() && range.first <= out.back().last + 1) {
      out.back().last = std::max(out.back().last, range.last);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

std::vector<CodeRange> complement_ranges(const std::vector<CodeRange>& normal) {
  std::vector<CodeRange> out;
  char32_t next = 0;
  for (const CodeRange& range : normal) {
    if (range.first > next) {
      out.push_back({next, range.first - 1});
    }
    next = range.last + 1;
  }
  if (next <= kLastCode) {
    out.push_back({next, kLastCode});
  }
  return normal_ranges(std::move(out));
}

Grammar::Grammar() { nodes_.emplace_back(); }

Grammar::Expr Grammar::add(Node node) {
  if (nodes_.size() >= kMaxExpressions) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("the grammar is too large: more than {} expressions", kMaxExpressions));
  }
  nodes_.push_back(std::move(node));
  return static_cast<Expr>(nodes_.size() - 1);
}

Grammar::Expr Grammar::literal(std::string_view bytes) {
  if (bytes.empty()) {
    return empty();
  }
  Node node;
  node.bytes = bytes;
  return add(std::move(node));
}

Grammar::Expr Grammar::chars(std::vector<CodeRange> ranges) {
  Node node;
  node.kind = Kind::kChars;
  node.ranges = normal_ranges(std::move(ranges));
  return node.ranges.empty() ? any_of({}) : add(std::move(node));
}

Grammar::Expr Grammar::sequence(std::vector<Expr> parts) {
  std::erase(parts, empty());
  if (parts.size() <= 1) {
    return parts.empty() ? empty() : parts[0];
  }
  Node node;
  node.kind = Kind::kSequence;
  node.parts = std::move(parts);
  return add(std::move(node));
}

Grammar::Expr Grammar::any_of(std::vector<Expr> parts) {
  if (parts.size() == 1) {
    return parts[0];
  }
  Node node;
  node.kind = Kind::kAnyOf;
  node.parts = std::move(parts);
  return add(std::move(node));
}

Grammar::Expr Grammar::repeat(Expr part, uint32_t min, uint32_t max) {
  if (max < min) {
    throw base::Error(base::Code::kInvalid, fmt::format("a repetition of at least {} and at most {}", min, max));
  }
  if (min > kMaxRepeat || (max > kMaxRepeat && max != kUnlimited)) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("a repetition of more than {} times is not supported", kMaxRepeat));
  }
  if (part == empty() || max == 0) {
    return empty();
  }
  if (min == 1 && max == 1) {
    return part;
  }
  Node node;
  node.kind = Kind::kRepeat;
  node.parts = {part};
  node.min = min;
  node.max = max;
  return add(std::move(node));
}

Grammar::Expr Grammar::intersect(Expr a, Expr b) {
  Node node;
  node.kind = Kind::kIntersect;
  node.parts = {a, b};
  return add(std::move(node));
}

Grammar::Expr Grammar::call(Rule rule) {
  Node node;
  node.kind = Kind::kCall;
  node.rule = rule;
  return add(std::move(node));
}

Grammar::Rule Grammar::add_rule(std::string name, bool shared) {
  rules_.push_back({std::move(name), 0, false, shared});
  return static_cast<Rule>(rules_.size() - 1);
}

void Grammar::define(Rule rule, Expr body) {
  rules_[rule].body = body;
  rules_[rule].defined = true;
}

Grammar grammar_from_choices(std::span<const std::string> choices, const std::string& source) {
  if (choices.empty()) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: there is no choice", source));
  }
  Grammar grammar;
  std::vector<Grammar::Expr> parts;
  for (const std::string& choice : choices) {
    if (choice.empty()) {
      throw base::Error(base::Code::kInvalid, fmt::format("{}: a choice is empty", source));
    }
    parts.push_back(grammar.literal(choice));
  }
  const Grammar::Rule root = grammar.add_rule("root");
  grammar.define(root, grammar.any_of(std::move(parts)));
  grammar.set_root(root);
  return grammar;
}

}  // namespace slipway::text
