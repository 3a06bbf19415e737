#include "text/grammar_automaton.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "text/grammar_nfa.h"

namespace slipway::text {
namespace {

constexpr size_t kMaxTable = size_t{1} << 24;  // entries of 4 bytes
constexpr size_t kMaxFrames = 1'000'000;
constexpr size_t kMaxItems = 2'000;  // places that a text may be in at once; real grammars have a few

[[noreturn]] void fail(const std::string& what) { throw base::Error(base::Code::kInvalid, what); }

// Rules compiled, those that the root does not reach left empty.
struct Rules {
  std::vector<GrammarDfa> dfas;
  std::vector<bool> used;
};

Rules compile_rules(const Grammar& grammar) {
  const std::vector<bool> inlined = inlined_rules(grammar);
  GrammarBudget budget;
  Rules rules{std::vector<GrammarDfa>(grammar.rules().size()), std::vector<bool>(grammar.rules().size(), false)};
  std::vector<Grammar::Rule> work = {grammar.root()};
  rules.used[grammar.root()] = true;
  while (!work.empty()) {
    const Grammar::Rule rule = work.back();
    work.pop_back();
    rules.dfas[rule] = compile_expression(grammar, grammar.rules()[rule].body, inlined, budget);
    for (const GrammarDfa::State& state : rules.dfas[rule].states) {
      for (const auto& [callee, back] : state.calls) {
        if (!rules.used[callee]) {
          rules.used[callee] = true;
          work.push_back(callee);
        }
      }
    }
  }
  return rules;
}

// Removes what cannot reach an end of its rule. Throws when that is everything.
void trim(const Grammar& grammar, Rules& rules) {
  std::vector<std::vector<bool>> alive(rules.dfas.size());
  for (size_t r = 0; r < rules.dfas.size(); ++r) {
    alive[r].assign(rules.dfas[r].states.size(), false);
  }
  const auto good_call = [&](size_t rule, const std::pair<Grammar::Rule, uint32_t>& call) {
    return rules.used[call.first] && alive[call.first][0] && alive[rule][call.second];
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t r = 0; r < rules.dfas.size(); ++r) {
      const std::vector<GrammarDfa::State>& states = rules.dfas[r].states;
      for (size_t s = states.size(); s > 0; --s) {  // ends tend to come last
        const GrammarDfa::State& state = states[s - 1];
        if (alive[r][s - 1]) {
          continue;
        }
        const bool now =
            state.ends ||
            std::any_of(state.bytes.begin(), state.bytes.end(),
                        [&](const GrammarNfa::Edge& edge) { return alive[r][edge.to]; }) ||
            std::any_of(state.calls.begin(), state.calls.end(), [&](const auto& call) { return good_call(r, call); });
        alive[r][s - 1] = now;
        changed = changed || now;
      }
    }
  }
  if (!alive[grammar.root()][0]) {
    fail("no text at all matches the grammar");
  }
  for (size_t r = 0; r < rules.dfas.size(); ++r) {
    for (GrammarDfa::State& state : rules.dfas[r].states) {
      std::erase_if(state.bytes, [&](const GrammarNfa::Edge& edge) { return !alive[r][edge.to]; });
      std::erase_if(state.calls, [&](const auto& call) { return !good_call(r, call); });
    }
  }
}

// A rule that can call itself before a byte is read would be entered without end.
class LeftRecursion {
 public:
  LeftRecursion(const Grammar& grammar, const Rules& rules)
      : grammar_(grammar), rules_(rules), nullable_(rules.dfas.size(), false), color_(rules.dfas.size(), 0) {
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t r = 0; r < rules.dfas.size(); ++r) {
        if (!nullable_[r] && rules.used[r]) {
          const std::vector<uint32_t> reached = at_start(r);
          nullable_[r] =
              std::any_of(reached.begin(), reached.end(), [&](uint32_t s) { return rules.dfas[r].states[s].ends; });
          changed = changed || nullable_[r];
        }
      }
    }
  }

  void check() {
    for (size_t r = 0; r < rules_.dfas.size(); ++r) {
      if (rules_.used[r]) {
        visit(r, 0);
      }
    }
  }

 private:
  // States of a rule before any byte.
  std::vector<uint32_t> at_start(size_t rule) const {
    const GrammarDfa& dfa = rules_.dfas[rule];
    std::vector<uint32_t> reached = {0};
    std::vector<bool> seen(dfa.states.size(), false);
    seen[0] = true;
    for (size_t i = 0; i < reached.size(); ++i) {
      for (const auto& [callee, back] : dfa.states[reached[i]].calls) {
        if (nullable_[callee] && !seen[back]) {
          seen[back] = true;
          reached.push_back(back);
        }
      }
    }
    return reached;
  }

  void visit(size_t rule, int depth) {
    if (color_[rule] == 2) {
      return;
    }
    if (color_[rule] == 1) {
      fail(fmt::format("rule '{}' begins with itself (left recursion); put something before it, or use a repetition",
                       grammar_.rules()[rule].name));
    }
    constexpr int kMaxDepth = 2'000;
    if (depth > kMaxDepth) {
      fail("the grammar's rules call each other too deep");
    }
    color_[rule] = 1;
    for (const uint32_t state : at_start(rule)) {
      for (const auto& [callee, back] : rules_.dfas[rule].states[state].calls) {
        visit(callee, depth + 1);
      }
    }
    color_[rule] = 2;
  }

  const Grammar& grammar_;
  const Rules& rules_;
  std::vector<bool> nullable_;
  std::vector<uint8_t> color_;  // 1: being visited; 2: good
};

}  // namespace

