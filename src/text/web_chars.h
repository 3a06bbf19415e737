// Classes of one character as the cleaning tools of web text ask for them: Python's str methods and regular expressions
// (Unicode 14, Python 3.11), datatrove's sets of punctuation, and the character classes of spaCy's tokenizer rules. All
// decisions about a page's words and lines hang on these. The table is generated (tools/text/web_words_tables.py).
// Pure functions. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace slipway::text {

enum WebClass : uint32_t {
  kWebSpace = 1U << 0U,         // str.isspace
  kWebAlpha = 1U << 1U,         // str.isalpha
  kWebWord = 1U << 2U,          // re \w
  kWebNumeric = 1U << 3U,       // str.isnumeric
  kWebUpper = 1U << 4U,         // str.isupper of the character
  kWebLower = 1U << 5U,         // str.islower
  kWebTitle = 1U << 6U,         // str.istitle: capitals, too
  kWebCategoryP = 1U << 7U,     // general category P*
  kWebPunctuation = 1U << 8U,   // datatrove's PUNCTUATION_SET
  kWebTerminal = 1U << 9U,      // datatrove's TERMINAL_PUNCTUATION
  kWebSentenceEnd = 1U << 10U,  // what ends a sentence for spaCy's sentencizer
  kWebLetter = 1U << 11U,       // spaCy's ALPHA, ALPHA_LOWER, ALPHA_UPPER (letters without case are in all three)
  kWebLowerLetter = 1U << 12U,
  kWebUpperLetter = 1U << 13U,
  kWebIcon = 1U << 14U,       // spaCy's ICONS
  kWebAffix = 1U << 15U,      // split from both ends of a chunk
  kWebPrefix = 1U << 16U,     // split from its beginning only
  kWebSuffix = 1U << 17U,     // split from its end only
  kWebCurrency = 1U << 18U,   // split from its end after a digit
  kWebBeforeDot = 1U << 19U,  // a final full stop is split after these
  kWebDotLeft = 1U << 20U,    // an inner full stop is split between a DotLeft and a DotRight
  kWebDotRight = 1U << 21U,
  kWebLineBreak = 1U << 22U,   // str.splitlines
  kWebDigit = 1U << 23U,       // re \d
  kWebAlphabetic = 1U << 24U,  // the Alphabetic property
  kWebDecimal = 1U << 25U,     // [[:digit:]] of the `regex` module: of ASCII only
};

struct WebRange {
  char32_t first;
  char32_t last;
  uint32_t classes;
};
std::span<const WebRange> web_ranges() noexcept;  // generated, ascending

// The table, built once on the first call (about 0.3 MB).
class WebChars {
 public:
  static const WebChars& get();

  // The classes of `c`; 0 above U+10FFFF.
  uint32_t operator()(char32_t c) const noexcept {
    return c < 0x110000 ? pages_[(uint32_t{page_[c >> 8U]} << 8U) | (c & 0xFFU)] : 0;
  }
  // c < 128.
  uint32_t ascii(unsigned char c) const noexcept { return ascii_[c]; }

 private:
  WebChars();

  std::array<uint32_t, 128> ascii_{};
  std::array<uint16_t, 0x1100> page_{};  // the page of each 256 code points
  std::vector<uint32_t> pages_;
};

}  // namespace slipway::text
