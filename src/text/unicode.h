// UTF-8 and Unicode: decoding that never fails, normal forms, and the character classes that text processing asks
// about. Pure functions on the caller's bytes; nothing is owned. Any thread. Unicode 14 through utf8proc (Debian 12).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::text {

constexpr char32_t kReplacement = 0xFFFD;

// One decoded character: `size` bytes (1..4) of the input give `code`. An invalid sequence gives U+FFFD: the
// longest prefix of a valid sequence counts as one (the "maximal subpart" rule of Unicode 3.9, as Python, Rust and
// WHATWG).
struct Decoded {
  char32_t code;
  uint32_t size;
};

// The character at `text[at]`; at < text.size().
Decoded decode_at(std::string_view text, size_t at) noexcept;
// Appends the UTF-8 of `code`; surrogates and values above U+10FFFF become U+FFFD.
void append_utf8(char32_t code, std::string& out);

bool is_valid_utf8(std::string_view text) noexcept;
// The text itself when valid; else a copy with every invalid sequence replaced by U+FFFD.
std::string sanitize_utf8(std::string_view text);
// Number of code points (an invalid sequence counts as one, as sanitize_utf8 makes it).
size_t count_code_points(std::string_view text) noexcept;
// The first `max_code_points` code points, as a view.
std::string_view prefix_code_points(std::string_view text, size_t max_code_points) noexcept;

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };
// The Unicode normal form; invalid bytes become U+FFFD. ASCII returns at once.
std::string normalize(std::string_view text, NormalForm form);
// Simple lower case of each character (no context: final sigma is sigma); U+0130 gives "i" and U+0307. As Rust's and
// Hugging Face's Lowercase.
std::string lowercase(std::string_view text);
// The same with full folding, for comparing (ss for sharp s): Unicode default case folding.
std::string casefold(std::string_view text);

// Classes of one character; all false for values above U+10FFFF.
bool is_letter(char32_t c) noexcept;           // L*
bool is_mark(char32_t c) noexcept;             // M*
bool is_nonspacing_mark(char32_t c) noexcept;  // Mn
bool is_digit(char32_t c) noexcept;            // Nd
bool is_number(char32_t c) noexcept;           // N*
bool is_letter_number(char32_t c) noexcept;    // Nl
bool is_connector(char32_t c) noexcept;        // Pc
bool is_punctuation(char32_t c) noexcept;      // P*
bool is_symbol(char32_t c) noexcept;           // S*
bool is_control(char32_t c) noexcept;          // Cc, Cf, Cn, Co, Cs
bool is_whitespace(char32_t c) noexcept;       // the White_Space property
bool is_upper(char32_t c) noexcept;
bool is_lower(char32_t c) noexcept;
// The eight blocks of Han ideographs that BERT puts spaces around.
bool is_cjk_ideograph(char32_t c) noexcept;
// Kana, Hangul, Thai, Lao, Khmer, Myanmar: with Han, the scripts written without spaces or counted by character.
// (Hangul is written with spaces and is not in it.)
bool is_kana(char32_t c) noexcept;
bool is_hangul(char32_t c) noexcept;
char32_t to_lower(char32_t c) noexcept;
char32_t to_upper(char32_t c) noexcept;

}  // namespace slipway::text
