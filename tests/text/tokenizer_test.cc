#include "text/tokenizer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "base/json.h"
#include "base/random.h"
#include "support/support.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Json;

// A small tokenizer of BERT's kind; `change` edits it.
Json small_json() {
  return Json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [
      {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 4, "content": "[MASK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
      "pair": [], "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                     "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
      "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "un": 5, "##aff": 6, "##able": 7, "the": 8, "film": 9,
        "##s": 10, "don": 11, "'": 12, "t": 13, "!": 14, "中": 15, "国": 16, "cafe": 17, "a": 18, "##b": 19, ".": 20, "i": 21,
        "##\u0307": 22, "Film": 23, "é": 24, "##é": 25, "\ud55c": 26}}})");
}

std::unique_ptr<Tokenizer> small(const std::function<void(Json&)>& change = nullptr) {
  Json json = small_json();
  if (change) {
    change(json);
  }
  return parse_tokenizer(json.dump(), "small.json");
}

std::vector<int32_t> ids_of(const Tokenizer& tokenizer, std::string_view text, bool special = false,
                            int max_length = 0) {
  Encoding out;
  tokenizer.encode(text, {special, false, max_length}, out);
  return out.ids;
}

using Offsets = std::vector<std::pair<uint32_t, uint32_t>>;

Encoding encode_with_offsets(const Tokenizer& tokenizer, std::string_view text) {
  Encoding out;
  tokenizer.encode(text, {false, true, 0}, out);
  return out;
}

