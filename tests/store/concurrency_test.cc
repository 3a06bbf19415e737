#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;
using Concurrency = StoreTest;

TEST_F(Concurrency, ManyThreadsWriteAndReadTogether) {
  constexpr int kThreads = 6;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        store_->runs().create_run(run(id));
        const std::vector<record::MetricPoint> points = {{"loss", 0.5, i, i}};
        store_->runs().log_metrics(id, points);
        store_->artifacts().put_bytes("content " + std::to_string(i), "file", id, {});  // the same from all threads
        const record::Prediction one = prediction("p-" + id, i);
        store_->predictions().append({&one, 1});
        EXPECT_EQ(store_->runs().find_run(id)->id, id);
        EXPECT_EQ(store_->runs().metrics(id, "loss").size(), 1U);
        EXPECT_THROW(store_->runs().create_run(run(id)), base::Error);  // fails alone, in company
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(store_->runs().list_runs("p", 1000).size(), size_t{kThreads * kEach});
  EXPECT_EQ(store_->predictions().count("d"), kThreads * kEach);
  EXPECT_EQ(store_->artifacts().list("file", 1000).size(), size_t{kEach});
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(Concurrency, VersionNumbersAndAliasesAreGivenOnce) {
  constexpr int kThreads = 4;
  std::atomic<int> moved{0};
  store_->registry().create_version(version("m"));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const auto mine = store_->registry().create_version(version("m"));
      try {
        store_->registry().set_alias("m", "champion", mine.version, 0);
        ++moved;
      } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), Code::kConflict);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(store_->registry().list_versions("m").size(), size_t{kThreads + 1});
  EXPECT_EQ(store_->registry().list_versions("m")[0].version, kThreads + 1);
  EXPECT_EQ(moved, 1);
}

// Forks processes that each open the folder and run `body`; returns how many ended well.
template <class Body>
int in_processes(int count, Body&& body) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      try {
        body(i);
        ::_exit(0);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "child %d: %s\n", i, error.what());
        ::_exit(1);
      }
    }
    children.push_back(pid);
  }
  int good = 0;
  for (const pid_t pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    good += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 0;
  }
  return good;
}

TEST_F(Concurrency, SeveralProcessesShareAStoreAndMakeItTogether) {
  store_.reset();
  std::filesystem::remove_all(folder());
  options_.database_url = tests::fresh_database();
  constexpr int kEach = 20;
  EXPECT_EQ(in_processes(3,
                         [&](int child) {
                           const auto store = open_store(folder(), options_);
                           for (int i = 0; i < kEach; ++i) {
                             const std::string id = std::to_string(child) + "-" + std::to_string(i);
                             store->runs().create_run(run(id));
                             store->artifacts().put_bytes("same " + std::to_string(i), "file", "n", {});
                             store->registry().create_version(version("m"));
                           }
                         }),
            3);
  open();
  EXPECT_EQ(store_->runs().list_runs("p", 1000).size(), size_t{3 * kEach});
  const auto versions = store_->registry().list_versions("m");
  ASSERT_EQ(versions.size(), size_t{3 * kEach});
  EXPECT_EQ(versions[0].version, 3 * kEach);
  EXPECT_TRUE(verify().problems.empty());
}

}  // namespace
}  // namespace slipway::store
