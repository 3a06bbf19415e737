// A store, a context, and steps that count how often they run: each gives one output made of its name, configuration
// and inputs, so that equal work gives equal digests.
#pragma once

#include <atomic>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "pipeline/runner.h"
#include "store/store.h"

namespace slipway::pipeline {

template <class Action>
base::Error error_of(Action&& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {base::Code::kFailure, "nothing was thrown"};
}

class PipelineTest : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return dir_.path() / ".slipway"; }

  Step step(const std::string& name, std::vector<std::string> needs = {}, Json config = Json::object()) {
    Step made;
    made.name = name;
    made.needs = std::move(needs);
    made.config = std::move(config);
    std::atomic<int>& ran = ran_[name];
    made.run = [&ran, name, settings = made.config](StepContext& context) {
      ++ran;
      const Json content = {{"name", name}, {"config", settings}, {"inputs", context.inputs}};
      StepResult result;
      result.outputs["out"] =
          context.store.artifacts().put_bytes(base::canonical_json(content), "file", name, {}).digest;
      result.summary = {{"step", name}};
      return result;
    };
    return made;
  }
  RunOutcome run(const std::vector<Step>& steps, const RunnerOptions& options = {}, StepListener* listener = nullptr) {
    return pipeline::run(steps, "demo", {{"k", 1}}, *store_, context_, options, listener);
  }
  Plan plan(const std::vector<Step>& steps, const RunnerOptions& options = {}) {
    return pipeline::plan(steps, "demo", *store_, options);
  }
  std::string reasons(const std::vector<Step>& steps, const std::string& name, const RunnerOptions& options = {}) {
    for (const PlannedStep& planned : plan(steps, options).steps) {
      if (planned.name == name) {
        std::string text = planned.action == Action::kCached ? "cached" : planned.action == Action::kDepends ? "?" : "";
        for (const std::string& reason : planned.reasons) {
          text += (text.empty() ? "" : " ") + reason + ";";
        }
        return text;
      }
    }
    return "not planned";
  }

  base::TempDir dir_;
  std::unique_ptr<record::Store> store_ = store::open_store(folder());
  base::Pool pool_{1};
  base::Log log_;
  base::FixedClock clock_{1'000'000};
  base::SilentProgress progress_;
  std::stop_source stop_;
  base::Context context_{pool_, log_, clock_, progress_, stop_.get_token()};
  std::map<std::string, std::atomic<int>> ran_;
};

}  // namespace slipway::pipeline
