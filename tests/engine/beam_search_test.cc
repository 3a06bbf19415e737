#include "engine/beam_search.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "engine/token_rules.h"

namespace slipway::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr int kEnd = 0;

std::vector<float> log_softmax(std::vector<float> x) {
  double sum = 0;
  for (const float v : x) {
    sum += std::exp(static_cast<double>(v));
  }
  for (float& v : x) {
    v -= static_cast<float>(std::log(sum));
  }
  return x;
}

// A model of random log-probabilities that depend on the last two tokens.
std::vector<float> next_of(const std::vector<int32_t>& ids, int vocab) {
  base::Rng rng(static_cast<uint64_t>(ids.back() * 31 + (ids.size() > 1 ? ids[ids.size() - 2] : 0)));
  std::vector<float> x;
  for (int i = 0; i < vocab; ++i) {
    x.push_back(static_cast<float>(3 * rng.uniform()));
  }
  return log_softmax(x);
}

std::vector<Hypothesis> search(const BeamOptions& options, int vocab) {
  const std::vector<int32_t> prompt = {1};
  BeamSearch beams(options, prompt);
  std::vector<float> all;
  do {
    all.clear();
    for (const Hypothesis& one : beams.running()) {
      const std::vector<float> row = next_of(one.ids, vocab);
      all.insert(all.end(), row.begin(), row.end());
    }
  } while (beams.step(all, vocab));
  return beams.best(options.num_beams);
}

// Every text of the tiny model up to max_length, by score.
void enumerate(std::vector<int32_t>& ids, double sum, const BeamOptions& options, int vocab,
               std::vector<std::pair<double, std::vector<int32_t>>>& out) {
  if (ids.size() > 1 && (ids.back() == kEnd || static_cast<int>(ids.size()) == options.max_length)) {
    out.emplace_back(sum / std::pow(static_cast<double>(ids.size() - 1), options.length_penalty), ids);
    return;
  }
  const std::vector<float> row = next_of(ids, vocab);
  for (int id = 0; id < vocab; ++id) {
    ids.push_back(id);
    enumerate(ids, sum + static_cast<double>(row[static_cast<size_t>(id)]), options, vocab, out);
    ids.pop_back();
  }
}

TEST(BeamSearch, WithAsManyBeamsAsTextsFindsTheBestOfAll) {
  const int vocab = 4;
  for (const double penalty : {0.0, 1.0, -0.5}) {
    BeamOptions options{.num_beams = 40,
                        .length_penalty = penalty,
                        .early_stopping = EarlyStopping::kNever,
                        .max_length = 5,
                        .eos_ids = {kEnd}};
    std::vector<std::pair<double, std::vector<int32_t>>> all;
    std::vector<int32_t> ids = {1};
    enumerate(ids, 0, options, vocab, all);
    std::sort(all.begin(), all.end(), std::greater<>());
    const std::vector<Hypothesis> found = search(options, vocab);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(found[i].ids, all[i].second) << "penalty " << penalty << " place " << i;
      EXPECT_NEAR(found[i].score, all[i].first, 1e-5);
    }
  }
}

