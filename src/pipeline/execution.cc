#include "pipeline/execution.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <thread>

#include "base/clock.h"
#include "base/cpu.h"

namespace slipway::pipeline {
namespace {

using base::Code;
using base::Error;

// A step's progress, told to the listener with the step's name.
class ListenedProgress final : public base::Progress {
 public:
  ListenedProgress(const std::string& step, Teller& teller) : step_(step), teller_(teller) {}
  void start(std::string_view task, int64_t total, std::string_view unit) override {
    now_ = {std::string(task), std::string(unit), "", 0, total, false};
    tell();
  }
  void update(int64_t done, std::string_view note) override {
    now_.done = done;
    now_.note = note;
    tell();
  }
  void finish(std::string_view summary) override {
    now_.note = summary;
    now_.finished = true;
    tell();
  }

 private:
  void tell() {
    teller_.tell([&](StepListener& listener) { listener.on_progress(step_, now_); });
  }
  const std::string& step_;
  Teller& teller_;
  StepListener::StepProgress now_;
};

// What a step throws, as one of our errors that names the step.
Error named(const std::string& step, const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    if (error.code() == Code::kInterrupted) {
      return {error.code(), fmt::format("step '{}' was interrupted; run again to go on from there", step)};
    }
    return {error.code(), fmt::format("step '{}' failed: {}", step, error.what())};
  } catch (const std::bad_alloc&) {
    return {Code::kFailure, fmt::format("step '{}' failed: not enough memory", step)};
  } catch (const std::exception& error) {
    return {Code::kFailure, fmt::format("step '{}' failed: {}", step, error.what())};
  } catch (...) {
    return {Code::kFailure, fmt::format("step '{}' failed with an unknown exception", step)};
  }
}

}  // namespace

int resolve_threads(int wanted) {
  if (wanted > 0) {
    return wanted;
  }
  const int cores = base::usable_cores();
  return cores <= 2 ? 1 : std::min(4, cores / 2);
}

Execution::Execution(const Planner& planner, const std::string& project, record::Store& store, base::Context& context,
                     const RunnerOptions& options, Teller& teller, const WorkFolders& folders, std::string run_id)
    : planner_(planner),
      project_(project),
      store_(store),
      context_(context),
      options_(options),
      teller_(teller),
      folders_(folders),
      threads_(std::min(resolve_threads(options.threads), std::max(1, static_cast<int>(planner.size())))),
      states_(planner.size(), State::kWaiting) {
  outcome_.run_id = std::move(run_id);
  outcome_.steps.resize(planner.size());
  for (size_t position = 0; position < planner.size(); ++position) {
    outcome_.steps[position].name = planner.step(position).name;
  }
}

RunOutcome Execution::run() {
  const double begin = base::monotonic_seconds();
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads_; ++i) {
    helpers.emplace_back([this] { work(); });
  }
  work();
  for (std::thread& helper : helpers) {
    helper.join();
  }
  const bool all_done = std::all_of(states_.begin(), states_.end(), [](State state) { return state == State::kDone; });
  if (!all_done && !outcome_.error) {
    outcome_.error = Error(Code::kInterrupted, "the run was interrupted; run again to go on from there");
  }
  if (outcome_.error) {
    const bool stopped = outcome_.error->code() == Code::kInterrupted;
    outcome_.status = stopped ? record::RunStatus::kKilled : record::RunStatus::kFailed;
  }
  outcome_.seconds = base::monotonic_seconds() - begin;
  return std::move(outcome_);
}

void Execution::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (const auto position = next()) {
      states_[*position] = State::kRunning;
      ++running_;
      lock.unlock();
      execute(*position);
      lock.lock();
      --running_;
      changed_.notify_all();
    } else if (running_ == 0) {
      return;  // nothing runs, so nothing will become ready
    } else {
      changed_.wait(lock);
    }
  }
}

