// The launcher against workers that are shell scripts: what it makes of their events, failures and deaths.
#include "train/launcher.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "support/support.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;

constexpr const char* kDone =
    R"(echo '{"event":"done","step":7,"train_loss":0.5,"loss":0.25,"accuracy":0.75,"best_epoch":2,"seconds":1.5,)"
    R"("samples_per_second":10,"first_step_seconds":0.5,"peak_rss_bytes":1000,"output":"o"}')";

class Launcher : public ::testing::Test {
 protected:
  Launcher() {
    job_.base_model = "m";
    job_.dataset = "d";
    job_.labels = {"a", "b"};
    job_.output = "o";
    job_.checkpoint = folder_.path() / "c";
  }

  TrainResult run(const std::string& script) {
    const fs::path path = folder_.path() / "worker";
    base::write_file_atomic(path, "#!/bin/sh\n" + script + "\n");
    fs::permissions(path, fs::perms::owner_all);
    return run_worker(
        job_, context_, [this](const Json& event) { events_.push_back(event); }, path);
  }

  std::pair<Code, std::string> failure(const std::string& script) {
    try {
      run(script);
    } catch (const base::Error& error) {
      return {error.code(), error.what()};
    }
    return {Code::kFailure, "(none)"};
  }

  void TearDown() override {
    // No child is left, not even as a zombie.
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }

  base::TempDir folder_;
  base::Pool pool_{1};
  base::Log log_;
  base::SystemClock clock_;
  base::SilentProgress progress_;
  std::stop_source stop_;
  base::Context context_{pool_, log_, clock_, progress_, stop_.get_token()};
  Job job_;
  std::vector<Json> events_;
};

TEST_F(Launcher, PassesTheEventsOnAndReturnsTheResult) {
  const TrainResult result =
      run(std::string(R"(echo '{"event":"start","steps":7}'; echo '{"event":"step","step":1}'; )") + kDone);
  EXPECT_EQ(result.steps, 7);
  EXPECT_EQ(result.validation_accuracy, 0.75);
  EXPECT_TRUE(result.has_validation);
  EXPECT_EQ(result.output, "o");
  ASSERT_EQ(events_.size(), 3U);
  EXPECT_EQ(events_[1]["step"], 1);
}

TEST_F(Launcher, GivesTheWorkerTheJobAndItsParent) {
  run("cp \"$1\" " + (folder_.path() / "copy.json").string() + "; echo \"$2 $3\" > " +
      (folder_.path() / "args").string() + "; " + kDone);
  const Job copy = job_from_json(base::parse_json(base::read_file(folder_.path() / "copy.json"), "copy"), "copy");
  EXPECT_EQ(job_to_json(copy), job_to_json(job_));
  EXPECT_EQ(base::read_file(folder_.path() / "args"), "--parent " + std::to_string(::getpid()) + "\n");
}

TEST_F(Launcher, KeepsTheJobInTheRunsFolderWhileItRuns) {
  run("echo \"$1\" > " + (folder_.path() / "where").string() + "; " + kDone);
  EXPECT_EQ(base::read_file(folder_.path() / "where"), (job_.checkpoint / "job.json").string() + "\n");
  EXPECT_TRUE(fs::is_empty(job_.checkpoint));
}

TEST_F(Launcher, ThrowsTheWorkersErrorWithItsCode) {
  const auto [code, text] = failure(R"(echo '{"event":"error","code":"not_found","message":"no model here"}'; exit 3)");
  EXPECT_EQ(code, Code::kNotFound);
  EXPECT_EQ(text, "no model here");
}

TEST_F(Launcher, TellsTheLastWordsOfAWorkerThatCrashed) {
  const auto [code, text] = failure("echo 'something odd' >&2; kill -SEGV $$");
  EXPECT_EQ(code, Code::kFailure);
  EXPECT_NE(text.find("signal 11"), std::string::npos) << text;
  EXPECT_NE(text.find("something odd"), std::string::npos) << text;
}

