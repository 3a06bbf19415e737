#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "support/support.h"
#include "train/sampler.h"
#include "train/schedule.h"

namespace slipway::train {
namespace {

std::vector<int32_t> random_lengths(int count) {
  base::Rng rng(3);
  std::vector<int32_t> lengths;
  for (int i = 0; i < count; ++i) {
    lengths.push_back(static_cast<int32_t>(3 + rng.below(60)));
  }
  return lengths;
}

TEST(Sampler, UsesEveryRowOnce) {
  for (const bool group : {false, true}) {
    for (const int count : {1, 31, 32, 33, 1000, 5003}) {
      const EpochOrder order = epoch_order(random_lengths(count), {32, group, 1}, 0);
      std::vector<int32_t> rows = order.rows;
      std::sort(rows.begin(), rows.end());
      for (int i = 0; i < count; ++i) {
        ASSERT_EQ(rows[static_cast<size_t>(i)], i);
      }
      ASSERT_EQ(order.batches(), batches_per_epoch(count, 32));
      for (int64_t b = 0; b + 1 < order.batches(); ++b) {
        ASSERT_EQ(order.batch(b).size(), 32U);
      }
    }
  }
}

TEST(Sampler, DependsOnSeedAndEpochAlone) {
  const auto lengths = random_lengths(500);
  EXPECT_EQ(epoch_order(lengths, {16, true, 5}, 2).rows, epoch_order(lengths, {16, true, 5}, 2).rows);
  EXPECT_NE(epoch_order(lengths, {16, true, 5}, 2).rows, epoch_order(lengths, {16, true, 5}, 3).rows);
  EXPECT_NE(epoch_order(lengths, {16, true, 5}, 2).rows, epoch_order(lengths, {16, true, 6}, 2).rows);
}

TEST(Sampler, PutsTextsOfSimilarLengthTogetherButShufflesTheBatches) {
  const auto lengths = random_lengths(3200);
  const EpochOrder order = epoch_order(lengths, {32, true, 1}, 0);
  int64_t spread = 0;
  std::vector<int32_t> firsts;
  for (int64_t b = 0; b < order.batches(); ++b) {
    int32_t low = 1000;
    int32_t high = 0;
    for (const int32_t row : order.batch(b)) {
      low = std::min(low, lengths[static_cast<size_t>(row)]);
      high = std::max(high, lengths[static_cast<size_t>(row)]);
    }
    spread += high - low;
    firsts.push_back(low);
  }
  EXPECT_LE(spread, 3 * order.batches());  // of 60 at random
  EXPECT_FALSE(std::is_sorted(firsts.begin(), firsts.end(), std::greater<>()));
}

TEST(Schedule, IsLinearWithWarmUp) {
  TrainOptions options;
  options.learning_rate = 1;
  options.warmup_ratio = 0.1;
  const Schedule schedule = make_schedule(options, 100);
  EXPECT_EQ(schedule.warmup_steps, 10);
  EXPECT_DOUBLE_EQ(schedule.at(0), 0);
  EXPECT_DOUBLE_EQ(schedule.at(5), 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(10), 1);
  EXPECT_DOUBLE_EQ(schedule.at(55), 0.5);
  EXPECT_NEAR(schedule.at(99), 1.0 / 90, 1e-12);
  EXPECT_DOUBLE_EQ(schedule.at(100), 0);
  EXPECT_DOUBLE_EQ(schedule.at(1000), 0);
}

TEST(Schedule, CosineAndConstant) {
  TrainOptions options;
  options.learning_rate = 2;
  options.warmup_ratio = 0;
  options.scheduler = "cosine";
  EXPECT_DOUBLE_EQ(make_schedule(options, 100).at(0), 2);
  EXPECT_NEAR(make_schedule(options, 100).at(50), 1, 1e-12);
  EXPECT_NEAR(make_schedule(options, 100).at(25), 1 + std::sqrt(0.5), 1e-12);
  options.scheduler = "constant";
  options.warmup_ratio = 0.5;
  EXPECT_DOUBLE_EQ(make_schedule(options, 100).at(25), 1);
  EXPECT_DOUBLE_EQ(make_schedule(options, 100).at(5000), 2);
}

TEST(Schedule, RoundsTheWarmUpUpAndStandsOneStep) {
  TrainOptions options;
  options.learning_rate = 1;
  options.warmup_ratio = 0.01;
  EXPECT_EQ(make_schedule(options, 50).warmup_steps, 1);
  options.warmup_ratio = 1;
  EXPECT_DOUBLE_EQ(make_schedule(options, 1).at(0), 0);
}

}  // namespace
}  // namespace slipway::train
