#include "engine/batcher.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "engine/helpers.h"
#include "support/gate.h"
#include "support/support.h"

namespace slipway::engine {
namespace {

class BatcherTest : public ::testing::Test {
 protected:
  BatcherTest() {
    spec = tests::write_tiny_bert(folder.path());
    engine = Engine::load(folder.path(), {}, pool);
  }
  base::TempDir folder;
  base::Pool pool{2};
  model::ModelSpec spec;
  std::shared_ptr<Engine> engine;
};

TEST_F(BatcherTest, ResultsAreTheEngines) {
  const auto texts = tests::random_texts(1, 30, 40, spec.vocab_size);
  const Output expected = engine->forward(texts);
  Batcher batcher(engine, {.max_batch_tokens = 100});
  const auto results = batcher.run(texts);
  ASSERT_EQ(results.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto logits = expected.logits.row(static_cast<int>(i));
    const auto embedding = expected.embeddings.row(static_cast<int>(i));
    EXPECT_EQ(results[i].logits, std::vector<float>(logits.begin(), logits.end()));
    EXPECT_EQ(results[i].embedding, std::vector<float>(embedding.begin(), embedding.end()));
    EXPECT_EQ(results[i].tokens, static_cast<int>(texts[i].size()));
    EXPECT_GE(results[i].computed.count(), 0);
    EXPECT_FALSE(results[i].error);
  }
}

TEST_F(BatcherTest, RunWaitsWhenTheQueueIsShorterThanItsTexts) {
  Batcher batcher(engine, {.max_batch_tokens = 32, .max_queue = 2});
  EXPECT_EQ(batcher.run(tests::random_texts(2, 25, 20, spec.vocab_size)).size(), 25U);
  EXPECT_TRUE(batcher.run({}).empty());
}

TEST_F(BatcherTest, WhatWaitsTogetherIsBatchedAndAFullQueueRefuses) {
  tests::Gate gate;
  std::atomic<int> done = 0;
  Batcher batcher(engine, {.max_batch_tokens = 1000, .max_queue = 3});
  batcher.submit({1, 2, 3}, [&](BatchResult) { gate.pass(); });
  gate.wait_until_entered();
  std::mutex mutex;
  std::vector<std::chrono::microseconds> computed;
  for (int i = 0; i < 3; ++i) {
    batcher.submit({1, 2, 3}, [&](BatchResult result) {
      const std::lock_guard lock(mutex);
      computed.push_back(result.computed);
      ++done;
    });
  }
  EXPECT_EQ(batcher.queued(), 3);
  try {
    batcher.submit({1}, [](BatchResult) {});
    FAIL() << "the queue took a fourth text";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnavailable);
  }
  gate.open();
  batcher.run({{1, 2}});
  EXPECT_EQ(done, 3);
  EXPECT_TRUE(computed[0] == computed[1] && computed[1] == computed[2]) << "one batch has one time";
}

TEST_F(BatcherTest, TokenBudgetCutsBatches) {
  tests::Gate gate;
  Batcher batcher(engine, {.max_batch_tokens = 8});
  std::vector<int64_t> starts;  // written on the scheduler's thread alone
  batcher.submit({1}, [&](BatchResult) { gate.pass(); });
  gate.wait_until_entered();
  const auto submitted = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) {
    batcher.submit({1, 2, 3, 4}, [&](BatchResult result) { starts.push_back(result.computed.count()); });
  }
  batcher.submit(std::vector<int32_t>(20, 1), [&](BatchResult result) { starts.push_back(result.tokens); });
  gate.open();
  batcher.run({{1}});
  ASSERT_EQ(starts.size(), 5U);
  EXPECT_EQ(starts[4], 20) << "a text larger than the budget is a batch of its own";
  EXPECT_GE(std::chrono::steady_clock::now(), submitted);
}

TEST_F(BatcherTest, WhatIsNoLongerWantedIsNotComputed) {
  tests::Gate gate;
  Batcher batcher(engine, {});
  batcher.submit({1}, [&](BatchResult) { gate.pass(); });
  gate.wait_until_entered();
  std::vector<int> refused;  // written on the scheduler's thread alone
  const auto submit = [&](bool wanted, int which) {
    Input input{.ids = {1, 2}};
    input.wanted = [wanted] { return wanted; };
    batcher.submit(std::move(input), [&refused, which](BatchResult result) {
      if (result.error) {
        EXPECT_TRUE(result.logits.empty());
        refused.push_back(which);
      }
    });
  };
  submit(false, 1);
  submit(true, 2);
  submit(false, 3);
  gate.open();
  EXPECT_FALSE(batcher.run({{1}})[0].error);
  submit(false, 4);
  submit(false, 5);
  EXPECT_FALSE(batcher.run({{1}})[0].error);
  EXPECT_EQ(refused, (std::vector<int>{1, 3, 4, 5}));
}

TEST_F(BatcherTest, DestructionFinishesWhatIsQueued) {
  std::atomic<int> done = 0;
  {
    Batcher batcher(engine, {});
    for (int i = 0; i < 20; ++i) {
      batcher.submit({1, 2, 3, 4, 5}, [&](BatchResult result) { done += result.error ? 0 : 1; });
    }
  }
  EXPECT_EQ(done, 20);
}

TEST_F(BatcherTest, BadTextsAreRefusedAtTheDoor) {
  Batcher batcher(engine, {});
  EXPECT_THROW(batcher.submit({spec.vocab_size}, [](BatchResult) {}), base::Error);
  EXPECT_THROW(batcher.run({{1, 2}, {}}), base::Error);
  EXPECT_EQ(batcher.run({{1, 2}}).size(), 1U);
  EXPECT_THROW(Batcher(engine, {.max_batch_tokens = 0}), base::Error);
  EXPECT_THROW(Batcher(engine, {.max_queue = 0}), base::Error);
}

TEST_F(BatcherTest, ACallbackThatThrowsHurtsNobodyElse) {
  Batcher batcher(engine, {});
  batcher.submit({1}, [](BatchResult) { throw std::runtime_error("mine"); });
  EXPECT_EQ(batcher.run({{1, 2}})[0].logits.size(), 2U);
}

TEST_F(BatcherTest, WhatACallbackHoldsGoesWhileTheBatcherWaits) {
  Batcher batcher(engine, {});
  std::promise<void> gone;
  std::shared_ptr<void> held(nullptr, [&](void*) { gone.set_value(); });
  batcher.submit({1}, [held](const BatchResult&) {});
  held.reset();
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_F(BatcherTest, ManyThreadsSubmit) {
  Batcher batcher(engine, {.max_batch_tokens = 64});
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto texts = tests::random_texts(static_cast<uint64_t>(t), 10, 20, spec.vocab_size);
      for (const BatchResult& result : batcher.run(texts)) {
        good += result.logits.size() == 2 ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, 40);
  EXPECT_EQ(batcher.queued(), 0);
}

}  // namespace
}  // namespace slipway::engine
