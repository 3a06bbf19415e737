// The table of HTML's named character references. Constant; any thread.
#pragma once

#include <span>
#include <string_view>

namespace slipway::text {

struct Entity {
  std::string_view name;  // without & and ;
  char32_t first;
  char32_t second;  // 0 for the most
};

// Sorted by name.
std::span<const Entity> all_entities() noexcept;

// The character of a byte of windows-1252, which pages mean when they say ISO-8859-1 or write &#150;.
char32_t windows_1252(unsigned char byte) noexcept;

}  // namespace slipway::text