TEST_F(Launcher, SuspectsMemoryWhenTheWorkerWasKilled) {
  EXPECT_NE(failure("kill -9 $$").second.find("memory"), std::string::npos);
}

TEST_F(Launcher, DoesNotBelieveAWorkerThatEndsWithoutAResult) {
  EXPECT_NE(failure("exit 0").second.find("without saying why"), std::string::npos);
  EXPECT_NE(failure("echo 'not json'; exit 4").second.find("not json"), std::string::npos);
}

TEST_F(Launcher, PassesARequestToStopOnAsATerm) {
  const auto [code, text] = [&] {
    try {
      const fs::path path = folder_.path() / "worker";
      base::write_file_atomic(path,
                              "#!/bin/sh\ntrap 'echo \"{\\\"event\\\":\\\"error\\\",\\\"code\\\":\\\"interrupted\\\","
                              "\\\"message\\\":\\\"at step 3\\\"}\"; exit 130' TERM\n"
                              "echo '{\"event\":\"start\"}'\nwhile :; do sleep 0.02; done\n");
      fs::permissions(path, fs::perms::owner_all);
      run_worker(
          job_, context_, [this](const Json&) { stop_.request_stop(); }, path);
    } catch (const base::Error& error) {
      return std::pair{error.code(), std::string(error.what())};
    }
    return std::pair{Code::kFailure, std::string("(none)")};
  }();
  EXPECT_EQ(code, Code::kInterrupted);
  EXPECT_EQ(text, "at step 3");
}

// Ctrl-C reaches the worker too, and it does not watch signals while libtorch loads.
TEST_F(Launcher, AWorkerThatDiesOfTheRequestToStopWasInterrupted) {
  EXPECT_EQ(failure("kill -INT $$; sleep 60").first, Code::kInterrupted);
  EXPECT_EQ(failure("kill -TERM $$; sleep 60").first, Code::kInterrupted);
  stop_.request_stop();
  EXPECT_EQ(failure("exec sleep 60").first, Code::kInterrupted);
}

TEST_F(Launcher, EndsTheWorkerWhenTheListenerThrows) {
  const fs::path path = folder_.path() / "worker";
  base::write_file_atomic(path, "#!/bin/sh\necho '{\"event\":\"start\"}'\nexec sleep 60\n");
  fs::permissions(path, fs::perms::owner_all);
  EXPECT_THROW(run_worker(
                   job_, context_, [](const Json&) { throw std::runtime_error("no more"); }, path),
               std::runtime_error);
}

TEST_F(Launcher, DoesNotWaitForWhatTheWorkerLeftBehind) {
  const double begin = base::monotonic_seconds();
  const TrainResult result = run(std::string("sleep 5 & ") + kDone);
  EXPECT_EQ(result.steps, 7);
  EXPECT_LT(base::monotonic_seconds() - begin, 4);
}

TEST_F(Launcher, ReadsALongOutputWithoutStandingStill) {
  const TrainResult result = run(
      std::string(
          "i=0; while [ $i -lt 3000 ]; do echo 'a line that fills the pipe again and again' >&2; i=$((i+1)); done; ") +
      kDone);
  EXPECT_EQ(result.steps, 7);
}

TEST_F(Launcher, SaysWhereItLookedForTheWorker) {
  try {
    find_worker(folder_.path() / "nothing");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_NE(std::string(error.what()).find("SLIPWAY_TORCH"), std::string::npos);
  }
}

TEST_F(Launcher, ReadsTheAnswerOfACheck) {
  const fs::path path = folder_.path() / "worker";
  base::write_file_atomic(path, "#!/bin/sh\n[ \"$1\" = --check ] && echo '{\"torch\":\"1.0\",\"gflops\":99.5}'\n");
  fs::permissions(path, fs::perms::owner_all);
  EXPECT_EQ(check_worker(context_, path)["gflops"], 99.5);
  base::write_file_atomic(path, "#!/bin/sh\nexit 1\n");
  fs::permissions(path, fs::perms::owner_all);
  EXPECT_THROW(check_worker(context_, path), base::Error);
}

}  // namespace
}  // namespace slipway::train
