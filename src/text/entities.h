// The table of HTML's named character references. Constant; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace slipway::text {

struct Entity {
  std::string_view name;  // without & and ;
  char32_t first;
  char32_t second;  // 0 for the most
};

// Sorted by name.
std::span<const Entity> all_entities() noexcept;

// Appends what the reference at `text[at]`, a '&', stands for, or the '&' itself when it begins none; returns where it
// ends.
size_t append_reference(std::string_view text, size_t at, std::string& out);

// The character of a byte of windows-1252, which pages mean when they say ISO-8859-1 or write &#150;.
char32_t windows_1252(unsigned char byte) noexcept;

}  // namespace slipway::text
