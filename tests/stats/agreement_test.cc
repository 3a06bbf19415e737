#include "stats/agreement.h"

#include <gtest/gtest.h>
#include <map>

#include "base/error.h"
#include "stats/distributions.h"
#include "stats/gold.h"
#include "stats/span_agreement.h"

namespace slipway::stats {
namespace {

using base::Json;
using tests::close;

// irrCAC rounds to 14 decimals, and sums in another order.
constexpr double kTolerance = 1e-9;

Json gold(const char* key) { return tests::gold_file(tests::source_dir() / "tests/gold/agreement.json")[key]; }

Ratings ratings_of(const Json& one) {
  Ratings ratings(one["scale"].get<std::vector<double>>());
  for (const Json& row : one["ratings"]) {
    std::vector<Ratings::Answer> answers;
    for (size_t annotator = row.size(); annotator-- > 0;) {  // in any order
      if (!row[annotator].is_null()) {
        answers.push_back({static_cast<int>(annotator), row[annotator].get<int>()});
      }
    }
    ratings.add(answers);
  }
  return ratings;
}

void expect_value(const Interval& got, const Json& want, const std::string& what) {
  SCOPED_TRACE(what);
  if (want.is_null()) {
    return;
  }
  EXPECT_TRUE(close(got.value, want.get<double>(), kTolerance));
  EXPECT_LE(got.low, got.value);
  EXPECT_GE(got.high, got.value);
}

const std::map<std::string, MeasureLevel> kLevels = {
    {"nominal", MeasureLevel::kNominal}, {"ordinal", MeasureLevel::kOrdinal}, {"interval", MeasureLevel::kInterval}, {"ratio", MeasureLevel::kRatio}};

TEST(Agreement, EqualsKrippendorffIrrCacAndScikitLearn) {
  const Json cases = gold("agreement");
  ASSERT_EQ(cases.size(), 9U);
  AgreementOptions quick;
  quick.bootstrap.resamples = 20;
  for (const Json& one : cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    const Ratings ratings = ratings_of(one);
    for (const auto& [name, level] : kLevels) {
      const Agreement got = agreement(ratings, level, quick);
      const Json& want = one["expected"][name];
      expect_value(got.fleiss, want["fleiss"], "fleiss " + name);
      expect_value(got.gwet, want["gwet"], "gwet " + name);
      expect_value(got.alpha, want["alpha"], "alpha " + name);
      expect_value(got.raw, one["expected"]["raw"], "raw");
    }
    for (size_t weights = 0; weights < 3; ++weights) {
      const std::vector<PairAgreement> pairs = pair_agreement(ratings, static_cast<KappaWeights>(weights), quick);
      const Json& want = one["expected"]["pairs"];
      ASSERT_EQ(pairs.size(), want.size());
      for (size_t i = 0; i < pairs.size(); ++i) {
        EXPECT_EQ(pairs[i].first, want[i][0].get<int>());
        EXPECT_EQ(pairs[i].second, want[i][1].get<int>());
        EXPECT_EQ(pairs[i].raw.n, want[i][2].get<int64_t>());
        EXPECT_TRUE(close(pairs[i].raw.value, want[i][3].get<double>()));
        expect_value(pairs[i].kappa, want[i][4 + weights], "kappa");
      }
    }
  }
}

TEST(Agreement, TheJackknifeIsThatOfLeavingEachItemOut) {
  const Json one = gold("agreement")[0];
  AgreementOptions options;
  options.bootstrap.resamples = 0;
  const Agreement got = agreement(ratings_of(one), MeasureLevel::kNominal, options);
  const double z = normal_quantile(0.975);
  const Interval* intervals[] = {&got.raw, &got.fleiss, &got.alpha, &got.gwet};
  for (size_t i = 0; i < 4; ++i) {
    const auto error = one["jackknife"][i].get<double>();
    EXPECT_TRUE(close(intervals[i]->value - intervals[i]->low, z * error, 1e-8));
    EXPECT_TRUE(close(intervals[i]->high - intervals[i]->value, z * error, 1e-8));
    EXPECT_EQ(intervals[i]->n, 40);
  }
  options.bootstrap.resamples = 2000;  // of the same width, nearly
  const Agreement drawn = agreement(ratings_of(one), MeasureLevel::kNominal, options);
  EXPECT_NEAR(drawn.alpha.high - drawn.alpha.low, got.alpha.high - got.alpha.low, 0.05);
  options.bootstrap_items = 39;
  EXPECT_EQ(agreement(ratings_of(one), MeasureLevel::kNominal, options).alpha.low, got.alpha.low);
}

TEST(Agreement, WhatIsNotDefinedIsNoNumber) {
  Ratings nobody(3);
  EXPECT_TRUE(std::isnan(agreement(nobody).raw.value));
  EXPECT_TRUE(pair_agreement(nobody).empty());
  Ratings alone(3);
  for (int i = 0; i < 3; ++i) {
    alone.add(std::vector<Ratings::Answer>{{0, i}});
  }
  alone.add({});
  const Agreement once = agreement(alone);
  EXPECT_TRUE(std::isnan(once.raw.value));
  EXPECT_TRUE(std::isnan(once.alpha.low));
  EXPECT_EQ(once.answers, 3);
  EXPECT_EQ(once.annotators, 1);
  Ratings same(2);
  for (int i = 0; i < 5; ++i) {
    same.add(std::vector<Ratings::Answer>{{0, 1}, {3, 1}});
  }
  const Agreement one_category = agreement(same);
  EXPECT_EQ(one_category.raw.value, 1);
  EXPECT_TRUE(std::isnan(one_category.fleiss.value));
  EXPECT_TRUE(std::isnan(one_category.alpha.value));
  EXPECT_EQ(one_category.gwet.value, 1);  // Gwet's point: rare categories do not make agreement undefined
  EXPECT_EQ(one_category.annotators, 2);
  EXPECT_TRUE(std::isnan(pair_agreement(same)[0].kappa.value));
}

TEST(Agreement, RefusesWhatIsNoRating) {
  Ratings ratings(2);
  EXPECT_THROW(ratings.add(std::vector<Ratings::Answer>{{0, 2}}), base::Error);
  EXPECT_THROW(ratings.add(std::vector<Ratings::Answer>{{-1, 0}}), base::Error);
  EXPECT_THROW(ratings.add(std::vector<Ratings::Answer>{{0, 0}, {0, 1}}), base::Error);
  EXPECT_EQ(ratings.items(), 0);
  EXPECT_THROW(Ratings(0), base::Error);
  EXPECT_THROW(Ratings({1.0, 1.0}), base::Error);
  EXPECT_THROW(agreement(Ratings({-1.0, 1.0}), MeasureLevel::kRatio), base::Error);
  EXPECT_THROW(agreement(Ratings(1001), MeasureLevel::kOrdinal), base::Error);
  EXPECT_THROW(cohen_kappa(std::vector<double>{1, 2, 3}, 2), base::Error);
  EXPECT_TRUE(close(cohen_kappa(std::vector<double>{20, 5, 10, 15}, 2), 0.4));  // Wikipedia's example
}

TEST(Agreement, ALabelAgainstAllOthers) {
  Ratings ratings(3);
  ratings.add(std::vector<Ratings::Answer>{{0, 0}, {1, 2}});
  ratings.add(std::vector<Ratings::Answer>{{0, 1}, {1, 1}});
  ratings.add(std::vector<Ratings::Answer>{{0, 2}, {1, 0}});
  EXPECT_NEAR(agreement(ratings).raw.value, 1.0 / 3, 1e-12);
  EXPECT_EQ(agreement(ratings.one_against_others(1)).raw.value, 1);
  EXPECT_NEAR(agreement(ratings.one_against_others(0)).raw.value, 1.0 / 3, 1e-12);
}

TEST(SpanAgreement, CountsAsSetsOfSpansAndCharactersDo) {
  const Json cases = gold("spans");
  ASSERT_EQ(cases.size(), 12U);
  std::vector<SpanPairCounts> texts;
  for (const Json& one : cases) {
    std::vector<LabelledSpan> lists[2];
    for (size_t side = 0; side < 2; ++side) {
      for (const Json& span : one[side == 0 ? "a" : "b"]) {
        lists[side].push_back({span[0].get<size_t>(), span[1].get<size_t>(), span[2].get_ref<const std::string&>()});
      }
    }
    lists[0].push_back({5, 5, "A"});  // empty: not counted
    const SpanPairCounts got = count_span_pair(lists[0], lists[1]);
    const std::vector<int64_t> counts = {got.first, got.second, got.exact, got.first_met, got.second_met, got.first_characters, got.second_characters, got.shared_characters};
    EXPECT_EQ(counts, one["counts"].get<std::vector<int64_t>>());
    texts.push_back(got);
  }
  double sums[8] = {};
  for (const Json& one : cases) {
    for (size_t i = 0; i < 8; ++i) {
      sums[i] += one["counts"][i].get<double>();
    }
  }
  const SpanAgreement all = span_agreement(texts);
  EXPECT_TRUE(close(all.exact.value, 2 * sums[2] / (sums[0] + sums[1])));
  EXPECT_TRUE(close(all.characters.value, 2 * sums[7] / (sums[5] + sums[6])));
  const double a = sums[3] / sums[0];
  const double b = sums[4] / sums[1];
  EXPECT_TRUE(close(all.overlap.value, 2 * a * b / (a + b)));
  EXPECT_LT(all.exact.low, all.exact.value);
  EXPECT_EQ(all.exact.n, 12);
  EXPECT_TRUE(std::isnan(span_agreement(std::vector<SpanPairCounts>(3)).exact.value));
  EXPECT_TRUE(std::isnan(span_agreement({}).exact.value));
}

}  // namespace
}  // namespace slipway::stats
