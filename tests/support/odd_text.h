// Random texts of all that trips fast paths over bytes: words of English with signs, special cases of tokenizers, other scripts,
// combining marks, white space of every kind, line ends of every system, bytes that are no UTF-8.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/random.h"

namespace slipway::tests {

struct OddTextOptions {
  size_t pieces = 60;
  bool valid = true;  // UTF-8
};

inline std::string odd_text(base::Rng& rng, const OddTextOptions& options) {
  using std::string_view_literals::operator""sv;
  constexpr std::array kWords = {
      "the"sv, "of"sv, "and"sv, "that"sv, "have"sv, "with"sv, "to"sv, "be"sv, "cannot"sv, "don't"sv, "Can't"sv, "I'm"sv, "gonna"sv, "Mr."sv,
      "e.g."sv, "U.S."sv, "a.m."sv, "vitamin-a."sv, "10km"sv, "$5"sv, "3.14"sv, "well-known"sv, "http://a.bc/d-e,f"sv, "x@y.org"sv, ":-)"sv,
      "..."sv, "#"sv, "\xE2\x80\xA6"sv, "it\xE2\x80\x99s"sv, "\xE2\x80\x9Cquoted\xE2\x80\x9D"sv, "\xE2\x80\x94"sv, "[12]"sv, "[edit]"sv, "{"sv,
      "lorem"sv, "ipsum"sv, "Lorem Ipsum"sv, "JavaScript"sv, "cookie"sv, "Policy"sv, "terms of use"sv, "coo\xE2\x84\xAAie"sv, "a"sv, "I"sv,
      "antidisestablishmentarianism"sv, "B."sv, "end."sv, "what?"sv, "no!"sv, "(so)"sv, "\"yes\""sv, "x;"sv, "y:"sv, "z,"sv, "-"sv, "*"sv,
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"sv, "\0"sv,
      "\xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82"sv, "\xE3\x81\x82\xE3\x82\xA2"sv, "\xED\x95\x9C\xEA\xB8\x80"sv, "\xD0\xB4\xD0\xB0."sv, "e\xCC\x81t\xCC\xA7"sv,
      "\xC3\xA9t\xC3\xA9"sv, "\xE0\xA4\x95\xE0\xA5\x8D"sv, "\xF0\x9F\x98\x80"sv, "\xF0\x9D\x94\xB8"sv, "\xEF\xBB\xBF"sv, "1\xC2\xB0""F."sv};
  constexpr std::array kGaps = {" "sv, " "sv, " "sv, " "sv, " "sv, ""sv, "  "sv, "\n"sv, "\n\n"sv, "\r\n"sv, "\r"sv, "\t"sv, "\n\n\n"sv, " \n "sv, "\v"sv,
                                "\f"sv, "\x1C"sv, "\x1F"sv, "\xC2\x85"sv, "\xC2\xA0"sv, "\xE2\x80\x83"sv, "\xE2\x80\xA8"sv, "\xE2\x80\xA9"sv, "\xE3\x80\x80"sv,
                                "\xE1\x9A\x80"sv, "\xE2\x81\x9F"sv, "\xE2\x80\x8B"sv};
  constexpr std::array kBroken = {"\x80"sv, "\xC2"sv, "\xE2\x80"sv, "\xF0\x9F\x98"sv, "\xFF"sv, "\xED\xA0\x80"sv, "\xC0\xA0"sv, "\xE2"sv, "\xE2\xE2\x80\x83"sv};
  std::string text;
  for (size_t i = 0; i < options.pieces; ++i) {
    if (rng.below(3) == 0) {
      text += kWords[rng.below(kWords.size())];
    } else {
      for (uint64_t n = 1 + rng.below(9); n > 0; --n) {
        text += static_cast<char>((rng.below(8) == 0 ? 'A' : 'a') + rng.below(6));
      }
      text += rng.below(4) == 0 ? ".,;:!?)\"'"sv.substr(rng.below(9), 1) : ""sv;
    }
    if (!options.valid && rng.below(12) == 0) {
      text += kBroken[rng.below(kBroken.size())];
    }
    text += kGaps[rng.below(rng.below(2) == 0 ? 5 : kGaps.size())];
  }
  return text;
}

}  // namespace slipway::tests
