#include <barrier>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/fixture.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using record::RunStatus;
using Runner = PipelineTest;

// Writes down all it is told.
class Listener final : public StepListener {
 public:
  void on_plan(const Plan& plan) override { told += "plan" + std::to_string(plan.steps.size()) + " "; }
  void on_start(const std::string& step, const std::vector<std::string>&) override { told += "start:" + step + " "; }
  void on_cached(const std::string& step, const record::CachedStep&) override { told += "cached:" + step + " "; }
  void on_progress(const std::string& step, const StepProgress& p) override {
    told += step + ":" + std::to_string(p.done) + "/" + std::to_string(p.total) + (p.finished ? "! " : " ");
  }
  void on_finish(const std::string& step, const StepResult&, double) override { told += "finish:" + step + " "; }
  void on_failed(const std::string& step, const Error&, bool again) override {
    told += (again ? "retry:" : "failed:") + step + " ";
  }
  std::string told;
};

TEST_F(Runner, RunsInOrderOfNeedsAndGivesOutputsOn) {
  const std::vector<Step> steps = {step("c", {"a", "b"}), step("b", {"a"}), step("a")};
  Listener listener;
  const RunOutcome outcome = run(steps, {}, &listener);
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.status, RunStatus::kFinished);
  EXPECT_EQ(listener.told, "plan3 start:a finish:a start:b finish:b start:c finish:c ");
  const std::string a = outcome.step("a").outputs.at("out");
  const std::string content = base::read_file(store_->artifacts().path_of(outcome.step("c").outputs.at("out")));
  EXPECT_NE(content.find(a), std::string::npos);
  EXPECT_EQ(outcome.step("c").summary["step"], "c");
  EXPECT_EQ(error_of([&] { static_cast<void>(outcome.step("d")); }).code(), Code::kNotFound);

  const auto recorded = store_->runs().find_run(outcome.run_id);
  ASSERT_TRUE(recorded);
  EXPECT_EQ(recorded->status, RunStatus::kFinished);
  EXPECT_EQ(recorded->config["k"], 1);
  EXPECT_EQ(store_->events().list("step_finished", 0, 10).size(), 3U);
  EXPECT_EQ(store_->events().list("run_finished", 0, 10).size(), 1U);
}

TEST_F(Runner, ASecondRunDoesNothingAndRecordsNothing) {
  const std::vector<Step> steps = {step("a"), step("b", {"a"})};
  const RunOutcome first = run(steps);
  Listener listener;
  const RunOutcome second = run(steps, {}, &listener);
  EXPECT_TRUE(second.nothing_to_do);
  EXPECT_EQ(second.run_id, first.run_id);
  EXPECT_EQ(listener.told, "plan2 cached:a cached:b ");
  EXPECT_EQ(second.step("b").outputs, first.step("b").outputs);
  EXPECT_EQ(second.step("b").status, StepStatus::kCached);
  EXPECT_EQ(store_->runs().list_runs("", 10).size(), 1U);
  EXPECT_EQ(ran_["a"], 1);
}

TEST_F(Runner, AStepWhoseInputsComeOutTheSameIsNotRunAgain) {
  std::vector<Step> steps = {step("a"), step("b", {"a"})};
  run(steps);
  steps[0].code_version = 2;  // gives the same bytes
  const RunOutcome outcome = run(steps);
  EXPECT_EQ(ran_["a"], 2);
  EXPECT_EQ(ran_["b"], 1);
  EXPECT_EQ(outcome.step("b").status, StepStatus::kCached);
}

TEST_F(Runner, GoingBackToAnEarlierConfigurationFindsItsResult) {
  for (const int epochs : {1, 2, 1}) {
    run({step("train", {}, {{"epochs", epochs}})});
  }
  EXPECT_EQ(ran_["train"], 2);
  EXPECT_EQ(reasons({step("train", {}, {{"epochs", 3}})}, "train"), "configuration changed: epochs 1 -> 3;");
}

TEST_F(Runner, LineageGoesFromFilesThroughRunsToOutputs) {
  const fs::path file = dir_.path() / "raw";
  base::write_file_atomic(file, "raw");
  std::vector<Step> steps = {step("a"), step("b", {"a"})};
  steps[0].files = {file};
  const RunOutcome outcome = run(steps);
  bool found = false;
  for (const auto& edge :
       store_->lineage().walk("artifact:" + outcome.step("b").outputs.at("out"), record::Direction::kBack, 100)) {
    found = found || edge.from.starts_with("file:sha256:");
  }
  EXPECT_TRUE(found);
}

TEST_F(Runner, StepsOfADiamondRunSideBySide) {
  std::barrier<> together(2);
  std::vector<Step> steps = {step("a"), step("left", {"a"}), step("right", {"a"}), step("join", {"left", "right"})};
  for (const size_t i : {size_t{1}, size_t{2}}) {
    steps[i].run = [&, inner = steps[i].run](StepContext& context) {
      together.arrive_and_wait();  // would wait for ever if they ran one after the other
      return inner(context);
    };
  }
  RunnerOptions options;
  options.threads = 2;
  const RunOutcome outcome = run(steps, options);
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.step("join").status, StepStatus::kFinished);
}

