#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"
#include "base/json.h"
#include "text/dictionary_segmenter.h"
#include "text/lexicon_marks.h"

namespace slipway::text {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const fs::path kJieba = "/usr/lib/python3/dist-packages/jieba";

// A dictionary of a few words and a model that joins two ideographs that it knows, made in a temporary folder.
class SmallDictionary : public ::testing::Test {
 protected:
  void SetUp() override {
    write("dict.txt", "北京 100 ns\n大学 50 n\n北京大学 40 nt\n生 10 v\n学生 40 n\n大 1 a\n学 5 v\n");
    write("prob_start.py", "P={'B': -0.5,\n 'E': -3.14e+100,\n 'M': -3.14e+100,\n 'S': -1.5}\n");
    write("prob_trans.py", "P={'B': {'E': -0.5, 'M': -1.0}, 'E': {'B': -0.6, 'S': -0.8}, 'M': {'E': -0.3, 'M': -1.2}, 'S': {'B': -0.7, 'S': -0.7}}\n");
    write("prob_emit.py", "from __future__ import unicode_literals\n\nP={'B': {'\\u738b': -2.0}, 'E': {'\\u660e': -2.0}, 'M': {'\\u5c0f': -3.0}, 'S': {'\\u751f': -1.0}}\n");
  }
  void write(const char* name, std::string_view bytes) { base::write_file_atomic(folder_.path() / name, bytes); }
  SegmentDictionarySources sources(bool hmm = true) const { return {folder_.path() / "dict.txt", hmm ? folder_.path() : fs::path()}; }
  std::string bytes(bool hmm = true) const { return build_segment_dictionary(sources(hmm)); }

  base::TempDir folder_;
};

Words cut(const DictionarySegmenter& segmenter, std::string_view text, CutOptions options = {}) {
  DictionarySegmenter::Scratch scratch;
  std::vector<std::string_view> words;
  segmenter.cut(text, options, scratch, words);
  return {words.begin(), words.end()};
}

TEST_F(SmallDictionary, TakesTheMostProbablePath) {
  const DictionarySegmenter segmenter(SegmentDictionary::from_bytes(bytes(), "test"));
  EXPECT_EQ(cut(segmenter, "北京大学生"), (Words{"北京大学", "生"}));
  EXPECT_EQ(cut(segmenter, "北京大学生", {CutMode::kSearch, true}), (Words{"北京", "大学", "北京大学", "生"}));
  EXPECT_EQ(cut(segmenter, "北京大学", {CutMode::kFull, true}), (Words{"北京", "北京大学", "大学"}));
  EXPECT_EQ(cut(segmenter, "学生 ok3.5%。\r\n"), (Words{"学生", " ", "ok3.5%", "。", "\r\n"}));
}

TEST_F(SmallDictionary, FindsNewWordsWithTheModelOnly) {
  const DictionarySegmenter segmenter(SegmentDictionary::from_bytes(bytes(), "test"));
  EXPECT_EQ(cut(segmenter, "王小明"), (Words{"王小明"}));
  EXPECT_EQ(cut(segmenter, "王小明", {CutMode::kPrecise, false}), (Words{"王", "小", "明"}));
  const DictionarySegmenter without(SegmentDictionary::from_bytes(bytes(false), "test"));
  EXPECT_THROW(cut(without, "王小明"), base::Error);
  EXPECT_EQ(cut(without, "北京大学生", {CutMode::kPrecise, false}), (Words{"北京大学", "生"}));
}

TEST_F(SmallDictionary, UserWordsJoinAndSplit) {
  DictionarySegmenter segmenter(SegmentDictionary::from_bytes(bytes(), "test"));
  segmenter.add_user_words("\xEF\xBB\xBF大学生\n\n王小明 0\n北京大学 0 nt\n", "user.txt");
  EXPECT_EQ(cut(segmenter, "北京大学生"), (Words{"北京", "大学生"}));
  EXPECT_EQ(cut(segmenter, "王小明"), (Words{"王", "小", "明"}));
  EXPECT_THROW(segmenter.add_user_words("好\n\xFF\xFE 3\n", "user.txt"), base::Error);
  EXPECT_THROW(segmenter.add_user_words("好 99999999999999999999\n", "user.txt"), base::Error);
}

TEST_F(SmallDictionary, BrokenBytesAreWordsOfTheirOwnAndNothingIsLost) {
  const DictionarySegmenter segmenter(SegmentDictionary::from_bytes(bytes(), "test"));
  const std::string text = "北京\xFF\xE5\x8C大学\xF0\x9F\x98";
  std::string joined;
  for (const std::string& word : cut(segmenter, text)) {
    joined += word;
  }
  EXPECT_EQ(joined, text);
  EXPECT_TRUE(cut(segmenter, "").empty());
}

TEST_F(SmallDictionary, MarksSayWhereDictionaryWordsLie) {
  const DictionarySegmenter segmenter(SegmentDictionary::from_bytes(bytes(), "test"));
  DictionarySegmenter::Scratch scratch;
  std::vector<std::string_view> words;
  std::vector<LexiconMark> marks;
  lexicon_marks(segmenter, "北京大学生", scratch, words, marks);
  ASSERT_EQ(marks.size(), 5U);
  EXPECT_EQ(marks[0].begins, 4);
  EXPECT_EQ(marks[1].ends, 2);
  EXPECT_EQ(marks[2].inside, 4);
  EXPECT_EQ(marks[3].ends, 4);
  EXPECT_EQ(marks[3].place, 2);
  EXPECT_EQ(marks[4].place, 3);
  EXPECT_EQ(marks[4].ends, 2);
}

TEST_F(SmallDictionary, RefusesSourcesThatAreBroken) {
  const auto fails = [&](const char* name, std::string_view content, const char* message) {
    SetUp();
    write(name, content);
    try {
      bytes();
      ADD_FAILURE() << name << " was taken: " << content;
    } catch (const base::Error& error) {
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
    }
  };
  fails("dict.txt", "北京 100\n大学\n", "dict.txt:2");
  fails("dict.txt", "北京 many\n", "no number");
  fails("dict.txt", "\xFF\xFE 3\n", "UTF-8");
  fails("dict.txt", "", "no word");
  fails("dict.txt", "好 99999999999999999\n", "too large");
  fails("prob_emit.py", "P={'B': {'\\u73", "prob_emit.py");
  fails("prob_emit.py", "P={'Q': {'\\u738b': -1}}", "none of the states");
  fails("prob_start.py", "Q", "P={");
  fails("prob_trans.py", "P={'B': {'E' -0.5}}", "colon");
}

TEST_F(SmallDictionary, RefusesADamagedFile) {
  const std::string good = bytes();
  const auto fails = [](const std::string& bad) { EXPECT_THROW(SegmentDictionary::from_bytes(bad, "test"), base::Error); };
  fails("");
  fails(good.substr(0, 100));
  fails(good.substr(0, good.size() - 1));
  for (size_t at = 0; at < good.size(); at += 97) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    fails(bad);
  }
}

