#include "text/regex_prefix.h"

#include <array>
#include <gtest/gtest.h>

#include "base/random.h"
#include "text/pii_recognizer.h"

namespace slipway::text {
namespace {

constexpr size_t kDepth = 8;

std::vector<std::bitset<128>> prefix_of(const std::string& pattern) {
  Regex::Program program;
  compile_regex(pattern, Regex::Flavor::kOniguruma, "test", program);
  return regex_prefix(program, kDepth);
}

std::bitset<128> set_of(std::string_view chars) {
  std::bitset<128> set;
  for (const char c : chars) {
    set.set(static_cast<size_t>(c));
  }
  return set;
}

TEST(RegexPrefix, SaysWhatMayStandAtEachPlace) {
  const std::bitset<128> all = std::bitset<128>().set();
  const auto plain = prefix_of("ab?[cd]{2,3}");
  EXPECT_EQ(plain[0], set_of("a"));
  EXPECT_EQ(plain[1], set_of("bcd"));
  EXPECT_EQ(plain[2], set_of("cd"));
  EXPECT_EQ(plain[3], all);  // "acd" has ended
  const auto looks = prefix_of("(?<!x)\\b(?=q)[a-c](?:1|22|(?!z)3+)k");
  EXPECT_EQ(looks[0], set_of("abc"));
  EXPECT_EQ(looks[1], set_of("123"));
  EXPECT_EQ(looks[2], set_of("23k"));
  EXPECT_EQ(looks[3], all);
  EXPECT_EQ(prefix_of("(?i)k")[0], set_of("kK"));
  EXPECT_EQ(prefix_of("x*")[0], all);
}

// Wherever a pattern of the recognisers of personal data matches, its prefix allows the characters that are there.
TEST(RegexPrefix, RulesNoMatchOut) {
  struct Case {
    Regex regex;
    std::vector<std::bitset<128>> prefix;
  };
  std::vector<Case> cases;
  for (const auto& family : {pii_generic(), pii_america(), pii_europe(), pii_germany(), pii_asia(), pii_china()}) {
    for (const PiiRecognizer& recognizer : family) {
      for (const PiiPattern& pattern : recognizer.patterns) {
        if (pattern.regex != nullptr) {
          const std::string any_case = "(?i)" + std::string(pattern.regex);
          cases.push_back({Regex(any_case, "test"), prefix_of(any_case)});
        }
      }
    }
  }
  ASSERT_GT(cases.size(), 60U);
  constexpr std::u32string_view kChars = U"0123456789012345678901234567890123456789ABDESTXYabdegkpstz  --..//:@+\u017F\u212A\u4E2D";
  base::Rng rng(17);
  Regex::Scratch scratch;
  size_t matches = 0;
  for (int round = 0; round < 200; ++round) {
    std::u32string text;
    for (uint64_t n = 4 + rng.below(40); n > 0; --n) {
      // Runs of digits are what most patterns want.
      const bool digits = rng.below(2) == 0;
      for (uint64_t k = 1 + rng.below(digits ? 9 : 3); k > 0; --k) {
        text += digits ? static_cast<char32_t>(U'0' + rng.below(10)) : kChars[rng.below(kChars.size())];
      }
    }
    const auto size = static_cast<uint32_t>(text.size());
    for (const Case& one : cases) {
      for (uint32_t at = 0; at < size; ++at) {
        uint32_t end = 0;
        if (!one.regex.match_at(text, 0, size, at, scratch, end)) {
          continue;
        }
        ++matches;
        for (uint32_t place = 0; place < kDepth && at + place < size; ++place) {
          const char32_t c = text[at + place];
          ASSERT_TRUE(c >= 128 || one.prefix[place][c]) << "place " << place;
        }
      }
    }
  }
  EXPECT_GT(matches, 1000U);
}

}  // namespace
}  // namespace slipway::text
