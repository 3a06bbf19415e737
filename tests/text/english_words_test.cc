#include "text/english_words.h"

#include <fstream>
#include <gtest/gtest.h>

#include "base/json.h"
#include "support/odd_text.h"
#include "support/support.h"

namespace slipway::text {
namespace {

std::vector<std::string> words(const std::string& text) {
  EnglishWords scanner;
  std::vector<WebToken> tokens;
  scanner.scan(text, tokens);
  std::vector<std::string> out;
  for (const WebToken& token : tokens) {
    out.push_back(text.substr(token.begin, token.size));
  }
  return out;
}

size_t sentences(const std::string& text) {
  EnglishWords scanner;
  std::vector<WebToken> tokens;
  const bool ends_in_space = scanner.scan(text, tokens);
  return count_sentences(tokens, ends_in_space);
}

using Words = std::vector<std::string>;

TEST(EnglishWords, SplitsAffixesAndInfixes) {
  EXPECT_EQ(words("He said \"no\" (twice)."), (Words{"He", "said", "\"", "no", "\"", "(", "twice", ")", "."}));
  EXPECT_EQ(words("well-known a/b 5km 10%"), (Words{"well", "-", "known", "a", "/", "b", "5", "km", "10", "%"}));
  EXPECT_EQ(words("wait...what\xE2\x80\xA6"), (Words{"wait", "...", "what", "\xE2\x80\xA6"}));
}

TEST(EnglishWords, KeepsSpecialCases) {
  EXPECT_EQ(words("don't cannot Mr. e.g. :-)"), (Words{"do", "n't", "can", "not", "Mr.", "e.g.", ":-)"}));
  EXPECT_EQ(words("vitamin-a."), (Words{"vitamin", "-", "a."}));  // spelt by two tokens of the split chunk
}

TEST(EnglishWords, KeepsAddressesWhole) {
  EXPECT_EQ(words("http://a.bc/d-e,f x@y.org"), (Words{"http://a.bc/d-e,f", "x@y.org"}));
  EXPECT_TRUE(is_web_address("8.8.8.8:53/x"));
  EXPECT_FALSE(is_web_address("192.168.0.1"));
  EXPECT_TRUE(is_web_address("user:pw@host.example"));
  EXPECT_FALSE(is_web_address("lower.Upper"));
  EXPECT_FALSE(is_web_address(""));
}

TEST(EnglishWords, SpansCoverTheTextInOrder) {
  const std::string text = "A \xE4\xB8\xAD\xE6\x96\x87 b.\tc\n\xC2\xA0 d's";
  EnglishWords scanner;
  std::vector<WebToken> tokens;
  scanner.scan(text, tokens);
  uint32_t end = 0;
  for (const WebToken& token : tokens) {
    EXPECT_GE(token.begin, end);
    EXPECT_GT(token.size, 0U);
    end = token.begin + token.size;
  }
  EXPECT_LE(end, text.size());
}

TEST(EnglishWords, CountsSentences) {
  EXPECT_EQ(sentences(""), 1U);
  EXPECT_EQ(sentences("One. Two! Three?"), 3U);
  EXPECT_EQ(sentences("One.) Two"), 2U);
  EXPECT_EQ(sentences("One.  "), 2U);  // white space of more than one space is a token, and begins a sentence
}

// Bytes that are no UTF-8 must not lead out of the text.
TEST(EnglishWords, SurvivesBrokenBytes) {
  for (const std::string& text : {std::string("\x80\x80\x80."), std::string("a\xE2\x80"),
                                  std::string("\xFF\xC2 x\xF0\x9F"), std::string("\0\0", 2), std::string(70000, '.')}) {
    EXPECT_NO_THROW(words(text));
  }
}

void expect_same(EnglishWords& fast, EnglishWords& plain, const std::string& text) {
  std::vector<WebToken> found;
  std::vector<WebToken> expected;
  ASSERT_EQ(fast.scan(text, found), plain.scan(text, expected)) << text;
  ASSERT_EQ(found.size(), expected.size()) << text;
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(std::tuple(found[i].begin, found[i].size, found[i].chars, found[i].flags),
              std::tuple(expected[i].begin, expected[i].size, expected[i].chars, expected[i].flags))
        << "token " << i << " of " << text;
  }
}

// Short cuts, masks and the cache change nothing.
TEST(EnglishWords, TheFastPathEqualsThePlainOne) {
  base::Rng rng(12);
  EnglishWords fast;
  EnglishWords plain(EnglishWords::Path::kPlain);
  for (int round = 0; round < 600; ++round) {
    expect_same(fast, plain, tests::odd_text(rng, {.pieces = rng.below(120), .valid = round % 4 != 0}));
  }
  std::ifstream file(tests::source_dir() / "tests/gold/quality.jsonl");
  ASSERT_TRUE(file);
  int checked = 0;
  for (std::string line; std::getline(file, line); ++checked) {
    const base::Json row = base::parse_json(line, "gold");
    expect_same(fast, plain, row["text"].get<std::string>());
  }
  EXPECT_GT(checked, 50);
}

// tests/gold/make_english_words_gold.py: datatrove on the same texts.
TEST(EnglishWords, EqualsDatatrovesEnglish) {
  std::ifstream file(tests::source_dir() / "tests/gold/english_words.jsonl");
  ASSERT_TRUE(file);
  int checked = 0;
  for (std::string line; std::getline(file, line); ++checked) {
    const base::Json row = base::parse_json(line, "gold");
    const auto text = row[0].get<std::string>();
    EXPECT_EQ(words(text), row[2].get<Words>()) << text;
    EXPECT_EQ(sentences(text), row[1].get<size_t>()) << text;
  }
  EXPECT_GT(checked, 800);
}

}  // namespace
}  // namespace slipway::text
