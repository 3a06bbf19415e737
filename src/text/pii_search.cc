#include "text/pii_search.h"

#include <array>
#include <string>
#include <string_view>

namespace slipway::text {
namespace {

// The IBAN registry (SWIFT, release 97): after the check digits, so many n (digits), a (capital letters), c (either).
struct Structure {
  std::string_view country;
  std::string_view parts;
};
constexpr Structure kStructures[] = {
    {"AD", "8n12c"}, {"AE", "19n"}, {"AL", "8n16c"}, {"AT", "16n"}, {"AZ", "4c20n"}, {"BA", "16n"}, {"BE", "12n"},
    {"BG", "4a6n8c"}, {"BH", "4a14c"}, {"BR", "23n1a1c"}, {"BY", "4c4n16c"}, {"CH", "5n12c"}, {"CR", "18n"},
    {"CY", "8n16c"}, {"CZ", "20n"}, {"DE", "18n"}, {"DK", "14n"}, {"DO", "4a20n"}, {"EE", "16n"}, {"EG", "25n"},
    {"ES", "20n"}, {"FI", "14n"}, {"FO", "14n"}, {"FR", "10n11c2n"}, {"GB", "4a14n"}, {"GE", "2c16n"},
    {"GI", "4a15c"}, {"GL", "14n"}, {"GR", "7n16c"}, {"GT", "24c"}, {"HR", "17n"}, {"HU", "24n"}, {"IE", "4c14n"},
    {"IL", "19n"}, {"IQ", "4a15n"}, {"IS", "22n"}, {"IT", "1a10n12c"}, {"JO", "4a22n"}, {"KW", "4a22c"},
    {"KZ", "3n13c"}, {"LB", "4n20c"}, {"LC", "4a24c"}, {"LI", "5n12c"}, {"LT", "16n"}, {"LU", "3n13c"},
    {"LV", "4a13c"}, {"LY", "21n"}, {"MC", "10n11c2n"}, {"MD", "20c"}, {"ME", "18n"}, {"MK", "3n10c2n"},
    {"MR", "23n"}, {"MT", "4a5n18c"}, {"MU", "4a19n1a"}, {"NL", "4a10n"}, {"NO", "11n"}, {"PK", "4c16n"},
    {"PL", "24n"}, {"PS", "4c17n"}, {"PT", "17n"}, {"QA", "4a17c"}, {"RO", "4a16c"}, {"RS", "18n"},
    {"SA", "2n18c"}, {"SC", "4a20n3a"}, {"SE", "20n"}, {"SI", "15n"}, {"SK", "20n"}, {"SM", "1a10n12c"},
    {"TL", "19n"}, {"TN", "20n"}, {"TR", "5n17c"}, {"UA", "6n19c"}, {"VA", "18n"}, {"VG", "4c16n"}, {"XK", "16n"},
};

bool capital(char32_t c) noexcept { return c >= U'A' && c <= U'Z'; }
bool digit(char32_t c) noexcept { return c >= U'0' && c <= U'9'; }
bool place(char32_t c) noexcept { return capital(c) || digit(c); }

// Longer than the country's numbers is accepted as long as the check digits are right: Presidio does so too.
bool has_structure(const std::string& iban) {
  for (const Structure& structure : kStructures) {
    if (structure.country != std::string_view(iban).substr(0, 2)) {
      continue;
    }
    size_t at = 4;
    size_t count = 0;
    for (const char kind : structure.parts) {
      if (kind >= '0' && kind <= '9') {
        count = count * 10 + static_cast<size_t>(kind - '0');
        continue;
      }
      for (; count > 0; --count, ++at) {
        const char32_t c = at < iban.size() ? static_cast<unsigned char>(iban[at]) : 0;
        if (kind == 'n' ? !digit(c) : kind == 'a' ? !capital(c) : !place(c)) {
          return false;
        }
      }
    }
    return true;
  }
  return false;
}

bool valid_iban(std::u32string_view match) {
  std::string plain;
  for (const char32_t c : match) {
    if (place(c)) {
      plain += static_cast<char>(c);
    }
  }
  uint32_t rest = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[(i + 4) % plain.size()];
    rest = c >= 'A' ? (rest * 100 + static_cast<uint32_t>(c - 'A' + 10)) % 97
                    : (rest * 10 + static_cast<uint32_t>(c - '0')) % 97;
  }
  const std::string_view check = std::string_view(plain).substr(2, 2);
  return rest == 1 && check != "00" && check != "01" && check != "99" && has_structure(plain);
}

}  // namespace

