#include "text/grammar_nfa.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using Expr = Grammar::Expr;
using Kind = Grammar::Kind;

constexpr size_t kInlineWeight = 24;  // states below which a copy is cheaper than a call
constexpr int kMaxCopyDepth = 1'000;  // of expressions within each other, copied rules included

// Thompson's construction (1968).
class Builder {
 public:
  Builder(const Grammar& grammar, const std::vector<bool>& inlined, GrammarBudget& budget)
      : grammar_(grammar), inlined_(inlined), budget_(budget) {}

  GrammarNfa build(Expr expr) {
    nfa_.start = add();
    nfa_.end = emit(expr, nfa_.start, 0);
    return std::move(nfa_);
  }

 private:
  uint32_t add() {
    budget_.take(budget_.nfa_states, 1);
    nfa_.states.emplace_back();
    return static_cast<uint32_t>(nfa_.states.size() - 1);
  }
  void byte(uint32_t from, uint8_t low, uint8_t high, uint32_t to) {
    nfa_.states[from].bytes.push_back({low, high, to});
  }
  void jump(uint32_t from, uint32_t to) { nfa_.states[from].jumps.push_back(to); }

  // Adds the expression's states after `from`; returns where it ends.
  uint32_t emit(Expr expr, uint32_t from, int depth);
  uint32_t emit_repeat(const Grammar::Node& node, uint32_t from, int depth);
  uint32_t emit_intersection(const Grammar::Node& node, uint32_t from);
  void emit_range(CodeRange range, uint32_t from, uint32_t to);
  void emit_bytes(std::string_view first, std::string_view last, uint32_t from, uint32_t to);

  const Grammar& grammar_;
  const std::vector<bool>& inlined_;
  GrammarBudget& budget_;
  GrammarNfa nfa_;
};

uint32_t Builder::emit(Expr expr, uint32_t from, int depth) {
  if (depth > kMaxCopyDepth) {
    throw base::Error(base::Code::kInvalid, "the grammar is nested too deep");
  }
  const Grammar::Node& node = grammar_.node(expr);
  switch (node.kind) {
    case Kind::kLiteral:
      for (const char c : node.bytes) {
        const uint32_t to = add();
        byte(from, static_cast<uint8_t>(c), static_cast<uint8_t>(c), to);
        from = to;
      }
      return from;
    case Kind::kChars: {
      const uint32_t to = add();
      for (const CodeRange& range : node.ranges) {
        emit_range(range, from, to);
      }
      return to;
    }
    case Kind::kSequence:
      for (const Expr part : node.parts) {
        from = emit(part, from, depth + 1);
      }
      return from;
    case Kind::kAnyOf: {
      const uint32_t to = add();
      for (const Expr part : node.parts) {
        const uint32_t begin = add();  // an alternative of its own: a loop in it must not reach the others
        jump(from, begin);
        jump(emit(part, begin, depth + 1), to);
      }
      return to;
    }
    case Kind::kRepeat: return emit_repeat(node, from, depth);
    case Kind::kIntersect: return emit_intersection(node, from);
    case Kind::kCall: break;
  }
  if (inlined_[node.rule]) {
    return emit(grammar_.rules()[node.rule].body, from, depth + 1);
  }
  const uint32_t to = add();
  nfa_.states[from].calls.emplace_back(node.rule, to);
  return to;
}

uint32_t Builder::emit_repeat(const Grammar::Node& node, uint32_t from, int depth) {
  for (uint32_t i = 0; i < node.min; ++i) {
    from = emit(node.parts[0], from, depth + 1);
  }
  if (node.max == Grammar::kUnlimited) {
    const uint32_t loop = add();
    const uint32_t to = add();
    jump(from, loop);
    jump(emit(node.parts[0], loop, depth + 1), loop);
    jump(loop, to);
    return to;
  }
  const uint32_t to = add();
  for (uint32_t i = node.min; i < node.max; ++i) {
    jump(from, to);
    const uint32_t begin = add();
    jump(from, begin);
    from = emit(node.parts[0], begin, depth + 1);
  }
  jump(from, to);
  return to;
}

// The product of two automata, each made deterministic.
uint32_t Builder::emit_intersection(const Grammar::Node& node, uint32_t from) {
  GrammarDfa sides[2];
  const std::vector<bool> all(grammar_.rules().size(), true);
  for (size_t i = 0; i < 2; ++i) {
    sides[i] = compile_expression(grammar_, node.parts[i], all, budget_);
  }
  const uint32_t to = add();
  std::unordered_map<uint64_t, uint32_t> known;
  std::vector<std::pair<uint32_t, uint32_t>> work;
  const auto state_of = [&](uint32_t a, uint32_t b) {
    const auto [it, fresh] = known.try_emplace((uint64_t{a} << 32) | b, 0);
    if (fresh) {
      it->second = add();
      work.emplace_back(a, b);
    }
    return it->second;
  };
  jump(from, state_of(0, 0));
  while (!work.empty()) {
    const auto [a, b] = work.back();
    work.pop_back();
    const uint32_t here = state_of(a, b);
    const GrammarDfa::State& left = sides[0].states[a];
    const GrammarDfa::State& right = sides[1].states[b];
    if (left.ends && right.ends) {
      jump(here, to);
    }
    budget_.take(budget_.steps, left.bytes.size() * right.bytes.size());
    for (const GrammarNfa::Edge& x : left.bytes) {
      for (const GrammarNfa::Edge& y : right.bytes) {
        const uint8_t low = std::max(x.low, y.low);
        const uint8_t high = std::min(x.high, y.high);
        if (low <= high) {
          byte(here, low, high, state_of(x.to, y.to));
        }
      }
    }
  }
  return to;
}

