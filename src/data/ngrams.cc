#include "data/ngrams.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace slipway::data {
namespace {

constexpr size_t kRoom = 16;  // readable bytes behind the last word
constexpr uint32_t kNone = ~0U;

uint64_t load8(const char* bytes) noexcept {
  uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// The first `size` bytes (1..8) as a number. The rest of a word of eight bytes is cut off.
uint64_t load_part(const char* bytes, size_t size) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    return load8(bytes) << ((8 - size) * 8);
  } else {
    return load8(bytes) >> ((8 - size) * 8);
  }
}

uint64_t hash_bytes(std::string_view bytes) noexcept {
  uint64_t hash = bytes.size() * 0x9FB21C651E98DF25ULL;
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    hash = (hash ^ load8(bytes.data() + at)) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29U;
  }
  if (at < bytes.size()) {
    hash = (hash ^ load_part(bytes.data() + at, bytes.size() - at)) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29U;
  }
  return hash;
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

void KeyTable::reset(size_t keys) {
  const size_t size = std::bit_ceil(std::max<size_t>(16, keys * 2));
  if (slots_.size() < size) {
    slots_.assign(size, Slot{});
    round_ = 0;
  }
  mask_ = size - 1;
  if (++round_ == 0) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    round_ = 1;
  }
}

namespace {

// Whether two words of a list are equal.
bool same_word(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && (a.size() <= 8 ? load_part(a.data(), a.size()) == load_part(b.data(), b.size())
                                                : std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace

void Ngrams::start(const WordList& words) {
  words_ = &words;
  n_ = 1;
  const size_t count = words.size();
  class_.resize(count);
  classes_.clear();
  table_.reset(count);
  for (uint32_t i = 0; i < count; ++i) {
    const std::string_view word = words.word(i);
    uint32_t id = 0;
    if (word.size() <= 8) {
      // Words of up to eight bytes are their own key but for the size, which tells "a" from "a\0".
      const uint64_t key = load_part(word.data(), word.size()) * 0x9E3779B97F4A7C15ULL + word.size();
      id = table_.find_or_add(key, static_cast<uint32_t>(classes_.size()));
      if (id < classes_.size() && !same_word(words.word(classes_[id].first), word)) {
        id = kNone;
      }
    } else {
      id = kNone;
    }
    // Longer words by a hash: words of an equal hash go on probing under the next key.
    for (uint64_t key = id == kNone ? hash_bytes(word) : 0; id == kNone; ++key) {
      id = table_.find_or_add(key, static_cast<uint32_t>(classes_.size()));
      if (id < classes_.size() && !same_word(words.word(classes_[id].first), word)) {
        id = kNone;
      }
    }
    if (id == classes_.size()) {
      classes_.push_back({i, 0});
    }
    ++classes_[id].count;
    class_[i] = id;
  }
  positions_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    if (classes_[class_[i]].count > 1) {
      positions_.push_back(i);
    }
  }
}

void Ngrams::advance() {
  ++n_;
  size_t kept = 0;
  for (size_t k = 0; k + 1 < positions_.size(); ++k) {
    if (positions_[k + 1] == positions_[k] + 1) {
      positions_[kept++] = positions_[k];
    }
  }
  positions_.resize(kept);
  classes_.clear();
  table_.reset(kept);
  for (const uint32_t position : positions_) {
    const uint64_t key = (uint64_t{class_[position]} << 32U) | class_[position + 1];
    const uint32_t id = table_.find_or_add(key, static_cast<uint32_t>(classes_.size()));
    if (id == classes_.size()) {
      classes_.push_back({position, 0});
    }
    ++classes_[id].count;
    class_[position] = id;  // the next position looks at its own and the one behind it
  }
  std::erase_if(positions_, [this](uint32_t position) { return classes_[class_[position]].count < 2; });
}

Ngrams::Class Ngrams::top() const noexcept {
  Class best{0, 1};
  for (const Class& candidate : classes_) {
    if (candidate.count > best.count) {  // classes stand in the order of their first places
      best = candidate;
    }
  }
  return best;
}

void JoinedDuplicates::find_candidates(const WordList& words) {
  const size_t count = words.size();
  repeats_.assign(count, 0);
  candidates_.clear();
  if (count < kFirst) {
    return;
  }
  table_.reset(count);
  for (uint32_t i = 0; i < count; ++i) {
    const char* bytes = words.joined(i, 0).data();
    if (bytes + kRoom > words.data() + words.bytes()) {
      break;
    }
    // A hash is enough: an accident only makes one n-gram more to look at.
    const uint64_t key = load8(bytes) * 0x9FB21C651E98DF25ULL ^ std::rotl(load8(bytes + 8) * 0x9E3779B97F4A7C15ULL, 31);
    const uint32_t first = table_.find_or_add(key, i);
    if (first != i) {
      repeats_[first] = 1;
      repeats_[i] = 1;
    }
  }
  for (uint32_t i = 0; i + kFirst <= count; ++i) {
    if (repeats_[i] != 0 || words.joined(i, kFirst).size() < kRoom) {
      candidates_.push_back(i);
    }
  }
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
    for (uint64_t key = hash_bytes(gram);; ++key) {
      const uint32_t first = table_.find_or_add(key, i);
      if (first == i) {
        break;
      }
      if (words.joined(first, n) == gram) {
        chars += words.chars(i, n);
        next = i + n;
        break;
      }
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
