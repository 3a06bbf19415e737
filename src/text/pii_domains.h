// Domain names in text: e-mail addresses and web addresses. Internal to pii*.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace slipway::text {

// Sorted by bytes, lower case, UTF-8 and xn-- forms (pii_tld_table.cc).
std::span<const std::string_view> top_level_domains() noexcept;
// Whether the lower-case label is one.
bool is_top_level_domain(std::string_view label) noexcept;

// The end of the top-level domain that an address has at `at` (after the dot), as Presidio's pattern takes it: the
// shortest of three letters or more that the text begins with, else one of two letters; 0 for none. With `ends`, the
// next longer one after `at + ends` characters.
uint32_t top_level_end(std::u32string_view text, uint32_t at, uint32_t longer_than = 0) noexcept;

}  // namespace slipway::text