TEST_F(SmallDictionary, TheCacheFollowsItsSourcesAndSurvivesDamage) {
  const fs::path cache = folder_.path() / "cache";
  const auto first = cached_segment_dictionary(sources(), cache);
  EXPECT_EQ(cached_segment_dictionary(sources(), cache)->digest(), first->digest());
  for (const fs::directory_entry& entry : fs::directory_iterator(cache)) {
    base::write_file_atomic(entry.path(), "damaged");
  }
  EXPECT_EQ(cached_segment_dictionary(sources(), cache)->digest(), first->digest());
  write("dict.txt", "北京 100\n大学 50\n另外 3\n");
  EXPECT_NE(cached_segment_dictionary(sources(), cache)->digest(), first->digest());
  EXPECT_THROW(cached_segment_dictionary({folder_.path() / "missing.txt", {}}, cache), base::Error);
}

TEST(Jieba, WordsAreTheSame) {
  if (!fs::is_regular_file(kJieba / "dict.txt")) {
    GTEST_SKIP() << "no jieba: Debian's package python3-jieba brings its dictionary";
  }
  const auto dictionary = SegmentDictionary::from_bytes(build_segment_dictionary({kJieba / "dict.txt", kJieba / "finalseg"}), "jieba");
  const DictionarySegmenter plain(dictionary);
  DictionarySegmenter users(dictionary);
  users.add_user_words(base::read_file("tests/gold/jieba/user.txt"), "user.txt");
  base::LineReader lines("tests/gold/jieba/words.jsonl");
  size_t count = 0;
  for (std::string_view line; lines.next(line); ++count) {
    const base::Json row = base::parse_json(line, "words.jsonl");
    const auto text = row.at("text").get<std::string>();
    const auto expect = [&](const char* key, const DictionarySegmenter& segmenter, CutOptions options) {
      if (row.contains(key)) {
        EXPECT_EQ(cut(segmenter, text, options), row.at(key).get<Words>()) << key << " of " << text;
      }
    };
    expect("precise", plain, {CutMode::kPrecise, true});
    expect("no_hmm", plain, {CutMode::kPrecise, false});
    expect("full", plain, {CutMode::kFull, true});
    expect("search", plain, {CutMode::kSearch, true});
    expect("user", users, {CutMode::kPrecise, true});
    expect("user_no_hmm", users, {CutMode::kPrecise, false});
    expect("user_search", users, {CutMode::kSearch, true});
  }
  EXPECT_GT(count, 100U);
}

}  // namespace
}  // namespace slipway::text
