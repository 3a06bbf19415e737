#include "pipeline/trigger.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "pipeline/graph.h"

namespace slipway::pipeline {
namespace {

using base::Code;
using base::Error;
using record::Run;
using record::RunStatus;

constexpr const char* kApprovedBy = "approval.by";  // parameters of the run: written once
constexpr const char* kApprovedMs = "approval.ms";
constexpr int kRecentRuns = 1000;  // among which requests are looked for

Run waiting_run(record::Store& store, const std::string& run_id) {
  auto run = store.runs().find_run(run_id);
  if (!run) {
    throw Error(Code::kNotFound, fmt::format("there is no run '{}'", run_id));
  }
  if (run->status != RunStatus::kAwaitingApproval) {
    throw Error(Code::kConflict,
                fmt::format("run {} does not await approval: it is {}", run_id, record::name_of(run->status)));
  }
  return *std::move(run);
}

}  // namespace

Run request_retrain(record::Store& store, const std::string& project, const std::string& alert_id, const Json& evidence,
                    int64_t now_ms) {
  check_path_name(project, "project");
  std::optional<Run> run;
  for (Run& pending : pending_retrains(store, project)) {
    if (!is_approved(store, pending.id)) {
      run = std::move(pending);
      break;
    }
  }
  const bool added = run.has_value();
  if (!run) {
    run.emplace();
    run->id = record::new_id();
    run->project = project;
    run->name = fmt::format("{} retraining after an alert, {}", project, base::iso8601(now_ms));
    run->status = RunStatus::kAwaitingApproval;
    run->started_ms = now_ms;
    run->tags = {{"runner", "pipeline"}, {"trigger", "alert"}, {"alert", alert_id}};
    store.runs().create_run(*run);
  }
  const record::Edge edge{"alert:" + alert_id, "run:" + run->id, "triggered"};
  store.lineage().add_edges({&edge, 1});
  store.events().append("retrain_requested", "run:" + run->id,
                        {{"project", project}, {"alert", alert_id}, {"added", added}, {"evidence", evidence}});
  return *std::move(run);
}

std::vector<Run> pending_retrains(record::Store& store, const std::string& project) {
  std::vector<Run> pending;
  for (Run& run : store.runs().list_runs(project, kRecentRuns)) {
    if (run.status == RunStatus::kAwaitingApproval) {
      pending.push_back(std::move(run));
    }
  }
  return pending;
}

void approve(record::Store& store, const std::string& run_id, const std::string& who, int64_t now_ms) {
  waiting_run(store, run_id);
  if (is_approved(store, run_id)) {
    return;
  }
  store.runs().log_params(run_id, {{kApprovedBy, who}, {kApprovedMs, std::to_string(now_ms)}});
  store.events().append("retrain_approved", "run:" + run_id, {{"by", who}});
}

bool is_approved(record::Store& store, const std::string& run_id) {
  return store.runs().params(run_id).contains(kApprovedBy);
}

void reject(record::Store& store, const std::string& run_id, const std::string& who, const std::string& reason,
            int64_t now_ms) {
  waiting_run(store, run_id);
  store.runs().end_run(run_id, RunStatus::kKilled, now_ms);
  store.events().append("retrain_rejected", "run:" + run_id, {{"by", who}, {"reason", reason}});
}

}  // namespace slipway::pipeline