// The first step whose needs are met; marks those that cannot run any more. Under the mutex.
std::optional<size_t> Execution::next() {
  const bool stopping = context_.stop.stop_requested() || (outcome_.error && !options_.keep_going) ||
                        (outcome_.error && outcome_.error->code() == Code::kInterrupted);
  for (size_t position = 0; position < states_.size(); ++position) {
    if (states_[position] != State::kWaiting) {
      continue;
    }
    bool ready = true;
    bool lost = stopping;
    for (const size_t need : planner_.needs(position)) {
      ready = ready && states_[need] == State::kDone;
      lost = lost || states_[need] == State::kFailed || states_[need] == State::kSkipped;
    }
    if (lost) {
      states_[position] = State::kSkipped;
    } else if (ready) {
      return position;
    }
  }
  return std::nullopt;
}

void Execution::execute(size_t position) {
  const Step& step = planner_.step(position);
  try {
    Outputs inputs;
    {
      const std::lock_guard lock(mutex_);
      for (const std::string& need : step.needs) {
        inputs[need] = outputs_.at(need);
      }
    }
    const Fingerprint now = planner_.fingerprint_of(position, inputs);
    outcome_.steps[position].key = now.key;
    if (take_from_cache(position, now)) {
      return;
    }
    const double begin = base::monotonic_seconds();
    const StepResult result = attempt(position, now, inputs);
    check_outputs(result);
    keep(position, now, inputs, result, base::monotonic_seconds() - begin);
  } catch (...) {
    fail(position, named(step.name, std::current_exception()));
  }
}

bool Execution::take_from_cache(size_t position, const Fingerprint& now) {
  const auto cached = planner_.cached(position, now.key);
  if (!cached) {
    return false;
  }
  planner_.freshen(*cached, context_.clock.unix_ms());
  folders_.remove(cached->step, cached->key);  // left when a run was killed after it had kept the result
  store_.events().append("step_finished", "run:" + outcome_.run_id,
                         {{"step", cached->step}, {"cached", true}, {"key", cached->key}, {"seconds", 0}});
  StepOutcome& mine = outcome_.steps[position];
  mine.status = StepStatus::kCached;
  mine.seconds = cached->seconds;
  mine.outputs = cached->outputs;
  mine.summary = cached->summary;
  teller_.tell([&](StepListener& listener) { listener.on_cached(planner_.step(position).name, *cached); });
  const std::lock_guard lock(mutex_);
  outputs_[planner_.step(position).name] = cached->outputs;
  states_[position] = State::kDone;
  return true;
}

StepResult Execution::attempt(size_t position, const Fingerprint& now, const Outputs& inputs) {
  const Step& step = planner_.step(position);
  const std::vector<std::string> reasons = planner_.reasons(position, now);
  teller_.tell([&](StepListener& listener) { listener.on_start(step.name, reasons); });
  context_.log.info("step started", {{"step", step.name}, {"reasons", reasons}});
  const std::filesystem::path folder = folders_.open(step.name, now.key);
  ListenedProgress listened(step.name, teller_);
  base::SilentProgress silent;
  base::Progress& own = threads_ == 1 ? context_.progress : static_cast<base::Progress&>(silent);
  for (int tries = 0;; ++tries) {
    base::Context base{context_.pool, context_.log, context_.clock,
                       teller_.has_listener() ? static_cast<base::Progress&>(listened) : own, context_.stop};
    StepContext step_context{base, store_, outcome_.run_id, folder, inputs, summaries_of(step)};
    try {
      base::check_stop(base, step.name);
      return step.run(step_context);
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable || tries >= options_.retries || context_.stop.stop_requested()) {
        throw;
      }
      context_.log.warning("step will be tried again", {{"step", step.name}, {"error", error.what()}});
      teller_.tell([&](StepListener& listener) { listener.on_failed(step.name, error, true); });
    }
    wait_before_retry(tries);
  }
}

// Needed steps are done: their outcomes do not change any more.
std::map<std::string, Json> Execution::summaries_of(const Step& step) const {
  std::map<std::string, Json> summaries;
  for (const std::string& need : step.needs) {
    summaries[need] = outcome_.step(need).summary;
  }
  return summaries;
}

