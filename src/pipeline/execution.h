// One run: hands steps to threads as their needs are met, keeps what they give, tells the listener and the store.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/planner.h"
#include "pipeline/runner.h"
#include "pipeline/work.h"

namespace slipway::pipeline {

// The listener behind a lock, or nobody. Any thread.
class Teller {
 public:
  explicit Teller(StepListener* listener) : listener_(listener) {}
  bool has_listener() const noexcept { return listener_ != nullptr; }
  template <class Call>
  void tell(Call&& call) {
    if (listener_ != nullptr) {
      const std::lock_guard lock(mutex_);
      call(*listener_);
    }
  }

 private:
  StepListener* listener_;
  std::mutex mutex_;
};

class Execution {
 public:
  Execution(const Planner& planner, const std::string& project, record::Store& store, base::Context& context,
            const RunnerOptions& options, Teller& teller, const WorkFolders& folders, std::string run_id);
  // Runs all steps; returns when none runs any more. Steps' failures are in the outcome.
  RunOutcome run();

 private:
  enum class State { kWaiting, kRunning, kDone, kFailed, kSkipped };

  void work();
  std::optional<size_t> next();
  void execute(size_t position);
  bool take_from_cache(size_t position, const Fingerprint& now);
  StepResult attempt(size_t position, const Fingerprint& now, const Outputs& inputs);
  std::map<std::string, Json> summaries_of(const Step& step) const;
  void wait_before_retry(int retry);
  void keep(size_t position, const Fingerprint& now, const Outputs& inputs, const StepResult& result, double seconds);
  void add_edges(size_t position, const Outputs& inputs, const StepResult& result);
  void check_outputs(const StepResult& result);
  void fail(size_t position, const base::Error& error);
  std::string node_of(const std::string& digest);

  const Planner& planner_;
  const std::string& project_;
  record::Store& store_;
  base::Context& context_;
  const RunnerOptions& options_;
  Teller& teller_;
  const WorkFolders& folders_;
  int threads_ = 1;

  std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::vector<State> states_;
  int running_ = 0;
  Outputs outputs_;
  RunOutcome outcome_;  // an element of `steps` belongs to the thread that runs it, while it runs
};

// How many steps run side by side.
int resolve_threads(int wanted);

}  // namespace slipway::pipeline
