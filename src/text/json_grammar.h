// JSON as expressions of a grammar: strings, numbers, white space, any value; what json_schema.cc builds on. White
// space is bounded (one space, or a line end and at most 20 characters of indentation, after '{', '[' and ',' and
// before '}' and ']'; one space after ':'), and so are the digits of numbers, so that a model cannot write them without
// end. Each object writes into one grammar, which it borrows; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/grammar.h"

namespace slipway::text {

class JsonGrammar {
 public:
  using Expr = Grammar::Expr;
  explicit JsonGrammar(Grammar& grammar) : grammar_(grammar) {}

  Grammar& grammar() { return grammar_; }

  Expr any_value();
  Expr any_object();
  Expr space();                        // may be absent
  Expr colon();                        // ':' and maybe a space
  Expr value(const base::Json& json);  // exactly this one, compact

  // A string of `min` to `max` characters (code points; an escaped one counts as one).
  Expr string(uint32_t min = 0, uint32_t max = Grammar::kUnlimited);
  // A string that the regular expression matches somewhere, or as a whole. Throws Error(kInvalid) naming `source`.
  Expr string_matching(const std::string& pattern, bool whole, uint32_t min, uint32_t max, const std::string& source);
  // A string without escapes that is none of these.
  Expr string_except(const std::vector<std::string>& texts);

  // Whole numbers of at most 18 digits, within bounds when there are any.
  Expr integer(std::optional<int64_t> low, std::optional<int64_t> high);
  struct Bound {
    int64_t value = 0;
    bool inclusive = true;
  };
  // Numbers with at most 15 digits before and after the point; without bounds also with an exponent of two digits.
  Expr number(std::optional<Bound> low, std::optional<Bound> high);

  // Whole multiples of `of` > 0 within bounds; nullopt when these are too many to write down and do not show in the last
  // digits.
  std::optional<Expr> multiples(int64_t of, std::optional<int64_t> low, std::optional<int64_t> high);
  // Numbers with at most `places` digits after the point, without an exponent.
  Expr decimals(uint32_t places, std::optional<Bound> low, std::optional<Bound> high);
  // An array of distinct ones among `values`, which differ and are at most kMaxDistinct.
  static constexpr size_t kMaxDistinct = 8;  // a rule for each set of them
  Expr distinct(const std::vector<base::Json>& values, uint32_t min, uint32_t max);

  // '[' ']' or '{' '}' around elements separated by commas.
  Expr list(char open, Expr element, uint32_t min, uint32_t max);
  Expr enclosed(char open, Expr inside);  // `inside`, when it is not empty, ends with the space before the end
  Expr comma();                           // ',' and white space

 private:
  // The rule called `name`, made by `make` when it is asked for first.
  template <class Make>
  Expr shared(const std::string& name, Make make) {
    const auto [it, fresh] = rules_.try_emplace(name, 0);
    if (fresh) {
      const Grammar::Rule rule = grammar_.add_rule(name, true);
      it->second = rule;  // before its body, which may call it
      grammar_.define(rule, make());
      return grammar_.call(rule);
    }
    return grammar_.call(it->second);
  }
  Expr character();
  Expr digits(uint32_t min, uint32_t max);
  Expr digit(char first, char last);
  Expr whole_between(uint64_t low, uint64_t high);
  Expr same_length(std::string_view low, std::string_view high);
  Expr at_least(std::string_view low);
  Expr at_most(std::string_view high);
  Expr not_negative(Bound low, std::optional<Bound> high);
  Expr except(const std::vector<std::u32string>& texts, size_t at);

  Grammar& grammar_;
  std::map<std::string, Grammar::Rule> rules_;
};

}  // namespace slipway::text
