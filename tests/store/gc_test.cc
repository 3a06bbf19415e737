#include <atomic>
#include <csignal>
#include <fmt/format.h>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "fixture.h"
#include "store/roots.h"

namespace slipway::store {
namespace {

constexpr int64_t kDay = 86'400'000;

class Gc : public StoreTest {
 protected:
  record::Tracking& tracking() { return store_->tracking(); }

  record::TrackedRun make_run(const std::string& experiment, const std::string& content) {
    record::TrackedRun run;
    run.id = record::new_id();
    run.experiment_id = experiment;
    run.tags = {{"k", "v"}};
    run = tracking().runs().create(run);
    tracking().runs().log(run.id, {.metrics = {{"loss", 1, 0, 1}, {"loss", 2, 1, 2}}, .params = {{"lr", "1"}}, .tags = {}});
    tracking().runs().log(run.id, {.metrics = std::vector<record::MetricPoint>(20, {"packed", 1, 0, 1}), .params = {}, .tags = {}});
    record::RunInputs inputs;
    inputs.datasets = {{{"d", "x", "local", "{}", std::nullopt, std::nullopt}, {}}};
    tracking().runs().add_inputs(run.id, inputs);
    write(run, "w.bin", content);
    return run;
  }
  void write(const record::TrackedRun& run, const std::string& path, const std::string& content) {
    const auto file = tracking().files().begin(fmt::format("{}/{}/artifacts/{}", run.experiment_id, run.id, path));
    file->write(content);
    file->commit();
  }
  void set_deleted(const record::TrackedRun& run, bool deleted) {
    record::RunChange change;
    change.deleted = deleted;
    tracking().runs().change(run.id, change);
  }
  std::string make_experiment(const std::string& name) {
    record::Experiment experiment;
    experiment.name = name;
    return tracking().experiments().create(experiment).id;
  }
  void set_experiment_deleted(const std::string& id, bool deleted) {
    record::ExperimentChange change;
    change.deleted = deleted;
    tracking().experiments().change(id, change);
  }
  GarbageReport collect(std::optional<int64_t> retention_ms, bool dry_run = false) {
    return collect_garbage(folder(), {.retention_ms = retention_ms, .dry_run = dry_run}, options_);
  }
  // Rows of every table.
  std::map<std::string, int64_t> rows() {
    const auto rows_of = database();
    std::map<std::string, int64_t> counts;
    Statement tables = rows_of->prepare_once(
        rows_of->is_file() ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'"
                           : "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()");
    std::vector<std::string> names;
    while (tables.step()) {
      names.push_back(tables.text(0));
    }
    for (const std::string& name : names) {
      counts[name] = std::stoll(rows_of->scalar(fmt::format("SELECT count(*) FROM {}", name).c_str()));
    }
    return counts;
  }
};

TEST_F(Gc, EveryColumnThatMayNameABlobIsKnown) {
  // Digests of other things. A new one goes here, or into blob_columns(): else what it names would be collected.
  const std::set<std::string> others = {
      "file_stamps.digest",  // of files outside the store
      "datasets.digest",     // a client's name for its data
      "hub_files.oid",       // what git calls the content
      "hub_upload_names.digest",  // of a blob that hub_uploads names
      "tokens.digest",       // of a secret
      "logged_model_metrics.dataset_digest",  // as datasets.digest
      "eval_datasets.digest",                 // the same
      "metric_blocks.digest",                 // of the row's own points
      "chunk_sources.digest",                 // a hint where chunks may be found
  };
  std::set<std::string> known = others;
  for (const BlobColumn& column : blob_columns()) {
    known.insert(fmt::format("{}.{}", column.table, column.column));
  }
  const auto rows_of = database();
  if (!rows_of->is_file()) {
    GTEST_SKIP() << "the tables are the same; SQLite's are looked at";
  }
  Statement columns = rows_of->prepare_once(
      "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND "
      "(c.name LIKE '%digest%' OR c.name LIKE '%sha256%' OR c.name LIKE '%blob%' OR c.name LIKE '%oid%')");
  std::set<std::string> found;
  while (columns.step()) {
    EXPECT_TRUE(known.contains(columns.text(0))) << columns.text(0) << " is neither a root of garbage collection nor said to be none";
    found.insert(columns.text(0));
  }
  EXPECT_EQ(found, known);
}

TEST_F(Gc, EveryRowOfARunOrAnExperimentIsKnown) {
  std::set<std::string> known;
  for (const OwnedRows& rows : owned_rows()) {
    known.insert(fmt::format("{}.{}", rows.table, rows.column));
  }
  const auto rows_of = database();
  if (!rows_of->is_file()) {
    GTEST_SKIP() << "the tables are the same; SQLite's are looked at";
  }
  Statement columns = rows_of->prepare_once(
      "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND "
      "c.type = 'INTEGER' AND c.name IN ('run', 'experiment', 'trace')");
  while (columns.step()) {
    EXPECT_TRUE(known.contains(columns.text(0))) << columns.text(0) << " would stay when its run or experiment goes";
  }
}

TEST_F(Gc, WhatWasDeletedLongEnoughAgoGoesWithAllOfIt) {
  const auto before = rows();
  const auto old = make_run("0", "old");
  const std::string experiment = make_experiment("gone");
  const auto inside = make_run(experiment, "inside");
  tracking().experiments().set_tag(experiment, {"a", "b"});
  store_->lineage().add_edges(std::vector<record::Edge>{{"run:" + old.id, "artifact:x", "produced"}});
  set_deleted(old, true);
  set_experiment_deleted(experiment, true);
  clock_.advance(10 * kDay);
  const auto young = make_run("0", "young");
  set_deleted(young, true);

  const GarbageReport dry = collect(7 * kDay, true);
  EXPECT_EQ(dry.runs, 2);
  EXPECT_EQ(dry.experiments, 1);
  EXPECT_EQ(dry.blobs, 2);
  EXPECT_EQ(dry.bytes, 9U);
  EXPECT_TRUE(tracking().runs().find(old.id)) << "only counted";
  const GarbageReport real = collect(7 * kDay);
  EXPECT_EQ(real.runs, dry.runs);
  EXPECT_EQ(real.experiments, dry.experiments);
  EXPECT_EQ(real.blobs, dry.blobs);
  EXPECT_EQ(real.bytes, dry.bytes);
  EXPECT_FALSE(tracking().runs().find(old.id));
  EXPECT_FALSE(tracking().runs().find(inside.id));
  EXPECT_FALSE(tracking().experiments().find(experiment));
  EXPECT_TRUE(tracking().runs().find(young.id));

  set_deleted(young, false);
  set_deleted(young, true);
  clock_.advance(8 * kDay);
  EXPECT_EQ(collect(7 * kDay).runs, 1);
  auto after = rows();
  after["datasets"] -= 1;          // of "Default": it lives on
  EXPECT_EQ(after, before);
  EXPECT_EQ(collect(0).blobs, 0);
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(Gc, WhatWasRestoredOrIsNamedByAVersionStays) {
  const auto restored = make_run("0", "restored");
  const auto named = make_run("0", "named");
  set_deleted(restored, true);
  set_deleted(named, true);
  record::ModelVersion version = this->version("m");
  version.run_id = named.id;
  store_->registry().create_version(version);
  clock_.advance(kDay);
  set_deleted(restored, false);
  const GarbageReport report = collect(0);
  EXPECT_EQ(report.runs, 0);
  EXPECT_EQ(report.kept_runs, 1);
  EXPECT_EQ(report.blobs, 0);
  EXPECT_TRUE(tracking().runs().find(named.id));
}

TEST_F(Gc, DefaultIsNeverRemoved) {
  set_experiment_deleted("0", true);
  clock_.advance(kDay);
  EXPECT_EQ(collect(0).experiments, 0);
  EXPECT_TRUE(tracking().experiments().find("0"));
}

TEST_F(Gc, BlobsThatTwoRunsShareStayForTheOther) {
  const auto a = make_run("0", "shared");
  const auto b = make_run("0", "shared");
  set_deleted(a, true);
  clock_.advance(1);
  const GarbageReport report = collect(0);
  EXPECT_EQ(report.runs, 1);
  EXPECT_EQ(report.blobs, 0);
  EXPECT_TRUE(tracking().files().find(fmt::format("0/{}/artifacts/w.bin", b.id)));
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(Gc, RunsBesideWriters) {
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    const auto run = make_run("0", "first");
    for (int i = 0; !stop; ++i) {
      write(run, fmt::format("f{}", i), fmt::format("content {}", i));
      const auto doomed = make_run("0", fmt::format("doomed {}", i));
      set_deleted(doomed, true);
      ++written;
    }
  });
  int64_t removed = 0;
  for (int i = 0; i < 20; ++i) {
    const int seen = written;
    while (written == seen) {
      std::this_thread::yield();
    }
    removed += collect(0).runs;
  }
  stop = true;
  writer.join();
  EXPECT_GT(removed, 0);
  EXPECT_TRUE(verify().problems.empty()) << verify().problems.front();
}

TEST_F(Gc, KilledAnywhereItLosesNothingThatIsNamed) {
  std::vector<record::TrackedRun> alive;
  for (int i = 0; i < 40; ++i) {
    alive.push_back(make_run("0", fmt::format("alive {}", i)));
    set_deleted(make_run("0", fmt::format("dead {}", i)), true);
  }
  clock_.advance(kDay);
  store_.reset();
  for (int round = 0; round < 12; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      collect(0);
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(round) * 700);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const VerifyReport report = verify();
    ASSERT_TRUE(report.problems.empty()) << report.problems.front();
  }
  open();
  collect(0);
  EXPECT_EQ(collect(0, true).blobs, 0);
  for (const record::TrackedRun& run : alive) {
    EXPECT_TRUE(tracking().files().find(fmt::format("0/{}/artifacts/w.bin", run.id)));
  }
  EXPECT_EQ(rows().at("runs"), 40);
}

}  // namespace
}  // namespace slipway::store