void Execution::wait_before_retry(int retry) {
  constexpr int kMaxDoublings = 10;
  const std::chrono::milliseconds wait(int64_t{options_.retry_wait_ms} << std::min(retry, kMaxDoublings));
  std::mutex own;
  std::unique_lock lock(own);
  std::condition_variable_any never;
  never.wait_for(lock, context_.stop, wait, [] { return false; });
}

void Execution::check_outputs(const StepResult& result) {
  for (const auto& [name, digest] : result.outputs) {
    if (!store_.artifacts().find(digest)) {
      throw Error(
          Code::kFailure,
          fmt::format("its output '{}' is not in the store: '{}' (a step puts its outputs there)", name, digest));
    }
  }
}

// In this order: a result is in the cache only when its edges are kept too, and its work folder goes only after that.
void Execution::keep(size_t position, const Fingerprint& now, const Outputs& inputs, const StepResult& result,
                     double seconds) {
  const Step& step = planner_.step(position);
  add_edges(position, inputs, result);
  if (!planner_.files_unchanged(position)) {
    context_.log.warning("files changed while the step ran: its result is not kept for later runs",
                         {{"step", step.name}});
  } else if (step.cacheable) {
    record::CachedStep cached{now.key,        project_,       step.name, outcome_.run_id,         now.inputs,
                              result.outputs, result.summary, seconds,   context_.clock.unix_ms()};
    store_.steps().put(cached);
  }
  store_.events().append("step_finished", "run:" + outcome_.run_id,
                         {{"step", step.name},
                          {"cached", false},
                          {"key", now.key},
                          {"seconds", seconds},
                          {"outputs", result.outputs},
                          {"files", planner_.files(position)}});
  folders_.remove_all_of(step.name);
  StepOutcome& mine = outcome_.steps[position];
  mine.status = StepStatus::kFinished;
  mine.seconds = seconds;
  mine.outputs = result.outputs;
  mine.summary = result.summary;
  context_.log.info("step finished", {{"step", step.name}, {"seconds", seconds}});
  teller_.tell([&](StepListener& listener) { listener.on_finish(step.name, result, seconds); });
  const std::lock_guard lock(mutex_);
  outputs_[step.name] = result.outputs;
  states_[position] = State::kDone;
}

std::string Execution::node_of(const std::string& digest) {
  const auto artifact = store_.artifacts().find(digest);
  return (artifact && artifact->kind == "dataset" ? "dataset:" : "artifact:") + digest;
}

void Execution::add_edges(size_t position, const Outputs& inputs, const StepResult& result) {
  const std::string run = "run:" + outcome_.run_id;
  std::vector<record::Edge> edges;
  for (const auto& [path, digest] : planner_.files(position)) {
    edges.push_back({"file:" + digest, run, "used"});
  }
  for (const auto& [step, outputs] : inputs) {
    for (const auto& [name, digest] : outputs) {
      edges.push_back({node_of(digest), run, "used"});
    }
  }
  for (const auto& [name, digest] : result.outputs) {
    edges.push_back({run, node_of(digest), "produced"});
  }
  store_.lineage().add_edges(edges);
}

void Execution::fail(size_t position, const Error& error) {
  const std::string& name = planner_.step(position).name;
  context_.log.error("step failed", {{"step", name}, {"error", error.what()}});
  StepOutcome& mine = outcome_.steps[position];
  mine.status = StepStatus::kFailed;
  mine.error = error.what();
  {
    const std::lock_guard lock(mutex_);
    states_[position] = State::kFailed;
    if (!outcome_.error) {
      outcome_.error = error;
    }
  }
  try {
    store_.events().append("step_failed", "run:" + outcome_.run_id,
                           {{"step", name}, {"code", base::code_name(error.code())}, {"error", error.what()}});
  } catch (const Error& second) {
    context_.log.error("the failure could not be recorded", {{"step", name}, {"error", second.what()}});
  }
  teller_.tell([&](StepListener& listener) { listener.on_failed(name, error, false); });
}

}  // namespace slipway::pipeline
