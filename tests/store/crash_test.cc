// A process that writes is killed at random moments; what it had been told was kept must be there. The number of kills
// is $SLIPWAY_TEST_KILLS, 20 when it is not set.
#include <cstdlib>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/hash.h"
#include "base/random.h"
#include "store/fixture.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;

// One acknowledged write, small enough that a pipe takes it in one piece.
struct Ack {
  int kind;
  int round;
  int thread;
  int number;
};

std::string id_of(const Ack& ack) { return fmt::format("{}-{}-{}", ack.round, ack.thread, ack.number); }
std::string content_of(const Ack& ack) {
  return fmt::format("{} ", id_of(ack)) + std::string(static_cast<size_t>(ack.number % 7) * 50000, 'x');
}

record::Prediction prediction_of(const Ack& ack, int i) {
  record::Prediction prediction;
  prediction.id = fmt::format("p-{}-{}", id_of(ack), i);
  prediction.deployment = "d";
  prediction.time_ms = ack.number;
  prediction.text = "text";
  return prediction;
}

constexpr int kKinds = 7;

void write_one(record::Store& store, const Ack& ack) {
  const std::string id = id_of(ack);
  switch (ack.kind) {
    case 0: {
      record::Run run;
      run.id = id;
      store.runs().create_run(run);
      const std::vector<record::MetricPoint> points = {{"loss", 1.0, 1, 1}, {"loss", 0.5, 2, 2}};
      store.runs().log_metrics(id, points);
      break;
    }
    case 1: store.artifacts().put_bytes(content_of(ack), "file", id, {}); break;
    case 2: {
      const std::vector<record::Prediction> batch = {prediction_of(ack, 0), prediction_of(ack, 1),
                                                     prediction_of(ack, 2)};
      store.predictions().append(batch);
      break;
    }
    case 3: store.events().append(id, "run:x", {{"n", ack.number}}); break;
    case 4: {
      const record::Edge edge{"file:" + id, "run:" + id, "used"};
      store.lineage().add_edges({&edge, 1});
      break;
    }
    case 5: {
      const base::TempDir files;
      base::write_file_atomic(files.path() / "a.txt", content_of(ack));
      base::make_dirs(files.path() / "b");
      base::write_file_atomic(files.path() / "b/c.txt", id);
      record::PutCounts counts;
      record::DataCommit commit;
      commit.dataset = "d-" + id;
      commit.digest = store.data().trees().put(std::vector<record::DataSource>{{"", files.path()}}, {}, "d", {}, counts).digest;
      store.data().commits().commit(commit, "main");
      break;
    }
    default: {
      record::ModelVersion version;
      version.model = "m-" + id;
      store.registry().create_version(version);
      store.registry().set_alias(version.model, "champion", 1, 0);
    }
  }
}

bool is_there(record::Store& store, const Ack& ack) {
  const std::string id = id_of(ack);
  switch (ack.kind) {
    case 0: return store.runs().find_run(id).has_value() && store.runs().metrics(id, "loss").size() == 2;
    case 1: {
      const std::string content = content_of(ack);
      const std::string digest = base::digest_of(content);
      return store.artifacts().find(digest).has_value() &&
             base::read_file(store.artifacts().path_of(digest)) == content;
    }
    case 2: {
      bool all = true;
      for (int i = 0; i < 3; ++i) {
        all = all && store.predictions().find(prediction_of(ack, i).id).has_value();
      }
      return all;
    }
    case 3: return store.events().list(id, 0, 2).size() == 1;
    case 4: return store.lineage().walk("file:" + id, record::Direction::kForward, 9).size() == 1;
    case 5: {
      const auto commit = store.data().commits().find("d-" + id, "main");
      if (!commit) {
        return false;
      }
      const base::TempDir out;
      store.data().trees().checkout(commit->digest, out.path() / "d", {.verify = true});
      return base::read_file(out.path() / "d/a.txt") == content_of(ack) && base::read_file(out.path() / "d/b/c.txt") == id;
    }
    default: return store.registry().resolve("models:/m-" + id + "@champion").version == 1;
  }
}

[[noreturn]] void write_until_killed(const fs::path& folder, const StoreOptions& options, int round, int pipe) {
  const auto store = open_store(folder, options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1'000'000; ++i) {
        const Ack ack{(i + t) % kKinds, round, t, i};
        write_one(*store, ack);
        if (::write(pipe, &ack, sizeof ack) != static_cast<ssize_t>(sizeof ack)) {
          return;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  ::_exit(3);
}

TEST(Crash, WhatWasAcknowledgedSurvivesKill9) {
  const char* wanted = std::getenv("SLIPWAY_TEST_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 20;
  base::TempDir dir;
  const fs::path folder = dir.path() / ".slipway";
  StoreOptions options;
  options.database_url = tests::fresh_database();
  base::Rng rng(20261124);
  size_t checked = 0;
  for (int round = 0; round < kills; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(folder, options, round, ends[1]);
    }
    ::close(ends[1]);
    std::vector<Ack> acks;
    const uint64_t stop_after = 1 + rng.below(80);
    Ack ack{};
    while (::read(ends[0], &ack, sizeof ack) == static_cast<ssize_t>(sizeof ack)) {
      acks.push_back(ack);
      if (acks.size() == stop_after) {
        ::kill(child, SIGKILL);
      }
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the writer ended by itself: " << status;
    const auto store = open_store(folder, options);
    for (const Ack& kept : acks) {
      ASSERT_TRUE(is_there(*store, kept)) << "round " << round << " kind " << kept.kind << " id " << id_of(kept);
    }
    checked += acks.size();
  }
  const VerifyReport report = verify_store(folder, options);
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  collect_garbage(folder, {}, options);
  EXPECT_EQ(collect_garbage(folder, {.retention_ms = {}, .dry_run = true}, options).leftovers, 0);
  EXPECT_GE(checked, static_cast<size_t>(kills));
}

}  // namespace
}  // namespace slipway::store
