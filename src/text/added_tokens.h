// The "added_tokens" of a tokenizer.json: texts that are one token wherever they stand, found before anything else is
// done. Matching is Hugging Face's: leftmost, then longest; single_word, lstrip and rstrip; `normalized` ones are
// looked for in the normalised text. Immutable once built: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::text {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
  bool special = false;
};

// A part of a text: an added token (id >= 0) or what lies between (id -1). Bytes, half-open.
struct Segment {
  int32_t id;
  size_t begin;
  size_t end;
};

// Throws Error(kInvalid) naming the entry that is wrong.
std::vector<AddedToken> parse_added_tokens(const base::Json& json, const std::string& source);

class AddedTokenMatcher {
 public:
  struct Pattern {
    std::string text;  // as it is to be found: normalised for normalised tokens
    AddedToken token;
  };
  AddedTokenMatcher() = default;
  // Patterns with an empty text never match.
  explicit AddedTokenMatcher(std::vector<Pattern> patterns);
  bool empty() const noexcept { return patterns_.empty(); }
  // Appends the segments of `text`, in order and without empty ones.
  void split(std::string_view text, std::vector<Segment>& segments) const;

 private:
  const Pattern* match_at(std::string_view text, size_t at) const noexcept;
  size_t next_candidate(std::string_view text, size_t at) const noexcept;
  std::vector<Pattern> patterns_;              // by first byte, longest first
  std::array<uint32_t, 257> first_of_byte_{};  // patterns_ that start with byte b: [first_of_byte_[b], [b + 1])
  int only_byte_ = -1;                         // when all patterns start with the same byte
};

}  // namespace slipway::text
