#include "pipeline/planner.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::pipeline {

using base::Code;
using base::Error;
using record::CachedStep;

Planner::Planner(const std::vector<Step>& steps, const std::string& project, record::Store& store,
                 const RunnerOptions& options)
    : steps_(steps), project_(project), store_(store) {
  check_path_name(project, "project");
  const Graph graph = make_graph(steps);
  std::vector<size_t> chosen;
  for (const std::string& name : options.only) {
    chosen.push_back(index_of(steps, name, "only"));
  }
  const std::vector<bool> wanted = chosen.empty() ? std::vector<bool>(steps.size(), true) : with_needs(graph, chosen);
  std::vector<bool> again(steps.size(), options.force && chosen.empty());
  if (options.force) {
    for (const size_t index : chosen) {
      again[index] = true;
    }
  }
  if (!options.from.empty()) {
    const std::vector<bool> after = with_followers(graph, index_of(steps, options.from, "from"));
    std::transform(again.begin(), again.end(), after.begin(), again.begin(), std::logical_or<>());
  }
  std::vector<size_t> position(steps.size(), 0);
  FileDigests digests(store.steps());
  for (const size_t index : graph.order) {
    if (!wanted[index]) {
      continue;
    }
    position[index] = order_.size();
    order_.push_back(index);
    forced_.push_back(again[index]);
    files_.push_back(digests.of(steps[index].files, steps[index].name));
    auto& needs = needs_.emplace_back();
    for (const size_t need : graph.needs[index]) {
      needs.push_back(position[need]);
    }
  }
}

Fingerprint Planner::fingerprint_of(size_t position, const Outputs& outputs) const {
  return fingerprint(step(position), outputs, files_[position]);
}

// The name of an output that the store does not have, or has lost the blob of.
std::optional<std::string> Planner::missing_output(const CachedStep& cached) const {
  for (const auto& [name, digest] : cached.outputs) {
    try {
      if (!store_.artifacts().find(digest)) {
        return name;
      }
      store_.artifacts().path_of(digest);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound && error.code() != Code::kInvalid) {
        throw;
      }
      return name;
    }
  }
  return std::nullopt;
}

std::optional<CachedStep> Planner::cached(size_t position, const std::string& key) const {
  if (forced_[position] || !step(position).cacheable) {
    return std::nullopt;
  }
  auto found = store_.steps().find(key);
  return found && !missing_output(*found) ? found : std::nullopt;
}

std::vector<std::string> Planner::reasons(size_t position, const Fingerprint& now) const {
  if (!step(position).cacheable) {
    return {"runs every time"};
  }
  if (forced_[position]) {
    return {"forced"};
  }
  const auto latest = store_.steps().latest(project_, step(position).name);
  if (!latest) {
    return {"never ran"};
  }
  std::vector<std::string> found = differences(latest->inputs, now.inputs, true);
  if (found.empty()) {
    const auto missing = missing_output(*latest);
    found.push_back(missing ? fmt::format("its output {} is gone from the store", *missing) : "its inputs changed");
  }
  return found;
}

void Planner::freshen(const CachedStep& used, int64_t now_ms) const {
  if (used.project != project_) {
    return;  // it stays the newest of its own project
  }
  const auto latest = store_.steps().latest(project_, used.step);
  if (latest && latest->key != used.key) {
    CachedStep again = used;
    again.created_ms = std::max(now_ms, latest->created_ms);
    store_.steps().put(again);
  }
}

bool Planner::files_unchanged(size_t position) const {
  try {
    FileDigests digests(store_.steps());
    return digests.of(step(position).files, step(position).name) == files_[position];
  } catch (const Error&) {
    return false;
  }
}

PlannedStep Planner::plan_step(size_t position, Outputs& outputs, const std::vector<PlannedStep>& before) const {
  const Step& mine = step(position);
  PlannedStep planned;
  planned.name = mine.name;
  const auto latest = store_.steps().latest(project_, mine.name);
  planned.last_seconds = latest ? latest->seconds : 0;
  std::vector<std::string> running;
  for (const size_t need : needs_[position]) {
    if (before[need].action != Action::kCached) {
      running.push_back(before[need].name);
    }
  }
  if (running.empty()) {
    const Fingerprint now = fingerprint_of(position, outputs);
    planned.key = now.key;
    planned.cached = cached(position, now.key);
    if (planned.cached) {
      planned.action = Action::kCached;
      planned.last_seconds = planned.cached->seconds;
      outputs[mine.name] = planned.cached->outputs;
    } else {
      planned.reasons = reasons(position, now);
    }
    return planned;
  }
  // Its key is not known, since its inputs are not: what is known may tell that it runs in any case.
  if (!mine.cacheable) {
    planned.reasons = {"runs every time"};
  } else if (forced_[position]) {
    planned.reasons = {"forced"};
  } else if (!latest) {
    planned.reasons = {"never ran"};
  } else {
    Outputs none;
    for (const std::string& need : mine.needs) {
      none[need];
    }
    planned.reasons = differences(latest->inputs, fingerprint_of(position, none).inputs, false);
  }
  if (planned.reasons.empty()) {
    planned.action = Action::kDepends;
    for (const std::string& name : running) {
      planned.reasons.push_back(fmt::format("needs '{}', which runs", name));
    }
  }
  return planned;
}

Plan Planner::plan() const {
  Plan plan;
  Outputs outputs;
  for (size_t position = 0; position < size(); ++position) {
    plan.steps.push_back(plan_step(position, outputs, plan.steps));
  }
  return plan;
}

}  // namespace slipway::pipeline
