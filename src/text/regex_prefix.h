// Which ASCII characters a match can have at its first places: what rules most places of a text out before a pattern is tried
// there. Internal to pii.cc. Pure. Any thread.
#pragma once

#include <bitset>
#include <cstddef>
#include <vector>

#include "text/regex_program.h"

namespace slipway::text {

// [depth]: the ASCII characters that some match can have `d` characters after its beginning, look-arounds not considered; all of them from
// where a match may have ended. Never says no wrongly. O(depth x instructions).
std::vector<std::bitset<128>> regex_prefix(const Regex::Program& program, size_t depth);

}  // namespace slipway::text
