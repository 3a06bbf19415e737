// The compiled form of a Regex: instructions of a backtracking machine. Internal to regex*.cc.
#pragma once

#include <array>
#include <vector>

#include "text/char_kind.h"
#include "text/hf_unicode.h"
#include "text/regex.h"

namespace slipway::text {

// A set of characters: the union of its items, cut with each of `all_of`, maybe negated.
struct CharSet {
  std::vector<CodeRange> ranges;
  uint8_t kinds = 0;  // any of these
  bool word = false;  // \w
  bool any = false;
  bool negated = false;
  bool ignore_case = false;
  std::vector<CharSet> any_of;
  std::vector<CharSet> all_of;
  std::array<bool, 128> ascii{};

  // `table` is char_kind_table().
  bool contains(char32_t c, const uint8_t* table) const noexcept { return c < 128 ? ascii[c] : lookup(c, table); }
  bool lookup(char32_t c, const uint8_t* table) const noexcept;
  // Call once when complete.
  void freeze();
};

struct Regex::Program {
  enum Op : uint8_t {
    kSet,         // one character of sets[a]
    kSpan,        // a to b characters of sets[set], as many as can be, giving back one at a time
    kSpanLazy,    // the fewest first
    kSpanAtomic,  // never giving back
    kSplit,       // try a, then b
    kJump,        // a
    kAhead,       // sub-match at a must succeed (negated: fail); go on at b
    kBehind,      // the same for the `set` characters before
    kAtomic,      // sub-match at a; go on at b from its end, never giving back
    kProgress,    // fail when nothing was consumed since the mark in slot a
    kMark,        // remember the position in slot a
    kTextBegin,
    kTextEnd,
    kTextEndOrNewline,
    kLineBegin,
    kLineEnd,
    kWordBoundary,
    kMatch,
  };
  struct Instruction {
    Op op;
    bool negated = false;
    uint32_t set = 0;
    uint32_t a = 0;
    uint32_t b = 0;
  };
  std::vector<Instruction> code;
  std::vector<CharSet> sets;
  uint32_t slots = 0;
  std::string source;
};

constexpr uint32_t kNoLimit = UINT32_MAX;

// Throws Error(kInvalid).
void compile_regex(std::string_view pattern, Regex::Flavor flavor, const std::string& source, Regex::Program& program);

}  // namespace slipway::text
