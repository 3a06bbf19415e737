// Sitemaps (sitemaps.org 0.9): lists of pages and lists of lists, as XML or as plain text. Of any bytes; never fails. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::collect {

inline constexpr size_t kMaxSitemapUrls = 50'000;
inline constexpr size_t kMaxSitemapBytes = 50'000'000;  // unpacked

struct Sitemap {
  bool index = false;             // its addresses are those of sitemaps
  std::vector<std::string> urls;  // as written, references replaced
  bool cut = false;               // there was more than the limits allow
};

// Do these bytes begin a sitemap in XML?
bool looks_like_sitemap(std::string_view bytes);

// The addresses in `bytes` (unpacked), at most kMaxSitemapUrls of at most kMaxSitemapBytes. What is not XML is read as text, an address
// a line. Cost: linear.
Sitemap parse_sitemap(std::string_view bytes);

}  // namespace slipway::collect
