// Token texts and their ids: one block of bytes, an array by id, and a flat hash table. Immutable once built: any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

// A hash whose value for any substring follows from the values of two prefixes, so that longest-match search tries all
// ends of a word without reading the bytes again: h(s + b) = h(s) * kBase + b + 1, modulo 2^64. Only a filter: bytes
// are compared.
struct PrefixHash {
  static constexpr uint64_t kBase = 0x9E3779B97F4A7C15ULL;
  static constexpr uint64_t step(uint64_t h, unsigned char byte) noexcept { return h * kBase + byte + 1; }
  static uint64_t of(std::string_view bytes) noexcept;
  // Of [i, j) from the hashes of the prefixes of length i and j.
  static uint64_t between(uint64_t prefix_i, uint64_t prefix_j, size_t length) noexcept;
  static constexpr size_t kMaxLength = 512;
};

// Keys -> values with linear probing at half load; two keys never equal. Keys are views of bytes that outlive it.
class FlatIndex {
 public:
  struct Entry {
    std::string_view key;
    int32_t value;
  };
  FlatIndex() = default;
  explicit FlatIndex(const std::vector<Entry>& entries);
  // -1 when absent. `hash` is PrefixHash::of(key).
  int32_t find(std::string_view key, uint64_t hash) const noexcept {
    const uint64_t mixed = mix(hash);
    const auto tag = static_cast<uint32_t>(mixed);
    for (size_t at = mixed >> shift_;; at = (at + 1) & mask_) {
      const Slot slot = slots_[at];
      if (slot.entry == 0) {
        return -1;
      }
      if (slot.tag == tag && entries_[slot.entry - 1].key == key) {
        return entries_[slot.entry - 1].value;
      }
    }
  }
  size_t longest_key() const noexcept { return longest_key_; }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t entry = 0;  // 1-based; 0 is empty
  };
  static constexpr uint64_t mix(uint64_t h) noexcept {
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93ULL;
    return h ^ (h >> 29);
  }
  std::vector<Slot> slots_ = std::vector<Slot>(2);
  std::vector<Entry> entries_;
  size_t mask_ = 1;
  int shift_ = 63;
  size_t longest_key_ = 0;
};

class Vocabulary {
 public:
  static constexpr int kMaxId = (1 << 22) - 1;  // 4 million ids: 16 times the largest vocabularies in use
  static constexpr size_t kMaxTokenBytes = 1 << 16;

  // Adds a token; ids may come in any order and may leave holes. Throws Error(kInvalid) naming `source` for an id out
  // of range, an id taken, or a token that is too long. Tokens given twice are found by build().
  void add(std::string_view token, int64_t id, const std::string& source);
  // Makes the tokens findable. Throws Error(kInvalid) for a token that has two ids.
  void build(const std::string& source);

  int find(std::string_view token) const noexcept { return index_.find(token, PrefixHash::of(token)); }
  // The same with PrefixHash::of(token) known.
  int find(std::string_view token, uint64_t hash) const noexcept { return index_.find(token, hash); }
  // Empty for an unused id.
  std::string_view token(int id) const noexcept;
  // One more than the largest id.
  int size() const noexcept { return static_cast<int>(places_.size()); }
  // Tokens added.
  size_t count() const noexcept { return count_; }
  void reserve(size_t bytes, size_t tokens);

 private:
  struct Place {
    uint32_t begin = 0;
    uint32_t size = UINT32_MAX;  // UINT32_MAX: unused
  };
  std::string bytes_;
  std::vector<Place> places_;
  size_t count_ = 0;
  FlatIndex index_;
};

}  // namespace slipway::text
