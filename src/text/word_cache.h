// The ids of words met before, in a table of one cache line a word: the words of running text repeat. One thread at a
// time uses a WordCache; a WordCachePool lends each caller one of its own.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace slipway::text {

class WordCache {
 public:
  static constexpr size_t kMaxBytes = 15;  // longer words are not kept
  static constexpr size_t kMaxIds = 11;    // nor words of more ids

  WordCache() : entries_(kEntries) {}

  struct Key {
    uint64_t low;
    uint64_t high;  // its last byte is the length: no key is all zero
  };
  // Of text[at, at + size), 0 < size <= kMaxBytes.
  static Key key(std::string_view text, size_t at, size_t size) noexcept {
    Key key{0, 0};
    if (at + 16 <= text.size()) {
      std::memcpy(&key, text.data() + at, 16);
      if (size <= 8) {
        key.low &= UINT64_MAX >> (64 - 8 * size);
        key.high = 0;
      } else {
        key.high &= UINT64_MAX >> (128 - 8 * size);
      }
    } else {
      std::memcpy(&key, text.data() + at, size);
    }
    key.high |= static_cast<uint64_t>(size) << 56;
    return key;
  }
  struct Entry {
    Key key;
    uint32_t count;
    int32_t ids[kMaxIds];
  };
  static_assert(sizeof(Entry) == 64);

  // Where the word is, or would be: compare the key.
  Entry& slot(const Key& key) noexcept {
    uint64_t h = (key.low ^ (key.high * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL;
    h ^= h >> 32;
    return entries_[(h * 0x9E3779B97F4A7C15ULL) >> (64 - kBits)];
  }
  static bool holds(const Entry& entry, const Key& key) noexcept {
    return entry.key.low == key.low && entry.key.high == key.high;
  }

 private:
  static constexpr int kBits = 15;  // 32,768 words, 2 MiB
  static constexpr size_t kEntries = size_t{1} << kBits;
  struct alignas(64) Aligned : Entry {};
  std::vector<Aligned> entries_;
};

class WordCachePool {
 public:
  class Lease {
   public:
    explicit Lease(WordCachePool& pool) : pool_(pool), cache_(pool.take()) {}
    ~Lease() { pool_.put(std::move(cache_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    WordCache& operator*() const noexcept { return *cache_; }

   private:
    WordCachePool& pool_;
    std::unique_ptr<WordCache> cache_;
  };

 private:
  std::unique_ptr<WordCache> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto cache = std::move(free_.back());
        free_.pop_back();
        return cache;
      }
    }
    return std::make_unique<WordCache>();
  }
  void put(std::unique_ptr<WordCache> cache) noexcept {
    const std::lock_guard lock(mutex_);
    if (free_.size() < free_.capacity()) {
      free_.push_back(std::move(cache));
    }
  }
  static constexpr size_t kMaxFree = 256;
  static std::vector<std::unique_ptr<WordCache>> reserved() {
    std::vector<std::unique_ptr<WordCache>> free;
    free.reserve(kMaxFree);
    return free;
  }
  std::mutex mutex_;
  std::vector<std::unique_ptr<WordCache>> free_ = reserved();
};

}  // namespace slipway::text