// Code points whose UTF-8 has the same length, as byte sequences.
void Builder::emit_range(CodeRange range, uint32_t from, uint32_t to) {
  constexpr std::array<char32_t, 4> kLastOfLength = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};
  for (const char32_t last : kLastOfLength) {
    if (range.first > last || range.first > range.last) {
      continue;
    }
    std::string low;
    std::string high;
    append_utf8(range.first, low);
    append_utf8(std::min(range.last, last), high);
    emit_bytes(low, high, from, to);
    range.first = last + 1;
  }
}

// All byte strings of UTF-8 between two of the same length.
void Builder::emit_bytes(std::string_view first, std::string_view last, uint32_t from, uint32_t to) {
  const auto low = static_cast<uint8_t>(first[0]);
  const auto high = static_cast<uint8_t>(last[0]);
  if (first.size() == 1) {
    byte(from, low, high, to);
    return;
  }
  const std::string rest_low(first.size() - 1, '\x80');
  const std::string rest_high(first.size() - 1, '\xBF');
  const auto with = [&](uint8_t a, uint8_t b, std::string_view rest_first, std::string_view rest_last) {
    const uint32_t next = add();
    byte(from, a, b, next);
    emit_bytes(rest_first, rest_last, next, to);
  };
  const std::string_view tail = first.substr(1);
  if (low == high) {
    with(low, low, tail, last.substr(1));
    return;
  }
  const bool whole_low = tail == rest_low;
  const bool whole_high = last.substr(1) == rest_high;
  if (!whole_low) {
    with(low, low, tail, rest_high);
  }
  const int a = low + (whole_low ? 0 : 1);
  const int b = high - (whole_high ? 0 : 1);
  if (a <= b) {
    with(static_cast<uint8_t>(a), static_cast<uint8_t>(b), rest_low, rest_high);
  }
  if (!whole_high) {
    with(high, high, rest_low, last.substr(1));
  }
}

// States that expressions take, about, and the rules that they call.
class Scale {
 public:
  explicit Scale(const Grammar& grammar) : grammar_(grammar) {}

  // Weighs a rule's body; `calls` gets the rules that it calls.
  size_t weigh_rule(Grammar::Rule rule, std::vector<Grammar::Rule>& calls) {
    ++round_;
    return weigh(grammar_.rules()[rule].body, 0, calls);
  }

 private:
  struct Known {
    size_t weight = 0;
    uint32_t round = 0;  // its calls are in the list of this rule already
  };

  size_t weigh(Expr expr, int depth, std::vector<Grammar::Rule>& calls) {
    if (depth > kMaxCopyDepth) {
      throw base::Error(base::Code::kInvalid, "the grammar is nested too deep");
    }
    if (const auto it = known_.find(expr); it != known_.end() && it->second.round == round_) {
      return it->second.weight;
    }
    const Grammar::Node& node = grammar_.node(expr);
    size_t weight = node.bytes.size() + 3 * node.ranges.size() + 1;
    for (const Expr part : node.parts) {
      weight += weigh(part, depth + 1, calls);
    }
    if (node.kind == Kind::kRepeat && node.max > 1) {
      weight *= node.max == Grammar::kUnlimited ? node.min + 2 : node.max;
    }
    if (node.kind == Kind::kCall) {
      calls.push_back(node.rule);
    }
    weight = std::min<size_t>(weight, 1 << 30);
    known_[expr] = {weight, round_};
    return weight;
  }

  const Grammar& grammar_;
  std::unordered_map<Expr, Known> known_;
  uint32_t round_ = 0;
};

}  // namespace

void GrammarBudget::take(size_t& what, size_t count) {
  if (what < count) {
    throw base::Error(base::Code::kInvalid,
                      "the grammar is too large: it takes too many states; use fewer or smaller repetitions, "
                      "alternatives or fields");
  }
  what -= count;
}

std::vector<bool> inlined_rules(const Grammar& grammar) {
  // Small rules without calls, then those that call only them: a rule that calls itself never is.
  const size_t count = grammar.rules().size();
  std::vector<std::vector<Grammar::Rule>> calls(count);
  std::vector<size_t> weights(count);
  std::vector<bool> inlined(count, false);
  Scale scale(grammar);
  for (Grammar::Rule r = 0; r < count; ++r) {
    weights[r] = scale.weigh_rule(r, calls[r]);
  }
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    for (size_t r = 0; r < count; ++r) {
      size_t weight = weights[r];
      bool may = !grammar.rules()[r].shared && r != grammar.root();
      for (const Grammar::Rule callee : calls[r]) {
        may = may && inlined[callee];
        weight += weights[callee];
      }
      if (may && !inlined[r] && weight <= kInlineWeight) {
        inlined[r] = true;
        weights[r] = weight;
        calls[r].clear();
      }
    }
  }
  return inlined;
}

GrammarNfa build_nfa(const Grammar& grammar, Grammar::Expr expr, const std::vector<bool>& inlined,
                     GrammarBudget& budget) {
  return Builder(grammar, inlined, budget).build(expr);
}

}  // namespace slipway::text
