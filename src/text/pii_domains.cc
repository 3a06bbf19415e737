#include "text/pii_domains.h"

#include <algorithm>
#include <array>

namespace slipway::text {

bool is_top_level_domain(std::string_view label) noexcept {
  return std::ranges::binary_search(top_level_domains(), label);
}

uint32_t top_level_end(std::u32string_view text, uint32_t at, uint32_t longer_than) noexcept {
  constexpr uint32_t kLongest = 24;
  std::array<char, kLongest> word{};
  uint32_t size = 0;
  while (size < kLongest && at + size < text.size() && text[at + size] < 128) {
    const char c = static_cast<char>(text[at + size]);
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower < 'a' || lower > 'z') {
      break;
    }
    word[size++] = lower;
  }
  for (uint32_t n = std::max<uint32_t>(3, longer_than + 1); n <= size; ++n) {
    if (is_top_level_domain({word.data(), n})) {
      return at + n;
    }
  }
  // After all longer ones come those of countries.
  return size >= 2 && longer_than != 2 && is_top_level_domain({word.data(), 2}) ? at + 2 : 0;
}

}  // namespace slipway::text
