#include "stats/sketch.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "stats/gold.h"

namespace slipway::stats {
namespace {

TEST(Histogram, CountsMergesAndRoundTrips) {
  Histogram a({0, 1, 2, 3});
  for (const double v : {-5.0, 0.0, 1.0, 1.5, 3.0, 99.0}) {
    a.add(v);
  }
  a.add(NAN);
  EXPECT_EQ(a.counts(), (std::vector<double>{2, 2, 2}));
  EXPECT_EQ(a.missing(), 1);
  Histogram b = Histogram::from_json(a.to_json(), "test");
  b.merge(a);
  EXPECT_EQ(b.total(), 12);
  EXPECT_EQ(b.missing(), 2);
  EXPECT_THROW(a.merge(Histogram({0, 1})), base::Error);
  EXPECT_THROW(Histogram({1, 0}), base::Error);
  auto json = a.to_json();
  json["counts"] = {1, 2};
  EXPECT_THROW(Histogram::from_json(json, "test"), base::Error);
}

TEST(QuantileSketch, KeepsItsRelativeError) {
  base::Rng rng(3);
  std::vector<double> values;
  QuantileSketch sketch(0.01);
  for (int i = 0; i < 20000; ++i) {
    const double sign = rng.uniform() < 0.3 ? -1 : 1;
    values.push_back(sign * std::exp(2 * rng.normal()));
    sketch.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0}) {
    const double want = values[static_cast<size_t>(q * (static_cast<double>(values.size()) - 1))];
    EXPECT_NEAR(sketch.quantile(q), want, 0.0101 * std::abs(want)) << q;
  }
  EXPECT_EQ(sketch.max(), values.back());
}

TEST(QuantileSketch, MergingIsTheSameAsOneStream) {
  QuantileSketch a;
  QuantileSketch b;
  QuantileSketch all;
  for (int i = 0; i < 1000; ++i) {
    (i % 3 == 0 ? a : b).add(i);
    all.add(i);
  }
  a.merge(b);
  EXPECT_EQ(a.to_json(), all.to_json());
  const QuantileSketch back = QuantileSketch::from_json(base::parse_json(base::dump_json(a.to_json()), "t"), "t");
  EXPECT_EQ(back.quantile(0.7), all.quantile(0.7));
  EXPECT_EQ(back.count(), 1000U);
}

TEST(QuantileSketch, MemoryIsBounded) {
  QuantileSketch sketch(0.01, 64);
  for (int i = -300; i < 300; ++i) {
    sketch.add(std::pow(10.0, i));
  }
  EXPECT_LE(sketch.to_json()["positive"].size(), 64U);
  EXPECT_NEAR(sketch.quantile(1), 1e299, 1e297);
  EXPECT_TRUE(std::isnan(QuantileSketch().quantile(0.5)));
}

TEST(TopCounts, ExactWhileFewAndBoundedWhenMany) {
  TopCounts few(10);
  for (const char* word : {"a", "b", "a", "c", "a", "b"}) {
    few.add(word);
  }
  EXPECT_EQ(few.top(2)[0].key, "a");
  EXPECT_EQ(few.top(2)[0].count, 3U);
  EXPECT_EQ(few.top(2)[1].key, "b");
  EXPECT_EQ(few.total(), 6U);

  TopCounts many(50);
  base::Rng rng(1);
  std::map<std::string, uint64_t> exact;
  for (int i = 0; i < 20000; ++i) {
    const double u = rng.uniform();
    const std::string key = "w" + std::to_string(static_cast<int>(5000 * u * u * u));
    ++exact[key];
    many.add(key);
  }
  for (const auto& entry : many.top(10)) {
    EXPECT_GE(entry.count, exact[entry.key]);
    EXPECT_LE(entry.count - entry.error, exact[entry.key]);
  }
  EXPECT_EQ(many.top(1)[0].key, "w0");
}

TEST(TopCounts, MergesAndRoundTrips) {
  TopCounts a(5);
  TopCounts b(5);
  a.add("x", 3);
  b.add("x", 4);
  b.add("y", 1);
  a.merge(b);
  EXPECT_EQ(a.count("x"), 7U);
  const TopCounts back = TopCounts::from_json(a.to_json(), "test");
  EXPECT_EQ(back.count("y"), 1U);
  EXPECT_EQ(back.total(), 8U);
  EXPECT_THROW(TopCounts::from_json(base::Json::object(), "test"), base::Error);
}

}  // namespace
}  // namespace slipway::stats
