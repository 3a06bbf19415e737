// General categories of characters as one byte of flags, for the regular expressions of pre-tokenizers and for the
// scanners that stand in for them. Unicode 16, as Hugging Face tokenizers 0.23 and tiktoken have it. Pure functions.
// Any thread.
#pragma once

#include <cstdint>
#include <span>

#include "text/hf_unicode.h"

namespace slipway::text {

enum CharKind : uint8_t {
  kLetterKind = 1,        // L*
  kNumberKind = 2,        // N*
  kSpaceKind = 4,         // White_Space
  kMarkKind = 8,          // M*
  kPunctuationKind = 16,  // P*
  kSymbolKind = 32,       // S*
  kUpperKind = 64,        // Lu, Lt
  kLowerKind = 128,       // Ll; Lm and Lo are letters without case
};

struct NewKind {
  char32_t first;
  char32_t last;
  uint8_t kinds;
};
std::span<const NewKind> new_kinds() noexcept;
std::span<const CodeRange> modifier_letter_ranges() noexcept;  // Lm
std::span<const CodeRange> decimal_digit_ranges() noexcept;    // Nd
std::span<const CodeRange> han_ranges() noexcept;              // the script

constexpr char32_t kKindCodePoints = 0x32400;  // beyond it there are only the marks U+E0100 to U+E01EF
// [kKindCodePoints], built on the first call.
const uint8_t* char_kind_table() noexcept;

inline uint8_t char_kind(char32_t c, const uint8_t* table) noexcept {
  return c < kKindCodePoints ? table[c] : c >= 0xE0100 && c <= 0xE01EF ? uint8_t{kMarkKind} : uint8_t{0};
}
inline uint8_t char_kind(char32_t c) noexcept { return char_kind(c, char_kind_table()); }

}  // namespace slipway::text
