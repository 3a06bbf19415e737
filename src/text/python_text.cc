#include "text/python_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "text/unicode.h"

namespace slipway::text::python {
namespace {

// The character that ends at byte `end` (> 0): where it begins.
size_t previous(std::string_view text, size_t end) noexcept {
  size_t at = end - 1;
  while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
    --at;
  }
  return at;
}

bool contains(std::string_view set, char32_t c) noexcept {
  for (size_t at = 0; at < set.size();) {
    const Decoded d = decode_at(set, at);
    if (d.code == c) {
      return true;
    }
    at += d.size;
  }
  return false;
}

bool is_cased(char32_t c) noexcept { return text::is_upper(c) || text::is_lower(c) || to_lower(c) != to_upper(c); }

// Upper case of one character; the one common letter whose upper case is two.
void append_upper(char32_t c, std::string& out) {
  if (c == U'ß') {
    out += "SS";
  } else {
    append_utf8(to_upper(c), out);
  }
}

// Sigma at the end of a word has a form of its own.
bool final_sigma(std::string_view text, size_t at, size_t next) {
  bool before = false;
  for (size_t end = at; end > 0;) {
    end = previous(text, end);
    const char32_t c = decode_at(text, end).code;
    if (is_cased(c)) {
      before = true;
      break;
    }
    if (!is_mark(c) && c != U'\'') {
      break;
    }
  }
  for (size_t i = next; before && i < text.size();) {
    const Decoded d = decode_at(text, i);
    if (is_cased(d.code)) {
      return false;
    }
    if (!is_mark(d.code) && d.code != U'\'') {
      break;
    }
    i += d.size;
  }
  return before;
}

void append_lower(std::string_view text, size_t at, const Decoded& d, std::string& out) {
  if (d.code == U'Σ') {
    append_utf8(final_sigma(text, at, at + d.size) ? U'ς' : U'σ', out);
  } else if (d.code == U'İ') {
    out += "i\u0307";
  } else {
    append_utf8(to_lower(d.code), out);
  }
}

template <class F>
void each(std::string_view text, const F& f) {
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    f(at, d);
    at += d.size;
  }
}

bool printable(char32_t c) noexcept { return c == U' ' || (!is_control(c) && !is_whitespace(c)); }

void append_escape(char32_t c, std::string& out) {
  if (c < 0x100) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<uint32_t>(c));
  } else if (c < 0x10000) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint32_t>(c));
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<uint32_t>(c));
  }
}

std::vector<std::string_view> split_space(std::string_view text, int64_t max, bool from_right) {
  std::vector<std::string_view> parts;
  text = strip(text, from_right ? Side::kRight : Side::kLeft);
  while (!text.empty()) {
    if (max >= 0 && static_cast<int64_t>(parts.size()) == max) {
      parts.push_back(text);
      break;
    }
    if (from_right) {
      size_t at = text.size();
      while (at > 0) {
        const size_t before = previous(text, at);
        if (is_space(decode_at(text, before).code)) {
          break;
        }
        at = before;
      }
      parts.push_back(text.substr(at));
      text = strip(text.substr(0, at), Side::kRight);
    } else {
      size_t at = 0;
      while (at < text.size()) {
        const Decoded d = decode_at(text, at);
        if (is_space(d.code)) {
          break;
        }
        at += d.size;
      }
      parts.push_back(text.substr(0, at));
      text = strip(text.substr(at), Side::kLeft);
    }
  }
  if (from_right) {
    std::reverse(parts.begin(), parts.end());
  }
  return parts;
}

}  // namespace

bool is_space(char32_t c) noexcept { return (c >= 0x1C && c <= 0x1F) || is_whitespace(c); }

std::string_view strip(std::string_view text, Side side, std::optional<std::string_view> chars) {
  const auto cut = [&](char32_t c) { return chars ? contains(*chars, c) : is_space(c); };
  if (side != Side::kRight) {
    size_t at = 0;
    while (at < text.size()) {
      const Decoded d = decode_at(text, at);
      if (!cut(d.code)) {
        break;
      }
      at += d.size;
    }
    text.remove_prefix(at);
  }
  if (side != Side::kLeft) {
    size_t end = text.size();
    while (end > 0) {
      const size_t at = previous(text, end);
      if (!cut(decode_at(text, at).code)) {
        break;
      }
      end = at;
    }
    text = text.substr(0, end);
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, std::optional<std::string_view> separator, int64_t max,
                                    bool from_right) {
  if (!separator) {
    return split_space(text, max, from_right);
  }
  std::vector<std::string_view> parts;
  while (max < 0 || static_cast<int64_t>(parts.size()) < max) {
    const size_t at = from_right ? text.rfind(*separator) : text.find(*separator);
    if (at == std::string_view::npos) {
      break;
    }
    if (from_right) {
      parts.push_back(text.substr(at + separator->size()));
      text = text.substr(0, at);
    } else {
      parts.push_back(text.substr(0, at));
      text = text.substr(at + separator->size());
    }
  }
  parts.push_back(text);
  if (from_right) {
    std::reverse(parts.begin(), parts.end());
  }
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  const auto breaks = [](char32_t c) {
    return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
  };
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    size_t next = at + d.size;
    if (breaks(d.code)) {
      if (d.code == '\r' && next < text.size() && text[next] == '\n') {
        ++next;
      }
      lines.push_back(text.substr(begin, at - begin));
      begin = next;
    }
    at = next;
  }
  if (begin < text.size()) {
    lines.push_back(text.substr(begin));
  }
  return lines;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t count) {
  std::string out;
  size_t at = 0;
  if (from.empty()) {
    while (count != 0) {
      out += to;
      --count;
      if (at == text.size()) {
        return out;
      }
      const size_t size = decode_at(text, at).size;
      out += text.substr(at, size);
      at += size;
    }
  }
  while (count != 0) {
    const size_t found = from.empty() ? std::string_view::npos : text.find(from, at);
    if (found == std::string_view::npos) {
      break;
    }
    out += text.substr(at, found - at);
    out += to;
    at = found + from.size();
    --count;
  }
  out += text.substr(at);
  return out;
}

