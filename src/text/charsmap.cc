#include "text/charsmap.h"

#include <fmt/format.h>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

uint32_t read_u32(std::string_view bytes, size_t at) noexcept {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

// The fields of a unit of darts-clone (Yata 2010).
bool has_leaf(uint32_t unit) noexcept { return ((unit >> 8) & 1) != 0; }
uint32_t value_of(uint32_t unit) noexcept { return unit & 0x7FFFFFFF; }
uint32_t label_of(uint32_t unit) noexcept { return unit & 0x800000FF; }
uint32_t offset_of(uint32_t unit) noexcept { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }

}  // namespace

CharsMap::CharsMap(std::string_view blob, const std::string& source) {
  if (blob.empty()) {
    return;
  }
  const size_t trie_bytes = blob.size() < 4 ? SIZE_MAX : read_u32(blob, 0);
  if (trie_bytes > blob.size() - 4 || trie_bytes % 4 != 0 || trie_bytes == 0) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: precompiled_charsmap of {} bytes: its trie does not fit", source, blob.size()));
  }
  units_.resize(trie_bytes / 4);
  for (size_t i = 0; i < units_.size(); ++i) {
    units_[i] = read_u32(blob, 4 + 4 * i);
  }
  replacements_ = blob.substr(4 + trie_bytes);
  replacements_ += '\0';
  if (!is_valid_utf8(replacements_)) {
    throw base::Error(base::Code::kInvalid, source + ": precompiled_charsmap: its replacements are not UTF-8");
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    const size_t node = offset_of(units_[0]) ^ byte;
    keeps_[byte] = node >= units_.size() || label_of(units_[node]) != byte;
  }
}

std::optional<CharsMap::Hit> CharsMap::find(std::string_view text, bool longest) const noexcept {
  std::optional<Hit> hit;
  if (units_.empty()) {
    return hit;
  }
  size_t node = offset_of(units_[0]);
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) {
      break;
    }
    const uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit)) {
      continue;
    }
    const size_t begin = node < units_.size() ? value_of(units_[node]) : SIZE_MAX;
    if (begin >= replacements_.size()) {
      break;
    }
    hit = Hit{at + 1, std::string_view(replacements_.c_str() + begin)};
    if (!longest) {
      break;
    }
  }
  return hit;
}

}  // namespace slipway::text
