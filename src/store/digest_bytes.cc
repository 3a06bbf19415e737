#include "store/digest_bytes.h"

namespace slipway::store {

std::string digest_bytes(std::string_view digest) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  bytes.reserve(kDigestBytes);
  for (size_t i = 7; i + 1 < digest.size(); i += 2) {
    bytes += static_cast<char>(digit(digest[i]) * 16 + digit(digest[i + 1]));
  }
  return bytes;
}

std::string digest_text(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "sha256:";
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace slipway::store
