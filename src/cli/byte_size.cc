#include "cli/byte_size.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::cli {

uint64_t parse_byte_size(std::string_view text, const std::string& flag) {
  const auto fail = [&]() -> uint64_t {
    throw base::Error(
        base::Code::kInvalid,
        fmt::format("--{}: '{}' is no size; write bytes, or a number with K, M, G or T, as in 512MB or 2GiB", flag,
                    text));
  };
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) {
    return fail();
  }
  std::string unit;
  for (const char c : text.substr(static_cast<size_t>(end - text.data()))) {
    if (c != ' ') {
      unit += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
  }
  double factor = 1;
  if (!unit.empty() && unit != "b") {
    constexpr std::string_view kPrefixes = "kmgt";
    const size_t power = kPrefixes.find(unit.front());
    const std::string_view rest = std::string_view(unit).substr(1);
    if (power == std::string_view::npos || (rest != "" && rest != "b" && rest != "ib")) {
      return fail();
    }
    factor = std::pow(rest == "ib" ? 1024.0 : 1000.0, static_cast<double>(power + 1));
  }
  constexpr double kMost = 1e18;
  return number * factor > kMost ? fail() : static_cast<uint64_t>(number * factor);
}

}  // namespace slipway::cli
