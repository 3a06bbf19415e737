#include "engine/scheduler.h"

#include <future>
#include <gtest/gtest.h>

#include "engine/fake_decoder.h"
#include "engine/prompt_lookup.h"
#include "support/gate.h"

namespace slipway::engine {
namespace {

using tests::FakeDecoder;
using tests::Gate;
using tests::LetterTokenizer;

constexpr int kPageTokens = 4;

SchedulerLimits limits_with(int pages, int context) {
  return {.max_batch_tokens = 16,
          .max_sequences = 8,
          .max_queue = 64,
          .context_length = context,
          .kv_pages = pages,
          .page_tokens = kPageTokens,
          .eos_ids = {LetterTokenizer::kEnd}};
}

struct Submitted {
  uint64_t handle = 0;
  std::future<GenerateResult> result;
  std::shared_ptr<std::vector<TokenEvent>> events = std::make_shared<std::vector<TokenEvent>>();
};

Submitted submit(Scheduler& scheduler, GenerateRequest request) {
  Submitted out;
  auto promise = std::make_shared<std::promise<GenerateResult>>();
  out.result = promise->get_future();
  request.on_token = [events = out.events, then = request.on_token](const TokenEvent& event) {
    events->push_back(event);
    if (then) {
      then(event);
    }
  };
  request.on_done = [promise](const GenerateResult& result) { promise->set_value(result); };
  out.handle = scheduler.submit(std::move(request));
  return out;
}

GenerateRequest request_of(const std::string& prompt, int max_tokens, uint64_t seed = 1) {
  GenerateRequest request;
  text::Encoding encoding;
  LetterTokenizer().encode(prompt, {}, encoding);
  request.ids = encoding.ids;
  request.max_tokens = max_tokens;
  request.sampling.seed = seed;
  return request;
}

// Opens the gate once the scheduler is ending (a full queue refuses too).
void open_when_refused(Scheduler& scheduler, Gate& gate) {
  for (;;) {
    try {
      scheduler.submit(request_of("abc", 0));
    } catch (const base::Error& error) {
      if (std::string(error.what()).find("unloaded") != std::string::npos) {
        gate.open();
        return;
      }
    }
  }
}

class SchedulerTest : public ::testing::Test {
 protected:
  base::Pool pool{2};
  LetterTokenizer tokenizer;
};

GenerateRequest random_request(base::Rng& rng, int context) {
  GenerateRequest request;
  // Prompts that often begin alike, so that pages are shared.
  const auto common = static_cast<int32_t>(rng.below(3));
  for (size_t n = rng.below(static_cast<uint64_t>(context) * 2 / 3); n > 0; --n) {
    request.ids.push_back(common);
  }
  for (size_t n = 1 + rng.below(5); n > 0; --n) {
    request.ids.push_back(static_cast<int32_t>(rng.below(26)));
  }
  request.max_tokens = static_cast<int>(rng.below(static_cast<uint64_t>(context)));
  request.client = std::string(1, static_cast<char>('x' + rng.below(3)));
  request.sampling.seed = rng.next();
  request.sampling.temperature = rng.below(2) == 0 ? 0.0 : 1.5;
  request.sampling.top_k = static_cast<int>(rng.below(3)) * 5;
  request.sampling.repetition_penalty = rng.below(2) == 0 ? 1.0 : 1.3;
  request.sampling.ignore_eos = rng.below(4) == 0;
  return request;
}

// The heart of it: whatever else runs, however scarce pages are, each request's tokens are those it gets alone.
TEST_F(SchedulerTest, TokensDoNotDependOnTheBatch) {
  base::Rng rng(23);
  for (const int pages : {8, 12, 64}) {  // 8 pages are one context: sequences push each other out all the time
    for (const bool keep : {true, false}) {
      SchedulerLimits limits = limits_with(pages, 32);
      limits.prefix_cache = keep;
      limits.speculate = pages == 12 ? 5 : 0;  // guesses change nothing either
      FakeDecoder decoder(pages, kPageTokens);
      Scheduler scheduler(decoder, tokenizer, limits, pool);
      for (int round = 0; round < 8; ++round) {
        std::vector<GenerateRequest> requests;
        std::vector<Submitted> submitted;
        for (int i = 0; i < 12; ++i) {
          requests.push_back(random_request(rng, 26));
          submitted.push_back(submit(scheduler, requests.back()));
        }
        for (size_t i = 0; i < requests.size(); ++i) {
          const GenerateResult result = submitted[i].result.get();
          const std::vector<int32_t> ends =
              requests[i].sampling.ignore_eos ? std::vector<int32_t>{} : std::vector<int32_t>{LetterTokenizer::kEnd};
          const auto expected = FakeDecoder::expected(requests[i], *requests[i].sampling.seed, ends, 32);
          ASSERT_EQ(result.ids, expected) << pages << " pages, request " << i;
          ASSERT_EQ(result.text, tokenizer.decode(expected, true));
          std::string shown;
          ASSERT_EQ(submitted[i].events->size(), expected.size());
          for (size_t e = 0; e < expected.size(); ++e) {
            const TokenEvent& event = (*submitted[i].events)[e];
            ASSERT_EQ(event.index, static_cast<int>(e));
            ASSERT_EQ(event.id, expected[e]);
            shown += event.text;
          }
          ASSERT_EQ(shown + result.text_tail, result.text);
          const bool ended = !expected.empty() && !ends.empty() && expected.back() == LetterTokenizer::kEnd;
          ASSERT_EQ(result.finish_reason, ended ? FinishReason::kStop : FinishReason::kLength);
          ASSERT_EQ(result.usage.completion_tokens, static_cast<int>(expected.size()));
          ASSERT_EQ(result.usage.prompt_tokens, static_cast<int>(requests[i].ids.size()));
        }
      }
      const GeneratorStats stats = scheduler.stats();
      EXPECT_EQ(stats.waiting, 0);
      EXPECT_EQ(stats.running, 0);
      EXPECT_EQ(stats.cached_tokens > 0, keep);
    }
  }
}

// A model that says the alphabet for ever: once it has come round, every guess holds, and passes become few.
TEST_F(SchedulerTest, GuessesThatHoldSavePasses) {
  FakeDecoder decoder(64, kPageTokens);
  decoder.alphabet = true;
  for (const double temperature : {0.0, 1.0}) {  // drawn texts keep to the alphabet two times of three
    int passes[2] = {};
    std::vector<int32_t> ids[2];
    for (const int speculate : {0, 1}) {
      SchedulerLimits limits = limits_with(64, 250);
      limits.speculate = speculate * 8;
      Scheduler scheduler(decoder, tokenizer, limits, pool);
      decoder.passes = 0;
      GenerateRequest request = request_of("abc", 200);
      request.sampling.temperature = temperature;
      request.sampling.ignore_eos = true;
      ids[speculate] = submit(scheduler, request).result.get().ids;
      passes[speculate] = decoder.passes;
      EXPECT_EQ(scheduler.stats().generated_tokens, ids[speculate].size());
      EXPECT_EQ(scheduler.stats().accepted_tokens > 0, speculate == 1);
    }
    EXPECT_EQ(ids[0], ids[1]);
    EXPECT_EQ(passes[0], static_cast<int>(ids[0].size()));
    EXPECT_LT(passes[1], temperature == 0 ? 60 : passes[0]);
  }
}

TEST(PromptLookup, FindsWhatFollowedTheLatestOccurrence) {
  const auto guess = [](const std::vector<int32_t>& ids, size_t most) {
    const auto found = look_up(ids, most);
    return std::vector<int32_t>(found.begin(), found.end());
  };
  EXPECT_EQ(guess({1, 2, 3, 4, 5, 1, 2, 3}, 3), (std::vector<int32_t>{4, 5, 1}));
  EXPECT_EQ(guess({1, 2, 3, 4, 1, 2, 3, 6, 1, 2, 3}, 1), (std::vector<int32_t>{6}));
  EXPECT_EQ(guess({9, 2, 3, 4, 5, 1, 2, 3}, 9), (std::vector<int32_t>{4, 5, 1, 2, 3}));  // two tokens are enough
  EXPECT_EQ(guess({7, 7, 7, 7}, 2), (std::vector<int32_t>{7}));
  EXPECT_TRUE(guess({1, 2, 3}, 2).empty());
  EXPECT_TRUE(guess({}, 2).empty());
  EXPECT_TRUE(guess({1, 2, 3, 1, 2, 3}, 0).empty());
}

TEST_F(SchedulerTest, ALaterRequestReusesThePagesOfAnEarlierOne) {
  FakeDecoder decoder(16, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 64), pool);
  GenerateRequest request = request_of("abcdefghij", 4);
  const GenerateResult first = submit(scheduler, request).result.get();
  EXPECT_EQ(first.usage.cached_tokens, 0);
  const GenerateResult again = submit(scheduler, request).result.get();
  EXPECT_EQ(again.usage.cached_tokens, 8);
  EXPECT_EQ(again.ids, first.ids);
  request.ids.resize(8);  // its last token must be computed though all its pages are there
  EXPECT_EQ(submit(scheduler, request).result.get().usage.cached_tokens, 4);
}

TEST_F(SchedulerTest, AConversationsAnswerIsCachedForItsNextTurn) {
  FakeDecoder decoder(32, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(32, 64), pool);
  GenerateRequest request = request_of("abcdef", 12);
  request.sampling.ignore_eos = true;
  const GenerateResult first = submit(scheduler, request).result.get();
  request.ids.insert(request.ids.end(), first.ids.begin(), first.ids.end());
  request.ids.push_back(1);
  EXPECT_EQ(submit(scheduler, request).result.get().usage.cached_tokens, 16);  // of 18, the last never computed
}

TEST_F(SchedulerTest, StopStringsEndTheTextBeforeThem) {
  FakeDecoder decoder(16, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 64), pool);
  GenerateRequest request = request_of("hello", 30);
  request.sampling.ignore_eos = true;
  const std::string whole = submit(scheduler, request).result.get().text;
  ASSERT_GE(whole.size(), 20U);
  request.sampling.stop = {whole.substr(10, 3)};
  Submitted stopped = submit(scheduler, request);
  const GenerateResult result = stopped.result.get();
  EXPECT_EQ(result.text, whole.substr(0, whole.find(request.sampling.stop[0])));
  EXPECT_EQ(result.stopped_by, request.sampling.stop[0]);
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(result.text_tail, "");
}

