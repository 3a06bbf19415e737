#include "text/icu_words.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::text {
namespace {

std::string version_or_empty() {
  try {
    return IcuWords::version();
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("install libicu72"), std::string::npos) << error.what();
    return "";
  }
}

// tests/gold/make_icu_words_gold.py: PyICU.
TEST(IcuWords, AreThoseOfPyIcu) {
  const std::string version = version_or_empty();
  const auto file = tests::source_dir() / "tests/gold/icu_words.json";
  const base::Json gold = base::parse_json(base::read_file(file), file.string());
  if (version.empty()) {
    GTEST_SKIP() << "skipped: no ICU";
  }
  if (version != gold.at("icu").get<std::string>()) {
    GTEST_SKIP() << "skipped: ICU is of version " << version << ", its dictionaries are others than those of " << gold.at("icu");
  }
  size_t cut = 0;
  for (const base::Json& one : gold.at("cases")) {
    IcuWords words(one.at("language").get<std::string>());
    const auto text = one.at("text").get<std::string>();
    std::vector<std::string_view> got;
    for (int again = 0; again < 2; ++again) {  // the iterator is used again
      words.cut(text, got);
      EXPECT_EQ(std::vector<std::string>(got.begin(), got.end()), one.at("words").get<std::vector<std::string>>()) << text;
    }
    cut += got.size();
  }
  EXPECT_GT(cut, 1000U);
}

TEST(IcuWords, BytesThatAreNoTextEndNothing) {
  if (version_or_empty().empty()) {
    GTEST_SKIP() << "skipped: no ICU";
  }
  IcuWords words("th");
  std::vector<std::string_view> got;
  const std::string bytes = std::string("\xE0\xB8 a\0b \xFF\xF0\x9F", 11) + "กรุงเทพ";
  words.cut(bytes, got);
  size_t at = 0;
  for (const std::string_view word : got) {  // views in order, none overlaps
    const auto begin = static_cast<size_t>(word.data() - bytes.data());
    EXPECT_GE(begin, at);
    at = begin + word.size();
  }
  EXPECT_LE(at, bytes.size());
  EXPECT_GE(got.size(), 3U);
  words.cut("", got);
  EXPECT_TRUE(got.empty());
}

TEST(IcuWords, OnlyScriptsWithoutBlanksAreLeftToThem) {
  for (const char* language : {"th", "km", "lo", "my", "th-TH"}) {
    EXPECT_TRUE(needs_icu(language)) << language;
  }
  for (const char* language : {"", "en", "zh", "ja", "tha"}) {
    EXPECT_FALSE(needs_icu(language)) << language;
  }
}

}  // namespace
}  // namespace slipway::text
