#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::engine {
namespace {

using Distribution = std::vector<std::pair<int32_t, double>>;

std::vector<float> random_logits(base::Rng& rng, size_t n) {
  std::vector<float> logits(n);
  for (float& logit : logits) {
    logit = static_cast<float>(4 * rng.normal());
  }
  return logits;
}

Distribution distribution_of(const SamplingParams& params, std::vector<float> logits) {
  std::vector<Candidate> scratch;
  return Sampler(params, {}, {}, 1).distribution(logits, scratch);
}

int32_t sample_once(Sampler& sampler, std::vector<float> logits) {
  std::vector<Candidate> scratch;
  return sampler.sample(logits, scratch).id;
}

SamplingParams params_from(const base::Json& json) {
  SamplingParams params;
  params.temperature = json.value("temperature", 1.0);
  params.top_k = json.value("top_k", 0);
  params.top_p = json.value("top_p", 1.0);
  params.min_p = json.value("min_p", 0.0);
  params.typical_p = json.value("typical_p", 1.0);
  params.repetition_penalty = json.value("repetition_penalty", 1.0);
  params.logit_bias = json.value("logit_bias", std::vector<std::pair<int32_t, double>>{});
  return params;
}

// The gold file's context is prompt and output; a repetition penalty treats both alike.
TEST(Sampler, LeavesWhatTransformersLeaves) {
  const base::Json cases =
      base::parse_json(base::read_file(tests::source_dir() / "tests/gold/sampling.json"), "sampling.json");
  ASSERT_GE(cases.size(), 40U);
  for (const base::Json& c : cases) {
    SCOPED_TRACE(c["params"].dump() + " seed " + c["seed"].dump());
    std::vector<float> logits(64);
    for (size_t i = 0; i < logits.size(); ++i) {
      const double x = 8 * std::sin(12.9898 * static_cast<double>(i + 1) * (c["seed"].get<double>() + 1));
      logits[i] = static_cast<float>(std::round(x * 1024) / 1024);
    }
    auto context = c["prompt"].get<std::vector<int32_t>>();
    const auto output = c["output"].get<std::vector<int32_t>>();
    context.insert(context.end(), output.begin(), output.end());
    std::vector<Candidate> scratch;
    const Distribution got = Sampler(params_from(c["params"]), context, {}, 1).distribution(logits, scratch);
    const auto expected = c["kept"].get<Distribution>();
    // Far down in the tail transformers' f32 softmax has zeros where a double still has 1e-46: not drawn by either.
    size_t count = 0;
    for (; count < got.size() && got[count].second > 1e-30; ++count) {
    }
    ASSERT_EQ(count, static_cast<size_t>(std::count_if(expected.begin(), expected.end(),
                                                       [](const auto& e) { return e.second > 1e-30; })));
    for (size_t i = 0; i < count; ++i) {
      EXPECT_NEAR(got[i].second, expected[i].second, 2e-6 * expected[i].second) << i;  // f32 logits, 20 times e^x
      EXPECT_EQ(got[i].first, expected[i].first) << i;
    }
  }
}

TEST(Sampler, GreedyTakesTheFirstOfTheLargest) {
  SamplingParams params;
  params.temperature = 0;
  Sampler sampler(params, {}, {}, 1);
  EXPECT_EQ(sample_once(sampler, {1, 5, 3, 5}), 1);
  EXPECT_EQ(sample_once(sampler, {-3, -2, -2}), 1);
}

// Every filter keeps a beginning of the order by probability (typical aside), never nothing, and what it keeps has the
// same ratios as before.
TEST(Sampler, FiltersKeepTheLikeliestAndTheirRatios) {
  base::Rng rng(3);
  for (int round = 0; round < 200; ++round) {
    const std::vector<float> logits = random_logits(rng, 1 + rng.below(3000));
    SamplingParams params;
    params.temperature = 0.1 + 2 * rng.uniform();
    const Distribution all = distribution_of(params, logits);
    ASSERT_EQ(all.size(), logits.size());
    if (rng.below(2) == 0) {
      params.top_k = 1 + static_cast<int>(rng.below(50));
    }
    if (rng.below(2) == 0) {
      params.top_p = rng.uniform();
    }
    if (rng.below(2) == 0) {
      params.min_p = rng.uniform() * 0.5;
    }
    const Distribution kept = distribution_of(params, logits);
    ASSERT_FALSE(kept.empty());
    double sum = 0;
    for (size_t i = 0; i < kept.size(); ++i) {
      ASSERT_EQ(kept[i].first, all[i].first);
      ASSERT_NEAR(kept[i].second / kept[0].second, all[i].second / all[0].second, 1e-9);
      sum += kept[i].second;
    }
    EXPECT_NEAR(sum, 1, 1e-9);
    if (params.top_k > 0) {
      EXPECT_LE(kept.size(), static_cast<size_t>(params.top_k));
    }
    if (params.top_k == 0 && params.min_p == 0 && params.top_p < 1) {
      double mass = 0;
      for (size_t i = 0; i + 1 < kept.size(); ++i) {
        mass += all[i].second;
      }
      EXPECT_LT(mass, params.top_p + 1e-6);
      EXPECT_GE(mass + all[kept.size() - 1].second, params.top_p - 1e-6);
    }
  }
}

// Draws follow the distribution: a chi-square over 20,000 draws, with and without filters.
TEST(Sampler, DrawsFollowTheDistribution) {
  base::Rng rng(5);
  const std::vector<float> logits = random_logits(rng, 40);
  for (const int top_k : {0, 8}) {
    SamplingParams params;
    params.temperature = 2;
    params.top_k = top_k;
    const Distribution expected = distribution_of(params, logits);
    Sampler sampler(params, {}, {}, 11);
    std::map<int32_t, int> counts;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      ++counts[sample_once(sampler, logits)];
    }
    double chi = 0;
    for (const auto& [id, p] : expected) {
      const double e = p * kDraws;
      chi += (counts[id] - e) * (counts[id] - e) / e;
    }
    // 39 degrees of freedom: 99.99 % of such sums are below 80.
    EXPECT_LT(chi, 80) << top_k;
    for (const auto& [id, count] : counts) {
      EXPECT_TRUE(std::any_of(expected.begin(), expected.end(), [id = id](const auto& e) { return e.first == id; }));
    }
  }
}

