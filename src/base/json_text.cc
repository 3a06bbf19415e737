#include "base/json_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
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

using Bytes = unsigned char __attribute__((vector_size(16)));

}  // namespace

size_t json_plain_run(std::string_view text, size_t at) noexcept {
  const size_t begin = at;
  for (; at + sizeof(Bytes) <= text.size(); at += sizeof(Bytes)) {
    Bytes bytes;
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    const auto escaped = (bytes < 0x20) | (bytes == '"') | (bytes == '\\');
    uint64_t words[2];
    std::memcpy(words, &escaped, sizeof words);
    if ((words[0] | words[1]) != 0) {
      break;
    }
  }
  while (at < text.size() && !kEscaped[static_cast<unsigned char>(text[at])]) {
    ++at;
  }
  return at - begin;
}

void append_json_text(std::string_view text, std::string& out) {
  out += '"';
  size_t kept = 0;
  for (size_t i = json_plain_run(text, 0); i < text.size(); i += 1 + json_plain_run(text, i + 1)) {
    const auto c = static_cast<unsigned char>(text[i]);
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
