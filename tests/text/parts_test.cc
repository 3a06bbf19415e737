// The parts of a tokenizer, one by one.
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "text/added_tokens.h"
#include "text/aligned_text.h"
#include "text/bert_encoder.h"
#include "text/entities.h"
#include "text/hf_unicode.h"
#include "text/identity_lists.h"
#include "text/token_frame.h"
#include "text/tokenizer_json.h"
#include "text/unicode.h"
#include "text/vocabulary.h"
#include "text/wordpiece.h"

namespace slipway::text {
namespace {

using base::Json;

Vocabulary vocabulary_of(const std::vector<std::string>& tokens) {
  Vocabulary vocabulary;
  for (size_t i = 0; i < tokens.size(); ++i) {
    vocabulary.add(tokens[i], static_cast<int64_t>(i), "test");
  }
  vocabulary.build("test");
  return vocabulary;
}

TEST(VocabularyTest, FindsEveryTokenAndNoOther) {
  base::Rng rng(1);
  std::vector<std::string> tokens;
  for (int i = 0; i < 5000; ++i) {
    tokens.push_back(std::to_string(i) + std::string(rng.below(20), static_cast<char>('a' + rng.below(26))));
  }
  const Vocabulary vocabulary = vocabulary_of(tokens);
  EXPECT_EQ(vocabulary.size(), 5000);
  for (size_t i = 0; i < tokens.size(); ++i) {
    ASSERT_EQ(vocabulary.find(tokens[i]), static_cast<int>(i));
    ASSERT_EQ(vocabulary.token(static_cast<int>(i)), tokens[i]);
    ASSERT_EQ(vocabulary.find(tokens[i] + "?"), -1);
  }
  EXPECT_EQ(vocabulary.find(""), -1);
}

TEST(VocabularyTest, LeavesHolesAndRefusesWhatIsGivenTwice) {
  Vocabulary vocabulary;
  vocabulary.add("b", 7, "test");
  vocabulary.add("a", 2, "test");
  EXPECT_EQ(vocabulary.size(), 8);
  EXPECT_EQ(vocabulary.count(), 2U);
  EXPECT_EQ(vocabulary.token(3), "");
  EXPECT_EQ(vocabulary.token(-1), "");
  EXPECT_EQ(vocabulary.token(8), "");
  EXPECT_THROW(vocabulary.add("c", 7, "test"), base::Error);
  EXPECT_THROW(vocabulary.add("c", -1, "test"), base::Error);
  EXPECT_THROW(vocabulary.add("c", Vocabulary::kMaxId + 1, "test"), base::Error);
  EXPECT_THROW(vocabulary.add(std::string(Vocabulary::kMaxTokenBytes + 1, 'x'), 9, "test"), base::Error);
  vocabulary.add("a", 3, "test");
  EXPECT_THROW(vocabulary.build("test"), base::Error);
}

TEST(PrefixHashTest, GivesSubstringsFromPrefixes) {
  const std::string text = "internationalisation";
  std::vector<uint64_t> hashes = {0};
  for (const char c : text) {
    hashes.push_back(PrefixHash::step(hashes.back(), static_cast<unsigned char>(c)));
  }
  for (size_t i = 0; i <= text.size(); ++i) {
    for (size_t j = i; j <= text.size(); ++j) {
      ASSERT_EQ(PrefixHash::between(hashes[i], hashes[j], j - i), PrefixHash::of(text.substr(i, j - i)));
    }
  }
}

// The same cut two ways: with prefix hashes, and the plain one.
TEST(WordPieceTest, BothCutsAgree) {
  const Vocabulary vocabulary = vocabulary_of({"[UNK]", "a", "ab", "##b", "##ba", "##a", "abab", "é", "##é", "##c"});
  const WordPiece model({}, vocabulary, "test");
  base::Rng rng(2);
  const std::vector<std::string> letters = {"a", "b", "c", "é", "d"};
  for (int round = 0; round < 5000; ++round) {
    std::string word;
    for (uint64_t i = 0, n = 1 + rng.below(8); i < n; ++i) {
      word += letters[rng.below(round % 2 == 0 ? 3 : letters.size())];
    }
    std::vector<uint64_t> hashes = {0};
    for (const char c : word) {
      hashes.push_back(PrefixHash::step(hashes.back(), static_cast<unsigned char>(c)));
    }
    std::vector<int32_t> fast;
    const bool known =
        model.cut(word.data(), word.size(), hashes.data(), [&](int32_t id, uint32_t, uint32_t) { fast.push_back(id); });
    std::vector<Piece> pieces;
    model.tokenize(word, pieces);
    std::vector<int32_t> plain;
    for (const Piece& piece : pieces) {
      plain.push_back(piece.id);
    }
    ASSERT_EQ(known ? fast : std::vector<int32_t>{model.unk_id()}, plain) << word;
  }
}

TEST(AlignedTextTest, KeepsOriginsThroughChanges) {
  AlignedText text = AlignedText::decode("abc", 10);
  text.transform({{U'x', 0}, {U'y', 1}, {U'z', -1}});  // a -> x, y inserted, b -> z and c removed
  EXPECT_EQ(text.chars, U"xyz");
  EXPECT_EQ(text.origins[0].begin, 10U);
  EXPECT_EQ(text.origins[1].begin, 10U);
  EXPECT_EQ(text.origins[2].begin, 11U);
  EXPECT_EQ(text.origins[2].end, 12U);
}

TEST(AlignedTextTest, ReplacesPrependsAndFilters) {
  AlignedText text = AlignedText::decode("a film, film", 0);
  text.replace(U"film", U"movie");
  EXPECT_EQ(text.chars, U"a movie, movie");
  EXPECT_EQ(text.origins[2].begin, 5U);  // all of it from the last character replaced
  text.replace(U"zzz", U"y");
  text.prepend(U"▁");
  EXPECT_EQ(text.chars[0], U'▁');
  EXPECT_EQ(text.origins[0].end, 1U);
  text.filter([](char32_t c) { return c != U' ' && c != U','; });
  EXPECT_EQ(text.chars, U"▁amoviemovie");
  EXPECT_EQ(text.origins.size(), text.chars.size());
  AlignedText empty;
  empty.prepend(U"x");
  EXPECT_EQ(empty.size(), 0U);
}

TEST(AlignedTextTest, EncodesWithTheCharacterOfEachByte) {
  const AlignedText text = AlignedText::decode("é中a", 0);
  std::string bytes;
  std::vector<uint32_t> chars;
  text.encode(0, 3, bytes, &chars);
  EXPECT_EQ(bytes, "é中a");
  EXPECT_EQ(chars, (std::vector<uint32_t>{0, 0, 1, 1, 1, 2}));
}

TEST(HfUnicode, ClassTableAgreesWithTheRanges) {
  for (char32_t c = 0; c < kFastCodePoints; c += 1 + c / 512) {
    const uint8_t flags = char_class(c);
    const uint8_t kind = flags & kClassMask;
    ASSERT_EQ(kind == kOtherChar, in_ranges(hf_other_ranges(), c)) << static_cast<uint32_t>(c);
    ASSERT_EQ(kind == kPunctuationChar, in_ranges(hf_punctuation_ranges(), c)) << static_cast<uint32_t>(c);
    ASSERT_EQ((flags & kNonspacingFlag) != 0, in_ranges(hf_nonspacing_ranges(), c)) << static_cast<uint32_t>(c);
    ASSERT_EQ(kind == kSpaceChar, hf_is_space(c) && kind != kOtherChar) << static_cast<uint32_t>(c);
    ASSERT_EQ(kind == kIdeographChar, is_cjk_ideograph(c)) << static_cast<uint32_t>(c);
  }
  EXPECT_EQ(char_class(0x20000) & kClassMask, kIdeographChar);
  EXPECT_EQ(char_class(0xE0001) & kClassMask, kOtherChar);
}

TEST(HfUnicode, RangesAreSortedAndApart) {
  for (const auto ranges : {hf_other_ranges(), hf_punctuation_ranges(), hf_nonspacing_ranges(), hf_mark_ranges(),
                            hf_new_word_ranges(), hf_new_number_ranges()}) {
    for (size_t i = 0; i < ranges.size(); ++i) {
      ASSERT_LE(ranges[i].first, ranges[i].last);
      ASSERT_TRUE(i == 0 || ranges[i - 1].last < ranges[i].first);
    }
  }
  EXPECT_TRUE(hf_is_word(U'_') && hf_is_word(U'é') && hf_is_word(U'中') && !hf_is_word(U'-') && !hf_is_word(U' '));
}

std::vector<std::string> segments_of(const AddedTokenMatcher& matcher, std::string_view text) {
  std::vector<Segment> segments;
  matcher.split(text, segments);
  std::vector<std::string> out;
  for (const Segment& s : segments) {
    out.push_back((s.id >= 0 ? std::to_string(s.id) + ":" : "") + std::string(text.substr(s.begin, s.end - s.begin)));
  }
  return out;
}

AddedTokenMatcher matcher_of(std::vector<AddedToken> tokens) {
  std::vector<AddedTokenMatcher::Pattern> patterns;
  for (AddedToken& token : tokens) {
    patterns.push_back({token.content, token});
  }
  return AddedTokenMatcher(std::move(patterns));
}

using List = std::vector<std::string>;

TEST(AddedTokens, MatchesLeftmostThenLongest) {
  const auto matcher = matcher_of({{1, "ab"}, {2, "abc"}, {3, "bcd"}});
  EXPECT_EQ(segments_of(matcher, "xabcdab"), (List{"x", "2:abc", "d", "1:ab"}));
  EXPECT_EQ(segments_of(matcher, ""), List{});
  EXPECT_EQ(segments_of(matcher, "ab"), List{"1:ab"});
  EXPECT_EQ(segments_of(AddedTokenMatcher(), "text"), List{"text"});
}

TEST(AddedTokens, StripsAndWantsWholeWords) {
  const auto strip = matcher_of({{1, "<x>", false, true, true}});
  EXPECT_EQ(segments_of(strip, "a  <x> \u3000b <x>"), (List{"a", "1:  <x> \u3000", "b", "1: <x>"}));
  const auto single = matcher_of({{1, "in", true}});
  EXPECT_EQ(segments_of(single, "in inn (in) éin"), (List{"1:in", " inn (", "1:in", ") éin"}));
}

TEST(AddedTokens, RefusesBrokenLists) {
  EXPECT_TRUE(parse_added_tokens(nullptr, "t").empty());
  EXPECT_THROW(parse_added_tokens(Json::object(), "t"), base::Error);
  EXPECT_THROW(parse_added_tokens(Json::parse(R"([{"id": 1}])"), "t"), base::Error);
  EXPECT_THROW(parse_added_tokens(Json::parse(R"([{"id": -1, "content": "x"}])"), "t"), base::Error);
  EXPECT_THROW(parse_added_tokens(Json::parse(R"([{"id": 1, "content": ""}])"), "t"), base::Error);
  EXPECT_THROW(parse_added_tokens(Json::parse(R"([{"id": "1", "content": "x"}])"), "t"), base::Error);
  const auto tokens = parse_added_tokens(
      Json::parse(R"([{"id": 1, "content": "x"}, {"id": 2, "content": "y", "special": true}])"), "t");
  EXPECT_TRUE(tokens[0].normalized);
  EXPECT_FALSE(tokens[1].normalized);
}

TEST(TokenFrameTest, JoinsProcessorsAndRefusesOddTemplates) {
  const Json bert = Json::parse(R"({"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]})");
  const TokenFrame frame = parse_post_processor({{"type", "Sequence"}, {"processors", {bert, bert}}}, "t");
  std::vector<int32_t> ids;
  for (const TokenFrame::Item& item : frame.single) {
    ids.push_back(item.sequence < 0 ? item.id : 0);
  }
  EXPECT_EQ(ids, (std::vector<int32_t>{1, 1, 0, 2, 2}));
  for (const char* text :
       {R"({"type": "BertProcessing", "cls": "x", "sep": ["[SEP]", 2]})",
        R"({"type": "BertProcessing", "cls": ["[CLS]", -1], "sep": ["[SEP]", 2]})",
        R"({"type": "TemplateProcessing", "single": [{"Odd": 1}]})",
        R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {}})",
        R"({"type": "TemplateProcessing", "single": 3})", R"({"single": []})"}) {
    EXPECT_THROW(parse_post_processor(Json::parse(text), "t"), base::Error) << text;
  }
}

