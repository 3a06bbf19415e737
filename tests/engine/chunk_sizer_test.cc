#include "engine/chunk_sizer.h"

#include <gtest/gtest.h>

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
    if (tokens > 8) {
      EXPECT_LE(seconds(streams, tokens), 2.05 * usual) << streams;
      EXPECT_GE(seconds(streams, tokens), 1.6 * usual) << streams;
    }
  }
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
