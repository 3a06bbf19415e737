#include "base/json_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>

namespace slipway::base {
namespace {

constexpr std::array<bool, 256> kEscaped = [] {
  std::array<bool, 256> escaped{};
  std::fill_n(escaped.begin(), 0x20, true);
  escaped['"'] = escaped['\\'] = true;
  return escaped;
}();

}  // namespace

void append_json_text(std::string_view text, std::string& out) {
  out += '"';
  size_t kept = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!kEscaped[c]) {
      continue;
    }
    out.append(text, kept, i - kept);
    kept = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
  }
  out.append(text, kept, text.size() - kept);
  out += '"';
}

}  // namespace slipway::base
