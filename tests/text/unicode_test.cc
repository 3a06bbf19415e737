#include "text/unicode.h"

#include <gtest/gtest.h>

#include "text/words.h"

namespace slipway::text {
namespace {

TEST(Unicode, ReplacesInvalidSequencesByTheMaximalSubpartRule) {
  EXPECT_EQ(sanitize_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(sanitize_utf8("\xE4\xB8"), "\uFFFD");  // a cut sequence is one
  EXPECT_EQ(sanitize_utf8("\xE4\xB8z"), "\uFFFDz");
  EXPECT_EQ(sanitize_utf8("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(sanitize_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(sanitize_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(sanitize_utf8("中文 ok \uFFFD"), "中文 ok \uFFFD");
}

TEST(Unicode, TellsValidFromInvalid) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("plain ascii, longer than eight bytes"));
  EXPECT_TRUE(is_valid_utf8("é\uFFFD\U0010FFFF"));
  EXPECT_FALSE(is_valid_utf8("12345678\x80"));
  EXPECT_FALSE(is_valid_utf8("\xEF\xBF"));
}

TEST(Unicode, RoundTripsEveryCodePoint) {
  for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c <= 0xDFFF) {
      continue;
    }
    std::string bytes;
    append_utf8(c, bytes);
    const Decoded d = decode_at(bytes, 0);
    ASSERT_EQ(d.code, c);
    ASSERT_EQ(d.size, bytes.size());
  }
}

TEST(Unicode, CountsAndCutsByCodePoints) {
  EXPECT_EQ(count_code_points("añ中😀\xFF"), 5U);
  EXPECT_EQ(prefix_code_points("añ中😀", 3), "añ中");
  EXPECT_EQ(prefix_code_points("ab", 9), "ab");
}

TEST(Unicode, Normalises) {
  EXPECT_EQ(normalize("e\u0301", NormalForm::kNfc), "é");
  EXPECT_EQ(normalize("é", NormalForm::kNfd), "e\u0301");
  EXPECT_EQ(normalize("ﬁ１", NormalForm::kNfkc), "fi1");
  EXPECT_EQ(normalize("각", NormalForm::kNfkd), "\u1100\u1161\u11A8");
  EXPECT_EQ(normalize("\xFFx", NormalForm::kNfc), "\uFFFDx");
}

TEST(Unicode, LowersAndFolds) {
  EXPECT_EQ(lowercase("ÀB Σς"), "àb σς");
  EXPECT_EQ(lowercase("İ"), "i\u0307");
  EXPECT_EQ(casefold("Straße"), "strasse");
}

TEST(Unicode, KnowsClasses) {
  EXPECT_TRUE(is_letter(U'中') && is_letter(U'ß') && !is_letter(U'1'));
  EXPECT_TRUE(is_punctuation(U'。') && is_symbol(U'€') && is_control(U'\u200B') && is_whitespace(U'\u3000'));
  EXPECT_TRUE(is_cjk_ideograph(U'国') && !is_cjk_ideograph(U'か') && is_kana(U'か') && is_hangul(U'한'));
  EXPECT_FALSE(is_letter(0x110000) || is_control(0x110000));
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  for (const Span span : split_words(text)) {
    out.emplace_back(slice(text, span));
  }
  EXPECT_EQ(count_words(text), out.size());
  return out;
}

std::vector<std::string> sentences_of(std::string_view text) {
  std::vector<Span> spans;
  split_sentences(text, spans);
  std::vector<std::string> out;
  for (const Span span : spans) {
    out.emplace_back(slice(text, span));
  }
  return out;
}

using List = std::vector<std::string>;

TEST(Words, KeepsApostrophesHyphensAndNumbers) {
  EXPECT_EQ(words_of("Don't buy state-of-the-art, it's $1,000.50!"),
            (List{"Don't", "buy", "state-of-the-art", "it's", "1,000.50"}));
  EXPECT_EQ(words_of("'quoted' -dash- end."), (List{"quoted", "dash", "end"}));
  EXPECT_EQ(words_of("snake_case a.b 3.x"), (List{"snake_case", "a", "b", "3", "x"}));
}

TEST(Words, CutsIdeographsOneByOneAndKanaByRun) {
  EXPECT_EQ(words_of("我爱NLP技术"), (List{"我", "爱", "NLP", "技", "术"}));
  EXPECT_EQ(words_of("東京タワーへ行く"), (List{"東", "京", "タワーへ", "行", "く"}));
  EXPECT_EQ(words_of("한국어 문장"), (List{"한국어", "문장"}));
}

TEST(Words, SurvivesAnyBytes) {
  EXPECT_EQ(words_of(""), List{});
  EXPECT_EQ(words_of("\xFF\xFE!"), List{});
  EXPECT_EQ(words_of("cafe\u0301 naïve"), (List{"cafe\u0301", "naïve"}));
}

TEST(Sentences, EndAtMarksButNotAtAbbreviations) {
  EXPECT_EQ(sentences_of("Dr. Smith paid $3.50. It was J. R. Hartley's! \"Really?\" Yes."),
            (List{"Dr. Smith paid $3.50.", "It was J. R. Hartley's!", "\"Really?\"", "Yes."}));
  EXPECT_EQ(sentences_of("No. 5 is alive. He said no. Then left"),
            (List{"No. 5 is alive.", "He said no.", "Then left"}));
}

TEST(Sentences, EndAtFullWidthMarksAndBlankLines) {
  EXPECT_EQ(sentences_of("很好。真的吗？“是的。”走吧"), (List{"很好。", "真的吗？", "“是的。”", "走吧"}));
  EXPECT_EQ(sentences_of("A title\n\nThe text\nof it"), (List{"A title", "The text\nof it"}));
  EXPECT_EQ(sentences_of(" \n "), List{});
  EXPECT_EQ(sentences_of("Wait... what?!"), (List{"Wait... what?!"}));
}

}  // namespace
}  // namespace slipway::text
