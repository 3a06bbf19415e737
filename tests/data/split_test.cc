#include "data/split.h"

#include "data/helpers.h"

namespace slipway::data {
namespace {

std::vector<SplitKey> make_keys(size_t count, uint64_t seed) {
  std::vector<SplitKey> keys;
  for (size_t i = 0; i < count; ++i) {
    keys.push_back({split_position(fmt::format("doc-{}", i), seed), static_cast<uint32_t>(i % 4 == 0)});
  }
  return keys;
}

std::vector<int> counts(const std::vector<Split>& splits) {
  std::vector<int> counts(kSplits);
  for (const Split split : splits) {
    ++counts[static_cast<size_t>(split)];
  }
  return counts;
}

TEST(Split, SharesAreNearTheirExpectation) {
  const auto splits = assign_splits(make_keys(20000, 7), {});
  EXPECT_NEAR(counts(splits)[0], 16000, 4 * std::sqrt(20000 * 0.8 * 0.2));
  EXPECT_NEAR(counts(splits)[1], 2000, 4 * std::sqrt(20000 * 0.1 * 0.9));
}

TEST(Split, NewDocumentsNeverMoveOldOnes) {
  const auto before = assign_splits(make_keys(1000, 7), {});
  const auto after = assign_splits(make_keys(3000, 7), {});
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
}

TEST(Split, TheSeedDecides) {
  EXPECT_NE(assign_splits(make_keys(100, 7), {}), assign_splits(make_keys(100, 8), {}));
  EXPECT_EQ(assign_splits(make_keys(100, 7), {}), assign_splits(make_keys(100, 7), {}));
}

TEST(Split, ExactQuotasHoldPerLabel) {
  const auto keys = make_keys(1000, 7);
  const auto splits = assign_splits(keys, {.exact = true});
  std::map<std::pair<uint32_t, Split>, int> table;
  for (size_t i = 0; i < keys.size(); ++i) {
    ++table[{keys[i].label, splits[i]}];
  }
  EXPECT_EQ((table[{0, Split::kTrain}]), 600);
  EXPECT_EQ((table[{0, Split::kValidation}]), 75);
  EXPECT_EQ((table[{1, Split::kTrain}]), 200);
  EXPECT_EQ((table[{1, Split::kTest}]), 25);
}

TEST(Split, ClustersAndPinsStay) {
  auto keys = make_keys(100, 7);
  for (size_t i = 0; i < 50; ++i) {
    keys[i].position = 0.5;
    keys[i].label = 0;
  }
  keys[99].pinned = static_cast<int8_t>(Split::kTest);
  for (const bool exact : {false, true}) {
    const auto splits = assign_splits(keys, {.exact = exact});
    EXPECT_EQ(splits[99], Split::kTest);
    for (size_t i = 1; i < 50; ++i) {
      EXPECT_EQ(splits[i], splits[0]);
    }
  }
}

TEST(Split, ASplitOfShareNoughtIsEmpty) {
  const SplitOptions options = parse_split_options({{"train", 0.7}, {"validation", 0.3}}, "t");
  EXPECT_EQ(options.test, 0);
  EXPECT_EQ(counts(assign_splits(make_keys(5000, 1), options))[2], 0);
  EXPECT_EQ(split_at(0.999999999999, options), Split::kValidation);
}

TEST(SplitOptions, SharesMustSumToOne) {
  EXPECT_HAS(error_of(base::Code::kInvalid,
                      [] {
                        parse_split_options({{"train", 0.8}, {"test", 0.1}}, "data.split");
                      }),
             "data.split: train 0.8 + validation 0 + test 0.1 must be 1");
  EXPECT_HAS(error_of(base::Code::kInvalid,
                      [] {
                        parse_split_options({{"tarin", 0.8}}, "t");
                      }),
             "did you mean 'train'?");
  EXPECT_NEAR(parse_split_options({{"test", 0.25}}, "t").train, 0.75, 1e-12);
  const SplitOptions options = parse_split_options({{"seed", 9}, {"exact", true}}, "t");
  EXPECT_EQ(to_json(parse_split_options(to_json(options), "t")), to_json(options));
}

TEST(Split, NamesAreKnown) {
  EXPECT_EQ(split_from_name("validation"), Split::kValidation);
  EXPECT_THROW(split_from_name("dev"), base::Error);
}

}  // namespace
}  // namespace slipway::data
