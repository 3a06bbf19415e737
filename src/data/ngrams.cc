#include "data/ngrams.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <type_traits>

namespace slipway::data {
namespace {

constexpr size_t kRoom = 16;  // readable bytes behind the last word

uint64_t load8(const char* bytes) noexcept {
  uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Sixteen bytes, of which the first ones of a word stay.
struct Half {
  uint64_t low;
  uint64_t high;
};
constexpr std::array<Half, kRoom + 1> kMasks = [] {
  std::array<Half, kRoom + 1> masks{};
  const auto bytes = [](size_t count) {  // the first `count` of eight
    constexpr uint64_t kAll = ~uint64_t{0};
    if (count == 0 || count >= 8) {
      return count == 0 ? 0 : kAll;
    }
    return std::endian::native == std::endian::little ? kAll >> (64 - 8 * count) : kAll << (64 - 8 * count);
  };
  for (size_t size = 0; size <= kRoom; ++size) {
    masks[size] = {bytes(size), bytes(size > 8 ? size - 8 : 0)};
  }
  return masks;
}();

// Both halves of the product: every bit of both reaches every bit.
uint64_t fold(uint64_t a, uint64_t b) noexcept {
  __extension__ using Product = unsigned __int128;
  const Product product = Product{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64U);
}

constexpr uint64_t kOne = 0x9E3779B97F4A7C15ULL;
constexpr uint64_t kTwo = 0xC2B2AE3D27D4EB4FULL;
constexpr uint64_t kThree = 0x9FB21C651E98DF25ULL;

// The bytes are in a WordList: sixteen more may be read behind them.
uint64_t hash_bytes(std::string_view bytes) noexcept {
  uint64_t hash = bytes.size();
  size_t at = 0;
  for (; at + kRoom < bytes.size(); at += kRoom) {
    hash = fold(load8(bytes.data() + at) ^ kOne, load8(bytes.data() + at + 8) ^ kTwo ^ hash);
  }
  const Half mask = kMasks[bytes.size() - at];
  return fold((load8(bytes.data() + at) & mask.low) ^ kOne, (load8(bytes.data() + at + 8) & mask.high) ^ kTwo ^ hash);
}

// The same of both texts, which are in a WordList.
bool same_bytes(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) {
    return false;
  }
  if (a.size() > kRoom) {
    return std::memcmp(a.data(), b.data(), a.size()) == 0;
  }
  const Half mask = kMasks[a.size()];
  return (((load8(a.data()) ^ load8(b.data())) & mask.low) | ((load8(a.data() + 8) ^ load8(b.data() + 8)) & mask.high)) == 0;
}

}  // namespace

void WordList::clear() {
  used_ = 0;
  begin_.assign(1, 0);
  chars_.assign(1, 0);
}

void WordList::add(std::string_view word, uint32_t chars) {
  if (used_ + word.size() + kRoom > bytes_.size()) {
    bytes_.resize(std::max(bytes_.size() * 2, used_ + word.size() + 4096));
  }
  std::memcpy(bytes_.data() + used_, word.data(), word.size());
  used_ += word.size();
  begin_.push_back(static_cast<uint32_t>(used_));
  chars_.push_back(chars_.back() + chars);
}

void WordList::close() {
  if (used_ + kRoom > bytes_.size()) {
    bytes_.resize(used_ + kRoom);
  }
  std::memset(bytes_.data() + used_, 0, kRoom);
}

void HashTable::reset(size_t entries) {
  const size_t size = std::bit_ceil(std::max<size_t>(16, entries * 2));
  if (slots_.size() < size) {
    slots_.resize(size);
  }
  mask_ = size - 1;
  static_assert(std::is_trivially_copyable_v<Slot>);
  std::memset(static_cast<void*>(slots_.data()), 0, size * sizeof(Slot));
}

void Ngrams::begin(const WordList& words, size_t n) {
  words_ = &words;
  n_ = n;
  kinds_ = 0;
  const size_t count = words.size();
  if (class_.size() < count + 1) {
    const size_t size = 2 * count + 1024;
    hashes_.resize(size);
    class_.resize(size);
    first_.resize(size);
    counts_.resize(size);
  }
  for (uint32_t i = 0; i < count; ++i) {
    hashes_[i] = hash_bytes(words.word(i));
  }
  table_.reset(count);
}

// `position` has the class `id`, which is a new one when it is kinds_. What stands behind the last class is room.
void Ngrams::count(uint32_t position, uint32_t id) noexcept {
  const bool is_new = id == kinds_;
  first_[kinds_] = position;
  counts_[kinds_] = 0;
  kinds_ += static_cast<uint32_t>(is_new);
  ++counts_[id];
  class_[position] = id;
}

// Of the places that were looked at.
void Ngrams::keep_repeated(std::span<const uint32_t> places) noexcept {
  size_t kept = 0;
  for (const uint32_t place : places) {
    positions_[kept] = place;
    kept += static_cast<size_t>(counts_[class_[place]] > 1);
  }
  positions_.resize(kept);
}

void Ngrams::start(const WordList& words) {
  begin(words, 1);
  const auto total = static_cast<uint32_t>(words.size());
  for (uint32_t i = 0; i < total; ++i) {
    count(i, table_.find_or_add(hashes_[i], kinds_,
                                [&](uint32_t other) { return same_bytes(words.word(first_[other]), words.word(i)); }));
  }
  positions_.resize(total);
  std::iota(positions_.begin(), positions_.end(), 0U);
  keep_repeated(positions_);
}

void Ngrams::start_pairs(const WordList& words) {
  begin(words, 2);
  const auto total = static_cast<uint32_t>(this->total());
  for (uint32_t i = 0; i < total; ++i) {
    const uint64_t hash = fold(hashes_[i] ^ kTwo, hashes_[i + 1] ^ kThree);
    count(i, table_.find_or_add(hash, kinds_, [&](uint32_t other) {
      const uint32_t first = first_[other];
      return words.word(first).size() == words.word(i).size() && same_bytes(words.joined(first, 2), words.joined(i, 2));
    }));
  }
  positions_.resize(total);
  std::iota(positions_.begin(), positions_.end(), 0U);
  keep_repeated(positions_);
}

void Ngrams::advance() {
  ++n_;
  size_t kept = 0;
  for (size_t k = 0; k + 1 < positions_.size(); ++k) {
    const uint32_t position = positions_[k];
    positions_[kept] = position;
    kept += static_cast<size_t>(positions_[k + 1] == position + 1);
  }
  positions_.resize(kept);
  kinds_ = 0;
  table_.reset(kept);
  keys_.resize(kept);
  for (const uint32_t position : positions_) {
    const uint64_t key = (uint64_t{class_[position]} << 32U) | class_[position + 1];
    const uint32_t id =
        table_.find_or_add(fold(key ^ kOne, kTwo), kinds_, [&](uint32_t other) { return keys_[other] == key; });
    keys_[id] = key;
    count(position, id);  // the next position looks at its own class and the one behind it
  }
  keep_repeated(positions_);
}

Ngrams::Class Ngrams::top() const noexcept {
  Class best{0, 1};
  for (uint32_t id = 0; id < kinds_; ++id) {
    if (counts_[id] > best.count) {  // classes stand in the order of their first places
      best = {first_[id], counts_[id]};
    }
  }
  return best;
}

void JoinedDuplicates::find_candidates(const WordList& words) {
  const auto count = static_cast<uint32_t>(words.size());
  repeats_.assign(count, 0);
  candidates_.clear();
  if (count < kFirst) {
    return;
  }
  table_.reset(count);
  for (uint32_t i = 0; i + kFirst <= count; ++i) {
    const char* bytes = words.joined(i, 0).data();
    if (bytes + kRoom > words.data() + words.bytes()) {
      break;
    }
    // A hash is enough: an accident only makes one n-gram more to look at.
    const uint64_t hash = fold(load8(bytes) ^ kOne, load8(bytes + 8) ^ kTwo);
    const uint32_t first = table_.find_or_add(hash, i, [](uint32_t) { return true; });
    const auto again = static_cast<uint8_t>(first != i);
    repeats_[first] |= again;
    repeats_[i] |= again;
  }
  candidates_.resize(count);
  size_t kept = 0;
  for (uint32_t i = 0; i + kFirst <= count; ++i) {
    candidates_[kept] = i;
    kept += static_cast<size_t>(repeats_[i] != 0 || words.joined(i, kFirst).size() < kRoom);
  }
  candidates_.resize(kept);
}

uint64_t JoinedDuplicates::count_n(const WordList& words, size_t n) {
  table_.reset(candidates_.size());
  uint64_t chars = 0;
  size_t next = 0;
  for (const uint32_t i : candidates_) {
    if (i + n > words.size()) {
      break;
    }
    if (i < next) {
      continue;
    }
    const std::string_view gram = words.joined(i, n);
    if (repeats_[i] == 0 && gram.size() >= kRoom) {
      continue;  // its first sixteen bytes stand nowhere else
    }
    const uint32_t first =
        table_.find_or_add(hash_bytes(gram), i, [&](uint32_t other) { return same_bytes(words.joined(other, n), gram); });
    if (first != i) {
      chars += words.chars(i, n);
      next = i + n;
    }
  }
  return chars;
}

void JoinedDuplicates::count(const WordList& words, std::span<uint64_t> chars) {
  find_candidates(words);
  for (size_t n = kFirst; n <= kLast; ++n) {
    chars[n - kFirst] = words.size() < n ? 0 : count_n(words, n);
  }
}

}  // namespace slipway::data
