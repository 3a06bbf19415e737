// The regular expressions of tokenizer files: Unicode classes, groups, alternatives, greedy, lazy and possessive
// repetition, look-ahead and fixed look-behind, (?i:...). Matching is by backtracking over code points, within a limit
// of steps, so that no file can hang a program; frequent patterns have scanners of their own (word_scanner.h), tested
// to be equal. Immutable once parsed: any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

class Regex {
 public:
  enum class Flavor : uint8_t {
    kOniguruma,  // Hugging Face tokenizers: ^ and $ match at lines
    kRust,       // tiktoken: ^ and $ match at the ends of the text
  };
  // Throws Error(kInvalid) naming `source`, the place in the pattern and what is wrong or not supported.
  Regex(std::string_view pattern, const std::string& source, Flavor flavor = Flavor::kOniguruma);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  struct Match {
    uint32_t begin;
    uint32_t end;
  };
  // The leftmost match in text[from, end), where the text begins at `begin` and stops at `end`; false when there is
  // none. Throws Error(kInvalid) after too many steps.
  bool find(std::u32string_view text, uint32_t begin, uint32_t end, uint32_t from, Match& match) const;

  // What one thread's matches reuse: no allocation a match.
  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;

   private:
    friend class Regex;
    struct State;
    std::unique_ptr<State> state_;
  };
  // The match that begins exactly at `at`, its end in `end_of_match`; false when there is none. Else as find.
  bool match_at(std::u32string_view text, uint32_t begin, uint32_t end, uint32_t at, Scratch& scratch,
                uint32_t& end_of_match) const;

  // The ASCII characters that a match can begin with: 127 and below are exact up to what look-arounds forbid; all of
  // them when a match can be empty.
  std::bitset<128> first_ascii() const;

  struct Program;

 private:
  std::unique_ptr<const Program> program_;
};

}  // namespace slipway::text
