// The rules by which spaCy's English tokenizer takes a chunk apart: what may be split from its beginning, its end and
// inside. Internal to english_words.cc. Sizes are bytes. Pure functions. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace slipway::text {

// The size of the prefix that is split from `chunk`; 0 for none.
size_t english_prefix(std::string_view chunk) noexcept;
// The size of the longest suffix that is split from `chunk`; 0 for none.
size_t english_suffix(std::string_view chunk) noexcept;

struct Infix {
  uint32_t begin;
  uint32_t end;
};
// Replaces `found` by the signs inside `chunk` where it is split, from left to right; one at the very beginning counts
// for the search but not for the split.
void english_infixes(std::string_view chunk, std::vector<Infix>& found);

}  // namespace slipway::text
