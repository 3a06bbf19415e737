// Runs, predictions, events, deployments and cached steps: what was written is read back, in the promised order.
#include <cmath>
#include <limits>

#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;
using record::Json;
using record::RunStatus;

using Runs = StoreTest;
using Predictions = StoreTest;
using Events = StoreTest;
using Steps = StoreTest;

TEST_F(Runs, KeepsAllFieldsAcrossReopening) {
  record::Run made = run("0123", "sentiment", 42);
  made.name = "first \xF0\x9F\x8C\x8D \"quoted\"";
  made.tags = {{"by", "ci"}, {"empty", ""}};
  made.config = {{"epochs", 2}, {"z", {1, 2.5, nullptr}}, {"a", "first keys stay first"}};
  store_->runs().create_run(made);
  store_->runs().end_run("0123", RunStatus::kFailed, 99);
  reopen();
  const auto found = store_->runs().find_run("0123");
  ASSERT_TRUE(found);
  made.status = RunStatus::kFailed;
  made.ended_ms = 99;
  EXPECT_EQ(record::to_json(*found), record::to_json(made));
  EXPECT_FALSE(store_->runs().find_run("other"));
}

TEST_F(Runs, RefusesASecondRunOfTheSameIdAndUnknownRuns) {
  store_->runs().create_run(run("a"));
  EXPECT_EQ(error_of([&] { store_->runs().create_run(run("a")); }).code(), Code::kConflict);
  EXPECT_EQ(error_of([&] { store_->runs().end_run("b", RunStatus::kFinished, 1); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { store_->runs().log_params("b", {{"k", "v"}}); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { store_->runs().log_metrics("b", {}); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { store_->runs().create_run(run("")); }).code(), Code::kInvalid);
}

TEST_F(Runs, ListsNewestFirstByProjectWithALimit) {
  for (int i = 0; i < 6; ++i) {
    store_->runs().create_run(run("r" + std::to_string(i), i % 2 == 0 ? "even" : "odd", 100 + i / 2));
  }
  const auto ids = [&](const std::string& project, int limit) {
    std::string text;
    for (const auto& run : store_->runs().list_runs(project, limit)) {
      text += run.id + " ";
    }
    return text;
  };
  EXPECT_EQ(ids("", 100), "r5 r4 r3 r2 r1 r0 ");
  EXPECT_EQ(ids("even", 100), "r4 r2 r0 ");
  EXPECT_EQ(ids("odd", 2), "r5 r3 ");
  EXPECT_EQ(ids("none", 2), "");
  EXPECT_EQ(ids("", -1), "");
}

TEST_F(Runs, AParameterIsWrittenOnce) {
  store_->runs().create_run(run("a"));
  store_->runs().log_params("a", {{"lr", "0.1"}, {"seed", "7"}});
  store_->runs().log_params("a", {{"lr", "0.1"}});
  EXPECT_EQ(error_of([&] { store_->runs().log_params("a", {{"new", "1"}, {"seed", "8"}}); }).code(), Code::kConflict);
  EXPECT_EQ(store_->runs().params("a"), (std::map<std::string, std::string>{{"lr", "0.1"}, {"seed", "7"}}));
}

TEST_F(Runs, MetricsComeInOrderOfStepAndKeepNonFiniteValues) {
  store_->runs().create_run(run("a"));
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<record::MetricPoint> points = {{"loss", 0.5, 2, 20},
                                                   {"loss", std::nan(""), 1, 10},
                                                   {"acc", 0.9, 2, 21},
                                                   {"loss", -inf, 3, 30},
                                                   {"loss", 0.5, 2, 20}};
  store_->runs().log_metrics("a", points);
  const auto loss = store_->runs().metrics("a", "loss");
  ASSERT_EQ(loss.size(), 3U);  // a point that is there already is ignored
  EXPECT_TRUE(std::isnan(loss[0].value));
  EXPECT_EQ(loss[1].value, 0.5);
  EXPECT_EQ(loss[2].value, -inf);
  EXPECT_EQ(store_->runs().metrics("a", "").size(), 4U);
  EXPECT_TRUE(store_->runs().metrics("none", "").empty());
}

TEST_F(Predictions, KeepAllFieldsAndIgnoreRepeats) {
  record::Prediction made = prediction("p-1", 5);
  made.text = std::string("zero\0inside \xE4\xBD\xA0\xE5\xA5\xBD", 18);
  made.label = "positive";
  made.score = 0.75;
  made.scores = {0.25F, 0.75F};
  made.tokens = 12;
  made.latency_us = 345;
  store_->predictions().append({&made, 1});
  record::Prediction again = made;
  again.label = "changed";
  store_->predictions().append({&again, 1});
  store_->predictions().append({});
  const auto found = store_->predictions().find("p-1");
  ASSERT_TRUE(found);
  if (!options_.database_url.empty()) {  // PostgreSQL keeps no NUL
    made.text.replace(4, 1, "\xEF\xBF\xBD");
  }
  EXPECT_EQ(record::to_json(*found), record::to_json(made));
  EXPECT_EQ(found->text.size(), made.text.size());
  EXPECT_EQ(store_->predictions().count("d"), 1);
  EXPECT_FALSE(store_->predictions().find("p-2"));
}

TEST_F(Predictions, PagesByTimeLoseNothingWithinAMillisecond) {
  std::vector<record::Prediction> all;
  for (int i = 0; i < 30; ++i) {
    all.push_back(prediction("p-" + std::to_string(i), 100 + i / 7, i % 3 == 0 ? "other" : "d"));
  }
  store_->predictions().append(all);
  EXPECT_EQ(store_->predictions().count(""), 30);
  EXPECT_EQ(store_->predictions().count("other"), 10);
  std::vector<std::string> ids;
  int64_t after = 0;
  while (true) {
    const auto page = store_->predictions().list("", after, 4);
    if (page.empty()) {
      break;
    }
    for (const auto& p : page) {
      ids.push_back(p.id);
    }
    after = page.back().time_ms;
  }
  ASSERT_EQ(ids.size(), 30U);
  EXPECT_EQ(ids.front(), "p-0");
  EXPECT_EQ(ids.back(), "p-29");
  EXPECT_EQ(store_->predictions().list("other", 102, 10).size(), 3U);
  EXPECT_TRUE(store_->predictions().list("", 0, 0).empty());
}

TEST_F(Events, HaveRisingIdsAndTheStoresTime) {
  const auto first = store_->events().append("run_started", "run:a", {{"x", 1}});
  clock_.advance(5);
  const auto second = store_->events().append("rollback", "model:m/1", nullptr);
  store_->events().append("run_started", "run:b", {});
  EXPECT_LT(first.id, second.id);
  EXPECT_EQ(second.time_ms, 1'000'005);
  EXPECT_EQ(store_->events().list("", 0, 100).size(), 3U);
  EXPECT_EQ(store_->events().list("", first.id, 1)[0].kind, "rollback");
  const auto started = store_->events().list("run_started", 0, 10);
  ASSERT_EQ(started.size(), 2U);
  EXPECT_EQ(started[0].data["x"], 1);
  EXPECT_EQ(started[1].subject, "run:b");
  const auto newest = store_->events().newest("", 2);
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0].kind, "rollback");
  EXPECT_EQ(newest[1].subject, "run:b");
  EXPECT_EQ(store_->events().newest("run_started", 1).at(0).subject, "run:b");
  EXPECT_TRUE(store_->events().newest("other", 9).empty());
}

TEST_F(Events, WhatCouldNotBeReadBackIsNotWritten) {
  Json deep = 1;
  for (int i = 0; i < 100; ++i) {
    deep = Json::array({deep});
  }
  store_->events().append("deep", "x", deep);
  EXPECT_EQ(error_of([&] { store_->events().append("deeper", "x", Json::array({deep})); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { store_->events().append("long", "x", std::string(33 << 20, 'x')); }).code(), Code::kInvalid);
  store_->events().append("invalid UTF-8", "\xFF", {{"\xFF", "\xC0"}});
  ASSERT_EQ(store_->events().list("", 0, 9).size(), 2U);
  EXPECT_EQ(store_->events().list("deep", 0, 9)[0].data, deep);
}

TEST_F(Events, DeploymentsAreFoundByIdAndNewestByEndpoint) {
  record::Deployment one;
  one.id = "d1";
  one.endpoint = "sentiment";
  one.model = "models:/m@champion";
  one.address = "http://127.0.0.1:1";
  one.pid = 12;
  one.started_ms = 10;
  one.meta = {{"split", {{"canary", 0.1}}}};
  record::Deployment two = one;
  two.id = "d2";
  two.started_ms = 20;
  store_->events().put_deployment(one);
  store_->events().put_deployment(two);
  one.status = record::DeploymentStatus::kStopped;
  one.ended_ms = 30;
  store_->events().put_deployment(one);
  EXPECT_EQ(record::to_json(store_->events().find_deployment("d1").value()), record::to_json(one));
  EXPECT_EQ(store_->events().find_deployment("sentiment")->id, "d2");
  EXPECT_FALSE(store_->events().find_deployment("none"));
  const auto list = store_->events().list_deployments(10);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].id, "d2");
}

