#include "stats/streaming.h"

#include "base/random.h"
#include "stats/gold.h"

namespace slipway::stats {
namespace {

template <class Detector>
std::vector<int> detections(Detector detector, const std::vector<double>& values) {
  std::vector<int> at;
  for (size_t i = 0; i < values.size(); ++i) {
    if (detector.add(values[i])) {
      at.push_back(static_cast<int>(i));
    }
  }
  return at;
}

TEST(Streaming, EqualsRiver) {
  SLIPWAY_NEEDS_SHARED(shared);
  const auto gold = tests::gold_file(shared / "reference/gold/drift_streaming_river.json");
  for (const auto& [name, stream] : gold["streams"].items()) {
    SCOPED_TRACE(name);
    const auto x = tests::list<double>(stream["x"]);
    const auto want = [&](const char* key) { return tests::list<int>(stream["expected"][key]["detections"]); };
    EXPECT_EQ(detections(Adwin(), x), want("ADWIN(delta=0.002)"));
    EXPECT_EQ(detections(Adwin({.delta = 0.0001}), x), want("ADWIN(delta=0.0001)"));
    EXPECT_EQ(detections(PageHinkley(), x),
              want("PageHinkley(min_instances=30,delta=0.005,threshold=50,alpha=0.9999,mode=both)"));
    EXPECT_EQ(detections(PageHinkley({.threshold = 20, .mode = PageHinkleyOptions::Mode::kUp}), x),
              want("PageHinkley(threshold=20,mode=up)"));
    Adwin adwin;
    for (const double v : x) {
      adwin.add(v);
    }
    EXPECT_EQ(adwin.width(), stream["expected"]["ADWIN.final"]["width"].get<double>());
    EXPECT_TRUE(tests::close(adwin.mean(), stream["expected"]["ADWIN.final"]["estimation"]));
  }
  for (const auto& [name, stream] : gold["binary"].items()) {
    SCOPED_TRACE(name);
    const auto x = tests::list<double>(stream["x"]);
    EXPECT_EQ(detections(Hddm(), x), tests::list<int>(stream["expected"]["HDDM_A"]["detections"]));
    Hddm hddm;
    int warnings = 0;
    for (const double v : x) {
      hddm.add(v);
      warnings += hddm.warning() ? 1 : 0;
    }
    EXPECT_EQ(warnings, stream["expected"]["HDDM_A"]["n_warnings"].get<int>());
  }
}

TEST(Streaming, FindARiseSoonAndStayQuietBefore) {
  base::Rng rng(4);
  std::vector<double> errors;
  for (int i = 0; i < 4000; ++i) {
    errors.push_back(rng.uniform() < (i < 2000 ? 0.1 : 0.35) ? 1 : 0);
  }
  for (const auto& found : {detections(Adwin(), errors), detections(Hddm(), errors)}) {
    ASSERT_FALSE(found.empty());
    EXPECT_GE(found.front(), 2000);
    EXPECT_LE(found.front(), 2400);
  }
}

TEST(Streaming, AdwinCanKeepTheNewerPart) {
  Adwin adwin({.start_anew = false});
  for (int i = 0; i < 2000; ++i) {
    adwin.add(i < 1000 ? i % 2 : 5 + i % 2);
  }
  EXPECT_NEAR(adwin.mean(), 5.5, 0.05);
  EXPECT_GE(adwin.width(), 900);
  EXPECT_LE(adwin.width(), 1100);
}

TEST(Streaming, TwoSidedHddmFindsAFallToo) {
  base::Rng rng(4);
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i) {
    values.push_back(rng.uniform() < (i < 1500 ? 0.6 : 0.3) ? 1 : 0);
  }
  EXPECT_TRUE(detections(Hddm(), values).empty());
  const auto both = detections(Hddm({.two_sided = true}), values);
  ASSERT_FALSE(both.empty());
  EXPECT_GE(both.front(), 1500);
}

}  // namespace
}  // namespace slipway::stats
