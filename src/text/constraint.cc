#include "text/constraint.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "text/json_schema.h"

namespace slipway::text {
namespace {

constexpr size_t kMaxKnownBytes = size_t{64} << 20;
constexpr size_t kMaxKept = 64;
constexpr uint64_t kMaxSteps = 50'000'000;  // of one mask: about half a second

void set_bit(std::span<uint64_t> mask, int32_t id) {
  mask[static_cast<size_t>(id) / 64] |= uint64_t{1} << (static_cast<size_t>(id) % 64);
}

// Goes down the trie with the places that a text may be in.
class TrieWalk {
 public:
  TrieWalk(const GrammarAutomaton& automaton, const TokenTrie& trie, GrammarStacks& stacks)
      : automaton_(automaton), trie_(trie), stacks_(stacks) {}

  std::vector<GrammarItem>& start() { return items_; }  // fill before run()
  // Tells on_token of each token below `from` that the text may go on with, and on_end of each node below it where the
  // empty stack is reached and tokens go on.
  template <class OnToken, class OnEnd>
  void run(uint32_t from, const OnToken& on_token, const OnEnd& on_end) {
    const std::span<const TokenTrie::Node> nodes = trie_.nodes();
    const uint16_t top = nodes[from].depth;
    const size_t begin = items_.size();
    begins_ = {0, static_cast<uint32_t>(begin)};
    for (uint32_t i = from + 1; i < nodes[from].end;) {
      const TokenTrie::Node& node = nodes[i];
      const size_t level = static_cast<size_t>(node.depth - top);
      begins_.resize(level + 1);
      const uint32_t first = begins_[level];
      items_.resize(first);
      bool ended = false;
      steps_ += first - begins_[level - 1];
      for (uint32_t k = begins_[level - 1]; k < first; ++k) {
        const GrammarItem item = items_[k];
        const int32_t to = automaton_.next(item.state, node.byte);
        if (to == GrammarAutomaton::kNone) {
          continue;
        }
        if (items_.size() == first && automaton_.plain(to)) {
          items_.push_back({to, item.stack});
        } else {
          ended = add_grammar_item(automaton_, stacks_, {to, item.stack}, items_, first) || ended;
        }
      }
      const size_t found = items_.size() - first;
      steps_ += found * found / 8;  // each was compared with those before
      if (found == 0) {
        i = node.end;
        continue;
      }
      for (const int32_t id : trie_.ids_at(i)) {
        on_token(id);
      }
      if (ended && node.end > i + 1) {
        on_end(i);
      }
      begins_.push_back(static_cast<uint32_t>(items_.size()));
      ++i;
      if (steps_ > kMaxSteps) {
        throw base::Error(base::Code::kInvalid, "the grammar is too ambiguous: a token takes too many steps");
      }
    }
    items_.resize(begin);
  }

 private:
  const GrammarAutomaton& automaton_;
  const TokenTrie& trie_;
  GrammarStacks& stacks_;
  std::vector<GrammarItem> items_;  // of all levels, one after the other
  std::vector<uint32_t> begins_;
  uint64_t steps_ = 0;
};

}  // namespace

// The tokens that go on from a state, whatever the stack below is: within its rule or, with `back`, within the one that
// called it too.
struct Constraint::Tokens {
  std::vector<uint64_t> mask;     // or, when few,
  std::vector<int32_t> ids;       // these
  std::vector<uint32_t> pending;  // nodes of the trie where that is left, and tokens go on

