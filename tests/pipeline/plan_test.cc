#include "base/hash.h"
#include "pipeline/fixture.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;
using base::Code;
using Planning = PipelineTest;

TEST_F(Planning, SaysWhyEachStepRuns) {
  const fs::path file = dir_.path() / "x.tsv";
  base::write_file_atomic(file, "1");
  std::vector<Step> steps = {step("collect"), step("train", {"collect"}, {{"epochs", 2}}), step("report", {"train"})};
  steps[0].files = {file};
  EXPECT_EQ(reasons(steps, "collect"), "never ran;");
  EXPECT_EQ(reasons(steps, "train"), "never ran;");
  run(steps);
  EXPECT_TRUE(plan(steps).nothing_to_do());
  EXPECT_EQ(reasons(steps, "train"), "cached");

  auto changed = steps;
  changed[1] = step("train", {"collect"}, {{"epochs", 3}});
  EXPECT_EQ(reasons(changed, "collect"), "cached");
  EXPECT_EQ(reasons(changed, "train"), "configuration changed: epochs 2 -> 3;");
  EXPECT_EQ(reasons(changed, "report"), "? needs 'train', which runs;");
  changed = steps;
  changed[1].code_version = 2;
  EXPECT_EQ(reasons(changed, "train"), "code version 1 -> 2;");
  changed = steps;
  changed[2].config = {{"new", 1}};
  changed[1].code_version = 3;
  EXPECT_EQ(reasons(changed, "report"), "configuration changed: new added;");
  base::write_file_atomic(file, "2");
  EXPECT_EQ(reasons(steps, "collect"), "file " + file.string() + " changed;");
  EXPECT_EQ(reasons(steps, "train"), "? needs 'collect', which runs;");
}

TEST_F(Planning, ForceFromAndOnlyChooseSteps) {
  std::vector<Step> steps = {step("a"), step("b", {"a"}), step("c", {"b"}), step("d", {"a"})};
  run(steps);
  RunnerOptions options;
  options.force = true;
  EXPECT_EQ(reasons(steps, "a", options), "forced;");
  EXPECT_EQ(reasons(steps, "d", options), "forced;");
  options.only = {"b"};
  EXPECT_EQ(reasons(steps, "a", options), "cached");
  EXPECT_EQ(reasons(steps, "b", options), "forced;");
  EXPECT_EQ(reasons(steps, "c", options), "not planned");
  options = {};
  options.from = "b";
  EXPECT_EQ(reasons(steps, "a", options), "cached");
  EXPECT_EQ(reasons(steps, "c", options), "forced;");
  EXPECT_EQ(reasons(steps, "d", options), "cached");
  options.from = "bb";
  EXPECT_EQ(error_of([&] { plan(steps, options); }).code(), Code::kInvalid);
}

TEST_F(Planning, AStepThatIsNotCachedRunsEveryTime) {
  std::vector<Step> steps = {step("a"), step("serve", {"a"})};
  steps[1].cacheable = false;
  run(steps);
  EXPECT_EQ(reasons(steps, "serve"), "runs every time;");
  run(steps);
  EXPECT_EQ(ran_["a"], 1);
  EXPECT_EQ(ran_["serve"], 2);
}

TEST_F(Planning, AResultWhoseBlobIsGoneIsMadeAgain) {
  const std::vector<Step> steps = {step("a")};
  const RunOutcome first = run(steps);
  const std::string digest = first.step("a").outputs.at("out");
  fs::remove(store_->artifacts().path_of(digest));
  EXPECT_EQ(reasons(steps, "a"), "its output out is gone from the store;");
  EXPECT_EQ(run(steps).step("a").outputs.at("out"), digest);
  EXPECT_TRUE(plan(steps).nothing_to_do());
}

TEST_F(Planning, NothingToDoTakesMilliseconds) {
  std::vector<Step> steps = {step("s0")};
  for (int i = 0; i < 100; ++i) {
    base::write_file_atomic(dir_.path() / ("f" + std::to_string(i)), "x");
    steps[0].files.push_back(dir_.path() / ("f" + std::to_string(i)));
  }
  for (int i = 1; i < 15; ++i) {
    steps.push_back(step("s" + std::to_string(i), {"s" + std::to_string(i - 1)}));
  }
  run(steps);
  store_.reset();
  const double begin = base::monotonic_seconds();
  store_ = store::open_store(folder());
  const RunOutcome outcome = run(steps);
  const double seconds = base::monotonic_seconds() - begin;
  EXPECT_TRUE(outcome.nothing_to_do);
  EXPECT_EQ(outcome.steps.size(), 15U);
  RecordProperty("milliseconds", std::to_string(seconds * 1e3));
  EXPECT_LT(seconds, 1.0);  // 50 ms are promised; the machine may be busy
  EXPECT_EQ(store_->runs().list_runs("demo", 10).size(), 1U);
}

}  // namespace
}  // namespace slipway::pipeline
