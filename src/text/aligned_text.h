// A text under normalisation: each character knows which code points of the original it came from. The rules by which
// inserted, changed and removed characters take their origin are those of Hugging Face tokenizers, so offsets agree.
// A plain value; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::text {

class Regex;

struct Origin {
  uint32_t begin = 0;  // code points of the original text, half-open
  uint32_t end = 0;
};

// One output character of a transformation: change 0 replaces one input character, +1 is inserted, -n replaces one and
// removes the n after it.
struct Change {
  char32_t code;
  int change;
};

struct AlignedText {
  std::u32string chars;
  std::vector<Origin> origins;  // one each of chars

  // Decodes UTF-8 (invalid sequences as U+FFFD); `first` is the number of the first code point.
  static AlignedText decode(std::string_view utf8, uint32_t first);

  size_t size() const { return chars.size(); }
  // Replaces the whole text by the changes applied to it, skipping `removed_first` characters at the start.
  void transform(const std::vector<Change>& changes, size_t removed_first = 0);
  // Keeps the characters for which the predicate holds.
  void filter(const std::function<bool(char32_t)>& keep);
  // Replaces every occurrence of `pattern` (not empty) by `content`.
  void replace(std::u32string_view pattern, std::u32string_view content);
  // Replaces every match of a regular expression.
  void replace(const Regex& regex, std::u32string_view content);
  // Puts `prefix` before the first character; nothing happens to an empty text.
  void prepend(std::u32string_view prefix);
  // Appends the UTF-8 of [begin, end) to `out`; `char_of_byte` gets the index of each byte's character when not null.
  void encode(size_t begin, size_t end, std::string& out, std::vector<uint32_t>* char_of_byte) const;

 private:
  template <class Find>
  void replace_found(std::u32string_view content, const Find& find);
};

std::u32string to_utf32(std::string_view utf8);

}  // namespace slipway::text
