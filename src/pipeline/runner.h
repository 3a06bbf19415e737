// Runs the steps of a project: what did not change is taken from the cache, the rest runs in the order of its needs,
// side by side where the graph allows. A run that was killed goes on where it was: a step's work folder is kept until
// it finishes and given to the next run of the same step with the same key.
//
// The key of a step is the SHA-256 of the canonical JSON of its name, code version, configuration, the digests of the
// outputs of the steps it needs, and its files' paths and digests. One process at a time runs a project: the others get
// kConflict. Thread-safe; everything is borrowed for the time of the call.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "base/fields.h"
#include "pipeline/step.h"
#include "record/stores.h"

namespace slipway::pipeline {

enum class Action {
  kCached,   // the result is there
  kRun,      // will run
  kDepends,  // a step that it needs will run: whether it runs depends on whether that gives something new
};

struct PlannedStep {
  std::string name;
  Action action = Action::kRun;
  // Why it runs: "never ran", "configuration changed: epochs 2 -> 3", "input dataset of 'split' changed",
  // "file data/x.tsv changed", "code version 1 -> 2", "runs every time", "forced". Empty when cached.
  std::vector<std::string> reasons;
  std::string key;                           // 64 hex digits; empty while its inputs are not known
  std::optional<record::CachedStep> cached;  // when kCached
  double last_seconds = 0;                   // what it took the last time; 0 = never ran
};

struct Plan {
  std::vector<PlannedStep> steps;  // in an order in which they may run
  bool nothing_to_do() const;      // every step is cached
};

struct RunnerOptions {
  bool force = false;             // run again what is cached (with `only`: of these steps)
  std::vector<std::string> only;  // only these steps, and what they need where that is not cached; empty = all
  std::string from;               // run this step and all that follow from it again
  int threads = 0;                // steps side by side; 0 = one on 2 cores or fewer, else half the cores, at most 4
  bool keep_going = false;        // after a failure, still run what does not need the failed step
  int retries = 2;                // of a step that throws kUnavailable
  int retry_wait_ms = 500;        // before the first retry, doubled each time; a stop request ends the wait
  std::string run_id;             // begin this approved run (trigger.h) instead of a new one
  void describe(base::FieldTable& table);
};

enum class StepStatus { kCached, kFinished, kFailed, kSkipped };  // kSkipped: not begun because of a failure or a stop
const char* name_of(StepStatus status) noexcept;

struct StepOutcome {
  std::string name;
  StepStatus status = StepStatus::kSkipped;
  std::string key;
  double seconds = 0;  // this time; of the first time when cached
  std::map<std::string, std::string> outputs;
  Json summary;
  std::string error;
};

struct RunOutcome {
  std::string run_id;  // when nothing was to do: of the run that made the newest cached result
  record::RunStatus status = record::RunStatus::kFinished;
  bool nothing_to_do = false;      // all was cached; no run was recorded
  std::vector<StepOutcome> steps;  // in the order of the plan
  double seconds = 0;
  std::optional<base::Error> error;  // of the first step that failed, naming it; kInterrupted after a stop
  // The outcome of a step; throws kNotFound.
  const StepOutcome& step(const std::string& name) const;
  // Throws `error` when there is one.
  void throw_if_failed() const;
};

// What is told while steps run, for a live view. Calls never overlap, and come from the threads that run steps. The
// pointers are valid during the call.
class StepListener {
 public:
  virtual ~StepListener() = default;
  virtual void on_plan(const Plan& plan);
  virtual void on_start(const std::string& step, const std::vector<std::string>& reasons);
  virtual void on_cached(const std::string& step, const record::CachedStep& cached);
  // A task within a step: `done` of `total` (0 = unknown) `unit`s; `note` changes, e.g. "loss 0.213".
  struct StepProgress {
    std::string task, unit, note;
    int64_t done = 0;
    int64_t total = 0;
    bool finished = false;  // `note` is the summary
  };
  virtual void on_progress(const std::string& step, const StepProgress& progress);
  virtual void on_finish(const std::string& step, const StepResult& result, double seconds);
  virtual void on_failed(const std::string& step, const base::Error& error, bool will_retry);
};

// What would run, and why. Cheap: files are read only when their state changed since the last time. Throws kInvalid for
// a graph with a ring, an unknown need or a repeated name; kNotFound for a file that is not there; naming the step.
Plan plan(const std::vector<Step>& steps, const std::string& project, record::Store& store,
          const RunnerOptions& options = {});

// Runs. `config` is the resolved configuration, stored with the run. Problems with the graph, the project's lock or the
// store throw; a step that fails or a stop does not: it is told in the outcome, after the run was marked failed
// (killed). Without a listener, steps report to context.progress.
RunOutcome run(const std::vector<Step>& steps, const std::string& project, const Json& config, record::Store& store,
               base::Context& context, const RunnerOptions& options = {}, StepListener* listener = nullptr);

}  // namespace slipway::pipeline
