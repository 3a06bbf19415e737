// Which steps are chosen, and for each whether its result is there and, when not, why. What `plan` and `run` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/fingerprint.h"
#include "pipeline/graph.h"
#include "pipeline/runner.h"

namespace slipway::pipeline {

// Takes the digests of all files at construction; afterwards safe from any thread. Borrows everything.
class Planner {
 public:
  Planner(const std::vector<Step>& steps, const std::string& project, record::Store& store,
          const RunnerOptions& options);

  Plan plan() const;

  // Chosen steps in the order of the plan; the functions below take positions in it.
  size_t size() const noexcept { return order_.size(); }
  const Step& step(size_t position) const { return steps_[order_[position]]; }
  const std::vector<size_t>& needs(size_t position) const { return needs_[position]; }
  const std::map<std::string, std::string>& files(size_t position) const { return files_[position]; }

  // `outputs` has at least those of the needed steps.
  Fingerprint fingerprint_of(size_t position, const Outputs& outputs) const;
  // The result of a step, when the step may be cached, is not forced, and all its outputs are in the store.
  std::optional<record::CachedStep> cached(size_t position, const std::string& key) const;
  // Why a step runs whose result is not cached.
  std::vector<std::string> reasons(size_t position, const Fingerprint& now) const;
  // Makes a result that is used the newest of its step, so that later differences are told against it.
  void freshen(const record::CachedStep& used, int64_t now_ms) const;
  // Whether its files are still what they were at construction; a missing file is a change.
  bool files_unchanged(size_t position) const;

 private:
  PlannedStep plan_step(size_t position, Outputs& outputs, const std::vector<PlannedStep>& before) const;
  std::optional<std::string> missing_output(const record::CachedStep& step) const;

  const std::vector<Step>& steps_;
  const std::string& project_;
  record::Store& store_;
  std::vector<size_t> order_;
  std::vector<std::vector<size_t>> needs_;  // by position
  std::vector<bool> forced_;
  std::vector<std::map<std::string, std::string>> files_;
};

}  // namespace slipway::pipeline