TEST(BeamSearch, OneBeamOfNoEndTokenIsGreedy) {
  const int vocab = 30;
  const BeamOptions options{.num_beams = 1, .max_length = 12, .eos_ids = {}};
  std::vector<int32_t> greedy = {1};
  while (greedy.size() < 12) {
    const std::vector<float> row = next_of(greedy, vocab);
    greedy.push_back(static_cast<int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  EXPECT_EQ(search(options, vocab).front().ids, greedy);
}

TEST(BeamSearch, EnoughStopsEarlierThanNever) {
  const int vocab = 12;
  size_t longest_enough = 0;
  size_t longest_never = 0;
  for (const auto& [stopping, longest] :
       {std::pair{EarlyStopping::kEnough, &longest_enough}, std::pair{EarlyStopping::kNever, &longest_never}}) {
    const BeamOptions options{
        .num_beams = 4, .length_penalty = 2, .early_stopping = stopping, .max_length = 40, .eos_ids = {kEnd}};
    for (const Hypothesis& one : search(options, vocab)) {
      *longest = std::max(*longest, one.ids.size());
    }
  }
  EXPECT_LT(longest_enough, longest_never);
}

TEST(BeamSearch, AForcedTokenLeavesOneHypothesisThatCounts) {
  BeamSearch beams({.num_beams = 2, .max_length = 8, .eos_ids = {kEnd}}, std::vector<int32_t>{1});
  std::vector<float> all(2 * 6, kNever);
  all[3] = all[6 + 3] = 0;
  ASSERT_TRUE(beams.step(all, 6));
  EXPECT_EQ(beams.running()[0].ids, (std::vector<int32_t>{1, 3}));
  EXPECT_EQ(beams.running()[0].score, 0);
  EXPECT_LT(beams.running()[1].score, -1e8F);
}

std::vector<float> ruled(const TokenRules& rules, const std::vector<int32_t>& text, std::vector<float> scores) {
  apply_rules(rules, text, scores);
  return scores;
}

TEST(TokenRules, NoNGramComesTwice) {
  const TokenRules rules{.no_repeat_ngram_size = 2, .max_length = 99};
  const std::vector<float> scores(8, 1.0F);
  const std::vector<float> got = ruled(rules, {5, 1, 5, 2, 5}, scores);
  EXPECT_EQ(got, (std::vector<float>{1, kNever, kNever, 1, 1, 1, 1, 1}));
  EXPECT_EQ(ruled(rules, {5}, scores), scores);
  const TokenRules once{.no_repeat_ngram_size = 1, .max_length = 99};
  EXPECT_EQ(ruled(once, {0, 7}, scores), (std::vector<float>{kNever, 1, 1, 1, 1, 1, 1, kNever}));
}

TEST(TokenRules, BadWordsAreNeverCompleted) {
  const TokenRules rules{.bad_words = {{3}, {4, 5}, {4, 4, 6}}, .max_length = 99};
  const std::vector<float> scores(8, 1.0F);
  EXPECT_EQ(ruled(rules, {1}, scores), (std::vector<float>{1, 1, 1, kNever, 1, 1, 1, 1}));
  EXPECT_EQ(ruled(rules, {1, 4}, scores), (std::vector<float>{1, 1, 1, kNever, 1, kNever, 1, 1}));
  EXPECT_EQ(ruled(rules, {4, 4}, scores), (std::vector<float>{1, 1, 1, kNever, 1, kNever, kNever, 1}));
}

TEST(TokenRules, BeginningsAndEndsAreForced) {
  const TokenRules rules{.min_length = 3, .max_length = 5, .forced_bos = 2, .forced_eos = 0, .eos_ids = {0}};
  const std::vector<float> scores = {9, 1, -1, 4};
  EXPECT_EQ(ruled(rules, {1}, scores), (std::vector<float>{kNever, kNever, 0, kNever}));
  EXPECT_EQ(ruled(rules, {1, 2}, scores), (std::vector<float>{kNever, 1, -1, 4}));
  EXPECT_EQ(ruled(rules, {1, 2, 3}, scores), scores);
  EXPECT_EQ(ruled(rules, {1, 2, 3, 3}, scores), (std::vector<float>{0, kNever, kNever, kNever}));
}

TEST(TokenRules, PenaltiesPushRepeatedTokensAwayFromZero) {
  const TokenRules rules{.repetition_penalty = 2, .max_length = 99};
  EXPECT_EQ(ruled(rules, {0, 2, 2}, {4, 4, -4, -4}), (std::vector<float>{2, 4, -8, -4}));
}

TEST(TokenRules, RefusesWhatTheVocabularyDoesNotHave) {
  EXPECT_THROW(check_rules({.bad_words = {{7}}, .max_length = 9}, 7), base::Error);
  EXPECT_THROW(check_rules({.bad_words = {{}}, .max_length = 9}, 7), base::Error);
  EXPECT_THROW(check_rules({.max_length = 9, .forced_bos = 7}, 7), base::Error);
  EXPECT_THROW(check_rules({.max_length = 1}, 7), base::Error);
  EXPECT_THROW(check_rules({.repetition_penalty = 0, .max_length = 9}, 7), base::Error);
  EXPECT_NO_THROW(check_rules({.bad_words = {{6, 0}}, .max_length = 9}, 7));
}

}  // namespace
}  // namespace slipway::engine
