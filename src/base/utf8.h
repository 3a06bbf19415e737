// UTF-8 at the gates: what is broken, and how far. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace slipway::base {

// Length of the valid UTF-8 sequence at the begin of `text`, 0 for a broken one (Unicode 15, table 3-7).
size_t utf8_length(std::string_view text);

// `text` as a PostgreSQL can keep it: U+FFFD in the place of NUL and of each broken byte.
std::string without_broken(std::string_view text);

}  // namespace slipway::base