TEST(TokenizerJson, SplitsTheFileAndReadsEscapes) {
  const TokenizerFile file = split_tokenizer_json(
      R"( {"version": "1.0", "model": {"type": "X", "vocab": {"a\"\\\/\b\f\n\r\t": 0, "\u00e9\ud83d\ude00": 1}, "merges": [["a", "b"]], "flag": [1, {"x": "]}"}]},
          "other": {"deep": [[["}"]]]}, "n": -1.5e3, "t": true} )",
      "t");
  EXPECT_EQ(file.vocabulary.token(0), "a\"\\/\b\f\n\r\t");
  EXPECT_EQ(file.vocabulary.token(1), "é😀");
  EXPECT_EQ(file.model["type"], "X");
  EXPECT_TRUE(file.model.contains("merges"));
  EXPECT_EQ(file.model["flag"][1]["x"], "]}");
  EXPECT_EQ(file.sections["other"]["deep"][0][0][0], "}");
  EXPECT_EQ(file.sections["n"], -1500.0);
}

TEST(TokenizerJson, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", "{", "[]", "{\"model\"}", "{\"model\":{}", "{\"model\":{}}x", "{\"model\":{},}",
        "{\"model\":{\"vocab\":{\"a\":}}}", "{\"model\":{\"vocab\":{\"a\":1,}}}",
        "{\"model\":{\"vocab\":{\"a\":1 \"b\":2}}}", "{\"model\":{\"vocab\":{\"\\x\":1}}}",
        "{\"model\":{\"vocab\":{\"\\u12\":1}}}", "{\"model\":{\"vocab\":{\"\\udc00\":1}}}",
        "{\"model\":{\"vocab\":{\"a\":1e3}}}", "{\"model\":{\"vocab\":{\"a\":9999999999999999999}}}",
        "{\"model\":{},\"model\":{}}", "{\"a\":\"\\", "{\"model\":3}", "{\"model\":{\"vocab\":{},\"vocab\":{}}}"}) {
    EXPECT_THROW(split_tokenizer_json(text, "t"), base::Error) << text;
  }
}

TEST(EntitiesTable, IsSorted) {
  const auto table = all_entities();
  EXPECT_TRUE(
      std::is_sorted(table.begin(), table.end(), [](const Entity& a, const Entity& b) { return a.name < b.name; }));
  EXPECT_EQ(windows_1252(0x80), U'€');
  EXPECT_EQ(windows_1252(0xE9), U'é');
}

TEST(IdentityLists, AreWellFormed) {
  for (const GroupTerm& term : group_terms()) {
    EXPECT_EQ(term.term, lowercase(term.term));
    EXPECT_NE(term.group.find(':'), std::string_view::npos) << term.term;
  }
  const auto pairs = chinese_gender_pairs();
  for (size_t i = 1; i < pairs.size(); ++i) {
    EXPECT_GE(std::max(pairs[i - 1].female.size(), pairs[i - 1].male.size()), pairs[i].female.size())
        << pairs[i].female;
  }
  for (const NameList& list : name_lists()) {
    EXPECT_GE(list.names.size(), 8U) << list.group;
  }
}

}  // namespace
}  // namespace slipway::text
