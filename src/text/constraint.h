// Which tokens may come next in a text that must match a grammar. A Constraint is a compiled grammar and a vocabulary,
// with what was found out about their states so far; shared by all texts under it, on any threads. A ConstrainedText is
// one text: one thread at a time, together with its copies, which are cheap.
//
// How masks are fast: the tokens that go on from a state within its rule do not depend on the stack below, nor do those
// that leave the rule for a known state: both are walked once, over the trie of the vocabulary, and kept. Only tokens
// that leave two rules are walked for the stack at hand (as XGrammar, Dong et al. 2024, splits its vocabulary).
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/grammar_automaton.h"
#include "text/token_trie.h"

namespace slipway::text {

class Constraint {
 public:
  Constraint(const Grammar& grammar, std::shared_ptr<const TokenTrie> trie);  // throws as GrammarAutomaton

  const GrammarAutomaton& automaton() const noexcept { return *automaton_; }
  const TokenTrie& trie() const noexcept { return *trie_; }
  int vocab_size() const noexcept { return trie_->vocab_size(); }
  size_t words() const noexcept { return (static_cast<size_t>(vocab_size()) + 63) / 64; }  // of a mask

 private:
  friend class ConstrainedText;
  struct Tokens;
  std::shared_ptr<const Tokens> tokens_of(int32_t state, int32_t back) const;
  std::shared_ptr<const Tokens> walk_state(int32_t state, int32_t back) const;

  std::shared_ptr<const GrammarAutomaton> automaton_;
  std::shared_ptr<const TokenTrie> trie_;
  mutable std::shared_mutex mutex_;
  mutable std::unordered_map<uint64_t, std::shared_ptr<const Tokens>> known_;  // guarded by mutex_
  mutable size_t known_bytes_ = 0;
};

class ConstrainedText {
 public:
  explicit ConstrainedText(std::shared_ptr<const Constraint> constraint);

  // Whether the text may go on with this token; if not, nothing changes.
  bool accept(int32_t id);
  bool accept_bytes(std::string_view bytes);
  bool can_end() const noexcept { return text_.can_end(); }    // whether the text may end here
  bool must_end() const noexcept { return text_.must_end(); }  // whether nothing may follow
  // Sets bit i of `mask` [words()] exactly when token i may come next; the end of the text is the caller's.
  // Microseconds where states were seen before, up to a millisecond or two for the first time in a state that allows
  // most tokens. Throws Error(kInvalid) for grammars so ambiguous that it would take far longer.
  void allowed(std::span<uint64_t> mask);
  const Constraint& constraint() const noexcept { return *constraint_; }

 private:
  std::shared_ptr<const Constraint> constraint_;
  GrammarText text_;
  bool begun_ = false;
};

enum class ConstraintKind : uint8_t { kJsonObject, kJsonSchema, kRegex, kGbnf };

// Compiles constraints for one vocabulary and keeps the last ones: clients send the same schema again and again, and
// what is known of its states is then there. Any thread.
class ConstraintCompiler {
 public:
  // The tokenizer is borrowed.
  explicit ConstraintCompiler(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // `text`: the schema, expression or grammar; nothing for kJsonObject. `source` is used in messages. Throws
  // Error(kInvalid).
  std::shared_ptr<const Constraint> compile(ConstraintKind kind, std::string_view text, const std::string& source);
  std::shared_ptr<const Constraint> compile_choices(std::span<const std::string> choices, const std::string& source);
  // What `make` makes, which `key` stands for.
  std::shared_ptr<const Constraint> compile(const std::string& key, const std::function<Grammar()>& make);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<const Constraint>>;
  std::shared_ptr<const Constraint> find(const std::string& key);

  const Tokenizer& tokenizer_;
  std::once_flag once_;
  std::shared_ptr<const TokenTrie> trie_;
  std::mutex mutex_;
  std::list<Entry> kept_;  // guarded by mutex_; the newest first
};

}  // namespace slipway::text
