// Places of code points in UTF-8, for offsets that tokenizers count in characters. Borrows the text. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/unicode.h"

namespace slipway::text {

class CodePoints {
 public:
  // An invalid sequence counts as one, as in tokenizers' offsets. O(bytes).
  explicit CodePoints(std::string_view text) : text_(text) {
    for (size_t at = 0; at < text.size(); at += decode_at(text, at).size) {
      starts_.push_back(at);
    }
    starts_.push_back(text.size());
  }
  size_t size() const noexcept { return starts_.size() - 1; }
  // Characters [begin, end), cut to what there is.
  std::string slice(size_t begin, size_t end) const {
    const size_t from = starts_[begin < size() ? begin : size()];
    const size_t to = starts_[end < size() ? end : size()];
    return std::string(text_.substr(from, to > from ? to - from : 0));
  }
  // at < size().
  char32_t operator[](size_t at) const noexcept { return decode_at(text_, starts_[at]).code; }

 private:
  std::string_view text_;
  std::vector<size_t> starts_;  // bytes, and the end
};

}  // namespace slipway::text