TEST_F(SchedulerTest, StopTokensEndLikeTheModelsOwn) {
  FakeDecoder decoder(16, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 64), pool);
  GenerateRequest request = request_of("hello", 30);
  request.sampling.ignore_eos = true;
  const GenerateResult whole = submit(scheduler, request).result.get();
  request.sampling.stop_token_ids = {whole.ids[6]};
  Submitted stopped = submit(scheduler, request);
  const GenerateResult result = stopped.result.get();
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  ASSERT_LE(result.ids.size(), 7U);
  EXPECT_EQ(result.ids.back(), whole.ids[6]);
  EXPECT_TRUE(stopped.events->back().end);
  EXPECT_EQ(stopped.events->back().text, "");
  EXPECT_EQ(result.text, tokenizer.decode(std::span(result.ids).first(result.ids.size() - 1), true));
}

TEST_F(SchedulerTest, PromptLogprobsAreThoseOfTheTokensBefore) {
  FakeDecoder decoder(64, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(64, 200), pool);
  base::Rng rng(4);
  GenerateRequest request;
  for (int i = 0; i < 150; ++i) {
    request.ids.push_back(static_cast<int32_t>(rng.below(26)));
  }
  for (const int from : {1, 7, 100, 149, 150}) {
    for (const int max_tokens : {0, 3}) {
      request.max_tokens = max_tokens;
      request.prompt_logprobs_from = from;
      const GenerateResult result = submit(scheduler, request).result.get();
      ASSERT_EQ(result.prompt_logprobs.size(), static_cast<size_t>(150 - from));
      for (int i = from; i < 150; ++i) {
        const auto logits = FakeDecoder::logits_after(std::span(request.ids).first(static_cast<size_t>(i)));
        ASSERT_FLOAT_EQ(result.prompt_logprobs[static_cast<size_t>(i - from)],
                        log_probability(logits, request.ids[static_cast<size_t>(i)]));
      }
      EXPECT_LE(result.ids.size(), static_cast<size_t>(max_tokens));
    }
  }
}

