// Words of languages that are written without blanks (Thai, Khmer, Lao, Burmese), and of any other, as ICU cuts them: by its
// dictionaries and the rules of Unicode's annex 29. The library is loaded when it is first asked for; it is no part of the program.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

// Whether words() of this language (ISO 639-1) are best left to ICU: scripts without blanks for which it has a dictionary.
bool needs_icu(std::string_view language) noexcept;

// One thread at a time; making one costs about a millisecond.
class IcuWords {
 public:
  // `language`: ISO 639-1. Throws Error(kFailure) naming the package when ICU is not there.
  explicit IcuWords(const std::string& language);
  ~IcuWords();
  IcuWords(IcuWords&&) noexcept;
  IcuWords& operator=(IcuWords&&) = delete;

  // Replaces `words` by those of `text`, which are views of it; marks are words, white space is in none. Invalid UTF-8 counts
  // as U+FFFD. `text` of at most 2 GB.
  void cut(std::string_view text, std::vector<std::string_view>& words);
  // "72.1"
  static std::string version();

 private:
  struct Library;
  static const Library& library();
  void* iterator_ = nullptr;
};

}  // namespace slipway::text
