#include "text/english_affixes.h"

#include <algorithm>

#include "text/english_words.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::text {
namespace {

struct Char {
  char32_t code = 0;
  uint32_t classes = 0;
  uint32_t size = 0;  // 0: there is none
};

Char char_at(std::string_view text, size_t at) noexcept {
  if (at >= text.size()) {
    return {};
  }
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) {
    return {byte, WebChars::get().ascii(byte), 1};
  }
  const Decoded d = decode_at(text, at);
  return {d.code, WebChars::get()(d.code), d.size};
}

// The character that ends at `end`.
Char char_before(std::string_view text, size_t end) noexcept {
  if (end == 0) {
    return {};
  }
  size_t at = end - 1;
  while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) {
    --at;
  }
  const Char c = char_at(text, at);
  return at + c.size == end ? c : Char{kReplacement, 0, 1};  // a byte that belongs to no character
}

bool is_ascii_digit(const Char& c) noexcept { return c.code >= '0' && c.code <= '9'; }

size_t dots_at(std::string_view text, size_t at) noexcept {
  size_t count = 0;
  while (at + count < text.size() && text[at + count] == '.') {
    ++count;
  }
  return count;
}

bool ends_in_digit(std::string_view text) noexcept { return !text.empty() && text.back() >= '0' && text.back() <= '9'; }

// The longest unit after a digit at the end of `chunk`, e.g. "km" of "10km".
size_t unit_suffix(std::string_view chunk) noexcept {
  constexpr size_t kMaxUnit = 10;  // bytes of the longest unit
  size_t best = 0;
  for (size_t size = 1; size <= kMaxUnit && size < chunk.size(); ++size) {
    if (!ends_in_digit(chunk.substr(0, chunk.size() - size))) {
      continue;
    }
    const std::string_view unit = chunk.substr(chunk.size() - size);
    const auto units = english_units();
    if (std::find(units.begin(), units.end(), unit) != units.end()) {
      best = size;
    }
  }
  return best;
}

size_t currency_suffix(std::string_view chunk, const Char& last) noexcept {
  if ((last.classes & kWebCurrency) == 0) {
    return 0;
  }
  for (const std::string_view name : {std::string_view("US$"), std::string_view("C$"), std::string_view("A$")}) {
    if (chunk.ends_with(name) && ends_in_digit(chunk.substr(0, chunk.size() - name.size()))) {
      return name.size();
    }
  }
  return ends_in_digit(chunk.substr(0, chunk.size() - last.size)) ? last.size : 0;
}

// A final full stop.
size_t dot_suffix(std::string_view chunk) noexcept {
  size_t run = 0;
  while (run < chunk.size() && chunk[chunk.size() - 1 - run] == '.') {
    ++run;
  }
  if (run >= 2) {
    return run;
  }
  const Char before = char_before(chunk, chunk.size() - 1);
  if ((before.classes & kWebBeforeDot) != 0) {
    return 1;
  }
  const Char second = char_before(chunk, chunk.size() - 1 - before.size);
  const bool capitals = (before.classes & kWebUpperLetter) != 0 && (second.classes & kWebUpperLetter) != 0;
  const bool degrees = second.code == 0xB0 && (before.code == 'F' || before.code == 'C' || before.code == 'K');
  return capitals || degrees ? 1 : 0;  // in lower case degrees are letters before a dot
}

// "'s" in its four spellings.
size_t possessive_suffix(std::string_view chunk) noexcept {
  if (chunk.size() >= 2 && chunk[chunk.size() - 2] == '\'') {
    return 2;
  }
  constexpr std::string_view kRightQuote = "\xE2\x80\x99";
  return chunk.substr(0, chunk.size() - 1).ends_with(kRightQuote) ? 1 + kRightQuote.size() : 0;
}

