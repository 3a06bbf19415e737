// The parsed form of a Regex, between regex_parse.cc and regex_compile.cc. Internal.
#pragma once

#include "text/regex_program.h"

namespace slipway::text {

struct RegexNode {
  enum Type : uint8_t { kSet, kSequence, kAlternatives, kRepeat, kLook, kAtomic, kAssert };
  enum Mode : uint8_t { kGreedy, kLazy, kPossessive };
  Type type = kSequence;
  Mode mode = kGreedy;
  bool negated = false;
  bool behind = false;
  Regex::Program::Op assertion = Regex::Program::kMatch;
  uint32_t min = 1;
  uint32_t max = 1;
  CharSet set;
  std::vector<RegexNode> parts;
};

// Throws Error(kInvalid).
RegexNode parse_regex(std::u32string pattern, Regex::Flavor flavor, const std::string& source);

}  // namespace slipway::text
