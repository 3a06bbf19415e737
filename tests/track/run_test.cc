#include "slipway/run.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "net/client.h"
#include "store/store.h"
#include "server.h"
#include "track/spool_root.h"
#include "track/target.h"

namespace slipway {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
constexpr auto kLong = 60s;  // for what must come; tests do not take it

class RunTest : public ::testing::Test {
 protected:
  RunTest() {
    for (const char* name : {"MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "SLIPWAY_SPOOL", "MLFLOW_TRACKING_TOKEN"}) {
      ::unsetenv(name);
    }
  }
  fs::path record() const { return dir_.path() / "record"; }
  fs::path spools() const { return dir_.path() / "spool"; }
  RunOptions options(const std::string& uri) const {
    RunOptions options;
    options.tracking_uri = uri;
    options.spool = spools();
    options.experiment = "sentiment";
    options.send_interval = 5ms;
    options.finish_timeout = 50ms;
    return options;
  }
  record::TrackedRun only_run() {
    const auto store = store::open_store(record());
    record::Query query;
    query.experiment_ids = {store->tracking().experiments().find_by_name("sentiment").value().id};
    const auto page = store->tracking().runs().search(query);
    EXPECT_EQ(page.items.size(), 1U);
    return page.items.at(0);
  }
  std::vector<record::MetricSample> history(const std::string& run, const std::string& key) {
    record::HistoryQuery query;
    query.run_id = run;
    query.key = key;
    return store::open_store(record())->tracking().runs().history(query).items;
  }
  static std::string value_of(const std::vector<record::KeyValue>& pairs, const std::string& key) {
    for (const record::KeyValue& pair : pairs) {
      if (pair.key == key) {
        return pair.value;
      }
    }
    return "(none)";
  }
  std::string file_of(const std::string& path) {
    const auto store = store::open_store(record());
    const auto file = store->tracking().files().find(path);
    return file ? base::read_file(store->tracking().files().blob_of(*file)) : "(none)";
  }
  bool no_spools() const {
    for (const auto& entry : fs::directory_iterator(spools())) {
      if (entry.is_directory()) {
        return false;
      }
    }
    return true;
  }

  base::TempDir dir_;
};

void log_some(Run& run) {
  EXPECT_TRUE(run.log_param("lr", "3e-5"));
  EXPECT_TRUE(run.set_tag("team", "nlp"));
  for (int step = 0; step < 2500; ++step) {
    EXPECT_TRUE(run.log_metric("loss", 1.0 / (step + 1), step, 1000 + step));
  }
  EXPECT_TRUE(run.log_metric("odd", std::nan(""), 1, 1));
  EXPECT_TRUE(run.log_metric("odd", HUGE_VAL, 2, 2));
  EXPECT_TRUE(run.log_bytes("notes/a b.txt", "it went well"));
}

TEST_F(RunTest, KeepsARunInTheRecord) {
  std::string id;
  {
    ::slipway::Run run(options(record().string()));
    id = run.id();
    log_some(run);
    ASSERT_TRUE(run.finish(RunEnd::kFinished, kLong)) << run.counts().error;
    EXPECT_EQ(run.counts().sent, run.counts().logged);
    EXPECT_EQ(run.run_id(), id);
  }
  const record::TrackedRun run = only_run();
  EXPECT_EQ(run.id, id);
  EXPECT_EQ(run.status, record::RunStatus::kFinished);
  EXPECT_GT(run.ended_ms, 0);
  EXPECT_EQ(value_of(run.params, "lr"), "3e-5");
  EXPECT_EQ(value_of(run.tags, "team"), "nlp");
  EXPECT_EQ(history(id, "loss").size(), 2500U);
  EXPECT_TRUE(std::isnan(history(id, "odd").at(0).value));
  EXPECT_EQ(file_of(run.artifact_uri.substr(18) + "/notes/a b.txt"), "it went well");
  EXPECT_TRUE(no_spools());
}

TEST_F(RunTest, KeepsARunAtAServer) {
  Server server(record());
  {
    ::slipway::Run run(options(server.url()));
    log_some(run);
    ASSERT_TRUE(run.finish(RunEnd::kFailed, kLong)) << run.counts().error;
    EXPECT_EQ(run.counts().refused, 0U) << run.counts().error;
  }
  const record::TrackedRun run = only_run();
  EXPECT_EQ(run.status, record::RunStatus::kFailed);
  EXPECT_EQ(history(run.id, "loss").size(), 2500U);
  EXPECT_EQ(history(run.id, "odd").at(1).value, std::numeric_limits<double>::max());
  EXPECT_EQ(file_of(run.artifact_uri.substr(18) + "/notes/a b.txt"), "it went well");
  EXPECT_TRUE(no_spools());
}

TEST_F(RunTest, SendsWhatWasLoggedWhileTheServerWasAway) {
  Server server(record());
  server.stop();
  ::slipway::Run run(options(server.url()));
  log_some(run);
  EXPECT_FALSE(run.flush(50ms));
  EXPECT_NE(run.counts().error.find("cannot connect"), std::string::npos) << run.counts().error;
  EXPECT_EQ(run.run_id(), "");
  server.start();
  ASSERT_TRUE(run.flush(kLong)) << run.counts().error;
  server.stop();
  run.log_metric("loss", 0, 2500, 9999);
  EXPECT_FALSE(run.flush(50ms));
  server.start();
  ASSERT_TRUE(run.finish(RunEnd::kFinished, kLong)) << run.counts().error;
  EXPECT_EQ(history(only_run().id, "loss").size(), 2501U);
}

TEST_F(RunTest, ARunThatIsKilledLosesNothingThatWasLogged) {
  auto* logged = static_cast<std::atomic<int64_t>*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t child = ::fork();
  if (child == 0) {
    RunOptions wanted = options("http://127.0.0.1:9");
    wanted.segment_bytes = 64 << 10;
    ::slipway::Run run(wanted);
    for (int64_t step = 0; step < 10'000'000; ++step) {
      if (run.log_metric("loss", 0.5, step, 1)) {
        logged->store(step + 1);
      }
    }
    ::_exit(0);
  }
  while (logged->load() < 20'000) {
    ::usleep(100);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const int64_t told = logged->load();
  track::SyncOptions sync;
  sync.uri = record().string();
  sync.mark_killed = true;
  const auto results = track::sync_spools(spools(), sync);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].state, "sent") << results[0].error;
  const record::TrackedRun run = only_run();
  EXPECT_EQ(run.status, record::RunStatus::kKilled);
  const auto points = history(run.id, "loss");
  // All that was told, and at most the one record that was being told when it died.
  EXPECT_GE(points.size(), static_cast<size_t>(std::min<int64_t>(told, 20'000)));
  EXPECT_GE(static_cast<int64_t>(points.size()), told);
  EXPECT_LE(static_cast<int64_t>(points.size()), told + 1);
  EXPECT_TRUE(no_spools());
  ::munmap(logged, 4096);
}

TEST_F(RunTest, SendingAgainDoublesNothing) {
  Server server(record());
  std::string id;
  {
    ::slipway::Run run(options(server.url()));
    id = run.id();
    run.detach();
    log_some(run);
    ASSERT_TRUE(run.flush(kLong)) << run.counts().error;
  }
  // As if it had died before it could note what was acknowledged, even that the run was made.
  fs::remove(spools() / id / "sent.json");
  const auto results = track::sync_spools(spools(), {});
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].state, "open") << results[0].error;
  EXPECT_GT(results[0].sent, 2500U);
  EXPECT_EQ(history(only_run().id, "loss").size(), 2500U);
}

TEST_F(RunTest, ASpoolGoesOnUnderItsId) {
  std::string id;
  {
    ::slipway::Run run(options(record().string()));
    id = run.id();
    run.detach();
    run.log_metric("loss", 1, 0, 1);
  }
  {
    RunOptions again = options("");
    again.resume = id;
    again.finish_timeout = kLong;
    ::slipway::Run run(again);
    EXPECT_EQ(run.id(), id);
    run.log_metric("loss", 0.5, 1, 2);
    ASSERT_TRUE(run.flush(kLong)) << run.counts().error;
    EXPECT_THROW(track::open_spool(spools(), "", id, {}, 0ms), base::Error) << "one process logs at a time";
  }
  EXPECT_EQ(only_run().status, record::RunStatus::kFinished);
  EXPECT_EQ(history(id, "loss").size(), 2U);
  {
    RunOptions known = options(record().string());
    known.resume = id;  // its spool has gone: the run itself
    ::slipway::Run run(known);
    EXPECT_NE(run.id(), id);
    run.detach();
    run.log_metric("late", 1, 0, 1);
    ASSERT_TRUE(run.flush(kLong)) << run.counts().error;
  }
  EXPECT_EQ(history(id, "late").size(), 1U);
  EXPECT_TRUE(no_spools());
}

TEST_F(RunTest, WhatIsRefusedIsCountedAndTheRestIsKept) {
  Server server(record());
  ::slipway::Run run(options(server.url()));
  run.log_param("lr", "1");
  ASSERT_TRUE(run.flush(kLong));
  run.log_param("lr", "2");
  run.log_param("epochs", "3");
  run.log_metric("loss", 1, 0, 1);
  run.log_metric("bad?key", 1, 0, 1);
  run.log_metric("loss", 2, 1, 2);
  EXPECT_FALSE(run.log_metric("", 1));
  EXPECT_FALSE(run.log_param("k", std::string(100'000, 'x')));
  run.log_bytes("../../escape", "no");
  run.log_bytes("fine.txt", "yes");
  ASSERT_TRUE(run.flush(kLong)) << run.counts().error;
  EXPECT_EQ(run.counts().refused, 5U) << run.counts().error;
  EXPECT_FALSE(run.counts().error.empty());
  const record::TrackedRun there = only_run();
  EXPECT_EQ(value_of(there.params, "lr"), "1");
  EXPECT_EQ(value_of(there.params, "epochs"), "3");
  EXPECT_EQ(history(there.id, "loss").size(), 2U);
  EXPECT_EQ(file_of(there.artifact_uri.substr(18) + "/fine.txt"), "yes");
}

TEST_F(RunTest, WhatFindsTheSpoolFullIsCountedAtTheRun) {
  Server server(record());
  server.stop();
  RunOptions small = options(server.url());
  small.segment_bytes = 64 << 10;
  small.max_spool_bytes = 128 << 10;
  ::slipway::Run run(small);
  uint64_t dropped = 0;
  for (int step = 0; step < 10'000; ++step) {
    dropped += run.log_metric("loss", 1, step, step + 1) ? 0 : 1;
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(run.counts().dropped, dropped);
  server.start();
  ASSERT_TRUE(run.finish(RunEnd::kFinished, kLong)) << run.counts().error;
  const record::TrackedRun there = only_run();
  EXPECT_EQ(value_of(there.tags, "slipway.dropped"), std::to_string(dropped));
  EXPECT_EQ(history(there.id, "loss").size(), 10'000 - dropped);
}

TEST_F(RunTest, LargeFilesAreLinkedAndMustStayAsTheyAre) {
  Server server(record());
  server.stop();
  RunOptions small = options(server.url());
  small.segment_bytes = 64 << 10;
  small.max_spool_bytes = 1 << 20;
  ::slipway::Run run(small);
  const std::string content(200'000, 'w');
  base::write_file_atomic(dir_.path() / "w.bin", content);
  base::write_file_atomic(dir_.path() / "v.bin", content);
  EXPECT_TRUE(run.log_artifact(dir_.path() / "w.bin", "model"));
  EXPECT_TRUE(run.log_artifact(dir_.path() / "v.bin", "model"));
  EXPECT_THROW(run.log_artifact(dir_.path() / "none.bin"), std::runtime_error);
  fs::remove(dir_.path() / "w.bin");                                      // the link holds it
  std::ofstream(dir_.path() / "v.bin", std::ios::app) << "more";          // the link shows this
  server.start();
  ASSERT_TRUE(run.finish(RunEnd::kFinished, kLong)) << run.counts().error;
  EXPECT_EQ(run.counts().refused, 1U);
  EXPECT_NE(run.counts().error.find("changed since it was logged"), std::string::npos);
  const record::TrackedRun there = only_run();
  EXPECT_EQ(file_of(there.artifact_uri.substr(18) + "/model/w.bin"), content);
  EXPECT_EQ(file_of(there.artifact_uri.substr(18) + "/model/v.bin"), "(none)");
}

TEST_F(RunTest, ARunThatHasGoneKeepsItsSpool) {
  Server server(record());
  ::slipway::Run run(options(server.url()));
  run.detach();
  run.log_metric("loss", 1, 0, 1);
  ASSERT_TRUE(run.flush(kLong));
  net::HttpClient(server.url())
      .post_json("/api/2.0/mlflow/runs/delete", {{"run_id", run.run_id()}});
  for (int step = 0; step < 100; ++step) {
    run.log_metric("loss", 1, step, 2);
  }
  EXPECT_FALSE(run.flush(300ms));
  EXPECT_EQ(run.counts().sent, 1U);
  EXPECT_EQ(run.counts().refused, 0U);
  EXPECT_NE(run.counts().error.find("takes nothing"), std::string::npos) << run.counts().error;
}

TEST_F(RunTest, PlacesThatAreNeitherServerNorFolderAreRefused) {
  EXPECT_THROW(::slipway::Run(options("sqlite:///mlflow.db")), std::runtime_error);
  EXPECT_THROW(::slipway::Run(options("file:///tmp/mlruns")), std::runtime_error);
  EXPECT_EQ(track::without_credentials("https://me:secret@host:5000/x"), "https://host:5000/x");
  {
    ::slipway::Run run(options("http://me:secret@127.0.0.1:9/x"));
    run.detach();
    const std::string notes = base::read_file(spools() / run.id() / "run.json");
    EXPECT_EQ(notes.find("secret"), std::string::npos) << notes;
    EXPECT_NE(notes.find("http://127.0.0.1:9/x"), std::string::npos) << notes;
  }
}

}  // namespace
}  // namespace slipway
