// A trie over bytes as a double array (Aoe 1989): all keys that are prefixes of a text, one step a byte. Immutable once
// built: any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace slipway::text {

class ByteTrie {
 public:
  struct Key {
    std::string_view text;  // not empty
    int32_t value;          // >= 0
  };
  ByteTrie() : nodes_(257) {}
  // Keys may come in any order; of equal keys the first counts.
  explicit ByteTrie(std::vector<Key> keys);

  static constexpr uint32_t kRoot = 0;
  // Goes on by one byte; false when no key does.
  bool step(uint32_t& node, unsigned char byte) const noexcept {
    const uint32_t next = nodes_[node].base + byte;
    if (nodes_[next].parent != node + 1) {
      return false;
    }
    node = next;
    return true;
  }
  // The value of the key that ends here, or -1.
  int32_t value(uint32_t node) const noexcept { return nodes_[node].value; }

 private:
  struct Node {
    uint32_t base = 0;
    uint32_t parent = 0;  // its number and 1; 0 is free
    int32_t value = -1;
  };
  std::vector<Node> nodes_;  // 256 free ones at the end: step() looks no further
};

}  // namespace slipway::text
