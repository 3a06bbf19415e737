#include "text/entities.h"

#include <algorithm>

#include "text/html.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kLongestName = 32;

// What windows-1252 has at 0x80..0x9F: pages mean these when they write &#150;.
constexpr char32_t kWindows1252[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                       0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                       0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                       0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

const Entity* find_entity(std::string_view name) noexcept {
  const auto table = all_entities();
  const auto it = std::lower_bound(table.begin(), table.end(), name,
                                   [](const Entity& entity, std::string_view key) { return entity.name < key; });
  return it != table.end() && it->name == name ? &*it : nullptr;
}

bool alnum(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A numeric reference at `at` (after "&#"); appends and returns the end, or 0.
size_t numeric(std::string_view text, size_t at, std::string& out) {
  const bool hex = at < text.size() && (text[at] == 'x' || text[at] == 'X');
  at += hex ? 1 : 0;
  const size_t begin = at;
  char32_t code = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const char lower = static_cast<char>(c | 0x20);
    char32_t value = 0;
    if (c >= '0' && c <= '9') {
      value = static_cast<char32_t>(c - '0');
    } else if (hex && lower >= 'a' && lower <= 'f') {
      value = static_cast<char32_t>(lower - 'a' + 10);
    } else {
      break;
    }
    code = std::min<char32_t>(code * (hex ? 16 : 10) + value, 0x110000);
  }
  if (at == begin) {
    return 0;
  }
  if (code >= 0x80 && code <= 0x9F) {
    code = windows_1252(static_cast<unsigned char>(code));
  }
  append_utf8(code == 0 ? kReplacement : code, out);
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

// A named reference at `at` (after "&"); appends and returns the end, or 0. Without the semicolon only the five that
// old pages leave it off, and not inside a word or a query string.
size_t named(std::string_view text, size_t at, std::string& out) {
  size_t end = at;
  while (end < text.size() && end - at <= kLongestName && alnum(text[end])) {
    ++end;
  }
  const std::string_view name = text.substr(at, end - at);
  const bool closed = end < text.size() && text[end] == ';';
  const bool bare = name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "nbsp";
  if (!closed && (!bare || (end < text.size() && text[end] == '='))) {
    return 0;
  }
  const Entity* entity = find_entity(name);
  if (entity == nullptr) {
    return 0;
  }
  append_utf8(entity->first, out);
  if (entity->second != 0) {
    append_utf8(entity->second, out);
  }
  return closed ? end + 1 : end;
}

}  // namespace

char32_t windows_1252(unsigned char byte) noexcept {
  return byte >= 0x80 && byte <= 0x9F ? kWindows1252[byte - 0x80] : byte;
}

size_t append_reference(std::string_view text, size_t at, std::string& out) {
  const bool is_number = at + 1 < text.size() && text[at + 1] == '#';
  const size_t end = is_number ? numeric(text, at + 2, out) : named(text, at + 1, out);
  if (end == 0) {
    out += '&';
    return at + 1;
  }
  return end;
}

std::string unescape_entities(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t ampersand = std::min(text.find('&', at), text.size());
    out.append(text, at, ampersand - at);
    at = ampersand == text.size() ? ampersand : append_reference(text, ampersand, out);
  }
  return out;
}

}  // namespace slipway::text
