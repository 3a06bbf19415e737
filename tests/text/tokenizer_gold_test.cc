// Every section type that we read, against what Hugging Face tokenizers gives (tests/gold/make_tokenizer_gold.py).
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"
#include "text/tokenizer.h"

namespace slipway::text {
namespace {

using base::Json;

// Sections around WordPiece, and whole families (make_tokenizer_family_gold.py).
class TokenizerGold : public testing::TestWithParam<const char*> {
 protected:
  static Json gold() {
    const std::string file = std::string("tests/gold/") + GetParam();
    return base::parse_json(base::read_file(tests::source_dir() / file), file);
  }
};

INSTANTIATE_TEST_SUITE_P(Files, TokenizerGold, testing::Values("tokenizer.json", "tokenizer_families.json"));

// The tokenizer of one case: the base with its sections exchanged.
std::unique_ptr<Tokenizer> tokenizer_of(const Json& all, const Json& one) {
  Json definition = one.contains("base") ? all["bases"][one["base"].get<std::string>()] : all["base"];
  for (const auto& [section, value] : one["change"].items()) {
    definition[section] = value;
  }
  return parse_tokenizer(definition.dump(), one["name"].get<std::string>());
}

std::vector<int32_t> flat(const Encoding& encoding) {
  std::vector<int32_t> out;
  for (const auto& [begin, end] : encoding.offsets) {
    out.push_back(static_cast<int32_t>(begin));
    out.push_back(static_cast<int32_t>(end));
  }
  return out;
}

TEST_P(TokenizerGold, IdsAndOffsetsEqualForEverySectionType) {
  const Json all = gold();
  ASSERT_GT(all["cases"].size(), 40U);
  for (const Json& one : all["cases"]) {
    const auto tokenizer = tokenizer_of(all, one);
    for (size_t i = 0; i < all["texts"].size(); ++i) {
      const auto text = all["texts"][i].get<std::string>();
      const Json& expected = one["results"][i];
      Encoding out;
      tokenizer->encode(text, {false, true, 0}, out);
      EXPECT_EQ(out.ids, expected[0].get<std::vector<int32_t>>()) << one["name"] << ": " << text;
      EXPECT_EQ(flat(out), expected[1].get<std::vector<int32_t>>()) << one["name"] << ": " << text;
      tokenizer->encode(text, {false, false, 0}, out);
      EXPECT_EQ(out.ids, expected[0].get<std::vector<int32_t>>()) << one["name"] << " without offsets: " << text;
      EXPECT_TRUE(out.offsets.empty());
    }
  }
}

TEST_P(TokenizerGold, DecodesToTheSameText) {
  const Json all = gold();
  for (const Json& one : all["cases"]) {
    const auto tokenizer = tokenizer_of(all, one);
    for (const Json& expected : one["results"]) {
      const auto ids = expected[0].get<std::vector<int32_t>>();
      EXPECT_EQ(tokenizer->decode(ids, true), expected[2].get<std::string>()) << one["name"];
    }
  }
}

TEST_P(TokenizerGold, FramesTheTextTheSame) {
  const Json all = gold();
  for (const Json& one : all["cases"]) {
    Encoding out;
    tokenizer_of(all, one)->encode(all["texts"][2].get<std::string>(), {true, true, 0}, out);
    EXPECT_EQ(out.ids, one["special"].get<std::vector<int32_t>>()) << one["name"];
    EXPECT_EQ(out.ids.size(), out.offsets.size());
  }
}

TEST_P(TokenizerGold, TruncationKeepsTheBeginning) {
  const Json all = gold();
  for (const Json& one : all["cases"]) {
    const auto tokenizer = tokenizer_of(all, one);
    Encoding whole;
    Encoding cut;
    for (const Json& row : all["texts"]) {
      const auto text = row.get<std::string>();
      tokenizer->encode(text, {false, true, 0}, whole);
      for (const int length : {1, 2, 3, 7}) {
        tokenizer->encode(text, {false, true, length}, cut);
        ASSERT_EQ(cut.ids.size(), std::min(whole.ids.size(), static_cast<size_t>(length))) << one["name"] << text;
        EXPECT_TRUE(std::equal(cut.ids.begin(), cut.ids.end(), whole.ids.begin()));
        EXPECT_TRUE(std::equal(cut.offsets.begin(), cut.offsets.end(), whole.offsets.begin()));
      }
    }
  }
}

TEST(TokenizerPairs, AreFramedTypedAndCutTheSame) {
  const std::string file = "tests/gold/tokenizer_families.json";
  const Json all = base::parse_json(base::read_file(tests::source_dir() / file), file);
  const std::map<std::string, TruncationStrategy> strategies = {{"longest_first", TruncationStrategy::kLongestFirst},
                                                                {"only_first", TruncationStrategy::kOnlyFirst},
                                                                {"only_second", TruncationStrategy::kOnlySecond}};
  int compared = 0;
  for (const Json& one : all["pairs"]) {
    const auto tokenizer = tokenizer_of(all, one);
    for (const Json& row : one["rows"]) {
      const EncodeOptions options{row[2].get<bool>(), true, row[3].get<int>(), row[5] == "left",
                                  strategies.at(row[4].get<std::string>())};
      const auto first = row[0].get<std::string>();
      const auto second = row[1].get<std::string>();
      const std::string where = one["name"].get<std::string>() + " " + row.dump();
      Encoding out;
      if (row[6].is_null()) {
        EXPECT_THROW(tokenizer->encode_pair(first, second, options, out), base::Error) << where;
        continue;
      }
      tokenizer->encode_pair(first, second, options, out);
      EXPECT_EQ(out.ids, row[6].get<std::vector<int32_t>>()) << where;
      EXPECT_EQ(out.type_ids, row[7].get<std::vector<int32_t>>()) << where;
      EXPECT_EQ(flat(out), row[8].get<std::vector<int32_t>>()) << where;
      ++compared;
    }
  }
  EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace slipway::text
