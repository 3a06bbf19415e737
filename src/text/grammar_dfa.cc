#include <algorithm>
#include <array>
#include <unordered_map>

#include "text/grammar_nfa.h"

namespace slipway::text {
namespace {

struct SubsetHash {
  size_t operator()(const std::vector<uint32_t>& set) const noexcept {
    uint64_t h = 14695981039346656037ULL;
    for (const uint32_t x : set) {
      h = (h ^ x) * 1099511628211ULL;
    }
    return h ^ (h >> 29);
  }
};

// Rabin and Scott's subset construction (1959); a call is a symbol like a byte.
class Determinizer {
 public:
  Determinizer(const GrammarNfa& nfa, GrammarBudget& budget)
      : nfa_(nfa), budget_(budget), seen_(nfa.states.size(), 0) {}

  GrammarDfa run() {
    state_of({nfa_.start});
    for (uint32_t at = 0; at < subsets_.size(); ++at) {
      const std::vector<uint32_t> subset = *subsets_[at];
      add_bytes(at, subset);
      add_calls(at, subset);
      dfa_.states[at].ends = std::binary_search(subset.begin(), subset.end(), nfa_.end);
    }
    return std::move(dfa_);
  }

 private:
  // The state for what is reached from `states` without a byte.
  uint32_t state_of(std::vector<uint32_t> states) {
    ++stamp_;
    std::vector<uint32_t> closed;
    while (!states.empty()) {
      const uint32_t s = states.back();
      states.pop_back();
      budget_.take(budget_.steps, 1);
      if (seen_[s] == stamp_) {
        continue;
      }
      seen_[s] = stamp_;
      const GrammarNfa::State& state = nfa_.states[s];
      if (!state.bytes.empty() || !state.calls.empty() || s == nfa_.end) {
        closed.push_back(s);
      }
      states.insert(states.end(), state.jumps.begin(), state.jumps.end());
    }
    std::sort(closed.begin(), closed.end());
    const auto [it, fresh] = known_.try_emplace(std::move(closed), static_cast<uint32_t>(subsets_.size()));
    if (fresh) {
      budget_.take(budget_.dfa_states, 1);
      subsets_.push_back(&it->first);
      dfa_.states.emplace_back();
    }
    return it->second;
  }

  void add_bytes(uint32_t at, const std::vector<uint32_t>& subset) {
    std::array<bool, 257> cut{};  // where an edge begins, or has ended
    size_t edges = 0;
    for (const uint32_t s : subset) {
      for (const GrammarNfa::Edge& edge : nfa_.states[s].bytes) {
        cut[edge.low] = cut[edge.high + 1U] = true;
        ++edges;
      }
    }
    if (edges == 0) {
      return;
    }
    std::array<uint16_t, 257> part_of{};
    std::vector<std::vector<uint32_t>> targets(1);
    std::vector<uint16_t> begins = {0};
    for (uint16_t b = 0; b < 256; ++b) {
      if (b > 0 && cut[b]) {
        targets.emplace_back();
        begins.push_back(b);
      }
      part_of[b] = static_cast<uint16_t>(targets.size() - 1);
    }
    begins.push_back(256);
    for (const uint32_t s : subset) {
      for (const GrammarNfa::Edge& edge : nfa_.states[s].bytes) {
        for (uint16_t part = part_of[edge.low]; part <= part_of[edge.high]; ++part) {
          targets[part].push_back(edge.to);
          budget_.take(budget_.steps, 1);
        }
      }
    }
    for (size_t part = 0; part < targets.size(); ++part) {
      if (targets[part].empty()) {
        continue;
      }
      const uint32_t to = state_of(std::move(targets[part]));
      std::vector<GrammarNfa::Edge>& out = dfa_.states[at].bytes;
      if (!out.empty() && out.back().to == to && out.back().high + 1 == begins[part]) {
        out.back().high = static_cast<uint8_t>(begins[part + 1] - 1);
      } else {
        out.push_back({static_cast<uint8_t>(begins[part]), static_cast<uint8_t>(begins[part + 1] - 1), to});
      }
    }
  }

  void add_calls(uint32_t at, const std::vector<uint32_t>& subset) {
    std::vector<std::pair<Grammar::Rule, std::vector<uint32_t>>> by_rule;
    for (const uint32_t s : subset) {
      for (const auto& [rule, to] : nfa_.states[s].calls) {
        const auto it =
            std::find_if(by_rule.begin(), by_rule.end(), [r = rule](const auto& x) { return x.first == r; });
        if (it == by_rule.end()) {
          by_rule.emplace_back(rule, std::vector<uint32_t>{to});
        } else {
          it->second.push_back(to);
        }
        budget_.take(budget_.steps, 1 + by_rule.size());
      }
    }
    for (auto& [rule, to] : by_rule) {
      const uint32_t back = state_of(std::move(to));
      dfa_.states[at].calls.emplace_back(rule, back);
    }
  }

  const GrammarNfa& nfa_;
  GrammarBudget& budget_;
  std::unordered_map<std::vector<uint32_t>, uint32_t, SubsetHash> known_;
  std::vector<const std::vector<uint32_t>*> subsets_;  // keys of known_, by state
  std::vector<uint32_t> seen_;
  uint32_t stamp_ = 0;
  GrammarDfa dfa_;
};

}  // namespace

GrammarDfa compile_expression(const Grammar& grammar, Grammar::Expr expr, const std::vector<bool>& inlined,
                              GrammarBudget& budget) {
  const GrammarNfa nfa = build_nfa(grammar, expr, inlined, budget);
  return Determinizer(nfa, budget).run();
}

}  // namespace slipway::text
