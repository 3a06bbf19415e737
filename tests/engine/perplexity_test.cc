#include "engine/perplexity.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "base/error.h"
#include "fake_decoder.h"

namespace slipway::engine {
namespace {

// A model whose log-probability of a token is minus the number of tokens before it: what a window held can be read off.
class CountingGenerator final : public Generator {
 public:
  CountingGenerator(int context, int32_t bos) {
    info_.context_length = context;
    info_.bos_id = bos;
  }
  uint64_t submit(GenerateRequest request) override {
    windows.push_back(request.ids);
    GenerateResult result;
    for (size_t i = static_cast<size_t>(request.prompt_logprobs_from); i < request.ids.size(); ++i) {
      result.prompt_logprobs.push_back(-static_cast<float>(i));
      scored.push_back(request.ids[i]);
    }
    request.on_done(result);
    return windows.size();
  }
  bool cancel(uint64_t) override { return false; }
  void drain(std::chrono::milliseconds) override {}
  GeneratorStats stats() const override { return {}; }
  const GeneratorInfo& info() const override { return info_; }
  const text::Tokenizer& tokenizer() const override { return tokenizer_; }

  std::vector<std::vector<int32_t>> windows;
  std::vector<int32_t> scored;

 private:
  GeneratorInfo info_;
  tests::LetterTokenizer tokenizer_;
};

std::vector<int32_t> counted(int n, int first = 0) {
  std::vector<int32_t> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

TEST(Perplexity, ScoresEveryTokenButTheFirstOnceWhateverTheWindow) {
  for (const int length : {2, 3, 9, 10, 11, 37}) {
    for (const int window : {2, 5, 10}) {
      for (int stride = 1; stride < window; ++stride) {
        CountingGenerator generator(64, -1);
        const PerplexitySums sums = perplexity(generator, counted(length), {window, stride});
        EXPECT_EQ(generator.scored, counted(length - 1, 1)) << length << ' ' << window << ' ' << stride;
        EXPECT_EQ(sums.tokens, length - 1);
        for (const auto& ids : generator.windows) {
          EXPECT_LE(ids.size(), static_cast<size_t>(window));
        }
      }
    }
  }
}

TEST(Perplexity, ATokenHasWindowMinusStrideTokensBeforeItAtLeast) {
  CountingGenerator generator(64, -1);
  const PerplexitySums sums = perplexity(generator, counted(14), {8, 3});
  // Windows [0, 8), [3, 11), [6, 14) score 1..7, then their last three: 5, 6, 7 tokens before each.
  EXPECT_EQ(sums.logprob, -(1 + 2 + 3 + 4 + 5 + 6 + 7) - 2 * (5 + 6 + 7));
  EXPECT_EQ(sums.computed, 24);
  EXPECT_DOUBLE_EQ(sums.perplexity(), std::exp(64.0 / 13.0));
}

TEST(Perplexity, EveryWindowBeginsWithTheBos) {
  CountingGenerator generator(64, 99);
  std::vector<int32_t> ids = counted(10);
  ids.insert(ids.begin(), 99);
  const PerplexitySums sums = perplexity(generator, ids, {5, 4});
  EXPECT_EQ(generator.scored, counted(10));
  EXPECT_EQ(sums.tokens, 10);
  ASSERT_EQ(generator.windows.size(), 3u);
  EXPECT_EQ(generator.windows[1], (std::vector<int32_t>{99, 4, 5, 6, 7}));
}

TEST(Perplexity, TheContextIsTheDefaultWindow) {
  CountingGenerator generator(20, -1);
  perplexity(generator, counted(40), {});
  EXPECT_EQ(generator.windows.front().size(), 20u);
  EXPECT_EQ(generator.windows[1].front(), 10);
}

TEST(Perplexity, NothingToScore) {
  CountingGenerator generator(20, -1);
  EXPECT_EQ(perplexity(generator, {}, {}).tokens, 0);
  EXPECT_EQ(perplexity(generator, counted(1), {}).tokens, 0);
  EXPECT_TRUE(std::isnan(PerplexitySums{}.perplexity()));
}

TEST(Perplexity, RefusesWindowsThatDoNotGoTogether) {
  CountingGenerator generator(20, -1);
  EXPECT_THROW(perplexity(generator, counted(40), {21, 0}), base::Error);
  EXPECT_THROW(perplexity(generator, counted(40), {10, 10}), base::Error);  // the first of a window has no context
  EXPECT_THROW(perplexity(generator, counted(40), {1, 0}), base::Error);
}

TEST(Perplexity, TellsHowFarItIsAndStopsWhenToldSo) {
  CountingGenerator generator(64, -1);
  std::vector<int64_t> told;
  EXPECT_THROW(perplexity(generator, counted(30), {10, 5},
                          [&](int64_t done) {
                            told.push_back(done);
                            if (told.size() == 2) {
                              throw base::Error(base::Code::kInterrupted, "enough");
                            }
                          }),
               base::Error);
  EXPECT_EQ(told, (std::vector<int64_t>{10, 15}));
}

}  // namespace
}  // namespace slipway::engine
