// Requests with a constraint, through the scheduler.
#include <future>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/fake_decoder.h"
#include "engine/scheduler.h"
#include "text/constraint.h"

namespace slipway::engine {
namespace {

using tests::FakeDecoder;
using tests::LetterTokenizer;

constexpr int kPageTokens = 4;
constexpr int kContext = 32;

std::future<GenerateResult> submit(Scheduler& scheduler, GenerateRequest request) {
  auto promise = std::make_shared<std::promise<GenerateResult>>();
  std::future<GenerateResult> result = promise->get_future();
  request.on_done = [promise](const GenerateResult& done) { promise->set_value(done); };
  scheduler.submit(std::move(request));
  return result;
}

SchedulerLimits limits_with(int pages, int speculate) {
  return {.max_batch_tokens = 16,
          .max_sequences = 8,
          .max_queue = 64,
          .context_length = kContext,
          .kv_pages = pages,
          .page_tokens = kPageTokens,
          .speculate = speculate,
          .eos_ids = {LetterTokenizer::kEnd}};
}

class ConstrainedTest : public ::testing::Test {
 protected:
  std::shared_ptr<const text::Constraint> regex(const std::string& pattern) {
    return compiler.compile(text::ConstraintKind::kRegex, pattern, "test");
  }
  GenerateRequest request_of(const std::string& pattern, int max_tokens, uint64_t seed) {
    GenerateRequest request;
    request.ids = {0, 1, 2};
    request.max_tokens = max_tokens;
    request.sampling.seed = seed;
    request.constraint = regex(pattern);
    return request;
  }

  // What a request alone gives: the definition, without scheduler, cache and guesses.
  GenerateResult alone(const GenerateRequest& request) {
    GenerateResult out;
    out.finish_reason = FinishReason::kLength;
    std::vector<int32_t> ids = request.ids;
    const std::vector<int32_t> ends = {LetterTokenizer::kEnd};
    Sampler sampler(request.sampling, request.ids, ends, *request.sampling.seed);
    text::ConstrainedText text(request.constraint);
    std::vector<uint64_t> mask(request.constraint->words());
    std::vector<Candidate> scratch;
    while (static_cast<int>(out.ids.size()) < request.max_tokens && static_cast<int>(ids.size()) < kContext) {
      text.allowed(mask);
      mask[0] |= text.can_end() ? uint64_t{1} << LetterTokenizer::kEnd : 0;
      std::vector<float> logits = FakeDecoder::logits_after(ids);
      const int32_t id = sampler.sample(logits, scratch, mask).id;
      ids.push_back(id);
      out.ids.push_back(id);
      if (id == LetterTokenizer::kEnd || (text.accept(id) && text.must_end())) {
        out.finish_reason = FinishReason::kStop;
        break;
      }
    }
    out.text = tokenizer.decode(out.ids, true);
    return out;
  }

  base::Pool pool{2};
  LetterTokenizer tokenizer;
  text::ConstraintCompiler compiler{tokenizer};
};

// Different constraints side by side, pages so scarce that requests push each other out, guesses: each text is the one
// that its request gives alone, and matches.
TEST_F(ConstrainedTest, TextsDoNotDependOnTheBatch) {
  base::Rng rng(29);
  const char* const patterns[] = {"(abc)*z", "[a-m]{3,9}", "(hello|help|held)(me|us)?", "a+b+c+", "[b-y]*"};
  int stopped = 0;
  for (const int pages : {8, 16, 64}) {
    for (const int speculate : {0, 4}) {
      FakeDecoder decoder(pages, kPageTokens);
      Scheduler scheduler(decoder, tokenizer, limits_with(pages, speculate), pool);
      for (int round = 0; round < 6; ++round) {
        std::vector<GenerateRequest> requests;
        std::vector<std::future<GenerateResult>> results;
        for (int i = 0; i < 12; ++i) {
          GenerateRequest request = request_of(patterns[rng.below(5)], 1 + static_cast<int>(rng.below(24)), rng.next());
          request.sampling.temperature = rng.below(2) == 0 ? 0.0 : 1.5;
          request.sampling.top_k = static_cast<int>(rng.below(2)) * 5;
          request.sampling.top_p = rng.below(2) == 0 ? 1.0 : 0.9;
          request.sampling.repetition_penalty = rng.below(2) == 0 ? 1.0 : 1.3;
          requests.push_back(request);
          results.push_back(submit(scheduler, request));
        }
        for (size_t i = 0; i < requests.size(); ++i) {
          const GenerateResult result = results[i].get();
          const GenerateResult expected = alone(requests[i]);
          ASSERT_EQ(result.ids, expected.ids) << pages << " pages, guesses " << speculate;
          ASSERT_EQ(result.text, expected.text);
          ASSERT_EQ(result.finish_reason, expected.finish_reason);
          text::ConstrainedText text(requests[i].constraint);
          ASSERT_TRUE(text.accept_bytes(result.text)) << result.text;
          if (result.finish_reason == FinishReason::kStop) {
            ASSERT_TRUE(text.can_end()) << result.text;
            ++stopped;
          }
        }
      }
    }
  }
  EXPECT_GT(stopped, 100);
}

TEST_F(ConstrainedTest, GuessesThatTheConstraintAllowsHold) {
  FakeDecoder decoder(64, kPageTokens);
  decoder.alphabet = true;
  SchedulerLimits limits = limits_with(64, 8);
  limits.context_length = 200;
  Scheduler scheduler(decoder, tokenizer, limits, pool);
  GenerateRequest request = request_of("(d[e-z]*abc){5}d", 190, 1);
  request.sampling.temperature = 0;
  const GenerateResult result = submit(scheduler, request).get();
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(result.ids.size(), 131U);
  EXPECT_GT(scheduler.stats().accepted_tokens, 50U);
}

TEST_F(ConstrainedTest, ACompleteTextEndsWithoutAnEndToken) {
  FakeDecoder decoder(64, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(64, 0), pool);
  GenerateRequest request = request_of("(yes|no)", 20, 1);
  request.sampling.ignore_eos = true;
  const GenerateResult result = submit(scheduler, request).get();
  EXPECT_TRUE(result.text == "yes" || result.text == "no") << result.text;
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(result.ids.size(), result.text.size());
}

TEST_F(ConstrainedTest, AStopTokenStopsOnlyWhereTheTextMayEnd) {
  FakeDecoder decoder(64, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(64, 0), pool);
  GenerateRequest request = request_of("(ab){6}", 20, 1);
  request.sampling.stop_token_ids = {0};  // "a"
  const GenerateResult result = submit(scheduler, request).get();
  // The constraint wants an "a" that would end the text: nothing may come.
  EXPECT_EQ(result.finish_reason, FinishReason::kError);
  EXPECT_THROW(std::rethrow_exception(result.error), base::Error);
}

TEST_F(ConstrainedTest, WhatTheVocabularyCannotWriteIsAnErrorOfThatRequestAlone) {
  FakeDecoder decoder(64, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(64, 0), pool);
  std::future<GenerateResult> bad = submit(scheduler, request_of("ab!", 20, 1));
  std::future<GenerateResult> good = submit(scheduler, request_of("abc", 20, 1));
  EXPECT_EQ(good.get().text, "abc");
  const GenerateResult result = bad.get();
  EXPECT_EQ(result.finish_reason, FinishReason::kError);
  try {
    std::rethrow_exception(result.error);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    EXPECT_NE(std::string(error.what()).find("no token"), std::string::npos);
  }
}

}  // namespace
}  // namespace slipway::engine