// The message of the error that loading `change`d JSON gives.
std::string error_of(const std::function<void(Json&)>& change) {
  try {
    small(change);
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

std::string parse_error_of(const std::string& text) {
  try {
    parse_tokenizer(text, "bad.json");
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

using Ids = std::vector<int32_t>;

TEST(Tokenizer, CutsWordsIntoTheLongestPieces) {
  const auto tokenizer = small();
  EXPECT_EQ(ids_of(*tokenizer, "the unaffable films"), (Ids{8, 5, 6, 7, 9, 10}));
  EXPECT_EQ(ids_of(*tokenizer, "Don't!"), (Ids{11, 12, 13, 14}));
}

TEST(Tokenizer, MakesAWordUnknownWhenAPartIs) { EXPECT_EQ(ids_of(*small(), "the filmz films"), (Ids{8, 1, 9, 10})); }

TEST(Tokenizer, AddsSpecialTokensAndTruncatesBeforeThem) {
  const auto tokenizer = small();
  EXPECT_EQ(ids_of(*tokenizer, "the film!", true), (Ids{2, 8, 9, 14, 3}));
  EXPECT_EQ(ids_of(*tokenizer, "the film!", true, 4), (Ids{2, 8, 9, 3}));
  EXPECT_EQ(ids_of(*tokenizer, "unaffable", true, 4), (Ids{2, 5, 6, 3}));
  EXPECT_EQ(ids_of(*tokenizer, "the film!", false, 2), (Ids{8, 9}));
  EXPECT_EQ(ids_of(*tokenizer, "the", true, 2), (Ids{2, 3}));
  EXPECT_THROW(ids_of(*tokenizer, "the", true, 1), base::Error);
  EXPECT_EQ(ids_of(*tokenizer, "", true), (Ids{2, 3}));
}

TEST(Tokenizer, StripsAccentsSpacesIdeographsAndDropsControls) {
  const auto tokenizer = small();
  EXPECT_EQ(ids_of(*tokenizer, "CAFÉ café cafe\xCC\x81"), (Ids{17, 17, 17}));
  EXPECT_EQ(ids_of(*tokenizer, "the中国film"), (Ids{8, 15, 16, 9}));
  EXPECT_EQ(ids_of(*tokenizer, std::string_view("th\0e\x07 fi\xE2\x80\x8Blm", 13)), (Ids{8, 9}));
  EXPECT_EQ(ids_of(*tokenizer, "the\xC2\xA0\tfilm\n"), (Ids{8, 9}));
}

TEST(Tokenizer, GivesOffsetsInCodePointsOfTheOriginal) {
  const Encoding out = encode_with_offsets(*small(), "é 中国 Caf\xC3\x89\x01 films [MASK]film");
  EXPECT_EQ(out.ids, (Ids{1, 15, 16, 17, 9, 10, 4, 9}));
  EXPECT_EQ(out.offsets, (Offsets{{0, 1}, {2, 3}, {3, 4}, {5, 9}, {11, 15}, {15, 16}, {17, 23}, {23, 27}}));
}

TEST(Tokenizer, FindsSpecialTokensInText) {
  EXPECT_EQ(ids_of(*small(), "the [MASK] film[SEP]"), (Ids{8, 4, 9, 3}));
  EXPECT_EQ(ids_of(*small(), "[mask"), (Ids{1, 1}));
}

TEST(Tokenizer, ReplacesInvalidBytes) {
  EXPECT_EQ(ids_of(*small(),
                   "th\xFF"
                   "e fi\xC3lm \xE4\xB8"),
            (Ids{8, 9}));  // clean_text removes U+FFFD
  const Encoding out = encode_with_offsets(*small(),
                                           "\xFF"
                                           "film");
  EXPECT_EQ(out.offsets, (Offsets{{1, 5}}));
}

TEST(Tokenizer, WordsLongerThanTheLimitAreUnknown) {
  const auto tokenizer = small();
  std::string word = "a";
  for (int i = 0; i < 99; ++i) {
    word += 'b';
  }
  EXPECT_EQ(ids_of(*tokenizer, word).size(), 100U);
  EXPECT_EQ(ids_of(*tokenizer, word + "b"), (Ids{1}));
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    many += "\xF0\x9F\x98\x80";
  }
  const Encoding out = encode_with_offsets(*tokenizer, many);
  EXPECT_EQ(out.offsets, (Offsets{{0, 1000}}));
}

// Words without marks between them must not reach the encoder that cuts at marks.
TEST(Tokenizer, SplitsAtSpacesWithAndWithoutOffsets) {
  const auto tokenizer = parse_tokenizer(
      R"({"model": {"type": "WordLevel", "vocab": {"?": 0, "a": 1, "b": 2}, "unk_token": "?"},
          "pre_tokenizer": {"type": "WhitespaceSplit"}})",
      "test");
  for (const bool offsets : {false, true}) {
    Encoding encoding;
    tokenizer->encode("a b c", {.with_offsets = offsets}, encoding);
    EXPECT_EQ(encoding.ids, (std::vector<int32_t>{1, 2, 0})) << offsets;
  }
}

TEST(Tokenizer, MatchesAddedTokensByTheirFlags) {
  const auto tokenizer = small([](Json& json) {
    json["added_tokens"].push_back(
        {{"id", 27}, {"content", "<x>"}, {"lstrip", true}, {"rstrip", true}, {"normalized", false}});
    json["added_tokens"].push_back({{"id", 28}, {"content", "New"}, {"single_word", true}, {"normalized", true}});
    json["added_tokens"].push_back({{"id", 29}, {"content", "<x><x>"}, {"normalized", false}});
  });
  const Encoding out = encode_with_offsets(*tokenizer, "the  <x> film NEW anew<x><x>");
  EXPECT_EQ(out.ids, (Ids{8, 27, 9, 28, 1, 29}));
  EXPECT_EQ(out.offsets, (Offsets{{0, 3}, {3, 9}, {9, 13}, {14, 17}, {18, 22}, {22, 28}}));
}

TEST(Tokenizer, DecodesWithCleanup) {
  const auto tokenizer = small();
  const Ids ids = {2, 8, 5, 6, 7, 9, 10, 14, 3};
  EXPECT_EQ(tokenizer->decode(ids, true), "the unaffable films!");
  EXPECT_EQ(tokenizer->decode(ids, false), "[CLS] the unaffable films! [SEP]");
  EXPECT_EQ(tokenizer->decode(Ids{11, 12, 13, -1, 999}, true), "don ' t");
}

TEST(Tokenizer, AnswersAboutItsVocabulary) {
  const auto tokenizer = small([](Json& json) { json["truncation"] = {{"max_length", 128}, {"stride", 0}}; });
  EXPECT_EQ(tokenizer->vocab_size(), 27);
  EXPECT_EQ(tokenizer->token_to_id("film"), 9);
  EXPECT_EQ(tokenizer->token_to_id("films"), -1);
  EXPECT_EQ(tokenizer->id_to_token(15), "中");
  EXPECT_EQ(tokenizer->id_to_token(-1), "");
  EXPECT_EQ(tokenizer->id_to_token(27), "");
  EXPECT_TRUE(tokenizer->is_special(3));
  EXPECT_FALSE(tokenizer->is_special(8));
  ASSERT_TRUE(tokenizer->file_truncation());
  EXPECT_EQ(tokenizer->file_truncation()->max_length, 128);
}

TEST(Tokenizer, ReadsOtherNormalizersAndPreTokenizers) {
  const auto with = [](Json normalizer, Json pre_tokenizer) {
    return small([&](Json& json) {
      json["normalizer"] = std::move(normalizer);
      json["pre_tokenizer"] = std::move(pre_tokenizer);
    });
  };
  EXPECT_EQ(ids_of(*with({{"type", "NFC"}}, {{"type", "Whitespace"}}), "e\xCC\x81 film.. film"), (Ids{24, 9, 1, 9}));
  EXPECT_EQ(ids_of(*with({{"type", "NFC"}}, {{"type", "WhitespaceSplit"}}), "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"),
            (Ids{26}));
  EXPECT_EQ(ids_of(*with(nullptr, {{"type", "Punctuation"}, {"behavior", "Isolated"}}), "Film!film"), (Ids{23, 14, 9}));
  const Json sequence = Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Lowercase"}, {"type": "NFD"},
    {"type": "StripAccents"}, {"type": "Strip", "strip_left": true, "strip_right": true},
    {"type": "Replace", "pattern": {"String": "movie"}, "content": "film"}, {"type": "Prepend", "prepend": "a"}]})");
  EXPECT_EQ(ids_of(*with(sequence, {{"type", "CharDelimiterSplit"}, {"delimiter", "-"}}), " -MOVIE "), (Ids{18, 9}));
  EXPECT_EQ(ids_of(*with({{"type", "Lowercase"}}, nullptr), "\xC4\xB0"), (Ids{21, 22}));
}

