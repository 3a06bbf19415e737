// What a text may be, as a context-free grammar over bytes: rules made of literals, characters, sequences,
// alternatives, repetitions and calls of rules. JSON Schema, regular expressions, GBNF and lists of choices are front
// ends that write one (json_schema.h and below); grammar_automaton.h compiles it. A Grammar is built by one thread;
// expressions are numbers that belong to the grammar that made them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/hf_unicode.h"

namespace slipway::text {

class Grammar {
 public:
  using Expr = uint32_t;
  using Rule = uint32_t;
  static constexpr uint32_t kUnlimited = UINT32_MAX;
  static constexpr size_t kMaxExpressions = 200'000;
  static constexpr uint32_t kMaxRepeat = 65'535;

  enum class Kind : uint8_t { kLiteral, kChars, kSequence, kAnyOf, kRepeat, kIntersect, kCall };
  struct Node {
    Kind kind = Kind::kLiteral;
    std::string bytes;              // kLiteral
    std::vector<CodeRange> ranges;  // kChars: sorted, apart, without surrogates
    std::vector<Expr> parts;        // the others
    uint32_t min = 0;               // kRepeat
    uint32_t max = 0;
    Rule rule = 0;  // kCall
  };
  struct RuleInfo {
    std::string name;  // for messages
    Expr body = 0;
    bool defined = false;
    bool shared = false;
  };

  Grammar();

  Expr empty() const { return 0; }  // the empty text
  Expr literal(std::string_view bytes);
  // One character of these code points, as UTF-8; in any order, surrogates are left out. No range: nothing matches.
  Expr chars(std::vector<CodeRange> ranges);
  Expr sequence(std::vector<Expr> parts);
  Expr any_of(std::vector<Expr> parts);  // no part: nothing matches
  // Throws Error(kInvalid) when max is below min or a number is above kMaxRepeat.
  Expr repeat(Expr part, uint32_t min, uint32_t max);
  Expr optional(Expr part) { return repeat(part, 0, 1); }
  // Texts that both match; neither may call a rule that (indirectly) calls itself.
  Expr intersect(Expr a, Expr b);
  Expr call(Rule rule);

  // A `shared` rule keeps states of its own whatever its size; other small ones are copied to where they are called.
  // What is computed about a state of a rule serves all places that call it.
  Rule add_rule(std::string name, bool shared = false);
  void define(Rule rule, Expr body);
  void set_root(Rule rule) { root_ = rule; }
  Rule root() const { return root_; }

  const Node& node(Expr expr) const { return nodes_[expr]; }
  const std::vector<RuleInfo>& rules() const { return rules_; }

 private:
  Expr add(Node node);  // throws Error(kInvalid) when there are too many

  std::vector<Node> nodes_;
  std::vector<RuleInfo> rules_;
  Rule root_ = 0;
};

// Front ends. Each throws Error(kInvalid) naming `source`, the place and what is wrong or not supported.

// llama.cpp's grammar syntax: name ::= alternatives of "literals", [classes], ., (groups), names, with *, +, ?, {m,n};
// the rule `root` is the whole text.
Grammar grammar_from_gbnf(std::string_view gbnf, const std::string& source);
// A regular expression that the whole text matches; ^ and $ may stand at its ends. \d, \w and \s mean ASCII ones.
// Look-around, word boundaries, possessive repetition and back-references are refused.
Grammar grammar_from_regex(std::string_view pattern, const std::string& source);
// One of these texts.
Grammar grammar_from_choices(std::span<const std::string> choices, const std::string& source);

// How a regular expression's character becomes an expression: as it is, or as JSON writes it inside a string.
using CharWriter = Grammar::Expr (*)(Grammar& grammar, const std::vector<CodeRange>& ranges);
// Adds a regular expression to a grammar. With `search`, it may match anywhere (as JSON Schema's "pattern") unless ^ or
// $ say where, and `any` is the expression for the text around it.
Grammar::Expr add_regex(Grammar& grammar, std::string_view pattern, const std::string& source, CharWriter write,
                        bool search, Grammar::Expr any);

// Sorted, merged, within U+10FFFF and without surrogates.
std::vector<CodeRange> normal_ranges(std::vector<CodeRange> ranges);
std::vector<CodeRange> complement_ranges(const std::vector<CodeRange>& normal);

}  // namespace slipway::text