GrammarAutomaton::GrammarAutomaton(const Grammar& grammar) {
  for (const Grammar::RuleInfo& rule : grammar.rules()) {
    if (!rule.defined) {
      fail(fmt::format("rule '{}' is not defined", rule.name));
    }
  }
  SLIPWAY_CHECK(!grammar.rules().empty());
  Rules rules = compile_rules(grammar);
  trim(grammar, rules);
  LeftRecursion(grammar, rules).check();

  std::array<bool, 257> cut{};
  std::vector<int32_t> first(rules.dfas.size());
  int32_t count = 0;
  for (size_t r = 0; r < rules.dfas.size(); ++r) {
    first[r] = count;
    count += static_cast<int32_t>(rules.dfas[r].states.size());
    for (const GrammarDfa::State& state : rules.dfas[r].states) {
      for (const GrammarNfa::Edge& edge : state.bytes) {
        cut[edge.low] = cut[edge.high + 1U] = true;
      }
    }
  }
  uint8_t last_class = 0;
  for (size_t b = 0; b < 256; ++b) {
    last_class = static_cast<uint8_t>(last_class + (b > 0 && cut[b] ? 1 : 0));
    class_of_[b] = last_class;
  }
  classes_ = size_t{last_class} + 1;
  if (static_cast<size_t>(count) * classes_ > kMaxTable) {
    fail(fmt::format("the grammar is too large: {} states over {} classes of bytes", count, classes_));
  }
  start_ = first[grammar.root()];
  table_.assign(static_cast<size_t>(count) * classes_, kNone);
  for (size_t r = 0; r < rules.dfas.size(); ++r) {
    for (const GrammarDfa::State& state : rules.dfas[r].states) {
      const size_t row = flags_.size() * classes_;
      for (const GrammarNfa::Edge& edge : state.bytes) {
        for (size_t c = class_of_[edge.low]; c <= class_of_[edge.high]; ++c) {
          table_[row + c] = first[r] + static_cast<int32_t>(edge.to);
        }
      }
      const bool calls = !state.calls.empty();
      const bool bytes = !state.bytes.empty();
      flags_.push_back(static_cast<uint8_t>((state.ends ? kEnds : 0) | (bytes ? kHasBytes : 0) |
                                            (!state.ends && !calls ? kPlain : 0) |
                                            (state.ends && !calls && !bytes ? kLeaf : 0)));
      first_call_.push_back(static_cast<uint32_t>(calls_.size()));
      for (const auto& [callee, back] : state.calls) {
        calls_.push_back({first[callee], first[r] + static_cast<int32_t>(back)});
      }
    }
  }
  first_call_.push_back(static_cast<uint32_t>(calls_.size()));
}

size_t GrammarAutomaton::memory_bytes() const noexcept {
  return table_.size() * sizeof(int32_t) + flags_.size() * 5 + calls_.size() * sizeof(Call);
}

uint32_t GrammarStacks::push(int32_t state, uint32_t below) {
  if (frames_.size() >= kMaxFrames) {
    fail("the constrained text is nested too deep");
  }
  const Frame frame{state, below};
  const auto [it, fresh] = index_.try_emplace(key(frame), static_cast<uint32_t>(frames_.size()));
  if (fresh) {
    frames_.push_back(frame);
  }
  return it->second;
}

void GrammarStacks::shrink(size_t size) {
  while (frames_.size() > size) {
    index_.erase(key(frames_.back()));
    frames_.pop_back();
  }
}

bool add_grammar_item(const GrammarAutomaton& automaton, GrammarStacks& stacks, GrammarItem item,
                      std::vector<GrammarItem>& items, size_t begin) {
  const auto add = [&](GrammarItem one) {
    if (std::find(items.begin() + static_cast<std::ptrdiff_t>(begin), items.end(), one) != items.end()) {
      return;
    }
    if (items.size() - begin >= kMaxItems) {
      fail("the grammar is too ambiguous: the text may be in thousands of places");
    }
    items.push_back(one);
  };
  bool ended = false;
  size_t at = items.size();
  add(item);
  for (; at < items.size(); ++at) {
    const GrammarItem now = items[at];
    if (automaton.plain(now.state)) {
      continue;
    }
    if (automaton.ends(now.state)) {
      if (now.stack == 0) {
        ended = true;
      } else {
        const GrammarStacks::Frame& frame = stacks.at(now.stack);
        add({frame.state, frame.below});
      }
    }
    for (const GrammarAutomaton::Call& call : automaton.calls(now.state)) {
      add({call.start, automaton.leaf(call.back) ? now.stack : stacks.push(call.back, now.stack)});
    }
  }
  return ended;
}

GrammarText::GrammarText(std::shared_ptr<const GrammarAutomaton> automaton)
    : automaton_(std::move(automaton)), stacks_(std::make_shared<GrammarStacks>()) {
  can_end_ = add_grammar_item(*automaton_, *stacks_, {automaton_->start(), 0}, items_, 0);
}

bool GrammarText::accept(std::string_view bytes) {
  std::vector<GrammarItem> now = items_;
  bool ended = can_end_;
  for (const char c : bytes) {
    next_.clear();
    ended = false;
    for (const GrammarItem& item : now) {
      const int32_t to = automaton_->next(item.state, static_cast<uint8_t>(c));
      if (to != GrammarAutomaton::kNone) {
        ended = add_grammar_item(*automaton_, *stacks_, {to, item.stack}, next_, 0) || ended;
      }
    }
    if (next_.empty()) {
      return false;
    }
    now.swap(next_);
  }
  items_.swap(now);
  can_end_ = ended;
  return true;
}

bool GrammarText::must_end() const noexcept {
  return can_end_ && std::none_of(items_.begin(), items_.end(),
                                  [&](const GrammarItem& item) { return automaton_->has_bytes(item.state); });
}

}  // namespace slipway::text
