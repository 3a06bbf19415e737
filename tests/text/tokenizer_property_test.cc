// Laws that hold for every text: scanners find the words of the regular expressions they stand for, decoding undoes
// encoding, the fast paths agree with the general one, streams give what decode() gives.
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "support/support.h"
#include "text/aligned_text.h"
#include "text/regex.h"
#include "text/stream_decoder.h"
#include "text/tokenizer.h"
#include "text/tokenizer_parts.h"
#include "text/unicode.h"
#include "text/word_scanner.h"

namespace slipway::text {
namespace {

using base::Json;

// A text of characters that patterns tell apart, in runs.
std::string random_text(base::Rng& rng) {
  static const std::u32string kinds[] = {U"abcXYZ",
                                         U"0123456789\u0661\u2163\u00bd",
                                         U" ",
                                         U"\n\r\t",
                                         U"'",
                                         U"sStTmMdDlLvVrReE\u017f",
                                         U".,!?-_$+",
                                         U"\u00e9\u4e2d\u3042\u00aa",
                                         U"\u0301\u00a0\u2003\u3000",
                                         U"\u200d\ufeff\U0001F600\U00010D4A"};
  std::string text;
  const uint64_t runs = rng.below(12);
  for (uint64_t run = 0; run < runs; ++run) {
    const std::u32string& kind = kinds[rng.below(std::size(kinds))];
    for (uint64_t i = rng.below(4) + 1; i > 0; --i) {
      append_utf8(kind[rng.below(kind.size())], text);
    }
  }
  return text;
}

std::vector<std::string> words_of_regex(const Regex& regex, const std::string& text) {
  const std::u32string chars = to_utf32(text);
  const auto end = static_cast<uint32_t>(chars.size());
  std::vector<std::string> words;
  uint32_t done = 0;
  const auto add = [&](uint32_t from, uint32_t to) {
    std::string word;
    for (uint32_t i = from; i < to; ++i) {
      append_utf8(chars[i], word);
    }
    if (!word.empty()) {
      words.push_back(word);
    }
  };
  Regex::Match match{};
  while (done < end && regex.find(chars, 0, end, done, match)) {
    add(done, match.begin);
    add(match.begin, match.end);
    done = match.end;
  }
  add(done, end);
  return words;
}

TEST(WordScanner, FindsTheWordsOfItsPattern) {
  const char* patterns[] = {
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
      R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"};
  base::Rng rng(11);
  for (const char* pattern : patterns) {
    const Regex regex(pattern, "t", Regex::Flavor::kRust);
    const auto kind = scanner_of_pattern(pattern, Regex::Flavor::kRust);
    ASSERT_TRUE(kind) << pattern;
    const WordScanner scanner(*kind);
    for (int i = 0; i < 3000; ++i) {
      const std::string text = random_text(rng);
      std::vector<std::string> words;
      size_t part_end = 0;
      for (size_t at = 0; at < text.size();) {
        const size_t end = scanner.next(text, at, part_end);
        words.push_back(text.substr(at, end - at));
        at = end;
      }
      ASSERT_EQ(words, words_of_regex(regex, text)) << pattern << "\n'" << text << "'";
    }
  }
}

struct Loaded {
  std::string name;
  std::unique_ptr<Tokenizer> tokenizer;
};

std::vector<Loaded> family_tokenizers() {
  const std::string file = "tests/gold/tokenizer_families.json";
  const Json all = base::parse_json(base::read_file(tests::source_dir() / file), file);
  std::vector<Loaded> out;
  const Json& cases = all["cases"];
  for (const Json& one : cases) {
    Json definition = all["bases"][one["base"].get<std::string>()];
    for (const auto& [section, value] : one["change"].items()) {
      definition[section] = value;
    }
    out.push_back({one["base"].get<std::string>() + ": " + one["name"].get<std::string>(),
                   parse_tokenizer(definition.dump(), one["name"].get<std::string>())});
  }
  return out;
}

TEST(TokenizerLaws, FastAndGeneralPathsAgree) {
  base::Rng rng(12);
  for (const Loaded& loaded : family_tokenizers()) {
    for (int i = 0; i < 200; ++i) {
      const std::string text = random_text(rng);
      Encoding fast;
      Encoding general;
      loaded.tokenizer->encode(text, {false, false, 0}, fast);
      loaded.tokenizer->encode(text, {false, true, 0}, general);
      ASSERT_EQ(fast.ids, general.ids) << loaded.name << ": '" << text << "'";
      const size_t chars = count_code_points(text);
      for (const auto& [begin, end] : general.offsets) {
        ASSERT_LE(begin, end) << loaded.name;
        ASSERT_LE(end, chars) << loaded.name << ": '" << text << "'";
      }
    }
  }
}

TEST(TokenizerLaws, DecodingUndoesEncoding) {
  base::Rng rng(13);
  int tokenizers = 0;
  for (const Loaded& loaded : family_tokenizers()) {
    const bool lossless = loaded.name == "byte: byte-level" || loaded.name == "byte: llama 3" ||
                          loaded.name == "byte: smollm" || loaded.name == "byte: o200k" ||
                          loaded.name == "spm: llama 2" || loaded.name == "byte: ignore merges";
    if (!lossless) {
      continue;
    }
    ++tokenizers;
    for (int i = 0; i < 500; ++i) {
      const std::string text = random_text(rng);
      Encoding out;
      loaded.tokenizer->encode(text, {false, false, 0}, out);
      ASSERT_EQ(loaded.tokenizer->decode(out.ids, true), text) << loaded.name;
    }
  }
  EXPECT_EQ(tokenizers, 6);
}

TEST(TokenizerLaws, StreamsGiveWhatDecodeGives) {
  base::Rng rng(14);
  for (const Loaded& loaded : family_tokenizers()) {
    if (!loaded.name.starts_with("byte: ") && !loaded.name.starts_with("spm: llama")) {
      continue;
    }
    StreamDecoder stream(*loaded.tokenizer);
    for (int i = 0; i < 100; ++i) {
      Encoding out;
      loaded.tokenizer->encode(random_text(rng), {true, false, 0}, out);
      std::string text;
      for (const int32_t id : out.ids) {
        const std::string piece = stream.push(id);
        ASSERT_TRUE(is_valid_utf8(piece));
        text += piece;
      }
      text += stream.flush();
      ASSERT_EQ(text, loaded.tokenizer->decode(out.ids, true)) << loaded.name;
    }
  }
}

TEST(RegexTest, RefusesWhatItDoesNotKnow) {
  for (const char* pattern :
       {"(", ")", "[a", "a**b{2", "(?<name>a)", R"(\1)", R"(\p{Klingon})", "*a", "a{3,2}", "[z-a]", R"(\x{110000000})",
        "(?<=a+)b", "a{2000}", "((((((a{100}){100}){100}){100}){100}){100})"}) {
    if (std::string_view(pattern) == "a**b{2") {
      EXPECT_NO_THROW(Regex(pattern, "t")) << pattern;  // a repeated repetition, and a literal brace
      continue;
    }
    EXPECT_THROW(Regex(pattern, "t"), base::Error) << pattern;
  }
}

TEST(RegexTest, StopsAfterTooManySteps) {
  const Regex regex("((a+)+)+$", "t");
  const std::u32string text = std::u32string(40, U'a') + U"b";
  Regex::Match match{};
  EXPECT_THROW(regex.find(text, 0, static_cast<uint32_t>(text.size()), 0, match), base::Error);
}

TEST(RegexTest, MatchesAsOnigurumaDoes) {
  const auto find = [](const char* pattern, const std::string& text) {
    const std::u32string chars = to_utf32(text);
    Regex::Match match{};
    const auto end = static_cast<uint32_t>(chars.size());
    if (!Regex(pattern, "t").find(chars, 0, end, 0, match)) {
      return std::string("none");
    }
    return std::to_string(match.begin) + "-" + std::to_string(match.end);
  };
  EXPECT_EQ(find("a|ab", "xab"), "1-2");
  EXPECT_EQ(find("(?:a|ab)c", "abc"), "0-3");
  EXPECT_EQ(find("a+?b", "aaab"), "0-4");
  EXPECT_EQ(find("a++a", "aaa"), "none");
  EXPECT_EQ(find("(?>a+)a", "aaa"), "none");
  EXPECT_EQ(find("a{2,3}", "aaaa"), "0-3");
  EXPECT_EQ(find("(?<=a)b(?!c)", "bcabcab"), "6-7");
  EXPECT_EQ(find("(?<!a)b", "abb"), "2-3");
  EXPECT_EQ(find("x$", "x\nx"), "0-1");
  EXPECT_EQ(find(R"(x\z)", "x\nx"), "2-3");
  EXPECT_EQ(find("(?i:stra)", "STRA"), "0-4");
  EXPECT_EQ(find("[[a-c]&&[^b]]+", "bac"), "1-3");
  EXPECT_EQ(find(R"(\bfoo\b)", "a foo"), "2-5");
  EXPECT_EQ(find(R"([^\s\p{L}]+)", "ab 12"), "3-5");
  EXPECT_EQ(find(R"(\p{Lu}\p{Ll}\p{Lm}\p{Lo})", "Aa\u02b0\u4e2d"), "0-4");
  EXPECT_EQ(find("(a*)*b", "aab"), "0-3");
}

TEST(SentencePieceModelTest, RefusesBrokenFiles) {
  const std::string good = base::read_file(tests::source_dir() / "fuzz/corpus/sentencepiece/bpe");
  EXPECT_NO_THROW(parse_sentencepiece(good, {}, "t"));
  int refused = 0;
  for (size_t size = 0; size < good.size(); size += 3) {
    try {
      parse_sentencepiece(std::string_view(good).substr(0, size), {}, "t");
    } catch (const base::Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(TiktokenTest, RefusesBrokenLines) {
  for (const char* text : {"YQ== 0\nYg==", "YQ== 0\n!!!! 1\n", "YQ== -1\n", "YQ== 99999999999\n", "YQ== 0\nYg== 0\n",
                           "YQ== 0\nYQ== 1\n", " 1\n"}) {
    EXPECT_THROW(parse_tiktoken(text, "cl100k", "t"), base::Error) << text;
  }
  EXPECT_TRUE(is_tiktoken("YQ== 0\n"));
  EXPECT_FALSE(is_tiktoken("\n\x0e"));
}

}  // namespace
}  // namespace slipway::text
