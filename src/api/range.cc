#include "api/range.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace slipway::api {
namespace {

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

Range parse_range(std::string_view header, uint64_t size) noexcept {
  const Range whole{Range::Kind::kWhole, 0, size};
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) {
    return whole;
  }
  header.remove_prefix(kUnit.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) {
    return whole;
  }
  const auto first = number(header.substr(0, dash));
  const auto last = number(header.substr(dash + 1));
  const bool open = dash + 1 == header.size();  // "100-"
  if (dash == 0) {                              // "-5": the last five
    if (!last) {
      return whole;
    }
    const uint64_t count = std::min(*last, size);
    return {count == 0 ? Range::Kind::kUnsatisfiable : Range::Kind::kPart, size - count, count};
  }
  if (!first || (!open && (!last || *last < *first))) {
    return whole;
  }
  if (*first >= size) {
    return {Range::Kind::kUnsatisfiable, 0, 0};
  }
  const uint64_t end = open ? size - 1 : std::min(*last, size - 1);
  return {Range::Kind::kPart, *first, end - *first + 1};
}

}  // namespace slipway::api
