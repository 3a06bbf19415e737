// A compiled grammar: for each rule a deterministic automaton over bytes whose states may also call rules (a recursive
// transition network, Woods 1970), every state of which can still reach an end. GrammarText is a text on its way
// through it: the set of stacks that what was read so far allows. An automaton is constant: any thread. A GrammarText
// and its copies share memory: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/grammar.h"

namespace slipway::text {

class GrammarAutomaton {
 public:
  static constexpr int32_t kNone = -1;
  struct Call {
    int32_t start;  // of the rule that is called
    int32_t back;   // where it goes on afterwards
  };

  // Throws Error(kInvalid): a rule that is not defined, left recursion, nothing that matches, or more states than the
  // limits allow (about a second of work and 64 MB).
  explicit GrammarAutomaton(const Grammar& grammar);

  int32_t start() const noexcept { return start_; }
  int32_t states() const noexcept { return static_cast<int32_t>(flags_.size()); }
  // The state after one more byte, or kNone.
  int32_t next(int32_t state, uint8_t byte) const noexcept {
    return table_[static_cast<size_t>(state) * classes_ + class_of_[byte]];
  }
  bool ends(int32_t state) const noexcept { return (flags_[static_cast<size_t>(state)] & kEnds) != 0; }
  bool has_bytes(int32_t state) const noexcept { return (flags_[static_cast<size_t>(state)] & kHasBytes) != 0; }
  // It neither ends nor calls.
  bool plain(int32_t state) const noexcept { return (flags_[static_cast<size_t>(state)] & kPlain) != 0; }
  // It ends and nothing else: to return to it is to return from it.
  bool leaf(int32_t state) const noexcept { return (flags_[static_cast<size_t>(state)] & kLeaf) != 0; }
  std::span<const Call> calls(int32_t state) const noexcept {
    const auto s = static_cast<size_t>(state);
    return std::span(calls_).subspan(first_call_[s], first_call_[s + 1] - first_call_[s]);
  }
  size_t memory_bytes() const noexcept;

 private:
  enum Flag : uint8_t { kEnds = 1, kHasBytes = 2, kPlain = 4, kLeaf = 8 };

  int32_t start_ = 0;
  size_t classes_ = 0;
  std::array<uint8_t, 256> class_of_{};
  std::vector<int32_t> table_;  // [states, classes]
  std::vector<uint8_t> flags_;
  std::vector<uint32_t> first_call_;
  std::vector<Call> calls_;
};

// Stacks as a tree of frames, each known by a number; equal stacks have equal numbers. 0 is the empty one.
class GrammarStacks {
 public:
  struct Frame {
    int32_t state = 0;  // where to go on
    uint32_t below = 0;
  };
  // Throws Error(kInvalid) beyond a million frames.
  uint32_t push(int32_t state, uint32_t below);
  const Frame& at(uint32_t stack) const noexcept { return frames_[stack]; }
  size_t size() const noexcept { return frames_.size(); }
  void shrink(size_t size);  // forgets the newest

 private:
  static uint64_t key(const Frame& frame) noexcept {
    return (uint64_t{static_cast<uint32_t>(frame.state)} << 32) | frame.below;
  }
  std::vector<Frame> frames_ = {Frame{}};
  std::unordered_map<uint64_t, uint32_t> index_;
};

// Where a text may be: in a state, with a stack of where to go on.
struct GrammarItem {
  int32_t state;
  uint32_t stack;
  bool operator==(const GrammarItem&) const = default;
};

// Adds `item` and what is reached from it without a byte to `items`, from `begin` on; true when that includes the end
// of the text (of the empty stack). Throws Error(kInvalid) when a text may be in too many places.
bool add_grammar_item(const GrammarAutomaton& automaton, GrammarStacks& stacks, GrammarItem item,
                      std::vector<GrammarItem>& items, size_t begin);

class GrammarText {
 public:
  explicit GrammarText(std::shared_ptr<const GrammarAutomaton> automaton);

  // Whether the text may go on with all of these bytes; if not, nothing changes.
  bool accept(std::string_view bytes);
  // Whether the text may end here.
  bool can_end() const noexcept { return can_end_; }
  // Whether it must: no byte may follow.
  bool must_end() const noexcept;

  const GrammarAutomaton& automaton() const noexcept { return *automaton_; }
  const std::vector<GrammarItem>& items() const noexcept { return items_; }
  GrammarStacks& stacks() noexcept { return *stacks_; }

 private:
  std::shared_ptr<const GrammarAutomaton> automaton_;
  std::shared_ptr<GrammarStacks> stacks_;
  std::vector<GrammarItem> items_;
  std::vector<GrammarItem> next_;
  bool can_end_ = false;
};

}  // namespace slipway::text
