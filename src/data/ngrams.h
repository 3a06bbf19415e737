// Repeated word n-grams of one text, exactly, at a few nanoseconds a word: an n-gram can only repeat where its two
// (n-1)-grams do, so from n = 3 on almost nothing is left to look at. Keeps its memory from text to text. One thread.
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

// A set of 64-bit keys with a number each, emptied in O(1).
class KeyTable {
 public:
  // Empties it and makes room for `keys`.
  void reset(size_t keys);
  // The number of `key`, which is `fresh` when it is new.
  uint32_t find_or_add(uint64_t key, uint32_t fresh) noexcept {
    size_t at = mix(key) & mask_;
    while (slots_[at].round == round_) {
      if (slots_[at].key == key) {
        return slots_[at].value;
      }
      at = (at + 1) & mask_;
    }
    slots_[at] = {key, fresh, round_};
    return fresh;
  }
  static uint64_t mix(uint64_t key) noexcept {
    key *= 0x9E3779B97F4A7C15ULL;
    return key ^ (key >> 32U);
  }

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t value = 0;
    uint32_t round = 0;
  };
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  uint32_t round_ = 0;
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
  // To the next n.
  void advance();

  size_t n() const noexcept { return n_; }
  // n-grams in the text.
  size_t total() const noexcept { return words_->size() < n_ ? 0 : words_->size() - n_ + 1; }
  // Where the n-grams stand that occur more than once, ascending.
  std::span<const uint32_t> repeated() const noexcept { return positions_; }
  // Of a repeated n-gram.
  const Class& class_at(uint32_t position) const noexcept { return classes_[class_[position]]; }
  // n = 1 only: every word's class.
  std::span<const Class> classes() const noexcept { return classes_; }
  // The most frequent n-gram, of several the one that comes first; total() must not be 0.
  Class top() const noexcept;

 private:
  const WordList* words_ = nullptr;
  size_t n_ = 0;
  std::vector<uint32_t> class_;  // of each position that is in positions_
  std::vector<Class> classes_;
  std::vector<uint32_t> positions_;
  KeyTable table_;
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

  KeyTable table_;
  std::vector<uint8_t> repeats_;      // whether the 16 bytes from a word on occur from another word on, too
  std::vector<uint32_t> candidates_;  // words at which a repeated n-gram may begin
};

}  // namespace slipway::data