bool find_iban(std::u32string_view text, uint32_t at, PiiMatch& match, uint32_t& skip_to) {
  const auto is = [&](uint32_t i, bool (*kind)(char32_t)) { return i < text.size() && kind(text[i]); };
  if ((at > 0 && place(text[at - 1])) || !is(at, capital) || !is(at + 1, capital) || !is(at + 2, digit) ||
      !is(at + 3, digit)) {
    return false;
  }
  // Ends after each group of `size` places, with one separator before it or none; 0 when there is no such group.
  const auto group = [&](uint32_t from, uint32_t size) {
    uint32_t i = from;
    if (i < text.size() && (text[i] == U' ' || text[i] == U'-')) {
      ++i;
    }
    for (uint32_t k = 0; k < size; ++k, ++i) {
      if (!is(i, place)) {
        return uint32_t{0};
      }
    }
    return i;
  };
  constexpr uint32_t kMostGroups = 7;
  std::array<uint32_t, kMostGroups + 1> ends{at + 4};
  uint32_t count = 0;
  while (count < kMostGroups) {
    const uint32_t next = group(ends[count], 4);
    if (next == 0) {
      break;
    }
    ends[++count] = next;
  }
  for (uint32_t groups = count; groups >= 2; --groups) {
    for (uint32_t tail = 3; tail + 1 > 0; --tail) {
      const uint32_t end = tail > 0 ? group(ends[groups], tail) : ends[groups];
      if (end == 0 || is(end, place)) {
        continue;
      }
      skip_to = end;
      for (const uint32_t stop : {end, ends[groups], ends[groups < 6 ? groups : 6]}) {
        if (valid_iban(text.substr(at, stop - at))) {
          match = {at, stop, 0, true};
          return true;
        }
      }
      return false;
    }
  }
  return false;
}

uint32_t url_path_end(std::u32string_view text, uint32_t at) noexcept {
  if (at >= text.size() || text[at] != U'/') {
    return at;
  }
  const auto stops = [](char32_t c) {
    return c <= U' ' || c == U'(' || c == U')' || c == U'<' || c == U'>' || c == U'"' || c == U'\'' || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000 || c == 0x85;
  };
  while (at < text.size() && !stops(text[at])) {
    ++at;
  }
  return at;
}

uint32_t url_scheme_begin(std::u32string_view text, uint32_t at) noexcept {
  for (const std::u32string_view scheme : {std::u32string_view(U"https://"), std::u32string_view(U"http://")}) {
    bool same = at >= scheme.size();
    for (size_t i = 0; same && i < scheme.size(); ++i) {
      const char32_t c = text[at - scheme.size() + i];
      same = (c >= U'A' && c <= U'Z' ? c + 32 : c) == scheme[i];
    }
    if (same) {
      return at - static_cast<uint32_t>(scheme.size());
    }
  }
  return at;
}

uint32_t url_end(std::u32string_view text, uint32_t begin, uint32_t end, bool quoted) noexcept {
  constexpr uint32_t kMostHost = 260;
  for (uint32_t dot = begin + kMostHost < end ? begin + kMostHost : end; dot > begin + 1; --dot) {
    if (text[dot - 1] != U'.') {
      continue;
    }
    for (uint32_t stop = top_level_end(text, dot); stop != 0;) {
      const uint32_t whole = url_path_end(text, stop);
      if (!quoted || (whole < text.size() && (text[whole] == U'"' || text[whole] == U'\''))) {
        return whole;
      }
      const uint32_t next = stop - dot == 2 ? 0 : top_level_end(text, dot, stop - dot);
      stop = next > stop || next == dot + 2 ? next : 0;
    }
  }
  return 0;
}

}  // namespace slipway::text
