#include "pipeline/runner.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/suggest.h"
#include "pipeline/execution.h"
#include "pipeline/planner.h"
#include "pipeline/trigger.h"
#include "pipeline/work.h"

namespace slipway::pipeline {
namespace {

using base::Code;
using base::Error;
using record::RunStatus;

// Marks the runs that this program makes: one that is "running" while nobody holds the project's lock has died.
constexpr const char* kRunnerTag = "runner";
constexpr const char* kRunnerName = "pipeline";
constexpr int kRecentRuns = 20;  // among which a dead one is looked for: each start marks those before it

void mark_dead_runs(record::Store& store, const std::string& project, int64_t now_ms) {
  for (const record::Run& run : store.runs().list_runs(project, kRecentRuns)) {
    const auto tag = run.tags.find(kRunnerTag);
    if (run.status == RunStatus::kRunning && tag != run.tags.end() && tag->second == kRunnerName) {
      store.runs().end_run(run.id, RunStatus::kKilled, now_ms);
      store.events().append("run_killed", "run:" + run.id, {{"reason", "its process died"}});
    }
  }
}

std::string begin_run(record::Store& store, const std::string& project, const Json& config,
                      const RunnerOptions& options, const Plan& plan, int64_t now_ms) {
  std::string id = options.run_id;
  Json steps = Json::array();
  for (const PlannedStep& step : plan.steps) {
    steps.push_back({{"name", step.name}, {"reasons", step.reasons}});
  }
  Json data = {{"project", project}, {"steps", std::move(steps)}};
  if (id.empty()) {
    record::Run run;
    run.id = id = record::new_id();
    run.project = project;
    run.name = fmt::format("{} {}", project, base::iso8601(now_ms));
    run.started_ms = now_ms;
    run.tags = {{kRunnerTag, kRunnerName}, {"pid", std::to_string(::getpid())}};
    run.config = config;
    store.runs().create_run(run);
  } else {
    store.runs().end_run(id, RunStatus::kRunning, 0);
    data["config"] = config;  // the run's row was made by the request, which did not know it
  }
  store.events().append("run_started", "run:" + id, data);
  return id;
}

void check_approved(record::Store& store, const std::string& project, const std::string& run_id) {
  const auto run = store.runs().find_run(run_id);
  if (!run) {
    throw Error(Code::kNotFound, fmt::format("there is no run '{}'", run_id));
  }
  if (run->project != project) {
    throw Error(Code::kConflict, fmt::format("run {} is of project '{}', not '{}'", run_id, run->project, project));
  }
  if (run->status != RunStatus::kAwaitingApproval) {
    throw Error(Code::kConflict, fmt::format("run {} is {}: it cannot begin", run_id, record::name_of(run->status)));
  }
  if (!is_approved(store, run_id)) {
    throw Error(Code::kNotAllowed, fmt::format("run {} awaits approval: approve it first", run_id));
  }
}

void end_run(record::Store& store, const RunOutcome& outcome, int64_t now_ms) {
  Json data = {{"status", record::name_of(outcome.status)}, {"seconds", outcome.seconds}};
  if (outcome.error) {
    data["error"] = outcome.error->what();
  }
  store.runs().end_run(outcome.run_id, outcome.status, now_ms);
  store.events().append("run_finished", "run:" + outcome.run_id, data);
}

RunOutcome all_cached(const Planner& planner, const Plan& plan, Teller& teller, const WorkFolders& folders,
                      int64_t now_ms) {
  RunOutcome outcome;
  outcome.nothing_to_do = true;
  int64_t newest_ms = -1;
  for (const PlannedStep& step : plan.steps) {
    const record::CachedStep& cached = *step.cached;
    if (cached.created_ms >= newest_ms) {
      newest_ms = cached.created_ms;
      outcome.run_id = cached.run_id;
    }
    planner.freshen(cached, now_ms);
    folders.remove(step.name, step.key);  // left when a run was killed after it had kept the result
    outcome.steps.push_back(
        {step.name, StepStatus::kCached, step.key, cached.seconds, cached.outputs, cached.summary, ""});
    teller.tell([&](StepListener& listener) { listener.on_cached(step.name, cached); });
  }
  return outcome;
}

}  // namespace

const char* name_of(StepStatus status) noexcept {
  constexpr const char* kNames[] = {"cached", "finished", "failed", "skipped"};
  return kNames[static_cast<size_t>(status)];
}

bool Plan::nothing_to_do() const {
  return std::all_of(steps.begin(), steps.end(),
                     [](const PlannedStep& step) { return step.action == Action::kCached; });
}

void RunnerOptions::describe(base::FieldTable& table) {
  table.add("force", force, "run steps again whose results are there");
  table.add("only", only, "run only these steps, and what they need");
  table.add("from", from, "run this step and all that follow from it again");
  table.add("threads", threads, "steps side by side; 0 = choose by the number of cores", {0, 64});
  table.add("keep_going", keep_going, "after a failure, still run the steps that do not need the failed one");
  table.add("retries", retries, "how often a step is tried again that found something unavailable", {0, 100});
  table.add("retry_wait_ms", retry_wait_ms, "milliseconds before the first retry, doubled each time", {0, 3.6e6});
}

const StepOutcome& RunOutcome::step(const std::string& name) const {
  std::vector<std::string> known;
  for (const StepOutcome& step : steps) {
    if (step.name == name) {
      return step;
    }
    known.push_back(step.name);
  }
  throw Error(Code::kNotFound, fmt::format("the run has no step '{}'{}", name, base::suggestion(name, known)));
}

void RunOutcome::throw_if_failed() const {
  if (error) {
    throw Error(*error);
  }
}

void StepListener::on_plan(const Plan&) {}
void StepListener::on_start(const std::string&, const std::vector<std::string>&) {}
void StepListener::on_cached(const std::string&, const record::CachedStep&) {}
void StepListener::on_progress(const std::string&, const StepProgress&) {}
void StepListener::on_finish(const std::string&, const StepResult&, double) {}
void StepListener::on_failed(const std::string&, const base::Error&, bool) {}

Plan plan(const std::vector<Step>& steps, const std::string& project, record::Store& store,
          const RunnerOptions& options) {
  return Planner(steps, project, store, options).plan();
}

RunOutcome run(const std::vector<Step>& steps, const std::string& project, const Json& config, record::Store& store,
               base::Context& context, const RunnerOptions& options, StepListener* listener) {
  const double begin = base::monotonic_seconds();
  check_path_name(project, "project");
  const std::filesystem::path root = store.steps().work_folder();
  const ProjectLock lock(root, project);
  const Planner planner(steps, project, store, options);
  const Plan planned = planner.plan();
  Teller teller(listener);
  teller.tell([&](StepListener& told) { told.on_plan(planned); });
  mark_dead_runs(store, project, context.clock.unix_ms());
  const WorkFolders folders(root, project);
  if (options.run_id.empty() && planned.nothing_to_do()) {
    RunOutcome outcome = all_cached(planner, planned, teller, folders, context.clock.unix_ms());
    outcome.seconds = base::monotonic_seconds() - begin;
    return outcome;
  }
  if (!options.run_id.empty()) {
    check_approved(store, project, options.run_id);
  }
  const std::string run_id = begin_run(store, project, config, options, planned, context.clock.unix_ms());
  RunOutcome outcome = Execution(planner, project, store, context, options, teller, folders, run_id).run();
  outcome.seconds = base::monotonic_seconds() - begin;
  end_run(store, outcome, context.clock.unix_ms());
  return outcome;
}

}  // namespace slipway::pipeline
