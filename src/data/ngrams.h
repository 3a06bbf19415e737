// Repeated word n-grams of one text, exactly, at a few nanoseconds a word: an n-gram can only repeat where its two
// (n-1)-grams do, so from n = 3 on almost nothing is left to look at. Hashes are 64 by 64 bits to 128, folded; what they
// find is compared. Keeps its memory from text to text. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::data {

// The words of one text, side by side.
class WordList {
 public:
  void clear();
  // `word` is not empty.
  void add(std::string_view word, uint32_t chars);
  // The words that begin at .begin, with .size bytes and .chars code points, of `text`; closes.
  template <class Tokens>
  void assign(std::string_view text, const Tokens& tokens);
  // To be called once after the last word: the bytes get room behind them that may be read.
  void close();

  size_t size() const noexcept { return begin_.size() - 1; }
  std::string_view word(size_t i) const noexcept { return joined(i, 1); }
  // Words [i, i + n) without anything between them.
  std::string_view joined(size_t i, size_t n) const noexcept {
    return {bytes_.data() + begin_[i], begin_[i + n] - begin_[i]};
  }
  // Code points of words [i, i + n).
  uint64_t chars(size_t i, size_t n) const noexcept { return chars_[i + n] - chars_[i]; }
  uint64_t chars() const noexcept { return chars_.back(); }
  size_t bytes() const noexcept { return begin_.back(); }
  const char* data() const noexcept { return bytes_.data(); }

 private:
  std::string bytes_;
  size_t used_ = 0;
  std::vector<uint32_t> begin_{0};
  std::vector<uint32_t> chars_{0};
};

template <class Tokens>
void WordList::assign(std::string_view text, const Tokens& tokens) {
  constexpr size_t kStep = 16;
  bytes_.resize(std::max(bytes_.size(), text.size() + 2 * kStep));
  begin_.resize(tokens.size() + 1);
  chars_.resize(tokens.size() + 1);
  begin_[0] = chars_[0] = 0;
  uint32_t used = 0;
  uint32_t chars = 0;
  char* out = bytes_.data();
  size_t i = 0;
  for (const auto& token : tokens) {
    const char* from = text.data() + token.begin;
    if (token.size <= kStep && token.begin + kStep <= text.size()) {
      std::memcpy(out + used, from, kStep);  // more than the word, but of one size: the next word goes over the rest
    } else {
      std::memcpy(out + used, from, token.size);
    }
    used += token.size;
    chars += token.chars;
    ++i;
    begin_[i] = used;
    chars_[i] = chars;
  }
  used_ = used;
  close();
}

// A set of hashes of 64 bits with a number each: the place and 32 bits of a hash tell it apart from most others, the caller
// from the rest. Eight bytes a slot, so that the words of a usual page stay in a first-level cache.
class HashTable {
 public:
  // Empties it and makes room for `entries`.
  void reset(size_t entries);
  // The number of the entry with this hash for which `same(number)` holds; `fresh` when there was none and it was added.
  template <class Same>
  uint32_t find_or_add(uint64_t hash, uint32_t fresh, Same&& same) noexcept {
    const auto tag = static_cast<uint32_t>(hash >> 32U);
    size_t at = hash & mask_;
    while (slots_[at].next != 0) {
      if (slots_[at].tag == tag && same(slots_[at].next - 1)) {
        return slots_[at].next - 1;
      }
      at = (at + 1) & mask_;
    }
    slots_[at] = {tag, fresh + 1};
    return fresh;
  }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t next = 0;  // the entry's number plus one; 0: empty
  };
  std::vector<Slot> slots_;
  size_t mask_ = 0;
};

// Classes of equal n-grams, n = 1, 2, …, one n after the other.
class Ngrams {
 public:
  struct Class {
    uint32_t first;  // the word at which it first stands
    uint32_t count;
  };
  // n = 1. Borrows `words` until the next start.
  void start(const WordList& words);
  // n = 2, in one pass: for those who do not ask about single words.
  void start_pairs(const WordList& words);
  // To the next n.
  void advance();

  size_t n() const noexcept { return n_; }
  // n-grams in the text.
  size_t total() const noexcept { return words_->size() < n_ ? 0 : words_->size() - n_ + 1; }
  // Where the n-grams stand that occur more than once, ascending.
  std::span<const uint32_t> repeated() const noexcept { return positions_; }
  // Of a repeated n-gram.
  Class class_at(uint32_t position) const noexcept {
    return {first_[class_[position]], counts_[class_[position]]};
  }
  // Straight after a start: how many different n-grams there are, and each of them, in the order of their first places.
  size_t kinds() const noexcept { return kinds_; }
  Class kind(size_t i) const noexcept { return {first_[i], counts_[i]}; }
  // The most frequent n-gram, of several the one that comes first; total() must not be 0.
  Class top() const noexcept;

 private:
  void begin(const WordList& words, size_t n);
  void count(uint32_t position, uint32_t id) noexcept;
  void keep_repeated(std::span<const uint32_t> places) noexcept;

  const WordList* words_ = nullptr;
  size_t n_ = 0;
  uint32_t kinds_ = 0;
  std::vector<uint64_t> hashes_;  // of each word
  std::vector<uint64_t> keys_;    // of each class that advance() made: the classes of its two (n-1)-grams
  std::vector<uint32_t> class_;   // of each position that is in positions_
  std::vector<uint32_t> first_;   // of each class: the word at which it first stands
  std::vector<uint32_t> counts_;  // of each class
  std::vector<uint32_t> positions_;
  HashTable table_;
};

// For each n in 5..10 the characters in n-grams that stood before, reading from left to right and going on behind each
// hit, where words are compared joined without spaces ("ab","c" equals "a","bc"): datatrove's find_all_duplicate.
class JoinedDuplicates {
 public:
  static constexpr size_t kFirst = 5;
  static constexpr size_t kLast = 10;
  // chars[n - kFirst].
  void count(const WordList& words, std::span<uint64_t> chars);

 private:
  void find_candidates(const WordList& words);
  uint64_t count_n(const WordList& words, size_t n);

  HashTable table_;
  std::vector<uint8_t> repeats_;      // whether the 16 bytes from a word on occur from another word on, too
  std::vector<uint32_t> candidates_;  // words at which a repeated n-gram may begin
};

}  // namespace slipway::data
