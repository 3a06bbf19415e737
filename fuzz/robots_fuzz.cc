// robots.txt of any bytes: rules come out, a decision for any target, the same for the same, and an end. Addresses of any bytes keep
// their canonical form when they are read again.
#include <cstddef>
#include <cstdint>

#include "collect/page_links.h"
#include "collect/robots.h"
#include "collect/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace collect = slipway::collect;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const collect::Robots robots = collect::Robots::parse(bytes, "slipway");
  for (const std::string_view target : {std::string_view("/"), std::string_view("/a/b.html?c=%2A*$"), bytes.substr(0, 64)}) {
    if (robots.allows(target) != robots.allows(target)) {
      __builtin_trap();
    }
  }
  if (!robots.allows("/robots.txt") || (robots.crawl_delay() && !(*robots.crawl_delay() >= 0))) {
    __builtin_trap();
  }
  const collect::Url base{"https", "example.org", 0, "/a/b", "?c"};
  if (const auto url = collect::resolve_url(base, bytes)) {
    const auto again = collect::parse_url(url->text());
    if (!again || again->text() != url->text()) {
      __builtin_trap();
    }
  }
  if (collect::links_of(bytes, base, "slipway").links.size() > collect::kMaxLinks) {
    __builtin_trap();
  }
  return 0;
}