TEST_F(SchedulerTest, CancelEndsWaitingAndRunningRequests) {
  Gate gate;
  FakeDecoder decoder(16, kPageTokens);
  decoder.before_pass = [&](std::span<const PassRows>) { gate.pass(); };
  SchedulerLimits limits = limits_with(16, 64);
  limits.max_sequences = 1;
  Scheduler scheduler(decoder, tokenizer, limits, pool);
  Submitted running = submit(scheduler, request_of("abc", 50));
  gate.wait_until_entered();
  Submitted waiting = submit(scheduler, request_of("abc", 50));
  EXPECT_TRUE(scheduler.cancel(running.handle));
  EXPECT_TRUE(scheduler.cancel(waiting.handle));
  gate.open();
  const GenerateResult result = running.result.get();
  EXPECT_EQ(result.finish_reason, FinishReason::kCancelled);
  EXPECT_LE(result.ids.size(), 1U);
  EXPECT_EQ(waiting.result.get().finish_reason, FinishReason::kCancelled);
  EXPECT_FALSE(scheduler.cancel(running.handle));
  EXPECT_FALSE(scheduler.cancel(12345));
  EXPECT_EQ(submit(scheduler, request_of("abc", 0)).result.get().finish_reason, FinishReason::kLength);
}

TEST_F(SchedulerTest, AFullQueueRefuses) {
  Gate gate;
  FakeDecoder decoder(16, kPageTokens);
  decoder.before_pass = [&](std::span<const PassRows>) { gate.pass(); };
  SchedulerLimits limits = limits_with(16, 64);
  limits.max_sequences = 1;
  limits.max_queue = 2;
  Scheduler scheduler(decoder, tokenizer, limits, pool);
  std::vector<Submitted> accepted;
  accepted.push_back(submit(scheduler, request_of("abc", 2)));
  gate.wait_until_entered();
  accepted.push_back(submit(scheduler, request_of("abc", 2)));
  accepted.push_back(submit(scheduler, request_of("abc", 2)));
  try {
    submit(scheduler, request_of("abc", 2));
    ADD_FAILURE() << "the queue is full";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnavailable);
  }
  gate.open();
  for (Submitted& s : accepted) {
    EXPECT_NE(s.result.get().finish_reason, FinishReason::kError);
  }
}

