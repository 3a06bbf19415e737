// A run is killed at random moments and begun again until it ends; its artifacts must be those of a run that was never
// killed, and no unit of work that a step had kept is done twice. The number of kills is $SLIPWAY_TEST_KILLS, else 20.
#include <cstdlib>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/random.h"
#include "pipeline/fixture.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int kUnits = 12;  // of work in each step

// A step that works in units, each kept in its work folder before it is told through `pipe` (-1: nobody): the state is
// a hash over all units so far.
Step resumable(const std::string& name, const std::vector<std::string>& needs, int pipe) {
  Step step;
  step.name = name;
  step.needs = needs;
  step.run = [name, pipe](StepContext& context) {
    const fs::path file = context.work / "state";
    int done = 0;
    std::string state = base::sha256_hex(name + base::canonical_json(Json(context.inputs)));
    if (fs::exists(file)) {
      const Json saved = base::parse_json(base::read_file(file), "state");
      done = saved["done"].get<int>();
      state = saved["state"].get<std::string>();
    }
    for (; done < kUnits; ++done) {
      state = base::sha256_hex(state + std::to_string(done));
      base::write_file_atomic(file, base::dump_json(Json{{"done", done + 1}, {"state", state}}));
      if (pipe >= 0 && ::write(pipe, "u", 1) != 1) {
        throw base::Error(base::Code::kFailure, "the test is gone");
      }
    }
    const fs::path folder = context.work / "result";
    base::make_dirs(folder);
    base::write_file_atomic(folder / "a", state);
    base::write_file_atomic(folder / "b", std::string(100'000, state[0]));
    StepResult result;
    result.outputs["out"] = context.store.artifacts().put_folder(folder, "dataset", name, {}).digest;
    return result;
  };
  return step;
}

std::vector<Step> project(int pipe) {
  return {resumable("collect", {}, pipe), resumable("clean", {"collect"}, pipe),
          resumable("tokenize", {"collect"}, pipe), resumable("train", {"clean", "tokenize"}, pipe)};
}

RunOutcome run_project(const fs::path& folder, int pipe) {
  const auto store = store::open_store(folder);
  base::Pool pool(1);
  base::Log log;
  const base::SystemClock clock;
  base::SilentProgress progress;
  base::Context context{pool, log, clock, progress, {}};
  RunnerOptions options;
  options.threads = 2;
  return run(project(pipe), "demo", {}, *store, context, options);
}

// One run in a process of its own, killed when it has told `units` units; returns how many it told, and whether it
// ended by itself.
std::pair<int, bool> run_and_kill(const fs::path& folder, uint64_t units) {
  int ends[2];
  if (::pipe(ends) != 0) {
    return {0, false};
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    try {
      ::_exit(run_project(folder, ends[1]).error ? 1 : 0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(2);
    }
  }
  ::close(ends[1]);
  int told = 0;
  char unit = 0;
  while (::read(ends[0], &unit, 1) == 1) {
    if (static_cast<uint64_t>(++told) == units) {
      ::kill(child, SIGKILL);
    }
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << status;
  return {told, WIFEXITED(status)};
}

TEST(Crash, KilledRunsEndWithTheSameArtifacts) {
  const char* wanted = std::getenv("SLIPWAY_TEST_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 20;
  base::TempDir dir;
  const RunOutcome whole = run_project(dir.path() / "whole", -1);
  ASSERT_FALSE(whole.error);
  base::Rng rng(20261124);
  int killed = 0;
  for (int project = 0; killed < kills; ++project) {
    const fs::path folder = dir.path() / ("p" + std::to_string(project));
    int told = 0;
    bool ended = false;
    int here = 0;
    while (!ended) {
      const auto [units, by_itself] = run_and_kill(folder, 1 + rng.below(8));
      told += units;
      ended = by_itself;
      here += ended ? 0 : 1;
    }
    killed += here;
    // A unit that was kept but not told yet when the kill came is not told again: at most as many are told as there
    // are.
    EXPECT_LE(told, 4 * kUnits);
    EXPECT_GE(told, 4 * kUnits - 2 * here);  // two steps run side by side
    const RunOutcome again = run_project(folder, -1);
    EXPECT_TRUE(again.nothing_to_do);
    for (const StepOutcome& step : whole.steps) {
      EXPECT_EQ(again.step(step.name).outputs, step.outputs) << step.name;
    }
    EXPECT_TRUE(store::verify_store(folder).problems.empty());
    const auto store = store::open_store(folder);
    int finished = 0;
    for (const auto& run : store->runs().list_runs("demo", 1000)) {
      EXPECT_NE(run.status, record::RunStatus::kRunning);
      finished += run.status == record::RunStatus::kFinished ? 1 : 0;
    }
    EXPECT_LE(finished, 1);  // none when the kill came between the last result and the end of the run
    EXPECT_TRUE(fs::is_empty(store->steps().work_folder() / "demo"));
  }
}

}  // namespace
}  // namespace slipway::pipeline
