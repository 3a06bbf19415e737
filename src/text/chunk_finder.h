// The chunks of a text that white space separates (Python's str.split()), and its ASCII letters as bits: what
// english_words.cc begins with. 64 bytes at a time, with AVX2 where there is one. One object a thread: it keeps its memory
// from text to text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/cpu.h"

namespace slipway::text {

class ChunkFinder {
 public:
  // `isa` is lowered to what this machine has; all levels find the same.
  explicit ChunkFinder(base::Isa isa = base::select_isa());

  // Looks at `text` (under 4 GiB), which is not kept. Invalid UTF-8 is no white space.
  void find(std::string_view text);

  // Of the last text: where chunks begin and end by turns, ascending; an even number.
  std::span<const uint32_t> edges() const noexcept { return {edges_.data(), edge_count_}; }
  // ASCII letters from the byte `at` on, which is not behind the text, without a break: exact below 64.
  size_t letter_run(size_t at) const noexcept {
    const size_t word = at >> 6U;
    const size_t bit = at & 63U;
    const uint64_t letters = letters_[word] >> bit | (letters_[word + 1] << 1U) << (63U - bit);
    return letters == ~uint64_t{0} ? 64 : static_cast<size_t>(__builtin_ctzll(~letters));
  }

  // One bit for each of 64 bytes.
  struct Masks {
    uint64_t letters;
    uint64_t spaces;  // of ASCII
    uint64_t leads;   // bytes that may begin white space beyond ASCII
  };

 private:
  using Classify = Masks (*)(const char* bytes) noexcept;

  Classify classify_;
  std::vector<uint64_t> letters_;
  std::vector<uint32_t> edges_;
  size_t edge_count_ = 0;
};

}  // namespace slipway::text
