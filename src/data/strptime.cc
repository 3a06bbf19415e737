#include "data/strptime.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

namespace slipway::data {
namespace {

constexpr std::array kMonths = {"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"};
constexpr std::array kDays = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
constexpr std::string_view kKnown = "YymdHIMSfjpbBaAzZ%";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct Scan {
  std::string_view text;
  std::optional<int> number(size_t least, size_t most) {
    size_t digits = 0;
    int value = 0;
    while (digits < most && digits < text.size() && is_digit(text[digits])) {
      value = value * 10 + (text[digits++] - '0');
    }
    if (digits < least) {
      return std::nullopt;
    }
    text.remove_prefix(digits);
    return value;
  }
  // The index of the name that comes; `letters` of it, 0: all.
  template <class Names>
  std::optional<int> name(const Names& names, size_t letters) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string_view whole = names[i];
      const std::string_view one = letters == 0 ? whole : whole.substr(0, letters);
      if (text.size() >= one.size() && std::equal(one.begin(), one.end(), text.begin(), [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); })) {
        text.remove_prefix(one.size());
        return static_cast<int>(i);
      }
    }
    return std::nullopt;
  }
  bool zone() {
    if (text.empty()) {
      return false;
    }
    if (text[0] == 'Z') {
      text.remove_prefix(1);
      return true;
    }
    if (text[0] != '+' && text[0] != '-') {
      return false;
    }
    text.remove_prefix(1);
    const auto hours = number(2, 2);
    if (!text.empty() && text[0] == ':') {
      text.remove_prefix(1);
    }
    const auto minutes = number(2, 2);
    return hours && minutes && *hours < 24 && *minutes < 60;
  }
};

bool in(const std::optional<int>& value, int low, int high) { return value && *value >= low && *value <= high; }

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

}  // namespace

std::string strptime_fault(std::string_view format) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      continue;
    }
    if (i + 1 == format.size()) {
      return "the format ends with a %";
    }
    if (kKnown.find(format[++i]) == std::string_view::npos) {
      return fmt::format("the format has %{}, which is not known; there are %Y %y %m %d %H %I %M %S %f %j %p %b %B %a %A %z %Z", format[i]);
    }
  }
  return "";
}

bool matches_strptime(std::string_view text, std::string_view format) {
  Scan scan{text};
  int year = 1900;
  int month = 1;
  int day = 1;
  for (size_t i = 0; i < format.size(); ++i) {
    if (is_space(format[i])) {
      size_t spaces = 0;
      while (spaces < scan.text.size() && is_space(scan.text[spaces])) {
        ++spaces;
      }
      if (spaces == 0) {
        return false;
      }
      scan.text.remove_prefix(spaces);
      while (i + 1 < format.size() && is_space(format[i + 1])) {
        ++i;
      }
      continue;
    }
    if (format[i] != '%') {
      if (scan.text.empty() || scan.text[0] != format[i]) {
        return false;
      }
      scan.text.remove_prefix(1);
      continue;
    }
    bool good = false;
    std::optional<int> value;
    switch (format[++i]) {
      case 'Y': good = in(value = scan.number(4, 4), 1, 9999), year = value.value_or(0); break;
      case 'y': good = in(value = scan.number(2, 2), 0, 99), year = value.value_or(0) + (value.value_or(0) < 69 ? 2000 : 1900); break;
      case 'm': good = in(value = scan.number(1, 2), 1, 12), month = value.value_or(0); break;
      case 'd': good = in(value = scan.number(1, 2), 1, 31), day = value.value_or(0); break;
      case 'H': good = in(scan.number(1, 2), 0, 23); break;
      case 'I': good = in(scan.number(1, 2), 1, 12); break;
      case 'M': good = in(scan.number(1, 2), 0, 59); break;
      case 'S': good = in(scan.number(1, 2), 0, 61); break;
      case 'f': good = scan.number(1, 6).has_value(); break;
      case 'j': good = in(scan.number(1, 3), 1, 366); break;
      case 'p': good = scan.name(std::array{"am", "pm"}, 0).has_value(); break;
      case 'b': good = in(value = scan.name(kMonths, 3), 0, 11), month = value.value_or(0) + 1; break;
      case 'B': good = in(value = scan.name(kMonths, 0), 0, 11), month = value.value_or(0) + 1; break;
      case 'a': good = scan.name(kDays, 3).has_value(); break;
      case 'A': good = scan.name(kDays, 0).has_value(); break;
      case 'z': good = scan.zone(); break;
      case 'Z': good = scan.name(std::array{"utc", "gmt"}, 0).has_value(); break;
      default:
        good = !scan.text.empty() && scan.text[0] == '%';
        scan.text.remove_prefix(good ? 1 : 0);
    }
    if (!good) {
      return false;
    }
  }
  constexpr std::array kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int length = month == 2 && is_leap(year) ? 29 : kLengths[static_cast<size_t>(month - 1)];
  return scan.text.empty() && day <= length;
}

}  // namespace slipway::data