  void add_to(std::span<uint64_t> out) const {
    for (size_t i = 0; i < mask.size(); ++i) {
      out[i] |= mask[i];
    }
    for (const int32_t id : ids) {
      set_bit(out, id);
    }
  }
  size_t bytes() const { return mask.size() * 8 + ids.size() * 4 + pending.size() * 4 + sizeof(*this); }
};

Constraint::Constraint(const Grammar& grammar, std::shared_ptr<const TokenTrie> trie)
    : automaton_(std::make_shared<GrammarAutomaton>(grammar)), trie_(std::move(trie)) {}

std::shared_ptr<const Constraint::Tokens> Constraint::tokens_of(int32_t state, int32_t back) const {
  const uint64_t key = (uint64_t{static_cast<uint32_t>(state)} << 32) | static_cast<uint32_t>(back);
  {
    const std::shared_lock lock(mutex_);
    if (const auto it = known_.find(key); it != known_.end()) {
      return it->second;
    }
  }
  std::shared_ptr<const Tokens> found = walk_state(state, back);
  const std::unique_lock lock(mutex_);
  if (known_bytes_ > kMaxKnownBytes) {
    known_.clear();
    known_bytes_ = 0;
  }
  if (known_.try_emplace(key, found).second) {
    known_bytes_ += found->bytes();
  }
  return found;
}

std::shared_ptr<const Constraint::Tokens> Constraint::walk_state(int32_t state, int32_t back) const {
  auto out = std::make_shared<Tokens>();
  out->mask.resize(words());
  GrammarStacks stacks;
  TrieWalk walk(*automaton_, *trie_, stacks);
  const auto on_token = [&](int32_t id) { set_bit(out->mask, id); };
  const auto on_end = [&](uint32_t node) { out->pending.push_back(node); };
  if (back == GrammarAutomaton::kNone) {
    walk.start().push_back({state, 0});  // alone: what it reaches without a byte are places of their own
    walk.run(TokenTrie::kRoot, on_token, on_end);
  } else {
    const std::shared_ptr<const Tokens> within = tokens_of(state, GrammarAutomaton::kNone);
    within->add_to(out->mask);
    const bool ends_too = add_grammar_item(*automaton_, stacks, {back, 0}, walk.start(), 0);
    for (const uint32_t node : within->pending) {
      if (ends_too) {
        on_end(node);
      }
      walk.run(node, on_token, on_end);
    }
    std::sort(out->pending.begin(), out->pending.end());
    out->pending.erase(std::unique(out->pending.begin(), out->pending.end()), out->pending.end());
  }
  size_t count = 0;
  for (const uint64_t word : out->mask) {
    count += static_cast<size_t>(std::popcount(word));
  }
  if (count < words()) {  // two to a word: half the memory at most
    for (size_t w = 0; w < out->mask.size(); ++w) {
      for (uint64_t rest = out->mask[w]; rest != 0; rest &= rest - 1) {
        out->ids.push_back(static_cast<int32_t>(w * 64) + std::countr_zero(rest));
      }
    }
    out->mask.clear();
    out->mask.shrink_to_fit();
  }
  return out;
}

ConstrainedText::ConstrainedText(std::shared_ptr<const Constraint> constraint)
    : constraint_(std::move(constraint)), text_(constraint_->automaton_) {}

bool ConstrainedText::accept(int32_t id) {
  if (id < 0 || id >= constraint_->vocab_size()) {
    return false;
  }
  std::string_view bytes = constraint_->trie().bytes_of(id);
  if (!begun_ && constraint_->trie().dropped_space() != TokenTrie::kRoot && bytes.starts_with(' ')) {
    bytes.remove_prefix(1);
  }
  return !bytes.empty() && accept_bytes(bytes);
}

bool ConstrainedText::accept_bytes(std::string_view bytes) {
  const bool good = text_.accept(bytes);
  begun_ = begun_ || (good && !bytes.empty());
  return good;
}

void ConstrainedText::allowed(std::span<uint64_t> mask) {
  std::fill(mask.begin(), mask.end(), 0);
  const GrammarAutomaton& automaton = constraint_->automaton();
  GrammarStacks& stacks = text_.stacks();
  const size_t frames = stacks.size();
  for (const GrammarItem& item : text_.items()) {
    if (!automaton.has_bytes(item.state)) {
      continue;
    }
    if (item.stack == 0) {
      constraint_->tokens_of(item.state, GrammarAutomaton::kNone)->add_to(mask);
      continue;
    }
    const GrammarStacks::Frame frame = stacks.at(item.stack);
    const auto tokens = constraint_->tokens_of(item.state, frame.state);
    tokens->add_to(mask);
    if (tokens->pending.empty() || frame.below == 0) {
      continue;  // nothing leaves both rules, or the text ends where it does
    }
    TrieWalk walk(automaton, constraint_->trie(), stacks);
    const GrammarStacks::Frame below = stacks.at(frame.below);
    add_grammar_item(automaton, stacks, {below.state, below.below}, walk.start(), 0);
    for (const uint32_t node : tokens->pending) {
      walk.run(
          node, [&](int32_t id) { set_bit(mask, id); }, [](uint32_t) {});
    }
  }
  if (const uint32_t space = constraint_->trie().dropped_space(); !begun_ && space != TokenTrie::kRoot) {
    // Tokens that begin with a space come without it.
    const TokenTrie& trie = constraint_->trie();
    const auto reset = [&](uint32_t node) {
      for (const int32_t id : trie.ids_at(node)) {
        mask[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (static_cast<size_t>(id) % 64));
      }
    };
    for (uint32_t node = space; node < trie.nodes()[space].end; ++node) {
      reset(node);
    }
    TrieWalk walk(automaton, trie, stacks);
    walk.start() = text_.items();
    walk.run(
        space, [&](int32_t id) { set_bit(mask, id); }, [](uint32_t) {});
  }
  stacks.shrink(frames);
}

std::shared_ptr<const Constraint> ConstraintCompiler::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = std::find_if(kept_.begin(), kept_.end(), [&](const Entry& entry) { return entry.first == key; });
  if (it == kept_.end()) {
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, it);
  return kept_.front().second;
}

std::shared_ptr<const Constraint> ConstraintCompiler::compile(const std::string& key,
                                                              const std::function<Grammar()>& make) {
  if (auto known = find(key)) {
    return known;
  }
  std::call_once(once_, [this] { trie_ = std::make_shared<TokenTrie>(tokenizer_); });
  auto made = std::make_shared<const Constraint>(make(), trie_);
  const std::lock_guard lock(mutex_);
  kept_.emplace_front(key, made);
  if (kept_.size() > kMaxKept) {
    kept_.pop_back();
  }
  return made;
}

std::shared_ptr<const Constraint> ConstraintCompiler::compile(ConstraintKind kind, std::string_view text,
                                                              const std::string& source) {
  return compile(fmt::format("{} {}", static_cast<int>(kind), text), [&] {
    switch (kind) {
      case ConstraintKind::kJsonSchema: return grammar_from_json_schema(text, source);
      case ConstraintKind::kRegex: return grammar_from_regex(text, source);
      case ConstraintKind::kGbnf: return grammar_from_gbnf(text, source);
      case ConstraintKind::kJsonObject: break;
    }
    return grammar_of_json_objects();
  });
}

std::shared_ptr<const Constraint> ConstraintCompiler::compile_choices(std::span<const std::string> choices,
                                                                      const std::string& source) {
  base::Json list = base::Json::array();
  for (const std::string& choice : choices) {
    list.push_back(choice);
  }
  return compile("choices " + base::dump_json(list), [&] { return grammar_from_choices(choices, source); });
}

}  // namespace slipway::text
