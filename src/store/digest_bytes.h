// Private to the room: numbers and digests in files of our own. Numbers are unsigned and little-endian.
#pragma once

#include <string>
#include <string_view>

namespace slipway::store {

constexpr size_t kDigestBytes = 32;

template <class Number>
void append(std::string& bytes, Number number) {
  for (size_t i = 0; i < sizeof number; ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
  }
}

template <class Number>
Number number_at(std::string_view bytes, size_t at) {
  Number number = 0;
  for (size_t i = 0; i < sizeof number; ++i) {
    number |= static_cast<Number>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return number;
}

// Of "sha256:…" (which must be one, base::is_digest) its 32 bytes, and back.
std::string digest_bytes(std::string_view digest);
std::string digest_text(std::string_view bytes);

}  // namespace slipway::store
