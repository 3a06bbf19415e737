// Experiments, tracked runs and files in the store: what the HTTP tests of tests/api do not see.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <tuple>

#include "store/fixture.h"
#include "store/schema.h"
#include "store/sqlite.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using record::KeyValue;
using record::TrackedRun;

using Tracking = StoreTest;
using Files = StoreTest;
using Migration = StoreTest;

TEST_F(Tracking, ANewStoreHasTheDefaultExperiment) {
  const auto experiment = store_->tracking().experiments().find("0");
  ASSERT_TRUE(experiment);
  EXPECT_EQ(experiment->name, "Default");
  EXPECT_EQ(experiment->artifact_location, "mlflow-artifacts:/0");
  EXPECT_FALSE(store_->tracking().experiments().find("1"));
  EXPECT_EQ(error_of([&] { store_->tracking().experiments().find("1x"); }).code(), Code::kInvalid);
}

TEST_F(Tracking, ARunOfADeletedProjectBringsItsExperimentBack) {
  auto& experiments = store_->tracking().experiments();
  store_->runs().create_run(run("a", "p"));
  const std::string id = experiments.find_by_name("p")->id;
  experiments.change(id, {std::nullopt, true});
  EXPECT_TRUE(store_->runs().list_runs("", 10).empty());
  EXPECT_TRUE(store_->runs().find_run("a"));
  store_->runs().create_run(run("b", "p"));
  EXPECT_FALSE(experiments.find(id)->deleted);
  EXPECT_EQ(store_->runs().list_runs("p", 10).size(), 1U);  // "a" stays deleted
  experiments.change(id, {"q", std::nullopt});
  EXPECT_EQ(store_->runs().find_run("b")->project, "q");
}

TEST_F(Tracking, TheLatestMetricIsTheOneOfTheHighestStepTimeAndValue) {
  store_->runs().create_run(run("a"));
  const auto latest = [&] { return store_->tracking().runs().find("a")->metrics; };
  auto& runs = store_->tracking().runs();
  runs.log("a", {{{"m", 1, 5, 10}}, {}, {}});
  runs.log("a", {{{"m", 2, 4, 99}}, {}, {}});  // an earlier step
  EXPECT_EQ(latest()[0].value, 1);
  runs.log("a", {{{"m", 0, 5, 11}}, {}, {}});  // a later time
  EXPECT_EQ(latest()[0].value, 0);
  runs.log("a", {{{"m", 3, 5, 11}, {"m", 2, 5, 11}}, {}, {}});  // the highest value
  EXPECT_EQ(latest()[0].value, 3);
  EXPECT_EQ(runs.history({"a", "m", std::nullopt, 0, 0, 0}).items.size(), 5U);
}

TEST_F(Tracking, SamplesKeepFirstAndLast) {
  store_->runs().create_run(run("a"));
  record::RunBatch batch;
  for (int i = 0; i < 100; ++i) {
    batch.metrics.push_back({"m", static_cast<double>(i), i, i});
  }
  store_->tracking().runs().log("a", batch);
  for (int64_t samples = 1; samples <= 120; ++samples) {
    const auto points = store_->tracking().runs().history({"a", "m", std::nullopt, samples, 0, 0}).items;
    ASSERT_EQ(points.size(), static_cast<size_t>(std::min<int64_t>(samples, 100)));
    EXPECT_EQ(points.back().step, 99);
    EXPECT_EQ(points.front().step, samples == 1 ? 99 : 0);
    for (size_t i = 1; i < points.size(); ++i) {
      EXPECT_LT(points[i - 1].step, points[i].step);
    }
  }
}

