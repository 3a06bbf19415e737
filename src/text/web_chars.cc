#include "text/web_chars.h"

#include <algorithm>
#include <map>

namespace slipway::text {

WebChars::WebChars() {
  constexpr size_t kPage = 256;
  std::map<std::vector<uint32_t>, uint16_t> known;
  std::vector<uint32_t> page(kPage);
  const std::span<const WebRange> ranges = web_ranges();
  size_t next = 0;  // the first range that ends at or after the page's beginning
  for (size_t index = 0; index < page_.size(); ++index) {
    const auto first = static_cast<char32_t>(index * kPage);
    const auto last = static_cast<char32_t>(first + kPage - 1);
    std::fill(page.begin(), page.end(), 0);
    while (next < ranges.size() && ranges[next].last < first) {
      ++next;
    }
    for (size_t at = next; at < ranges.size() && ranges[at].first <= last; ++at) {
      for (char32_t c = std::max(first, ranges[at].first); c <= std::min(last, ranges[at].last); ++c) {
        page[c - first] = ranges[at].classes;
      }
    }
    const auto [entry, added] = known.try_emplace(page, static_cast<uint16_t>(known.size()));
    if (added) {
      pages_.insert(pages_.end(), page.begin(), page.end());
    }
    page_[index] = entry->second;
  }
  std::copy_n(pages_.begin(), ascii_.size(), ascii_.begin());
}

const WebChars& WebChars::get() {
  static const WebChars table;
  return table;
}

}  // namespace slipway::text
