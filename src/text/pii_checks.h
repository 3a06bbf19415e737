// Check digits of identity numbers. Internal to pii*.cc. All take the ASCII digits of a match, in order.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "text/pii_recognizer.h"

namespace slipway::text {

// The ASCII digits of a text, at most 40 (longer texts: the first 40; no number here has more).
struct PiiDigits {
  explicit PiiDigits(std::string_view text) noexcept {
    for (const char c : text) {
      if (c >= '0' && c <= '9' && count < values.size()) {
        values[count++] = c - '0';
      }
    }
  }
  int operator[](size_t i) const noexcept { return values[i]; }
  size_t size() const noexcept { return count; }
  std::array<int, 40> values{};
  size_t count = 0;
};

constexpr PiiVerdict pii_verdict(bool valid) noexcept { return valid ? PiiVerdict::kValid : PiiVerdict::kInvalid; }

// Sum of digit times weight over the first weights.size() digits; 0 when there are fewer digits.
int pii_weighted(const PiiDigits& digits, std::span<const int> weights) noexcept;
// ISO/IEC 7812-1 annex B: doubled from the second-last to the left, digits summed, a multiple of 10. `start` is added.
bool pii_luhn(const PiiDigits& digits, int start = 0) noexcept;
// Verhoeff 1969: the dihedral group of order 10.
bool pii_verhoeff(const PiiDigits& digits) noexcept;
// ISO 7064 MOD 11,10 over all but the last digit, which is the check digit.
bool pii_mod_11_10(const PiiDigits& digits) noexcept;
// Whether day and month exist in the year (Gregorian).
bool pii_date(int year, int month, int day) noexcept;
// This year, UTC: numbers that hold a year are not of a later one.
int pii_this_year() noexcept;

}  // namespace slipway::text
