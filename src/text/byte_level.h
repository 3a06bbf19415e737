// The bytes of a text as printable characters, as GPT-2's vocabulary writes them: each byte is one character, those
// that are printable in Latin-1 themselves, the others U+0100 on. Pure functions. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::text {

// The character that stands for a byte.
char32_t byte_to_char(unsigned char byte) noexcept;
// The byte that a character stands for, or -1.
int char_to_byte(char32_t c) noexcept;
// Bytes to their characters in UTF-8. Appends.
void append_byte_chars(std::string_view bytes, std::string& out);
// Characters to their bytes; false, with `out` as it was, when one stands for no byte. Appends.
bool append_bytes_of_chars(std::string_view chars, std::string& out);

}  // namespace slipway::text
