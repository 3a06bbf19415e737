#include "text/pii_checks.h"

#include <ctime>

namespace slipway::text {

int pii_weighted(const PiiDigits& digits, std::span<const int> weights) noexcept {
  int sum = 0;
  for (size_t i = 0; i < weights.size() && digits.size() >= weights.size(); ++i) {
    sum += digits[i] * weights[i];
  }
  return sum;
}

bool pii_luhn(const PiiDigits& digits, int start) noexcept {
  int sum = start;
  for (size_t i = 0; i < digits.size(); ++i) {
    const int d = digits[digits.size() - 1 - i];
    sum += i % 2 == 0 ? d : (d < 5 ? 2 * d : 2 * d - 9);
  }
  return digits.size() > 0 && sum % 10 == 0;
}

bool pii_verhoeff(const PiiDigits& digits) noexcept {
  // Elements 0-4 are rotations, 5-9 reflections of the pentagon.
  const auto product = [](int a, int b) {
    if (a < 5) {
      return b < 5 ? (a + b) % 5 : 5 + (a + b) % 5;
    }
    return b < 5 ? 5 + (a - b) % 5 : (a - b + 5) % 5;
  };
  constexpr std::array<int, 10> kPermutation = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  int state = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int d = digits[digits.size() - 1 - i];
    for (size_t k = 0; k < i % 8; ++k) {
      d = kPermutation[static_cast<size_t>(d)];
    }
    state = product(state, d);
  }
  return state == 0;
}

bool pii_mod_11_10(const PiiDigits& digits) noexcept {
  int product = 10;
  for (size_t i = 0; i + 1 < digits.size(); ++i) {
    const int sum = (digits[i] + product) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return digits.size() > 1 && (11 - product) % 10 == digits[digits.size() - 1];
}

bool pii_date(int year, int month, int day) noexcept {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) {
    return false;
  }
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[static_cast<size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

int pii_this_year() noexcept {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return parts.tm_year + 1900;
}

}  // namespace slipway::text
