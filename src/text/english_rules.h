// spaCy's special cases of English, and how a chunk is cut by them and by affixes, addresses and infixes. Internal to
// english_words.cc. Immutable. Any thread.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/english_affixes.h"

namespace slipway::text::english {

struct Piece {
  uint32_t begin;
  uint32_t size;
};

// Signs that are always split from the end of a chunk of ASCII letters.
inline constexpr std::string_view kPlainSigns = ",;:!?)\"";

// A number for the first and the last of some ASCII letters.
inline size_t ends_of(std::string_view letters) noexcept {
  return (static_cast<unsigned char>(letters.front()) & 0x3FU) | ((static_cast<unsigned char>(letters.back()) & 0x1FU) << 6U);
}

// One special case: how it is cut, and how the rules alone would cut it.
struct Special {
  std::string text;
  std::vector<uint32_t> sizes;  // of its tokens, bytes
};

// A tree of rows of tokens, by the numbers of their texts.
struct Rows {
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> next;  // (node, token) -> node; node 0 is the root
  std::vector<uint8_t> ends{0};                            // whether a row ends at a node
};

// Which texts are none of some: by size, first and last byte. Never says no wrongly.
class EndsFilter {
 public:
  void add(std::string_view text) noexcept { bits_.set(place(text)); }
  bool may_have(std::string_view text) const noexcept { return !text.empty() && bits_[place(text)]; }

 private:
  static size_t place(std::string_view text) noexcept {
    const uint64_t ends = text.size() << 16U | uint64_t{static_cast<unsigned char>(text.front())} << 8U |
                          static_cast<unsigned char>(text.back());
    return ends * 0x9E3779B97F4A7C15ULL >> 49U;
  }
  std::bitset<size_t{1} << 15U> bits_;
};

// The rules, with their special cases, built once on the first call.
class Rules {
 public:
  Rules();
  static const Rules& get();

  // The special case that is the whole of `chunk`; null for none.
  const Special* find(std::string_view chunk) const {
    if (!special_filter_.may_have(chunk)) {
      return nullptr;
    }
    const auto found = index_.find(chunk);
    return found == index_.end() ? nullptr : &specials_[found->second];
  }
  // Whether a chunk of ASCII letters may be cut: a filter by length and ends that rarely errs, never says no wrongly.
  bool may_cut_letters(std::string_view chunk) const noexcept {
    return chunk.size() < 16 && (letters_[ends_of(chunk)] >> chunk.size() & 1U) != 0;
  }
  // The same for ASCII letters before a full stop: whether the chunk with its full stop may be a special case, or the full
  // stop may stay with it.
  bool may_keep_dot(std::string_view letters) const noexcept {
    if (letters.size() < 2 || (letters.size() < 15 && (dotted_[ends_of(letters)] >> letters.size() & 1U) != 0)) {
      return true;
    }
    const auto is_lower = [](char c) { return c >= 'a'; };
    return !is_lower(letters.back()) && is_lower(letters[letters.size() - 2]);
  }
  uint32_t token_number(std::string_view token) const {  // 0: in no row
    if (!number_filter_.may_have(token)) {
      return 0;
    }
    const auto found = numbers_.find(token);
    return found == numbers_.end() ? 0 : found->second;
  }
  const Rows& rows() const noexcept { return rows_; }

  // The tokens of a chunk by affixes, addresses and infixes, and by special cases when asked.
  void cut(std::string_view chunk, bool with_specials, std::vector<Piece>& out, std::vector<Infix>& infixes,
           std::vector<Piece>& suffixes) const;

 private:
  void attach(std::string_view chunk, Piece middle, bool with_specials, std::vector<Piece>& out,
              std::vector<Infix>& infixes) const;

  std::vector<Special> specials_;
  std::unordered_map<std::string_view, uint32_t> index_;
  std::unordered_map<std::string_view, uint32_t> numbers_;
  EndsFilter special_filter_;
  EndsFilter number_filter_;
  // By first and last letter, a bit for each size.
  std::array<uint16_t, 2048> letters_{};
  std::array<uint16_t, 2048> dotted_{};
  Rows rows_;
};

}  // namespace slipway::text::english