TEST_F(Runner, ResultsDoNotDependOnTheNumberOfThreads) {
  std::map<int, std::string> last;
  for (const int threads : {1, 2, 8}) {
    std::vector<Step> steps = {step("root")};
    std::vector<std::string> all;
    for (int i = 0; i < 12; ++i) {
      all.push_back("s" + std::to_string(i));
      steps.push_back(step(all.back(), {i % 3 == 0 || i == 0 ? "root" : "s" + std::to_string(i - 1)}, {{"i", i}}));
    }
    steps.push_back(step("join", all));
    RunnerOptions options;
    options.threads = threads;
    options.force = true;
    last[threads] = run(steps, options).step("join").outputs.at("out");
  }
  EXPECT_EQ(last[1], last[2]);
  EXPECT_EQ(last[1], last[8]);
}

TEST_F(Runner, AFailureNamesTheStepAndStopsWhatFollows) {
  std::vector<Step> steps = {step("a"), step("bad", {"a"}), step("after", {"bad"}), step("apart", {"a"})};
  steps[1].run = [](StepContext&) -> StepResult { throw Error(Code::kGate, "accuracy 0.5 is below 0.8"); };
  const RunOutcome outcome = run(steps);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::kGate);
  EXPECT_STREQ(outcome.error->what(), "step 'bad' failed: accuracy 0.5 is below 0.8");
  EXPECT_EQ(error_of([&] { outcome.throw_if_failed(); }).code(), Code::kGate);
  EXPECT_EQ(outcome.step("after").status, StepStatus::kSkipped);
  EXPECT_EQ(outcome.step("apart").status, StepStatus::kSkipped);
  EXPECT_EQ(store_->runs().find_run(outcome.run_id)->status, RunStatus::kFailed);
  EXPECT_EQ(store_->events().list("step_failed", 0, 9)[0].data["code"], "gate");

  RunnerOptions options;
  options.keep_going = true;
  const RunOutcome more = run(steps, options);
  EXPECT_EQ(more.step("apart").status, StepStatus::kFinished);
  EXPECT_EQ(more.step("after").status, StepStatus::kSkipped);
  EXPECT_EQ(ran_["a"], 1);
}

TEST_F(Runner, AnyExceptionIsAFailureOfTheStep) {
  std::vector<Step> steps = {step("a")};
  steps[0].run = [](StepContext&) -> StepResult { throw std::runtime_error("odd"); };
  EXPECT_STREQ(run(steps).error->what(), "step 'a' failed: odd");
  steps[0].run = [](StepContext&) -> StepResult { throw 7; };
  EXPECT_EQ(run(steps).error->code(), Code::kFailure);
  steps[0].run = [](StepContext&) { return StepResult{{{"out", "not a digest"}}, {}}; };
  EXPECT_NE(std::string(run(steps).error->what()).find("output 'out' is not in the store"), std::string::npos);
}

TEST_F(Runner, TriesAgainWhatIsUnavailable) {
  int tries = 0;
  std::vector<Step> steps = {step("a")};
  steps[0].run = [&, inner = steps[0].run](StepContext& context) {
    if (++tries < 3) {
      throw Error(Code::kUnavailable, "busy");
    }
    return inner(context);
  };
  RunnerOptions options;
  options.retry_wait_ms = 0;
  Listener listener;
  EXPECT_FALSE(run(steps, options, &listener).error);
  EXPECT_EQ(listener.told, "plan1 start:a retry:a retry:a finish:a ");
  tries = -10;
  options.retries = 1;
  options.force = true;
  EXPECT_EQ(run(steps, options).error->code(), Code::kUnavailable);
}

TEST_F(Runner, AStopMarksTheRunKilledAndTheNextGoesOn) {
  std::vector<Step> steps = {step("a"), step("b", {"a"}), step("c", {"b"})};
  const auto whole = steps[1].run;
  steps[1].run = [&](StepContext& context) -> StepResult {
    base::write_file_atomic(context.work / "checkpoint", "half");
    stop_.request_stop();
    base::check_stop(context.base, "training");
    return {};
  };
  const RunOutcome stopped = run(steps);
  ASSERT_TRUE(stopped.error);
  EXPECT_EQ(stopped.error->code(), Code::kInterrupted);
  EXPECT_EQ(base::exit_code(stopped.error->code()), 130);
  EXPECT_EQ(stopped.status, RunStatus::kKilled);
  EXPECT_EQ(store_->runs().find_run(stopped.run_id)->status, RunStatus::kKilled);
  EXPECT_EQ(stopped.step("c").status, StepStatus::kSkipped);

  stop_ = std::stop_source();
  context_.stop = stop_.get_token();
  fs::path work;
  steps[1].run = [&](StepContext& context) {
    work = context.work;
    EXPECT_EQ(base::read_file(context.work / "checkpoint"), "half");
    return whole(context);
  };
  const RunOutcome outcome = run(steps);
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.step("a").status, StepStatus::kCached);
  EXPECT_FALSE(fs::exists(work));
}

