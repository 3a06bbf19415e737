// Windows, padding and masks against transformers' fast tokenizers (tests/gold/make_windows_gold.py).
#include "text/windows.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::text {
namespace {

using base::Json;

Json gold() {
  const std::string file = "tests/gold/windows.json";
  return base::parse_json(base::read_file(tests::source_dir() / file), file);
}

std::optional<FileTruncation> truncation_of(const Json& options) {
  if (!options.contains("truncation")) {
    return std::nullopt;
  }
  const std::string strategy = options.at("truncation");
  return FileTruncation{options.at("max_length").get<int>(), options.value("stride", 0),
                        strategy == "only_first"    ? TruncationStrategy::kOnlyFirst
                        : strategy == "only_second" ? TruncationStrategy::kOnlySecond
                                                    : TruncationStrategy::kLongestFirst,
                        options.value("truncation_side", "right") == std::string("left")};
}

std::optional<FilePadding> padding_of(const Json& options) {
  if (!options.contains("padding")) {
    return std::nullopt;
  }
  FilePadding padding;
  padding.length = options.at("padding") == "max_length" ? options.at("max_length").get<int>() : 0;
  padding.multiple = options.value("pad_to_multiple_of", 0);
  padding.left = options.value("padding_side", "right") == std::string("left");
  return padding;
}

// As the gold file has a window.
Json row_of(const TokenWindow& window, size_t sample) {
  return Json::array(
      {window.ids, window.type_ids, window.attention_mask, window.special_tokens_mask, window.offsets, sample});
}

Json rows_of(const Tokenizer& tokenizer, const std::vector<std::string>& texts, const std::vector<std::string>& pairs,
             bool special, const std::optional<FileTruncation>& truncation, const std::optional<FilePadding>& padding,
             bool overflow) {
  std::vector<std::vector<TokenWindow>> batch;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string_view second = pairs.empty() ? std::string_view() : pairs[i];
    batch.push_back(encode_windows(tokenizer, texts[i], pairs.empty() ? nullptr : &second, special, truncation));
  }
  if (padding) {
    pad_windows(batch, *padding);
  }
  Json rows = Json::array();
  for (size_t i = 0; i < batch.size(); ++i) {
    for (size_t w = 0; w < (overflow ? batch[i].size() : 1); ++w) {
      rows.push_back(row_of(batch[i][w], i));
    }
  }
  return rows;
}

TEST(Windows, EqualTransformersForEveryOption) {
  const Json all = gold();
  int errors = 0;
  int equal = 0;
  for (const Json& one : all.at("cases")) {
    const Json& options = one.at("options");
    const auto tokenizer = parse_tokenizer(all.at("tokenizers").at(one.at("tokenizer")).dump(), "gold");
    std::vector<std::string> texts;
    std::vector<std::string> pairs;
    for (const size_t i : one.at("of").get<std::vector<size_t>>()) {
      texts.push_back(all.at("texts").at(i));
      if (one.at("pair").get<bool>()) {
        pairs.push_back(all.at("pairs").at(i));
      }
    }
    const auto rows = [&] {
      return rows_of(*tokenizer, texts, pairs, options.value("add_special_tokens", true), truncation_of(options),
                     padding_of(options), options.value("return_overflowing_tokens", false));
    };
    if (!one.contains("error")) {
      EXPECT_TRUE(rows() == one.at("results")) << one.at("tokenizer") << one.at("of") << one.at("pair") << options;
      ++equal;
    } else if (options.value("pad_to_multiple_of", 0) == 0) {  // that contradiction is the command's to refuse
      EXPECT_THROW(rows(), base::Error) << one.at("tokenizer") << one.at("of") << one.at("pair") << options;
      ++errors;
    }
  }
  EXPECT_GT(equal, 100);
  EXPECT_GT(errors, 20);
}

TEST(Windows, SectionsOfTheFileAreTakenAsTokenizersTakesThem) {
  const Json all = gold();
  for (const Json& one : all.at("files")) {
    Json definition = all.at("tokenizers").at("bert");
    definition.update(one.at("change"));
    const auto tokenizer = parse_tokenizer(definition.dump(), "gold");
    EXPECT_EQ(tokenizer->file_truncation().has_value(), !definition.at("truncation").is_null());
    EXPECT_EQ(tokenizer->file_padding().has_value(), !definition.at("padding").is_null());
    const auto pairs =
        one.at("pair").get<bool>() ? all.at("pairs").get<std::vector<std::string>>() : std::vector<std::string>();
    EXPECT_TRUE(rows_of(*tokenizer, all.at("texts").get<std::vector<std::string>>(), pairs, true,
                        tokenizer->file_truncation(), tokenizer->file_padding(), true) == one.at("results"))
        << one.at("change") << one.at("pair");
  }
}

TEST(Windows, SectionsThatMakeNoSenseAreRefused) {
  const Json all = gold();
  const auto refused = [&](const char* section, const Json& value) {
    Json definition = all.at("tokenizers").at("bert");
    definition[section] = value;
    EXPECT_THROW(parse_tokenizer(definition.dump(), "gold"), base::Error) << section << value;
  };
  refused("truncation", {{"max_length", -1}, {"strategy", "LongestFirst"}, {"stride", 0}});
  refused("truncation", {{"max_length", 8}, {"strategy", "Shortest"}, {"stride", 0}});
  refused("truncation", {{"max_length", 8}, {"stride", 1.5}});
  refused("truncation", {{"max_length", 8}, {"direction", "Up"}});
  refused("padding", {{"strategy", "Longest"}});
  refused("padding", {{"strategy", {{"Fixed", "8"}}}});
  refused("padding", {{"strategy", "BatchLongest"}, {"pad_id", 3'000'000'000}});
}

// Every token of the text is in some window, in order, and windows overlap by the stride.
TEST(Windows, CoverTheText) {
  const Json all = gold();
  const auto tokenizer = parse_tokenizer(all.at("tokenizers").at("bert").dump(), "gold");
  const std::string text = all.at("texts").at(3);
  Encoding whole;
  tokenizer->encode(text, {.add_special_tokens = false}, whole);
  for (const bool left : {false, true}) {
    for (int length = 3; length < 40; ++length) {
      for (int stride = 0; stride < length - 2; ++stride) {
        const auto windows = encode_windows(*tokenizer, text, nullptr, true,
                                            FileTruncation{length, stride, TruncationStrategy::kLongestFirst, left});
        std::vector<int32_t> joined;
        for (size_t w = 0; w < windows.size(); ++w) {
          const auto& window = left ? windows[windows.size() - 1 - w] : windows[w];
          ASSERT_LE(window.ids.size(), static_cast<size_t>(length));
          const std::vector<int32_t> inner(window.ids.begin() + 1, window.ids.end() - 1);
          // The overlap of a left window is with the one that comes before it in the text, whatever its size.
          const size_t again = w == 0 ? 0 : std::min({static_cast<size_t>(stride), joined.size()});
          ASSERT_TRUE(std::equal(inner.begin(), inner.begin() + static_cast<std::ptrdiff_t>(again),
                                 joined.end() - static_cast<std::ptrdiff_t>(again)));
          joined.insert(joined.end(), inner.begin() + static_cast<std::ptrdiff_t>(again), inner.end());
        }
        ASSERT_EQ(joined, whole.ids) << length << " " << stride << " " << left;
      }
    }
  }
}

}  // namespace
}  // namespace slipway::text