TEST(Tokenizer, ReadsWordLevel) {
  const auto tokenizer = small([](Json& json) {
    json["model"]["type"] = "WordLevel";
    json["model"]["unk_token"] = "[UNK]";
  });
  EXPECT_EQ(ids_of(*tokenizer, "the films film"), (Ids{8, 1, 9}));
}

TEST(Tokenizer, CutsAtSpacesAlsoWithoutOffsets) {
  const auto tokenizer = small([](Json& json) {
    json["model"]["type"] = "WordLevel";
    json["model"]["unk_token"] = "[UNK]";
    json["normalizer"] = nullptr;
    json["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
  });
  Encoding with_offsets;
  tokenizer->encode("the films film", {.add_special_tokens = false, .with_offsets = true}, with_offsets);
  EXPECT_EQ(with_offsets.ids, (Ids{8, 1, 9}));
  EXPECT_EQ(ids_of(*tokenizer, "the films film"), with_offsets.ids);
}

TEST(Tokenizer, NamesUnsupportedTypes) {
  EXPECT_NE(error_of([](Json& j) { j["model"]["type"] = "Odd"; }).find("model type 'Odd' is not supported"),
            std::string::npos);
  EXPECT_NE(parse_error_of(R"({"model": {"type": "Odd", "vocab": [["a", -1.5]]}})").find("'Odd'"), std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["normalizer"]["type"] = "Odd"; }).find("'Odd'"), std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["pre_tokenizer"]["type"] = "Odd"; }).find("'Odd'"), std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["post_processor"]["type"] = "Odd"; }).find("'Odd'"), std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["decoder"]["type"] = "Odd"; }).find("'Odd'"), std::string::npos);
}

TEST(Tokenizer, RefusesBrokenVocabularies) {
  EXPECT_NE(error_of([](Json& j) { j["model"]["vocab"]["film2"] = 9; }).find("id 9 is given to"), std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["model"]["vocab"]["x"] = -1; }).find("has id -1"), std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["model"]["vocab"]["x"] = 99999999; }).find("has id 99999999"), std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["model"]["vocab"]["x"] = 1.5; }).find("whole number"), std::string::npos);
  EXPECT_NE(error_of([](Json& j) {
              j["model"]["vocab"].erase("[UNK]");
              j["added_tokens"].clear();
            }).find("no unknown token"),
            std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["added_tokens"][0]["id"] = 9; }).find("which the vocabulary gives to 'film'"),
            std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["post_processor"]["special_tokens"]["[CLS]"]["ids"] = {77}; }).find("id 77"),
            std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j["post_processor"]["single"] = Json::array(); }).find("0 times"),
            std::string::npos);
  EXPECT_NE(error_of([](Json& j) { j.erase("model"); }).find("no 'model' section"), std::string::npos);
  EXPECT_NE(
      parse_error_of(R"({"model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1, "a": 2}}})").find("has two ids"),
      std::string::npos);
}

TEST(Tokenizer, RefusesBrokenJson) {
  const std::string good = small_json().dump();
  for (size_t size = 0; size < good.size(); size += 7) {
    EXPECT_NE(parse_error_of(good.substr(0, size)), "no error") << size;
  }
  EXPECT_NE(parse_error_of(std::string(100000, '[')), "no error");
  EXPECT_NE(parse_error_of(R"({"x": )" + std::string(100000, '[')).find("nested deeper"), std::string::npos);
  EXPECT_NE(parse_error_of(good + "x").find("something follows"), std::string::npos);
  EXPECT_NE(parse_error_of(R"({"model": {"vocab": {"\ud800": 1}}})").find("surrogate"), std::string::npos);
  EXPECT_NE(parse_error_of("{\"model\": {\"vocab\": {\"\xFF\": 1}}}").find("not UTF-8"), std::string::npos);
  EXPECT_NE(parse_error_of("{\"model\": {\"vocab\": {\"a\nb\": 1}}}").find("control character"), std::string::npos);
}

