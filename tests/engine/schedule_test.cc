#include "engine/schedule.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

#include "base/random.h"

namespace slipway::engine {
namespace {

std::vector<int> sorted_members(const Schedule& plan) {
  std::vector<int> all;
  for (const auto& pass : plan.passes) {
    EXPECT_FALSE(pass.empty());
    all.insert(all.end(), pass.begin(), pass.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Schedule, EveryTextIsInOnePass) {
  base::Rng rng(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<int> lengths(1 + rng.below(60));
    for (int& length : lengths) {
      length = 1 + static_cast<int>(rng.below(128));
    }
    std::vector<int> expected(lengths.size());
    std::iota(expected.begin(), expected.end(), 0);
    for (const int threads : {1, 2, 7}) {
      EXPECT_EQ(sorted_members(schedule(lengths, threads)), expected);
    }
  }
}

TEST(Schedule, EqualTextsRunSideBySide) {
  const std::vector<int> lengths(8, 16);
  const Schedule plan = schedule(lengths, 2);
  EXPECT_TRUE(plan.side_by_side);
  ASSERT_EQ(plan.passes.size(), 2U);
  EXPECT_EQ(plan.passes[0].size(), 4U);
}

TEST(Schedule, ALoneTextIsShared) {
  const std::vector<int> lengths = {300};
  EXPECT_FALSE(schedule(lengths, 2).side_by_side);
  EXPECT_EQ(schedule(lengths, 2).passes.size(), 1U);
}

TEST(Schedule, ALongTextAmongShortOnesIsShared) {
  const std::vector<int> lengths = {400, 5, 5};
  EXPECT_FALSE(schedule(lengths, 2).side_by_side);
}

TEST(Schedule, MixedLengthsBalance) {
  base::Rng rng(2);
  std::vector<int> lengths(64);
  for (int& length : lengths) {
    length = 4 + static_cast<int>(rng.below(60));
  }
  const Schedule plan = schedule(lengths, 2);
  EXPECT_TRUE(plan.side_by_side);
  std::vector<int> load;
  for (const auto& pass : plan.passes) {
    load.push_back(std::accumulate(pass.begin(), pass.end(), 0, [&](int sum, int i) { return sum + lengths[i]; }));
  }
  EXPECT_LE(*std::max_element(load.begin(), load.end()), *std::min_element(load.begin(), load.end()) + 64);
}

TEST(Schedule, NothingNeedsNoPass) { EXPECT_TRUE(schedule({}, 2).passes.empty()); }

}  // namespace
}  // namespace slipway::engine