// The sign at `at` as an infix: its size, 0 for none.
size_t infix_size(std::string_view chunk, size_t at, const Char& c, const Char& before) noexcept {
  const Char next = char_at(chunk, at + c.size);
  const bool after_letter = (before.classes & kWebLetter) != 0;
  const bool after_digit = is_ascii_digit(before);
  const bool before_letter = (next.classes & kWebLetter) != 0;
  switch (c.code) {
    case '.': {
      const size_t dots = dots_at(chunk, at);
      if (dots >= 2) {
        return dots;
      }
      return (before.classes & kWebDotLeft) != 0 && (next.classes & kWebDotRight) != 0 ? 1 : 0;
    }
    case '+':
    case '*':
    case '^': return after_digit && (is_ascii_digit(next) || next.code == '-') ? 1 : 0;
    case ',': return after_letter && before_letter ? 1 : 0;
    case ':':
    case '<':
    case '>':
    case '=':
    case '/': return (after_letter || after_digit) && before_letter ? 1 : 0;
    case '~':
    case 0x2013: return (after_letter || after_digit) && before_letter ? c.size : 0;
    case '-':
    case 0x2014: {
      if (c.code == '-' && after_digit && (is_ascii_digit(next) || next.code == '-')) {
        return 1;
      }
      if (!after_letter && !after_digit) {
        return 0;
      }
      const size_t most = c.code == '-' ? 3 : 2;  // "---" and two long dashes
      for (size_t count = 1, end = at + c.size; count <= most; ++count, end += c.size) {
        const Char following = char_at(chunk, end);
        if ((following.classes & kWebLetter) != 0) {
          return end - at;
        }
        if (following.code != c.code) {
          return 0;
        }
      }
      return 0;
    }
    case 0x2026: return c.size;
    default: return (c.classes & kWebIcon) != 0 ? c.size : 0;
  }
}

}  // namespace

size_t english_prefix(std::string_view chunk) noexcept {
  const Char first = char_at(chunk, 0);
  if ((first.classes & (kWebAffix | kWebPrefix)) != 0) {
    return first.size;
  }
  switch (first.code) {
    case '+': return is_ascii_digit(char_at(chunk, 1)) ? 0 : 1;
    case '.': {
      const size_t dots = dots_at(chunk, 0);
      return dots >= 2 ? dots : 0;
    }
    case 'U': return chunk.starts_with("US$") ? 3 : 0;
    case 'C': return chunk.starts_with("C$") ? 2 : 0;
    case 'A': return chunk.starts_with("A$") ? 2 : 0;
    default: return 0;
  }
}

size_t english_suffix(std::string_view chunk) noexcept {
  const Char last = char_before(chunk, chunk.size());
  if (last.size == 0) {
    return 0;
  }
  size_t size = 0;
  if ((last.classes & (kWebAffix | kWebSuffix)) != 0) {
    size = last.size;
    if (last.code == 0x2026 && char_before(chunk, chunk.size() - last.size).code == 0x2026) {
      size *= 2;
    }
  }
  switch (last.code) {
    case '.': size = std::max(size, dot_suffix(chunk)); break;
    case '+': size = std::max(size, size_t{ends_in_digit(chunk.substr(0, chunk.size() - 1))}); break;
    case 's':
    case 'S': size = std::max(size, possessive_suffix(chunk)); break;
    default: break;
  }
  if (!is_ascii_digit(last)) {
    size = std::max({size, unit_suffix(chunk), currency_suffix(chunk, last)});
  }
  return size;
}

void english_infixes(std::string_view chunk, std::vector<Infix>& found) {
  found.clear();
  Char before;
  for (size_t at = 0; at < chunk.size();) {
    // Letters and digits are most characters, and never an infix.
    const auto plain = [&](size_t place) {
      const auto byte = static_cast<unsigned char>(chunk[place]);
      return byte - unsigned{'0'} < 10 || (byte | 0x20U) - 'a' < 26;
    };
    if (plain(at)) {
      while (at + 1 < chunk.size() && plain(at + 1)) {
        ++at;
      }
      before = char_at(chunk, at++);
      continue;
    }
    const Char c = char_at(chunk, at);
    const size_t size = infix_size(chunk, at, c, before);
    if (size != 0) {
      found.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + size)});
      before = char_before(chunk, at + size);
      at += size;
    } else {
      before = c;
      at += c.size;
    }
  }
}

}  // namespace slipway::text