TEST(Tokenizer, MutatedFilesNeverCrash) {
  const std::string good = small_json().dump();
  base::Rng rng(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    for (uint64_t i = 0, n = 1 + rng.below(4); i < n; ++i) {
      bad[rng.below(bad.size())] = static_cast<char>(rng.below(256));
    }
    try {
      ids_of(*parse_tokenizer(bad, "mutated"), "the unaffable films caf\xC3\xA9 [MASK] 中国", true);
    } catch (const base::Error&) {
    }
  }
}

TEST(Tokenizer, ReadsVocabTxt) {
  const base::TempDir dir;
  base::write_file_atomic(dir.path() / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfilm\r\n##s\nFilm\n");
  EXPECT_EQ(ids_of(*load_tokenizer(dir.path()), "Films [MASK]", true), (Ids{2, 5, 6, 4, 3}));
  base::write_file_atomic(dir.path() / "tokenizer_config.json", R"({"do_lower_case": false})");
  EXPECT_EQ(ids_of(*load_tokenizer(dir.path() / "vocab.txt"), "Films", true), (Ids{2, 7, 6, 3}));
  base::write_file_atomic(dir.path() / "vocab.txt", "[UNK]\na\n");
  EXPECT_THROW(load_tokenizer(dir.path()), base::Error);
  EXPECT_THROW(load_tokenizer(dir.path() / "absent.json"), base::Error);
}

// The pass that does everything at once against the general path, on text of every kind.
TEST(Tokenizer, FastPathEqualsTheGeneralOne) {
  const auto fast = small();
  const auto general = small([](Json& json) {
    const Json bert = json["normalizer"];
    json["normalizer"] = {{"type", "Sequence"}, {"normalizers", {bert, {{"type", "Lowercase"}}}}};
  });
  base::Rng rng(11);
  const char32_t ranges[][2] = {{0, 0x7F},        {0x80, 0x24F},      {0x300, 0x36F},     {0x590, 0x6FF},
                                {0x1100, 0x11FF}, {0x1E00, 0x206F},   {0x3000, 0x312F},   {0xAC00, 0xD7A3},
                                {0xF900, 0xFFFF}, {0x1D100, 0x1D1FF}, {0x2F800, 0x2FA1F}, {0, 0x10FFFF}};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (uint64_t i = 0, n = rng.below(24); i < n; ++i) {
      if (rng.below(3) == 0) {
        text += "films";
      } else {
        const auto& range = ranges[rng.below(std::size(ranges))];
        append_utf8(range[0] + static_cast<char32_t>(rng.below(range[1] - range[0] + 1)), text);
      }
    }
    const Encoding a = encode_with_offsets(*fast, text);
    const Encoding b = encode_with_offsets(*general, text);
    ASSERT_EQ(a.ids, b.ids) << text;
    ASSERT_EQ(a.offsets, b.offsets) << text;
    ASSERT_EQ(ids_of(*fast, text), a.ids) << text;
  }
}

TEST(Tokenizer, EqualsHuggingFaceOnHardLines) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto folder = shared / "data/tokenizers";
  const base::TempDir dir;
  base::write_file_atomic(dir.path() / "vocab.txt",
                          base::read_decompressed(folder / "bert-base-uncased.vocab.txt.zst"));
  const auto tokenizer = load_tokenizer(dir.path());
  base::LineReader lines(folder / "bert-base-uncased.expected.jsonl.zst");
  std::string_view line;
  size_t count = 0;
  while (lines.next(line)) {
    const Json row = base::parse_json(line, "expected");
    const auto text = row["text"].get<std::string>();
    ASSERT_EQ(ids_of(*tokenizer, text), row["ids"].get<Ids>()) << text;
    ASSERT_EQ(ids_of(*tokenizer, text, true), row["ids_special"].get<Ids>()) << text;
    const Encoding out = encode_with_offsets(*tokenizer, text);
    ASSERT_EQ(out.ids.size(), out.offsets.size());
    uint32_t last = 0;
    for (const auto& [begin, end] : out.offsets) {
      ASSERT_LT(begin, end);
      ASSERT_LE(last, begin);
      last = begin;
    }
    ++count;
  }
  EXPECT_EQ(count, 2334U);
}

}  // namespace
}  // namespace slipway::text
