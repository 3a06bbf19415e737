#include "engine/kv_pages.h"

#include <algorithm>

#include "base/error.h"

namespace slipway::engine {

KvPages::KvPages(int count, int page_tokens, bool keep)
    : page_tokens_(page_tokens), keep_(keep), pages_(static_cast<size_t>(count)) {
  SLIPWAY_CHECK(count > 0 && page_tokens > 0);
  for (int32_t page = count - 1; page >= 0; --page) {
    free_.push_back(page);
  }
}

int32_t KvPages::take() {
  if (free_.empty()) {
    if (unused_.empty()) {
      return -1;
    }
    const int32_t oldest = unused_.front();
    unused_.pop_front();
    forget(oldest);
    free_.push_back(oldest);
  }
  const int32_t page = free_.back();
  free_.pop_back();
  pages_[static_cast<size_t>(page)].references = 1;
  return page;
}

void KvPages::give_back(int32_t page) {
  Page& p = pages_[static_cast<size_t>(page)];
  SLIPWAY_CHECK(p.references > 0);
  if (--p.references > 0) {
    return;
  }
  if (p.serial != 0) {
    p.place = unused_.insert(unused_.end(), page);
  } else {
    free_.push_back(page);
  }
}

void KvPages::add_reference(int32_t page) {
  Page& p = pages_[static_cast<size_t>(page)];
  if (p.references++ == 0) {
    unused_.erase(p.place);
  }
}

void KvPages::forget(int32_t page) {
  Page& p = pages_[static_cast<size_t>(page)];
  const auto [begin, end] = by_key_.equal_range(p.key);
  by_key_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == page; }));
  p.serial = 0;
  p.ids.clear();
}

// FNV-1a over words; only speed depends on it.
uint64_t KvPages::key_of(uint64_t before, std::span<const int32_t> ids) const noexcept {
  uint64_t key = (0xcbf29ce484222325ULL ^ before) * 0x100000001b3ULL;
  for (const int32_t id : ids) {
    key = (key ^ static_cast<uint32_t>(id)) * 0x100000001b3ULL;
    key ^= key >> 29;
  }
  return key;
}

int32_t KvPages::lookup(uint64_t before, std::span<const int32_t> ids) const {
  const auto [begin, end] = by_key_.equal_range(key_of(before, ids));
  for (auto it = begin; it != end; ++it) {
    const Page& p = pages_[static_cast<size_t>(it->second)];
    if (p.before == before && std::equal(ids.begin(), ids.end(), p.ids.begin(), p.ids.end())) {
      return it->second;
    }
  }
  return -1;
}

std::vector<int32_t> KvPages::find(std::span<const int32_t> ids, int32_t before, Space space) {
  std::vector<int32_t> found;
  const auto size = static_cast<size_t>(page_tokens_);
  uint64_t chain = chain_of(before, space);
  if (before >= 0 && chain == 0) {
    return found;  // nothing is kept
  }
  for (size_t at = 0; at + size <= ids.size(); at += size) {
    const int32_t page = lookup(chain, ids.subspan(at, size));
    if (page < 0) {
      break;
    }
    add_reference(page);
    found.push_back(page);
    chain = chain_of(page, space);
  }
  return found;
}

int32_t KvPages::seal(int32_t page, int32_t before, std::span<const int32_t> ids, Space space) {
  SLIPWAY_CHECK(ids.size() == static_cast<size_t>(page_tokens_));
  if (!keep_) {
    return page;
  }
  const uint64_t chain = chain_of(before, space);
  SLIPWAY_CHECK(before < 0 || chain != 0);
  const int32_t same = lookup(chain, ids);
  if (same >= 0 && same != page) {
    add_reference(same);
    give_back(page);
    return same;
  }
  Page& p = pages_[static_cast<size_t>(page)];
  SLIPWAY_CHECK(p.serial == 0 && p.references == 1);
  p.serial = next_serial_++;
  p.before = chain;
  p.ids.assign(ids.begin(), ids.end());
  p.key = key_of(chain, ids);
  by_key_.emplace(p.key, page);
  return page;
}

}  // namespace slipway::engine