TEST_F(SchedulerTest, ClientsTakeTurns) {
  Gate gate;
  FakeDecoder decoder(16, kPageTokens);
  decoder.before_pass = [&](std::span<const PassRows>) { gate.pass(); };
  SchedulerLimits limits = limits_with(16, 64);
  limits.max_sequences = 1;
  Scheduler scheduler(decoder, tokenizer, limits, pool);
  std::vector<std::string> order;  // the scheduler's thread alone, until all are done
  std::vector<Submitted> all;
  const auto add = [&](const std::string& client) {
    GenerateRequest request = request_of("abc", 1);
    request.client = client;
    request.on_token = [&order, client](const TokenEvent&) { order.push_back(client); };
    all.push_back(submit(scheduler, std::move(request)));
  };
  add("first");
  gate.wait_until_entered();
  for (int i = 0; i < 3; ++i) {
    add("greedy");
  }
  add("modest");
  gate.open();
  for (Submitted& s : all) {
    s.result.get();
  }
  EXPECT_EQ(order, (std::vector<std::string>{"first", "greedy", "modest", "greedy", "greedy"}));
}

// A long prompt is read in pieces beside a stream: no pass without a token of the stream.
TEST_F(SchedulerTest, ALatePromptDoesNotStopAStream) {
  FakeDecoder decoder(64, kPageTokens);
  int passes_with_prompt = 0;
  int passes_without_stream = 0;
  bool stream_began = false;
  int stream_left = 1 << 30;
  decoder.before_pass = [&](std::span<const PassRows> rows) {
    const bool prompt = std::any_of(rows.begin(), rows.end(), [](const PassRows& r) { return r.ids.size() > 1; });
    const bool stream = std::any_of(rows.begin(), rows.end(), [](const PassRows& r) { return r.ids.size() == 1; });
    if (stream_began && stream_left > 0) {
      passes_with_prompt += prompt ? 1 : 0;
      passes_without_stream += stream ? 0 : 1;
    }
  };
  Scheduler scheduler(decoder, tokenizer, limits_with(64, 250), pool);
  GenerateRequest late;
  late.ids.assign(150, 3);
  late.max_tokens = 1;
  std::optional<Submitted> prompt;
  GenerateRequest stream = request_of("abc", 60);
  stream.sampling.ignore_eos = true;
  stream.on_token = [&](const TokenEvent& event) {
    stream_began = true;
    stream_left = 59 - event.index;
    if (event.index == 5) {
      prompt = submit(scheduler, late);
    }
  };
  Submitted running = submit(scheduler, std::move(stream));
  EXPECT_EQ(running.result.get().ids.size(), 60U);
  prompt->result.get();
  EXPECT_GE(passes_with_prompt, 10);  // 150 tokens, at most 15 a pass
  EXPECT_EQ(passes_without_stream, 0);
}

TEST_F(SchedulerTest, DrainFinishesWhatIsThereAndTakesNoMore) {
  FakeDecoder decoder(16, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 64), pool);
  Submitted running = submit(scheduler, request_of("abc", 40));
  scheduler.drain(std::chrono::minutes(1));
  EXPECT_EQ(running.result.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_NE(running.result.get().finish_reason, FinishReason::kCancelled);
  EXPECT_THROW(submit(scheduler, request_of("abc", 1)), base::Error);
}

