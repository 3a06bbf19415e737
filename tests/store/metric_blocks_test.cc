// Points of metrics lie in rows and in blocks, and are told as if all were rows.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <tuple>

#include "store/fixture.h"
#include "store/metric_blocks.h"

namespace slipway::store {
namespace {

using record::MetricPoint;
using record::MetricSample;

// What the two forms must agree on, NaN as zero behind zero.
auto place(const MetricSample& a) {
  const bool nan = std::isnan(a.value);
  return std::tuple(a.time_ms, a.step, nan ? 0 : a.value, nan);
}

class MetricBlocks : public StoreTest {
 protected:
  MetricBlocks() { store_->runs().create_run(run("a")); }
  void log(const std::vector<MetricPoint>& points) { store_->tracking().runs().log("a", {points, {}, {}}); }
  std::vector<MetricSample> history(record::HistoryQuery query = {}) {
    query.run_id = "a";
    query.key = query.key.empty() ? "m" : query.key;
    return store_->tracking().runs().history(query).items;
  }
  std::string count(const std::string& table) { return database()->scalar(("SELECT count(*) FROM " + table).c_str()); }
  static std::vector<MetricPoint> steps(int first, int count, const std::string& key = "m") {
    std::vector<MetricPoint> points;
    for (int i = first; i < first + count; ++i) {
      points.push_back({key, i / 7.0, i, 10 * i});
    }
    return points;
  }
};

TEST_F(MetricBlocks, ManyPointsOfAMetricAreOneRowAndFewAreARowEach) {
  log(steps(0, 100));
  EXPECT_EQ(count("metric_blocks"), "1");
  EXPECT_EQ(count("metrics"), "0");
  log(steps(0, static_cast<int>(kBlockPoints) - 1, "few"));
  EXPECT_EQ(count("metric_blocks"), "1");
  EXPECT_EQ(count("metrics"), std::to_string(kBlockPoints - 1));
  const auto points = history();
  ASSERT_EQ(points.size(), 100U);
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points[i].step, static_cast<int64_t>(i));
    EXPECT_EQ(points[i].time_ms, static_cast<int64_t>(10 * i));
    EXPECT_EQ(points[i].value, static_cast<double>(i) / 7.0);
  }
}

TEST_F(MetricBlocks, ARepeatedBatchChangesNothing) {
  auto points = steps(0, 50);
  log(points);
  log(points);
  std::reverse(points.begin(), points.end());
  log(points);  // the same points in another order
  EXPECT_EQ(count("metric_blocks"), "1");
  EXPECT_EQ(history().size(), 50U);
}

TEST_F(MetricBlocks, APointOfSeveralBatchesIsToldOnce) {
  log(steps(0, 40));
  log(steps(20, 40));  // half of it again
  log(steps(59, 2));   // one that a block has, and a new one, as rows
  log({{"m", 0.5, 3, 30}});  // another value at the same place
  const auto points = history();
  ASSERT_EQ(points.size(), 62U);
  EXPECT_TRUE(std::is_sorted(points.begin(), points.end(), [](const auto& a, const auto& b) { return place(a) < place(b); }));
  EXPECT_EQ(store_->runs().metrics("a", "m").size(), 62U);
}

TEST_F(MetricBlocks, NanIsOneValueAndZeroHasNoSign) {
  std::vector<MetricPoint> points;
  const double other_nan = std::bit_cast<double>(std::bit_cast<uint64_t>(std::nan("")) ^ (uint64_t{1} << 63) ^ 5);
  for (int i = 0; i < 10; ++i) {
    points.insert(points.end(), {{"m", std::nan(""), 1, 1}, {"m", other_nan, 1, 1}, {"m", 0.0, 1, 1}, {"m", -0.0, 1, 1}});
  }
  log(points);
  const auto kept = history();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].value, 0);
  EXPECT_FALSE(std::signbit(kept[0].value));
  EXPECT_TRUE(std::isnan(kept[1].value));
  log({{"m", std::nan(""), 1, 1}, {"m", 0, 1, 1}});  // as rows
  EXPECT_EQ(history().size(), 2U);
}

