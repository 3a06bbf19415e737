// Whether an ideograph belongs to simplified or to traditional Chinese alone. Pure; any thread.
#pragma once

#include <cstdint>

namespace slipway::text {

enum class HanScript : uint8_t { kBoth, kSimplified, kTraditional };

// By the character sets of the two (tools/han_scripts.py): GB 2312 has it and Big5 not, or the other way round.
HanScript han_script(char32_t c) noexcept;

}  // namespace slipway::text
