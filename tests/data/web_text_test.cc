#include "data/web_text.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "support/odd_text.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::data {
namespace {

// Byte by byte and character by character.
size_t chars_of(std::string_view text) {
  size_t count = 0;
  for (const char c : text) {
    count += static_cast<size_t>((static_cast<unsigned char>(c) & 0xC0U) != 0x80);
  }
  return count;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const text::Decoded d = text::decode_at(text, at);
    if ((text::WebChars::get()(d.code) & text::kWebLineBreak) == 0) {
      at += d.size;
      continue;
    }
    lines.push_back(text.substr(begin, at - begin));
    at += text.substr(at).starts_with("\r\n") ? 2 : d.size;
    begin = at;
  }
  if (begin < text.size()) {
    lines.push_back(text.substr(begin));
  }
  return lines;
}

std::string_view strip_of(std::string_view text) {
  size_t first = text.size();
  size_t last = 0;
  for (size_t at = 0; at < text.size();) {
    const text::Decoded d = text::decode_at(text, at);
    if ((text::WebChars::get()(d.code) & text::kWebSpace) == 0) {
      first = std::min(first, at);
      last = at + d.size;
    }
    at += d.size;
  }
  return first >= last ? std::string_view() : text.substr(first, last - first);
}

TEST(WebText, SixteenBytesAtATimeAreWhatOneAtATimeIs) {
  base::Rng rng(13);
  std::vector<std::string_view> lines;
  std::string lower;
  for (int round = 0; round < 1000; ++round) {
    const std::string text = tests::odd_text(rng, {.pieces = rng.below(60), .valid = round % 3 != 0});
    EXPECT_EQ(count_chars(text), chars_of(text));
    EXPECT_EQ(is_ascii(text), std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; }));
    lower_ascii(text, lower);
    std::string expected = text;
    for (char& c : expected) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    EXPECT_EQ(lower, expected);
    const auto holds = [&](std::string_view phrase) { return expected.find(phrase) != std::string::npos; };
    if (holds("lorem ipsum") || holds("javascript") || holds("cookie") || holds("policy") || holds("terms of use")) {
      EXPECT_TRUE(may_hold_phrase(text)) << text;
    }
    if (round % 3 != 0) {
      split_lines(text, lines);
      EXPECT_EQ(lines, lines_of(text)) << text;
      EXPECT_EQ(strip(text), strip_of(text)) << text;
    }
  }
  EXPECT_EQ(count_chars(std::string(10000, '\x80')), 0U);  // more than a byte counts to
}

// At every distance from the ends and the blocks.
TEST(WebText, PhrasesAreNotOverlooked) {
  for (const std::string_view phrase : {"lorem ipsum", "javascript", "cookie", "policy", "terms of use", "JavaSCRIPT"}) {
    for (size_t before = 0; before < 40; ++before) {
      for (size_t after = 0; after < 40; ++after) {
        EXPECT_TRUE(may_hold_phrase(std::string(before, '.') + std::string(phrase) + std::string(after, '.')));
      }
    }
  }
  EXPECT_FALSE(may_hold_phrase(std::string(100, 'a')));
  EXPECT_FALSE(may_hold_phrase(""));
}

}  // namespace
}  // namespace slipway::data