// 21,000 runs, written by SQL: enough that an ordering by a metric walks its index. The order is that of a small store.
TEST_F(Tracking, ALargeExperimentIsOrderedLikeASmallOne) {
  store_.reset();
  database()->exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 21000) "
      "INSERT INTO runs(number, id, experiment, name, user, status, deleted, started_ms, ended_ms, config) "
      "SELECT i, 'r' || (100000 + i), 0, 'r', '', 'running', CASE WHEN i % 10 = 0 THEN 1 ELSE 0 END, i % 7, 0, '{}' FROM n;"
      "INSERT INTO latest_metrics SELECT number, 'm', 0, 0, CASE WHEN number % 97 > 0 THEN (number * 7919) % 1000 ELSE 0 END, "
      "CASE WHEN number % 97 = 0 THEN 1 ELSE 0 END FROM runs WHERE number % 3 > 0;");
  open();
  record::Query query;
  query.experiment_ids = {"0"};
  query.order = {{record::Entity::kMetric, "m", false}};
  query.limit = 300;
  std::vector<TrackedRun> all;
  for (bool more = true; more; query.offset += query.limit) {
    auto page = store_->tracking().runs().search(query);
    more = page.more;
    std::move(page.items.begin(), page.items.end(), std::back_inserter(all));
  }
  ASSERT_EQ(all.size(), 18'900U);
  const auto rank = [](const TrackedRun& run) {
    const bool none = run.metrics.empty();
    const bool nan = !none && std::isnan(run.metrics[0].value);
    return std::tuple(none ? 2 : nan ? 1 : 0, none || nan ? 0.0 : -run.metrics[0].value, -run.started_ms, run.id);
  };
  for (size_t i = 1; i < all.size(); ++i) {
    ASSERT_LT(rank(all[i - 1]), rank(all[i])) << i;
  }
}

TEST_F(Tracking, ABatchThatFailsLeavesNothing) {
  auto& runs = store_->tracking().runs();
  store_->runs().create_run(run("a"));
  runs.log("a", {{}, {{"p", "1"}}, {}});
  try {
    runs.log("a", {{{"m", 1, 0, 0}}, {{"new", "x"}, {"p", "2"}}, {{"t", "v"}}});
    FAIL();
  } catch (const record::ParamConflict& conflict) {
    ASSERT_EQ(conflict.changes.size(), 1U);
    EXPECT_EQ(conflict.changes[0].there, "1");
  }
  const TrackedRun found = *runs.find("a");
  EXPECT_EQ(found.params, (std::vector<KeyValue>{{"p", "1"}}));
  EXPECT_TRUE(found.metrics.empty());
  EXPECT_TRUE(found.tags.empty());
}

TEST_F(Files, AreATreeOfNamesForBlobs) {
  auto& files = store_->tracking().files();
  const auto put = [&](const std::string& path, const std::string& bytes) {
    auto writer = files.begin(path);
    writer->write(bytes.substr(0, bytes.size() / 2));
    writer->write(bytes.substr(bytes.size() / 2));
    return writer->commit();
  };
  put("0/r/artifacts/model/MLmodel", "flavors");
  put("0/r/artifacts/model/data/weights.bin", "1234567890");
  put("0/r/artifacts/model.txt", "flavors");
  put("0/r/artifacts/z", "");
  clock_.advance(5);
  EXPECT_EQ(put("0/r/artifacts/z", "new").modified_ms, 1'000'005);
  reopen();
  auto& again = store_->tracking().files();
  const auto listed = [&](const std::string& folder) {
    std::string text;
    for (const auto& entry : again.list(folder)) {
      text += fmt::format("{}{}:{} ", entry.name, entry.folder ? "/" : "", entry.size);
    }
    return text;
  };
  EXPECT_EQ(listed(""), "0/:0 ");
  EXPECT_EQ(listed("0/r/artifacts"), "model/:0 model.txt:7 z:3 ");
  EXPECT_EQ(listed("0/r/artifacts/model"), "MLmodel:7 data/:0 ");
  EXPECT_EQ(listed("0/r/artifacts/z"), "");
  EXPECT_EQ(listed("none"), "");
  const auto found = again.find("0/r/artifacts/model/data/weights.bin");
  ASSERT_TRUE(found);
  EXPECT_EQ(base::read_file(again.blob_of(*found)), "1234567890");
  EXPECT_EQ(again.find("0/r/artifacts/model/MLmodel")->digest, again.find("0/r/artifacts/model.txt")->digest);
  EXPECT_TRUE(verify().problems.empty());
  EXPECT_EQ(collect(false).blobs, 1);  // what z was
  EXPECT_EQ(again.remove("0/r/artifacts/model"), 2);
  EXPECT_EQ(listed("0/r/artifacts"), "model.txt:7 z:3 ");
  EXPECT_EQ(again.remove("0/r/artifacts/model"), 0);
  EXPECT_EQ(collect(false).blobs, 1);  // the weights
}

