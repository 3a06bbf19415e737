// Characters as Hugging Face tokenizers see them: the classes that its BERT normalizer and pre-tokenizer ask for. They
// are frozen at Unicode 8 there, so ours are too (hf_unicode_table.cc); ids would differ on newer marks and punctuation
// else. Pure functions. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace slipway::text {

struct CodeRange {
  char32_t first;
  char32_t last;
};

std::span<const CodeRange> hf_other_ranges() noexcept;        // Cc, Cf, Co, U+FFFD; tab and line ends excepted
std::span<const CodeRange> hf_punctuation_ranges() noexcept;  // P* and the ASCII symbols
std::span<const CodeRange> hf_nonspacing_ranges() noexcept;   // Mn, also when reached by decomposition
std::span<const CodeRange> hf_mark_ranges() noexcept;         // M* of the StripAccents normalizer
std::span<const CodeRange> hf_new_word_ranges() noexcept;     // \w where utf8proc's Unicode 14 does not have it
std::span<const CodeRange> hf_new_number_ranges() noexcept;   // the same for N*

bool in_ranges(std::span<const CodeRange> ranges, char32_t c) noexcept;  // O(log n)

// Whether c is a white space for Rust's char::is_whitespace (as the White_Space property).
bool hf_is_space(char32_t c) noexcept;
// \w of Rust's regex: alphabetic, marks, decimal digits, connectors, joiners.
bool hf_is_word(char32_t c) noexcept;
bool hf_is_number(char32_t c) noexcept;  // N*
// Rust's char::to_lowercase: one character, or two for U+0130. Appends.
void hf_lowercase(char32_t c, std::u32string& out);

// One byte a code point below kFastCodePoints; others go through char_class(). Built once, then read only.
enum CharClass : uint8_t {
  kWordChar = 0,
  kSpaceChar = 1,
  kPunctuationChar = 2,
  kOtherChar = 3,      // removed by clean_text; three of them are white space without it (ask hf_is_space)
  kIdeographChar = 4,  // spaced by handle_chinese_chars
  kClassMask = 7,
  kNonspacingFlag = 8,  // removed by strip_accents
  kChangesFlag = 16,    // has a canonical decomposition or a lower case: ask utf8proc
  kReorderFlag = 32,    // combining, and not removed by strip_accents: canonical order may matter
};
constexpr char32_t kFastCodePoints = 0x20000;
uint8_t char_class(char32_t c) noexcept;
const uint8_t* char_class_table() noexcept;  // [kFastCodePoints]

}  // namespace slipway::text
