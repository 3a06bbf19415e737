#include "stats/span_quality.h"

#include <gtest/gtest.h>
#include <vector>

namespace slipway::stats {
namespace {

TEST(SpanQuality, CountsExactSpansOnce) {
  SpanQuality quality;
  const std::vector<LabelledSpan> gold = {{0, 2, "PER"}, {3, 4, "LOC"}, {5, 6, "PER"}};
  const std::vector<LabelledSpan> predicted = {{0, 2, "PER"}, {3, 4, "ORG"}, {5, 7, "PER"}, {8, 9, "LOC"}};
  quality.add(gold, predicted);
  quality.add(gold, gold);
  EXPECT_EQ(quality.total().gold, 6);
  EXPECT_EQ(quality.total().predicted, 7);
  EXPECT_EQ(quality.total().correct, 4);
  EXPECT_DOUBLE_EQ(quality.total().precision(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(quality.total().recall(), 4.0 / 6);
  EXPECT_DOUBLE_EQ(quality.total().f1(), 8.0 / 13);
  EXPECT_EQ(quality.by_label().at("PER").correct, 3);
  EXPECT_EQ(quality.by_label().at("ORG").gold, 0);
  EXPECT_DOUBLE_EQ(quality.by_label().at("ORG").f1(), 0);
}

TEST(SpanQuality, NothingIsZeroNotANumber) {
  SpanQuality quality;
  quality.add({}, {});
  EXPECT_EQ(quality.total().f1(), 0);
  EXPECT_EQ(quality.total().precision(), 0);
  EXPECT_EQ(quality.total().recall(), 0);
}

}  // namespace
}  // namespace slipway::stats
