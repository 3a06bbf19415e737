#include "data/table_values.h"

#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <vector>

#include "base/base64.h"
#include "data/document.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

int digits_of(int64_t per_second) noexcept { return per_second == 1000 ? 3 : per_second == 1'000'000 ? 6 : 9; }

template <class Real>
void append_number(Real value, std::string& out) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), "{}", value);
  if (out.find_first_of(".e", begin) == std::string::npos) {
    out += ".0";
  }
}

}  // namespace

// "2024-02-29" of days since 1970.
void append_date(int64_t days, std::string& out) {
  if (days < -719'528 || days > 2'932'896) {  // years 0 to 9999
    fmt::format_to(std::back_inserter(out), "{}", days);
    return;
  }
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()));
}

// "12:34:56.000001" of units since midnight.
void append_clock(int64_t units, int64_t per_second, std::string& out) {
  const int64_t seconds = units / per_second;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (units % per_second != 0) {
    fmt::format_to(std::back_inserter(out), ".{:0{}}", units % per_second, digits_of(per_second));
  }
}

void append_timestamp(int64_t units, int64_t per_second, std::string& out) {
  const int64_t a_day = 86'400 * per_second;
  const int64_t day = units >= 0 ? units / a_day : -((-(units + 1)) / a_day) - 1;
  append_date(day, out);
  out += 'T';
  append_clock(units - day * a_day, per_second, out);
}

// A signed big-endian number with its point.
std::string decimal_text(std::string_view bytes, int scale) {
  bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0;
  std::vector<unsigned> number;  // of its absolute value, big-endian
  unsigned carry = negative ? 1 : 0;
  for (size_t i = bytes.size(); i-- > 0;) {
    const unsigned byte = (static_cast<unsigned char>(bytes[i]) ^ (negative ? 0xFFU : 0U)) + carry;
    carry = byte >> 8U;
    number.insert(number.begin(), byte & 0xFFU);
  }
  std::string digits;
  for (bool left = true; left;) {
    unsigned rest = 0;
    left = false;
    for (unsigned& byte : number) {
      const unsigned value = rest * 256 + byte;
      byte = value / 10;
      rest = value % 10;
      left = left || byte != 0;
    }
    digits.insert(digits.begin(), static_cast<char>('0' + rest));
  }
  while (static_cast<int>(digits.size()) <= scale) {
    digits.insert(digits.begin(), '0');
  }
  if (scale > 0) {
    digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  }
  return (negative ? "-" : "") + digits;
}

std::string big_endian(int64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(static_cast<uint64_t>(value) >> shift & 0xFFU);
  }
  return bytes;
}

void append_real(double value, std::string& out) { append_number(value, out); }
void append_real(float value, std::string& out) { append_number(value, out); }

double half_value(uint16_t bits) noexcept {
  const int exponent = bits >> 10 & 31;
  const double fraction = bits & 1023;
  const double value = exponent == 0    ? std::ldexp(fraction, -24)
                       : exponent == 31 ? (fraction == 0 ? HUGE_VAL : NAN)
                                        : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -value : value;
}

void append_text_or_bytes(std::string_view bytes, std::string& out) {
  if (text::is_valid_utf8(bytes)) {
    append_json_string(bytes, out);
  } else {
    out += '"' + base::base64_encode(bytes) + '"';
  }
}

}  // namespace slipway::data
