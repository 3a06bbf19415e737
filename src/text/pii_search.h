// Searches for what no run of digits announces. Internal to pii.cc.
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::text {

// One match: characters [begin, end) by pattern number `pattern` of its recogniser.
struct PiiMatch {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t pattern = 0;
  bool valid = false;
};

// The IBAN that begins at `at` (ISO 13616: country, two check digits, the country's structure; MOD 97-10), in groups of
// four with or without one space or hyphen between; the longest that is valid. False when there is none; `skip_to` is
// where the next may begin.
bool find_iban(std::u32string_view text, uint32_t at, PiiMatch& match, uint32_t& skip_to);

// The web addresses of the run of host characters (letters, digits, '.', '-') [begin, end) in `text`, with the scheme,
// path and quotes around; `take` is called for each.
template <class Take>
void find_urls(std::u32string_view text, uint32_t begin, uint32_t end, Take&& take);

bool is_host_char(char32_t c) noexcept;

}  // namespace slipway::text

#include "text/pii_domains.h"

namespace slipway::text {

inline bool is_host_char(char32_t c) noexcept {
  return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9') || c == U'.' || c == U'-';
}

// Past a path that begins at `at`; `at` itself when none does.
uint32_t url_path_end(std::u32string_view text, uint32_t at) noexcept;
// Where the scheme http:// or https:// before `at` begins; `at` when there is none.
uint32_t url_scheme_begin(std::u32string_view text, uint32_t at) noexcept;
// The end of the address that begins at `begin`, host within [begin, end): the last dot with a top-level domain counts.
// With `quoted`, one that a quotation mark follows. 0 for none.
uint32_t url_end(std::u32string_view text, uint32_t begin, uint32_t end, bool quoted) noexcept;

template <class Take>
void find_urls(std::u32string_view text, uint32_t begin, uint32_t end, Take&& take) {
  const auto quote = [&](uint32_t at) { return at < text.size() && (text[at] == U'"' || text[at] == U'\''); };
  const uint32_t scheme = url_scheme_begin(text, begin);
  for (uint32_t at = begin; at < end;) {
    const uint32_t stop = url_end(text, at, end, false);
    if (stop == 0) {
      break;
    }
    take(PiiMatch{at, stop, 1, false});
    if (at == begin && scheme < begin) {
      take(PiiMatch{scheme, stop, 0, false});
    }
    at = stop;
  }
  const uint32_t outer = scheme < begin ? scheme : begin;
  if (outer > 0 && quote(outer - 1)) {
    const uint32_t stop = url_end(text, begin, end, true);
    if (stop != 0) {
      take(PiiMatch{outer - 1, stop + 1, scheme < begin ? 2U : 3U, false});
    }
  }
}

}  // namespace slipway::text
