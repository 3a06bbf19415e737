// Sitemaps (sitemaps.org 0.9): lists of pages and lists of lists, as XML or as plain text. Of any bytes; never fails. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::collect {

inline constexpr size_t kMaxSitemapUrls = 50'000;
inline constexpr size_t kMaxSitemapBytes = 50'000'000;  // unpacked

struct Sitemap {
  bool index = false;             // its addresses are those of sitemaps
  std::vector<std::string> urls;  // as written, references replaced
  std::vector<int64_t> modified;  // of each, as time_of_lastmod; 0: not told
  bool cut = false;               // there was more than the limits allow
};

// The end of what a W3C date says ("2026", "2026-04-01", "2026-04-01T10:00+02:00"; also RFC 3339): what was changed then was changed before that
// second. Seconds since 1970; 0 for what is no such date.
int64_t time_of_lastmod(std::string_view text);

// Do these bytes begin a sitemap in XML?
bool looks_like_sitemap(std::string_view bytes);

// The addresses in `bytes` (unpacked), at most kMaxSitemapUrls of at most kMaxSitemapBytes. What is not XML is read as text, an address
// a line. Cost: linear.
Sitemap parse_sitemap(std::string_view bytes);

}  // namespace slipway::collect
