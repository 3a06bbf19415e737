#include "net/workers.h"

#include <atomic>
#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace slipway::net {
namespace {

TEST(Workers, DoAllThatSeveralThreadsPost) {
  std::atomic<int> done = 0;
  {
    Workers workers(4, 100'000);
    std::vector<std::thread> posters;
    for (int i = 0; i < 4; ++i) {
      posters.emplace_back([&] {
        for (int n = 0; n < 5000; ++n) {
          EXPECT_TRUE(workers.post([&] { ++done; }));
        }
      });
    }
    for (std::thread& poster : posters) {
      poster.join();
    }
  }  // finishes what is queued
  EXPECT_EQ(done, 20'000);
}

TEST(Workers, WorkOfDifferentThreadsRunsAtOnce) {
  Workers workers(2, 10);
  std::promise<void> first;
  std::promise<void> second;
  workers.post([&] {  // each waits for the other
    first.set_value();
    second.get_future().wait();
  });
  std::promise<void> both;
  workers.post([&] {
    first.get_future().wait();
    second.set_value();
    both.set_value();
  });
  EXPECT_EQ(both.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST(Workers, RefuseWhenTheQueueIsFullAndAfterTheEnd) {
  Workers workers(1, 1);
  std::promise<void> begun;
  std::promise<void> go;
  auto wait = go.get_future();
  ASSERT_TRUE(workers.post([&] {
    begun.set_value();
    wait.wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(workers.post([] {}));
  EXPECT_FALSE(workers.post([] {}));
  go.set_value();
  workers.stop();
  EXPECT_FALSE(workers.post([] {}));
}

}  // namespace
}  // namespace slipway::net
