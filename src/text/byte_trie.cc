#include "text/byte_trie.h"

#include <algorithm>

namespace slipway::text {
namespace {

// Keys [begin, end) share the first `depth` bytes, which lead to `node`.
struct Work {
  uint32_t node;
  uint32_t begin;
  uint32_t end;
  uint32_t depth;
};

}  // namespace

ByteTrie::ByteTrie(std::vector<Key> keys) : nodes_(512) {
  std::stable_sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.text < b.text; });
  std::vector<Work> work = {{kRoot, 0, static_cast<uint32_t>(keys.size()), 0}};
  uint32_t next_check = 1;
  std::vector<std::pair<unsigned char, uint32_t>> children;
  while (!work.empty()) {
    const Work item = work.back();
    work.pop_back();
    uint32_t begin = item.begin;
    if (begin < item.end && keys[begin].text.size() == item.depth) {
      nodes_[item.node].value = keys[begin].value;
      while (begin < item.end && keys[begin].text.size() == item.depth) {
        ++begin;
      }
    }
    if (begin == item.end) {
      continue;
    }
    children.clear();
    for (uint32_t i = begin; i < item.end; ++i) {
      const auto byte = static_cast<unsigned char>(keys[i].text[item.depth]);
      if (children.empty() || children.back().first != byte) {
        children.emplace_back(byte, i);
      }
    }
    // The first place where every child is free. Where nearly all was taken, the next search does not look again.
    uint32_t place = std::max<uint32_t>(next_check, children[0].first + 1U);
    uint32_t taken = 0;
    bool seen_free = false;
    for (;; ++place) {
      const uint32_t base = place - children[0].first;
      if (base + 512 > nodes_.size()) {
        nodes_.resize(nodes_.size() * 2);
      }
      if (nodes_[place].parent != 0) {
        ++taken;
        continue;
      }
      if (!seen_free) {
        seen_free = true;
        next_check = place;
      }
      if (std::all_of(children.begin(), children.end(),
                      [&](const auto& child) { return nodes_[base + child.first].parent == 0; })) {
        break;
      }
    }
    if (taken * 20 >= (place - next_check + 1) * 19) {
      next_check = place;
    }
    const uint32_t base = place - children[0].first;
    nodes_[item.node].base = base;
    for (size_t c = 0; c < children.size(); ++c) {
      const auto [byte, from] = children[c];
      const uint32_t to = c + 1 < children.size() ? children[c + 1].second : item.end;
      nodes_[base + byte].parent = item.node + 1;
      work.push_back({base + byte, from, to, item.depth + 1});
    }
  }
  uint32_t last = 0;
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    last = nodes_[i].parent != 0 ? i : last;
  }
  nodes_.resize(last + 257);
}

}  // namespace slipway::text
