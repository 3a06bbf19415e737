#include "text/byte_level.h"

#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr bool prints(unsigned byte) noexcept {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

struct ByteChars {
  std::array<uint16_t, 256> char_of{};
  std::array<int16_t, 324> byte_of{};
  constexpr ByteChars() {
    for (auto& byte : byte_of) {
      byte = -1;
    }
    unsigned next = 256;
    for (unsigned b = 0; b < 256; ++b) {
      const unsigned c = prints(b) ? b : next++;
      char_of[b] = static_cast<uint16_t>(c);
      byte_of[c] = static_cast<int16_t>(b);
    }
  }
};
constexpr ByteChars kByteChars;

}  // namespace

char32_t byte_to_char(unsigned char byte) noexcept { return kByteChars.char_of[byte]; }

int char_to_byte(char32_t c) noexcept { return c < kByteChars.byte_of.size() ? kByteChars.byte_of[c] : -1; }

void append_byte_chars(std::string_view bytes, std::string& out) {
  for (const char byte : bytes) {
    append_utf8(byte_to_char(static_cast<unsigned char>(byte)), out);
  }
}

bool append_bytes_of_chars(std::string_view chars, std::string& out) {
  const size_t before = out.size();
  for (size_t at = 0; at < chars.size();) {
    const Decoded decoded = decode_at(chars, at);
    const int byte = char_to_byte(decoded.code);
    if (byte < 0) {
      out.resize(before);
      return false;
    }
    out += static_cast<char>(byte);
    at += decoded.size;
  }
  return true;
}

}  // namespace slipway::text