TEST(Sampler, SameSeedSameTokens) {
  base::Rng rng(7);
  std::vector<std::vector<float>> steps;
  for (int i = 0; i < 50; ++i) {
    steps.push_back(random_logits(rng, 100));
  }
  const auto run = [&](uint64_t seed) {
    Sampler sampler({}, {}, {}, seed);
    std::vector<int32_t> ids;
    for (const auto& logits : steps) {
      ids.push_back(sample_once(sampler, logits));
    }
    return ids;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(Sampler, FrequencyAndPresenceCountTheOutputAlone) {
  SamplingParams params;
  params.temperature = 0;
  params.frequency_penalty = 1;
  params.presence_penalty = 0.5;
  const std::vector<int32_t> prompt = {0, 0, 0};
  Sampler sampler(params, prompt, {}, 1);
  const std::vector<float> logits = {10, 9, 7.6F};
  EXPECT_EQ(sample_once(sampler, logits), 0);  // the prompt does not count
  EXPECT_EQ(sample_once(sampler, logits), 1);  // 8.5, 9, 7.6
  EXPECT_EQ(sample_once(sampler, logits), 0);  // 8.5, 7.5, 7.6
  EXPECT_EQ(sample_once(sampler, logits), 2);  // 7.5, 7.5, 7.6
}

TEST(Sampler, EndTokensWaitForMinTokens) {
  SamplingParams params;
  params.temperature = 0;
  params.min_tokens = 2;
  const std::vector<int32_t> ends = {1};
  Sampler sampler(params, {}, ends, 1);
  const std::vector<float> logits = {1, 9, 2};
  EXPECT_EQ(sample_once(sampler, logits), 2);
  EXPECT_EQ(sample_once(sampler, logits), 2);
  EXPECT_EQ(sample_once(sampler, logits), 1);
}

TEST(Sampler, LogprobsAreTheModelsOwn) {
  SamplingParams params;
  params.temperature = 0;
  params.top_logprobs = 2;
  params.logit_bias = {{0, 100.0}};
  Sampler sampler(params, {}, {}, 1);
  std::vector<float> logits = {0, std::log(2.0F), std::log(5.0F)};
  std::vector<Candidate> scratch;
  const Sampled sampled = sampler.sample(logits, scratch);
  EXPECT_EQ(sampled.id, 0);  // the bias chose it
  EXPECT_NEAR(sampled.logprob, std::log(1.0 / 8), 1e-6);
  ASSERT_EQ(sampled.likely.size(), 2U);
  EXPECT_EQ(sampled.likely[0].first, 2);
  EXPECT_NEAR(sampled.likely[0].second, std::log(5.0 / 8), 1e-6);
  EXPECT_EQ(sampled.likely[1].first, 1);
}

TEST(Sampler, TheChosenTokensLogprobAloneIsThereToo) {
  SamplingParams params;
  params.temperature = 0;
  params.top_logprobs = 0;
  Sampler sampler(params, {}, {}, 1);
  std::vector<float> logits = {0, std::log(2.0F), std::log(5.0F)};
  std::vector<Candidate> scratch;  // empty: nothing may be read before its beginning
  const Sampled sampled = sampler.sample(logits, scratch);
  EXPECT_EQ(sampled.id, 2);
  EXPECT_NEAR(sampled.logprob, std::log(5.0 / 8), 1e-6);
  EXPECT_TRUE(sampled.likely.empty());
}

TEST(Sampler, DamagedLogitsAreAnError) {
  for (const float bad : {NAN, INFINITY}) {
    Sampler sampler({}, {}, {}, 1);
    EXPECT_THROW(sample_once(sampler, {1, bad, 2}), base::Error);
    SamplingParams greedy;
    greedy.temperature = 0;
    Sampler greedy_sampler(greedy, {}, {}, 1);
    EXPECT_THROW(sample_once(greedy_sampler, {bad, bad, bad}), base::Error);
  }
  Sampler sampler({}, {}, {}, 1);
  EXPECT_EQ(sample_once(sampler, {-INFINITY, -INFINITY, 2}), 2);
}

TEST(Sampler, RefusesParametersOutOfRange) {
  const auto refuses = [](const auto& change) {
    SamplingParams params;
    change(params);
    EXPECT_THROW(check_sampling(params, 10), base::Error);
  };
  EXPECT_NO_THROW(check_sampling({}, 10));
  refuses([](SamplingParams& p) { p.temperature = -1; });
  refuses([](SamplingParams& p) { p.temperature = NAN; });
  refuses([](SamplingParams& p) { p.top_p = 1.5; });
  refuses([](SamplingParams& p) { p.top_k = -1; });
  refuses([](SamplingParams& p) { p.repetition_penalty = 0; });
  refuses([](SamplingParams& p) { p.logit_bias = {{10, 1.0}}; });
  refuses([](SamplingParams& p) { p.stop_token_ids = {-1}; });
  refuses([](SamplingParams& p) { p.stop = {""}; });
  refuses([](SamplingParams& p) { p.top_logprobs = 21; });
}

}  // namespace
}  // namespace slipway::engine
