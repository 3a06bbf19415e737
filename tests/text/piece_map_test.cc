#include "text/piece_map.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::text {
namespace {

std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') {
      break;
    }
    bits = (bits << 6) | static_cast<uint32_t>(kDigits.find(c));
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count);
    }
  }
  return out;
}

// The gold's files as a folder.
struct Folder {
  explicit Folder(const std::string& family) {
    const auto path = tests::source_dir() / "tests" / "gold" / "piece_map.json";
    gold = base::parse_json(base::read_file(path), path.string(), {.max_bytes = 1 << 20}).at(family);
    const base::Json files = gold.at("files");
    for (const auto& [name, text] : files.items()) {
      const auto bytes = text.get<std::string>();
      base::write_file_atomic(dir.path() / name, name.ends_with(".json") ? bytes : from_base64(bytes));
    }
  }
  base::TempDir dir;
  base::Json gold;
};

class PieceMapFamilies : public ::testing::TestWithParam<std::string> {};

TEST_P(PieceMapFamilies, IdsAndTextsAreTransformers) {
  const Folder folder(GetParam());
  const auto tokenizer = load_tokenizer(folder.dir.path());
  Encoding encoding;
  for (const base::Json& one : folder.gold.at("cases")) {
    const auto text = one.at("text").get<std::string>();
    tokenizer->encode(text, {}, encoding);
    EXPECT_EQ(encoding.ids, one.at("ids").get<std::vector<int32_t>>()) << text;
    EXPECT_TRUE(encoding.offsets.empty());
    EXPECT_EQ(tokenizer->decode(encoding.ids, true), one.at("decoded").get<std::string>()) << text;
  }
  const auto answer = folder.gold.at("answer").at("ids").get<std::vector<int32_t>>();
  EXPECT_EQ(tokenizer->decode(answer, true), folder.gold.at("answer").at("decoded").get<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Families, PieceMapFamilies, ::testing::Values("marian", "m2m_100"),
                         [](const auto& family) { return family.param; });

TEST(PieceMap, LanguagesAreNumberedAfterTheVocabulary) {
  const Folder folder("m2m_100");
  const auto tokenizer = load_tokenizer(folder.dir.path());
  const int german = tokenizer->token_to_id("__de__");
  EXPECT_EQ(german, folder.gold.at("languages").at("__de__").get<int>());
  EXPECT_EQ(tokenizer->id_to_token(german), "__de__");
  EXPECT_TRUE(tokenizer->is_special(german));
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{german}, false), "__de__");
}

TEST(PieceMap, LanguagesThatNoFileListsAreThePublishedOnes) {
  const Folder folder("m2m_100");
  base::write_file_atomic(folder.dir.path() / "tokenizer_config.json", R"({"src_lang": "de"})");
  const auto tokenizer = load_tokenizer(folder.dir.path());
  EXPECT_EQ(tokenizer->token_to_id("__de__"), folder.gold.at("languages").at("__de__").get<int>());
  Encoding encoding;
  tokenizer->encode("the", {}, encoding);
  EXPECT_EQ(tokenizer->id_to_token(encoding.ids.front()), "__de__");
}

TEST(PieceMap, T5sTextsEndWithTheirEndToken) {
  const Folder folder("marian");
  const base::TempDir dir;
  std::filesystem::copy_file(folder.dir.path() / "source.spm", dir.path() / "spiece.model");
  Encoding plain;
  load_tokenizer(dir.path())->encode("the cat", {}, plain);
  for (const char* file : {"tokenizer_config.json", "config.json"}) {
    base::write_file_atomic(dir.path() / file,
                            file[0] == 't' ? R"({"tokenizer_class": "T5Tokenizer"})" : R"({"model_type": "mt5"})");
    const auto tokenizer = load_tokenizer(dir.path());
    Encoding ended;
    tokenizer->encode("the cat", {}, ended);
    ASSERT_EQ(ended.ids.size(), plain.ids.size() + 1) << file;
    EXPECT_EQ(tokenizer->id_to_token(ended.ids.back()), "</s>");
    std::filesystem::remove(dir.path() / file);
  }
}

TEST(PieceMap, TruncatesTextsNotTheirFrame) {
  const Folder folder("m2m_100");
  const auto tokenizer = load_tokenizer(folder.dir.path());
  Encoding whole;
  tokenizer->encode("the cat is a friend", {.with_offsets = true}, whole);
  ASSERT_GT(whole.ids.size(), 5U);
  ASSERT_EQ(whole.ids.size(), whole.offsets.size());
  Encoding cut;
  tokenizer->encode("the cat is a friend", {.with_offsets = true, .max_length = 4}, cut);
  EXPECT_EQ(cut.ids, (std::vector<int32_t>{whole.ids[0], whole.ids[1], whole.ids[2], whole.ids.back()}));
  EXPECT_EQ(cut.offsets[1], whole.offsets[1]);
  EXPECT_THROW(tokenizer->encode("the cat", {.max_length = 1}, cut), base::Error);
}

TEST(PieceMap, OffsetsCountTheLanguageCode) {
  const Folder folder("marian");
  const auto tokenizer = load_tokenizer(folder.dir.path());
  Encoding encoding;
  tokenizer->encode(">>de<< the", {.with_offsets = true}, encoding);
  EXPECT_EQ(encoding.offsets.front(), (std::pair<uint32_t, uint32_t>{0, 6}));
  EXPECT_EQ(encoding.offsets[encoding.offsets.size() - 2].second, 10U);
}

TEST(PieceMap, RefusesBrokenVocabularies) {
  const Folder folder("marian");
  const std::string model = base::read_file(folder.dir.path() / "source.spm");
  for (const char* vocab : {"", "[]", "{}", R"({"a": "b"})", R"({"a": -1})", R"({"a": 0, "b": 0})", R"({"a": 1e9})",
                            R"({"a": 99999999})", R"({"a": 1})"}) {
    EXPECT_THROW(parse_piece_map(model, vocab, {}, "t"), base::Error) << vocab;
  }
  EXPECT_THROW(parse_piece_map("no model", R"({"<unk>": 0})", {}, "t"), base::Error);
  EXPECT_THROW(parse_piece_map(model, R"({"<unk>": 0})", {.before = {"</s>"}}, "t"), base::Error);
  EXPECT_NO_THROW(parse_piece_map(model, R"({"<unk>": 0})", {}, "t"));
}

}  // namespace
}  // namespace slipway::text
