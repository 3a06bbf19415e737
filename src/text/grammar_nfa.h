// Expressions of a grammar as a nondeterministic automaton, and that made deterministic: the two steps between Grammar
// and GrammarAutomaton. Internal to grammar_*.cc.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "text/grammar.h"

namespace slipway::text {

struct GrammarNfa {
  struct Edge {
    uint8_t low;
    uint8_t high;
    uint32_t to;
  };
  struct State {
    std::vector<Edge> bytes;
    std::vector<std::pair<Grammar::Rule, uint32_t>> calls;  // and where to go on
    std::vector<uint32_t> jumps;                            // without a byte
  };
  std::vector<State> states;
  uint32_t start = 0;
  uint32_t end = 0;
};

// One rule, deterministic over bytes. A call is an edge too; a state may have both.
struct GrammarDfa {
  struct State {
    std::vector<GrammarNfa::Edge> bytes;  // sorted, apart
    std::vector<std::pair<Grammar::Rule, uint32_t>> calls;
    bool ends = false;
  };
  std::vector<State> states;  // the first one is the start
};

// What all rules of a grammar may take together: a compilation that would take more throws Error(kInvalid).
struct GrammarBudget {
  size_t nfa_states = 300'000;
  size_t dfa_states = 200'000;
  size_t steps = 60'000'000;  // a step takes a few nanoseconds
  void take(size_t& what, size_t count);
};

// For each rule of the grammar whether its body is copied to where it is called.
std::vector<bool> inlined_rules(const Grammar& grammar);

// Both throw Error(kInvalid).
GrammarNfa build_nfa(const Grammar& grammar, Grammar::Expr expr, const std::vector<bool>& inlined,
                     GrammarBudget& budget);
GrammarDfa compile_expression(const Grammar& grammar, Grammar::Expr expr, const std::vector<bool>& inlined,
                              GrammarBudget& budget);

}  // namespace slipway::text
