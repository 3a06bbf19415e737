// Small pieces of text as Python's str cuts them, for the quality signals: lines, paragraphs, words at white space,
// counts. Text is valid UTF-8; nothing is owned. Pure functions. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/web_chars.h"

namespace slipway::data {

// Code points of valid UTF-8.
size_t count_chars(std::string_view text) noexcept;

bool is_ascii(std::string_view text) noexcept;
std::string_view strip_left(std::string_view text) noexcept;
std::string_view strip_right(std::string_view text) noexcept;
inline std::string_view strip(std::string_view text) noexcept { return strip_right(strip_left(text)); }

// Non-overlapping occurrences (str.count); `part` is not empty, and best begins with a byte that is rare.
size_t count_of(std::string_view text, std::string_view part) noexcept;
// `text` with its ASCII letters in lower case into `out`.
void lower_ascii(std::string_view text, std::string& out);
// Whether `text` in lower case (str.lower) has `part`, which is ASCII and in lower case.
bool lower_contains(std::string_view text, std::string_view part) noexcept;

// Whether the text, in any mixture of cases of ASCII, may hold "lorem ipsum", "javascript", "cookie", "policy" or "terms of use":
// one pass over it that errs by saying yes.
bool may_hold_phrase(std::string_view text) noexcept;

// Replaces `lines` by str.splitlines, str.split("\n"), re.split("\n+") and re.split("\n{2,}").
void split_lines(std::string_view text, std::vector<std::string_view>& lines);
void split_newlines(std::string_view text, std::vector<std::string_view>& lines);
void split_newline_runs(std::string_view text, size_t least, std::vector<std::string_view>& lines);

// Elements that were there before, and their characters: what datatrove calls duplicates.
struct CopyCounts {
  uint64_t elements = 0;
  uint64_t chars = 0;
};

// Finds equal strings in a list; keeps its memory from call to call. One thread.
class CopyFinder {
 public:
  // Each element that equals an earlier one.
  CopyCounts later_copies(const std::vector<std::string_view>& elements);
  // Each element that occurs more than once, the first one too.
  CopyCounts all_copies(const std::vector<std::string_view>& elements);

 private:
  // Replaces first_ by the index of the first equal element of each.
  void find_first(const std::vector<std::string_view>& elements);

  struct Slot {
    uint64_t hash = 0;
    uint32_t element = 0;
    uint32_t round = 0;  // slots of earlier rounds are empty
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> first_;
  std::vector<uint32_t> copies_;
  uint32_t round_ = 0;
};

}  // namespace slipway::data
