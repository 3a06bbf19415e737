#include "engine/chunk_sizer.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace slipway::engine {
namespace {

TEST(ChunkSizer, PromptsAloneTakeTheWholePass) {
  ChunkSizer sizer(256);
  EXPECT_EQ(sizer.budget(0), 256);
  sizer.record(0, 256, 0.5);
  EXPECT_EQ(sizer.budget(0), 256);
  EXPECT_EQ(ChunkSizer(4).budget(4), 0);
}

// A machine on which a pass takes 10 ms, 1 ms for each stream and 2 ms for each token of a prompt.
TEST(ChunkSizer, BesideStreamsAPassTakesAboutTwiceAsLong) {
  const auto seconds = [](int streams, int tokens) { return 0.010 + 0.001 * streams + 0.002 * tokens; };
  for (const int streams : {1, 8, 16}) {
    ChunkSizer sizer(256);
    sizer.record(0, 64, seconds(0, 64));
    for (int i = 0; i < 50; ++i) {
      sizer.record(streams, 0, seconds(streams, 0));
      const int tokens = sizer.budget(streams);
      sizer.record(streams, tokens, seconds(streams, tokens));
    }
    const int tokens = sizer.budget(streams);
    const double usual = seconds(streams, 0);
    EXPECT_LE(seconds(streams, tokens), 2.05 * usual) << streams;
    EXPECT_GE(seconds(streams, tokens), 1.6 * usual) << streams;
  }
}

// What SmolLM2-135M in 4 bits takes on one thread, in ms by the rows of a pass (steps, where a tile of rows is full).
TEST(ChunkSizer, ALatePromptDoublesGapsAlsoWhereRowsCostInSteps) {
  const std::vector<double> by_rows = {0, 2.3, 2.7, 3.6, 3.9, 5.5, 6.7, 7.2, 7.7, 9.5};
  const auto ms = [&](int rows) { return rows < 10 ? by_rows[static_cast<size_t>(rows)] : 1.03 * rows; };
  ChunkSizer sizer(256);
  sizer.record(0, 32, 15e-3);
  for (int i = 0; i < 20; ++i) {
    sizer.record(1, 0, ms(1) / 1000);
  }
  int left = 512;
  double total = 0;
  std::vector<double> gaps;
  while (left > 0) {
    const int tokens = std::min(left, sizer.budget(1));
    ASSERT_GE(tokens, 1);
    left -= tokens;
    gaps.push_back(ms(1 + tokens));
    total += gaps.back();
    sizer.record(1, tokens, gaps.back() / 1000);
  }
  std::sort(gaps.begin(), gaps.end());
  EXPECT_LE(gaps[gaps.size() / 2], 2.05 * ms(1));
  EXPECT_LE(gaps.back(), 3 * ms(1));
  EXPECT_LE(total, 2 * 512 * 1.03);  // and the prompt takes at most twice what it takes alone
}

TEST(ChunkSizer, APromptAlwaysGetsOn) {
  ChunkSizer sizer(256);
  sizer.record(0, 64, 100);  // a second and a half a token
  sizer.record(1, 0, 1e-6);
  EXPECT_GE(sizer.budget(1), 1);
  EXPECT_LE(sizer.budget(1), 16);
}

}  // namespace
}  // namespace slipway::engine