TEST_F(Runner, AStopBeforeTheFirstStepRunsNothing) {
  stop_.request_stop();
  const RunOutcome outcome = run({step("a")});
  EXPECT_EQ(outcome.error->code(), Code::kInterrupted);
  EXPECT_EQ(ran_["a"], 0);
}

TEST_F(Runner, AStopEndsTheWaitBeforeARetry) {
  std::vector<Step> steps = {step("a")};
  steps[0].run = [&](StepContext&) -> StepResult {
    stop_.request_stop();
    throw Error(Code::kUnavailable, "busy");
  };
  RunnerOptions options;
  options.retry_wait_ms = 3'600'000;
  EXPECT_TRUE(run(steps, options).error);
}

TEST_F(Runner, AnotherKeyGetsAnotherWorkFolderAndFinishingRemovesAll) {
  std::vector<Step> steps = {step("a", {}, {{"v", 1}})};
  std::set<fs::path> folders;
  const auto failing = [&](StepContext& context) -> StepResult {
    folders.insert(context.work);
    EXPECT_TRUE(fs::is_empty(context.work));
    base::write_file_atomic(context.work / "x", "x");
    throw Error(Code::kFailure, "no");
  };
  steps[0].run = failing;
  run(steps);
  steps[0].config = {{"v", 2}};
  run(steps);
  EXPECT_EQ(folders.size(), 2U);
  run({step("a", {}, {{"v", 3}})});
  for (const fs::path& folder : folders) {
    EXPECT_FALSE(fs::exists(folder));
  }
}

TEST_F(Runner, FilesThatChangeWhileAStepRunsKeepItOutOfTheCache) {
  const fs::path file = dir_.path() / "raw";
  base::write_file_atomic(file, "1");
  std::vector<Step> steps = {step("a")};
  steps[0].files = {file};
  steps[0].run = [&, inner = steps[0].run](StepContext& context) {
    base::write_file_atomic(file, "2");
    return inner(context);
  };
  EXPECT_FALSE(run(steps).error);
  base::write_file_atomic(file, "1");
  EXPECT_EQ(reasons(steps, "a"), "never ran;");
}

TEST_F(Runner, OneProcessAtATimeRunsAProject) {
  std::vector<Step> steps = {step("a")};
  steps[0].run = [&, inner = steps[0].run](StepContext& context) {
    const Error error = error_of([&] { run({step("b")}); });
    EXPECT_EQ(error.code(), Code::kConflict);
    EXPECT_NE(std::string(error.what()).find(std::to_string(::getpid())), std::string::npos) << error.what();
    EXPECT_FALSE(pipeline::run({step("b")}, "another", {}, *store_, context_).error);
    return inner(context);
  };
  EXPECT_FALSE(run(steps).error);
}

TEST_F(Runner, ARunWhoseProcessDiedIsMarkedKilled) {
  store_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    store_ = store::open_store(folder());
    std::vector<Step> steps = {step("a")};
    steps[0].run = [](StepContext&) -> StepResult { ::_exit(0); };
    run(steps);
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  store_ = store::open_store(folder());
  ASSERT_EQ(store_->runs().list_runs("demo", 9)[0].status, RunStatus::kRunning);
  const RunOutcome outcome = run({step("a")});
  const auto runs = store_->runs().list_runs("demo", 9);
  ASSERT_EQ(runs.size(), 2U);
  for (const auto& run : runs) {
    EXPECT_EQ(run.status, run.id == outcome.run_id ? RunStatus::kFinished : RunStatus::kKilled);
  }
}

TEST_F(Runner, ProgressReachesTheListenerWithTheStepsName) {
  std::vector<Step> steps = {step("a")};
  steps[0].run = [inner = steps[0].run](StepContext& context) {
    context.base.progress.start("rows", 10, "rows");
    context.base.progress.update(5, "half");
    context.base.progress.finish("10 rows");
    return inner(context);
  };
  Listener listener;
  run(steps, {}, &listener);
  EXPECT_EQ(listener.told, "plan1 start:a a:0/10 a:5/10 a:5/10! finish:a ");
}

TEST_F(Runner, RefusesGraphsAndNamesBeforeAnythingIsRecorded) {
  EXPECT_EQ(error_of([&] { run({step("a", {"a"})}); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { pipeline::run({step("a")}, "../x", {}, *store_, context_); }).code(), Code::kInvalid);
  EXPECT_TRUE(store_->runs().list_runs("", 9).empty());
  EXPECT_TRUE(run({}).nothing_to_do);
}

TEST_F(Runner, OptionsAreDescribed) {
  RunnerOptions options;
  base::FieldTable table;
  options.describe(table);
  table.apply({{"only", {"a"}}, {"retries", 5}}, "test");
  EXPECT_EQ(options.retries, 5);
  EXPECT_EQ(options.only, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace slipway::pipeline