TEST_F(MetricBlocks, PagesStepsAndSamplesAreThoseOfRows) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  // The same points in blocks ("m") and one by one ("row"), in no order, with repetitions.
  std::vector<MetricPoint> points;
  for (int i = 0; i < 300; ++i) {
    const auto draw = [&](uint32_t below) { return static_cast<int64_t>(random() % below); };
    points.push_back({"m", draw(9) == 0 ? std::nan("") : static_cast<double>(draw(4)), draw(40), draw(60)});
  }
  for (size_t i = 0; i < points.size(); i += 60) {
    log({points.begin() + static_cast<std::ptrdiff_t>(i), points.begin() + static_cast<std::ptrdiff_t>(i + 60)});
  }
  for (MetricPoint& point : points) {
    point.key = "row";
  }
  for (size_t i = 0; i < points.size(); i += 6) {
    log({points.begin() + static_cast<std::ptrdiff_t>(i), points.begin() + static_cast<std::ptrdiff_t>(i + 6)});
  }
  const auto same = [&](record::HistoryQuery query) {
    query.run_id = "a";
    query.key = "m";
    const auto packed = store_->tracking().runs().history(query);
    query.key = "row";
    const auto rows = store_->tracking().runs().history(query);
    return packed.more == rows.more &&
           std::equal(packed.items.begin(), packed.items.end(), rows.items.begin(), rows.items.end(),
                      [](const auto& a, const auto& b) { return place(a) == place(b); });
  };
  EXPECT_EQ(count("metric_blocks"), "5");
  EXPECT_TRUE(same({}));
  for (const int64_t limit : {1, 7, 100, 1000}) {
    for (const int64_t offset : {0, 3, 99, 100, 290, 5000}) {
      EXPECT_TRUE(same({{}, {}, std::nullopt, 0, offset, limit})) << offset << " " << limit;
    }
  }
  EXPECT_TRUE(same({{}, {}, std::pair<int64_t, int64_t>(5, 17), 0, 2, 30}));
  for (const int64_t samples : {1, 10, 77, 400}) {
    EXPECT_TRUE(same({{}, {}, std::nullopt, samples, 0, 0})) << samples;
    EXPECT_TRUE(same({{}, {}, std::pair<int64_t, int64_t>(5, 17), samples, 0, 0})) << samples;
  }
}

TEST_F(MetricBlocks, TheLatestMetricIsTheHighestOfABlock) {
  auto points = steps(0, 30);
  std::reverse(points.begin(), points.end());
  log(points);
  EXPECT_EQ(store_->tracking().runs().find("a")->metrics.at(0).step, 29);
  log(steps(0, 20));  // nothing newer
  EXPECT_EQ(store_->tracking().runs().find("a")->metrics.at(0).step, 29);
}

TEST_F(MetricBlocks, AllMetricsOfARunComeInOrderOfStepTimeAndName) {
  log(steps(0, 20, "b"));
  log(steps(0, 3, "a"));
  store_->runs().log_metrics("a", steps(100, 30, "c"));
  const auto all = store_->runs().metrics("a", "");
  ASSERT_EQ(all.size(), 53U);
  EXPECT_EQ(all[0].key, "a");
  EXPECT_EQ(all[1].key, "b");
  EXPECT_EQ(all.back().step, 129);
}

TEST_F(MetricBlocks, ABlockThatIsCutIsToldNotRead) {
  log(steps(0, 20));
  database()->prepare("UPDATE metric_blocks SET points = ?").bind(std::string(100, 'x')).run();
  EXPECT_EQ(error_of([&] { history(); }).code(), base::Code::kIntegrity);
}

}  // namespace
}  // namespace slipway::store