TEST_F(Steps, AreFoundByKeyAndByNewest) {
  record::CachedStep step;
  step.key = std::string(64, 'a');
  step.project = "p";
  step.step = "train";
  step.run_id = "r";
  step.inputs = {{"config", {{"epochs", 2}}}};
  step.outputs = {{"model", "sha256:1"}};
  step.summary = {{"accuracy", 0.9}};
  step.seconds = 1.5;
  step.created_ms = 7;
  store_->steps().put(step);
  record::CachedStep newer = step;
  newer.key = std::string(64, 'b');
  newer.created_ms = 8;
  store_->steps().put(newer);
  const auto found = store_->steps().find(step.key);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->inputs, step.inputs);
  EXPECT_EQ(found->outputs, step.outputs);
  EXPECT_EQ(found->summary, step.summary);
  EXPECT_EQ(found->seconds, 1.5);
  EXPECT_EQ(store_->steps().latest("p", "train")->key, newer.key);
  EXPECT_FALSE(store_->steps().latest("q", "train"));
  store_->steps().remove(newer.key);
  EXPECT_FALSE(store_->steps().find(newer.key));
  EXPECT_EQ(store_->steps().latest("p", "train")->key, step.key);
}

TEST_F(Steps, StampsAreReplacedByPath) {
  const record::FileStamp a{"a", 1, 2, 3, ~uint64_t{0}, "sha256:x"};
  record::FileStamp b{"b", 1, 2, 3, 4, "sha256:y"};
  store_->steps().put_stamps(std::vector{a, b});
  b.size = 9;
  store_->steps().put_stamps({&b, 1});
  const std::vector<std::string> paths = {"b", "missing", "a"};
  EXPECT_EQ(store_->steps().stamps(paths), (std::vector{b, a}));
  EXPECT_TRUE(std::filesystem::is_directory(store_->steps().work_folder()));
}

TEST_F(Predictions, ARedactedPredictionKeepsAllButItsTextAndLeavesNoBytes) {
  record::Prediction one = prediction("p-1", 1);
  one.text = "the words of somebody who asked to be forgotten";
  one.label = "positive";
  const record::Prediction other = prediction("p-2", 2);
  store_->predictions().append(std::vector<record::Prediction>{one, other});
  EXPECT_EQ(store_->predictions().redact(std::vector<std::string>{"p-1", "p-none"}, "[forgotten]"), 1);
  const auto found = store_->predictions().find("p-1");
  EXPECT_EQ(found->text, "[forgotten]");
  EXPECT_EQ(found->label, "positive");
  store_.reset();
  if (options_.database_url.empty()) {
    for (const char* name : {"slipway.db", "slipway.db-wal"}) {
      if (std::filesystem::exists(folder() / name)) {
        EXPECT_EQ(base::read_file(folder() / name).find(one.text), std::string::npos) << name;
      }
    }
  }
}

}  // namespace
}  // namespace slipway::store
