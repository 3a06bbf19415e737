// Sitemaps of any bytes: addresses within the limits, and an end.
#include <cstddef>
#include <cstdint>

#include "collect/sitemap.h"
#include "collect/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace collect = slipway::collect;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const collect::Sitemap map = collect::parse_sitemap(bytes);
  if (map.urls.size() > collect::kMaxSitemapUrls || map.urls.size() > size || map.modified.size() != map.urls.size()) {
    __builtin_trap();
  }
  for (const std::string& url : map.urls) {
    if (url.empty() || url.size() > collect::kMaxUrlBytes) {
      __builtin_trap();
    }
  }
  collect::looks_like_sitemap(bytes);
  collect::time_of_lastmod(bytes);
  return 0;
}