TEST_F(SchedulerTest, DrainCancelsWhatTakesTooLong) {
  Gate gate;
  FakeDecoder decoder(16, kPageTokens);
  decoder.before_pass = [&](std::span<const PassRows>) { gate.pass(); };
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 64), pool);
  Submitted running = submit(scheduler, request_of("abc", 50));
  gate.wait_until_entered();
  std::thread drainer([&] { scheduler.drain(std::chrono::milliseconds(0)); });
  std::thread opener([&] { open_when_refused(scheduler, gate); });
  drainer.join();
  opener.join();
  EXPECT_EQ(running.result.get().finish_reason, FinishReason::kCancelled);
}

TEST_F(SchedulerTest, DestructionCancels) {
  Gate gate;
  FakeDecoder decoder(16, kPageTokens);
  decoder.before_pass = [&](std::span<const PassRows>) { gate.pass(); };
  std::optional<Scheduler> scheduler(std::in_place, decoder, tokenizer, limits_with(16, 64), pool);
  Submitted running = submit(*scheduler, request_of("abc", 50));
  gate.wait_until_entered();
  Submitted waiting = submit(*scheduler, request_of("abc", 50));
  // The pass goes on only once the destructor has begun: it refuses requests from then on.
  std::thread opener([&gate, s = &*scheduler] { open_when_refused(*s, gate); });
  scheduler.reset();
  opener.join();
  EXPECT_EQ(waiting.result.get().finish_reason, FinishReason::kCancelled);
  EXPECT_NE(running.result.get().finish_reason, FinishReason::kError);
}

TEST_F(SchedulerTest, AFailedPassFailsItsRequestsAlone) {
  FakeDecoder decoder(16, kPageTokens);
  bool fail = true;
  decoder.before_pass = [&](std::span<const PassRows>) {
    if (std::exchange(fail, false)) {
      throw base::Error(base::Code::kFailure, "out of order");
    }
  };
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 64), pool);
  const GenerateResult failed = submit(scheduler, request_of("abc", 5)).result.get();
  EXPECT_EQ(failed.finish_reason, FinishReason::kError);
  EXPECT_TRUE(failed.error);
  const GenerateResult good = submit(scheduler, request_of("abc", 5)).result.get();
  EXPECT_NE(good.finish_reason, FinishReason::kError);
  EXPECT_EQ(scheduler.stats().kv_pages_free + scheduler.stats().kv_pages_cached, 16);
}

TEST_F(SchedulerTest, RefusesWhatCannotBeRun) {
  FakeDecoder decoder(16, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 20), pool);
  const auto refuses = [&](const auto& change) {
    GenerateRequest request = request_of("abc", 5);
    change(request);
    try {
      scheduler.submit(std::move(request));
      ADD_FAILURE() << "accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kInvalid) << error.what();
    }
  };
  refuses([](GenerateRequest& r) { r.ids.clear(); });
  refuses([](GenerateRequest& r) { r.ids.assign(20, 1); });
  refuses([](GenerateRequest& r) { r.ids[0] = 27; });
  refuses([](GenerateRequest& r) { r.ids[0] = -1; });
  refuses([](GenerateRequest& r) { r.max_tokens = -1; });
  refuses([](GenerateRequest& r) { r.prompt_logprobs_from = 4; });
  refuses([](GenerateRequest& r) { r.sampling.top_p = 2; });
}

TEST_F(SchedulerTest, TheContextEndsAText) {
  FakeDecoder decoder(16, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 20), pool);
  GenerateRequest request = request_of("abc", 100);
  request.sampling.ignore_eos = true;
  const GenerateResult result = submit(scheduler, request).result.get();
  EXPECT_EQ(result.ids.size(), 17U);
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
}

TEST_F(SchedulerTest, LogprobsNameTheTokens) {
  FakeDecoder decoder(16, kPageTokens);
  Scheduler scheduler(decoder, tokenizer, limits_with(16, 64), pool);
  GenerateRequest request = request_of("abc", 3);
  request.sampling.temperature = 0;
  request.sampling.ignore_eos = true;
  request.sampling.top_logprobs = 3;
  Submitted s = submit(scheduler, request);
  s.result.get();
  for (const TokenEvent& event : *s.events) {
    ASSERT_EQ(event.top_logprobs.size(), 3U);
    EXPECT_EQ(event.top_logprobs[0].id, event.id);
    EXPECT_EQ(event.top_logprobs[0].token, event.token);
    EXPECT_FLOAT_EQ(event.top_logprobs[0].logprob, event.logprob);
    EXPECT_GT(event.top_logprobs[1].logprob, event.top_logprobs[2].logprob);
  }
}

}  // namespace
}  // namespace slipway::engine