std::string upper(std::string_view text) {
  std::string out;
  each(text, [&](size_t, const Decoded& d) { append_upper(d.code, out); });
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
    }
    const size_t place = out.size();
    out.append(text, begin, at - begin);
    std::transform(out.begin() + static_cast<std::ptrdiff_t>(place), out.end(), out.begin() + static_cast<std::ptrdiff_t>(place),
                   [](char c) { return static_cast<char>(c + (static_cast<unsigned char>(c - 'A') < 26 ? 32 : 0)); });
    if (at < text.size()) {
      const Decoded d = decode_at(text, at);
      append_lower(text, at, d, out);
      at += d.size;
    }
  }
  return out;
}

std::string title(std::string_view text) {
  std::string out;
  bool inside = false;
  each(text, [&](size_t at, const Decoded& d) {
    if (inside) {
      append_lower(text, at, d, out);
    } else {
      append_upper(d.code, out);
    }
    inside = is_cased(d.code);
  });
  return out;
}

std::string capitalize(std::string_view text) {
  std::string out;
  each(text, [&](size_t at, const Decoded& d) {
    if (at == 0) {
      append_upper(d.code, out);
    } else {
      append_lower(text, at, d, out);
    }
  });
  return out;
}

bool is_upper(std::string_view text) {
  bool any = false;
  bool other = false;
  each(text, [&](size_t, const Decoded& d) {
    any |= text::is_upper(d.code);
    other |= text::is_lower(d.code);
  });
  return any && !other;
}

bool is_lower(std::string_view text) {
  bool any = false;
  bool other = false;
  each(text, [&](size_t, const Decoded& d) {
    any |= text::is_lower(d.code);
    other |= text::is_upper(d.code);
  });
  return any && !other;
}

size_t byte_of(std::string_view text, size_t index) noexcept {
  size_t at = 0;
  while (index > 0 && at < text.size()) {
    at += decode_at(text, at).size;
    --index;
  }
  return at;
}

Slice slice_indices(std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step, int64_t size) noexcept {
  const int64_t low = step < 0 ? -1 : 0;
  const int64_t high = step < 0 ? size - 1 : size;
  const auto bound = [&](int64_t at) { return std::clamp(at < 0 ? at + size : at, low, high); };
  return {start ? bound(*start) : (step < 0 ? high : low), stop ? bound(*stop) : (step < 0 ? low : high), step};
}

std::string slice(std::string_view text, std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step) {
  const Slice s = slice_indices(start, stop, step, static_cast<int64_t>(count_code_points(text)));
  if (step == 1) {
    const size_t begin = byte_of(text, static_cast<size_t>(s.start));
    const auto size = static_cast<size_t>(std::max<int64_t>(0, s.stop - s.start));
    return std::string(prefix_code_points(text.substr(begin), size));
  }
  std::vector<std::string_view> characters;
  each(text, [&](size_t at, const Decoded& d) { characters.push_back(text.substr(at, d.size)); });
  std::string out;
  for (int64_t i = s.start; step > 0 ? i < s.stop : i > s.stop;) {
    out += characters[static_cast<size_t>(i)];
    if (step > 0 ? s.stop - i <= step : s.stop - i >= step) {
      break;
    }
    i += step;
  }
  return out;
}

void append_repr(std::string_view text, std::string& out) {
  const bool doubled = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = doubled ? '"' : '\'';
  out += quote;
  each(text, [&](size_t at, const Decoded& d) {
    switch (d.code) {
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\\': out += "\\\\"; break;
      default:
        if (d.code == static_cast<char32_t>(quote)) {
          out += '\\';
        }
        if (printable(d.code)) {
          out += text.substr(at, d.size);
        } else {
          append_escape(d.code, out);
        }
    }
  });
  out += quote;
}

std::string float_repr(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value < 0 ? "-inf" : "inf";
  }
  std::array<char, 40> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  const std::string_view shortest(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const size_t e = shortest.find('e');
  int exponent = 0;
  const size_t sign = shortest[e + 1] == '+' ? 1 : 0;
  std::from_chars(shortest.data() + e + 1 + sign, shortest.data() + shortest.size(), exponent);
  if (exponent < -4 || exponent >= 16) {  // as float.__repr__ chooses
    return std::string(shortest);
  }
  const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed).ptr;
  std::string out(buffer.data(), fixed);
  if (out.find('.') == std::string::npos) {
    out += ".0";
  }
  return out;
}

void append_json(std::string_view text, bool ensure_ascii, std::string& out) {
  const auto unit = [&out](uint32_t u) { fmt::format_to(std::back_inserter(out), "\\u{:04x}", u); };
  out += '"';
  each(text, [&](size_t at, const Decoded& d) {
    const auto c = static_cast<uint32_t>(d.code);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        if (c < 0x20 || (ensure_ascii && c > 0x7F && c < 0x10000)) {
          unit(c);
        } else if (ensure_ascii && c >= 0x10000) {
          unit(0xD800 + ((c - 0x10000) >> 10U));
          unit(0xDC00 + ((c - 0x10000) & 0x3FFU));
        } else {
          out += text.substr(at, d.size);
        }
    }
  });
  out += '"';
}

}  // namespace slipway::text::python