TEST_F(Files, AreNeverBothFileAndFolderNorOutside) {
  auto& files = store_->tracking().files();
  const auto put = [&](const std::string& path) {
    auto writer = files.begin(path);
    writer->write("x");
    writer->commit();
  };
  put("a/b");
  EXPECT_EQ(error_of([&] { put("a/b/c"); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { put("a"); }).code(), Code::kInvalid);
  for (const char* path : {"", "/a", "../a", "a/../b", "a//b", "a/", "a\nb"}) {
    EXPECT_EQ(error_of([&] { put(path); }).code(), Code::kInvalid) << path;
  }
  { files.begin("dropped")->write("x"); }
  EXPECT_FALSE(files.find("dropped"));
  for (const auto& entry : fs::directory_iterator(folder() / "blobs")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("up-")) << entry.path();
  }
}

TEST_F(Files, WhatAKilledUploadLeftIsGarbage) {
  const fs::path dead = folder() / "blobs" / "up-999999999-x";  // above the highest process id there can be
  base::write_file_atomic(dead, "half");
  auto writer = store_->tracking().files().begin("a");
  writer->write("x");
  EXPECT_EQ(collect(false).leftovers, 1);
  EXPECT_FALSE(fs::exists(dead));
  writer->commit();
  EXPECT_TRUE(store_->tracking().files().find("a"));
}

TEST_F(Migration, RunsOfVersionOneBecomeRunsOfExperiments) {
  store_.reset();
  fs::remove_all(folder());
  fs::create_directories(folder() / "blobs");
  fs::create_directories(folder() / "work");
  options_.database_url = tests::fresh_database();
  {
    const auto old = database();
    migrate(*old, migrations().first(1), 1);
    old->exec(
        "INSERT INTO runs(id, project, name, status, started_ms, ended_ms, tags, config) VALUES"
        "('r1', 'movies', 'one', 'finished', 10, 20, '{\"by\":\"ci\"}', '{\"seed\":7}'),"
        "('r2', 'movies', '', 'awaiting_approval', 11, 0, '{}', '{}'),"
        "('r3', '', '', 'failed', 12, 13, '{}', '{}'),"
        "('r4', 'Default', '', 'running', 14, 0, '{}', '{}');"
        "INSERT INTO params VALUES(1, 'lr', '0.1');"
        "INSERT INTO metrics(run, key, step, time_ms, value) VALUES(1, 'acc', 1, 1, 0.5), (1, 'acc', 2, 2, 0.75),"
        "(1, 'acc', 2, 2, 0.75), (1, 'loss', 1, 1, NULL);");
  }
  open();
  if (options_.database_url.empty()) {
    EXPECT_TRUE(fs::exists(folder() / "slipway.db.v1.backup"));
  } else {
    const auto copied = "SELECT count(*) FROM " + database()->scalar("SELECT current_schema()") + "_v1_backup.runs";
    EXPECT_EQ(database()->scalar(copied.c_str()), "4");
  }
  store_->runs().create_run(run("r5", "movies"));  // its number is a new one
  const auto first = store_->runs().find_run("r1");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->project, "movies");
  EXPECT_EQ(first->tags, (std::map<std::string, std::string>{{"by", "ci"}}));
  EXPECT_EQ(first->config["seed"], 7);
  EXPECT_EQ(store_->runs().metrics("r1", "acc").size(), 2U);
  const TrackedRun tracked = *store_->tracking().runs().find("r1");
  EXPECT_EQ(tracked.experiment_id, "1");
  ASSERT_EQ(tracked.metrics.size(), 2U);
  EXPECT_EQ(tracked.metrics[0].value, 0.75);
  EXPECT_TRUE(std::isnan(tracked.metrics[1].value));
  EXPECT_EQ(tracked.params, (std::vector<KeyValue>{{"lr", "0.1"}}));
  EXPECT_EQ(tracked.tags, (std::vector<KeyValue>{{"by", "ci"}, {record::kRunNameTag, "one"}}));
  EXPECT_EQ(store_->runs().find_run("r2")->status, record::RunStatus::kAwaitingApproval);
  EXPECT_EQ(store_->tracking().runs().find("r3")->experiment_id, "0");
  EXPECT_EQ(store_->runs().list_runs("Default", 10).size(), 2U);
  EXPECT_EQ(store_->runs().list_runs("movies", 10).size(), 3U);
  EXPECT_TRUE(verify().problems.empty());
}

}  // namespace
}  // namespace slipway::store
