// The only thing the pipeline knows: steps with inputs, a configuration and outputs. The composition root (cli) makes
// them.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "record/stores.h"

namespace slipway::pipeline {

using base::Json;

// Where a step works. `work` is its own folder, kept when it fails or is killed, so that it may resume; a step that finishes
// has it removed. What it finds there may be any prefix of what it did: it writes atomically what it resumes from, and makes a
// folder that it will put as an artifact from nothing, so that no leftovers get in. Outputs become artifacts and are
// addressed by digest from then on.
struct StepContext {
  base::Context& base;
  record::Store& store;
  std::string run_id;
  std::filesystem::path work;
  // Outputs of the steps named in `needs`, step name -> output name -> digest.
  std::map<std::string, std::map<std::string, std::string>> inputs;
  // Their summaries, for steps that report: not part of the key, so nothing that an output depends on may come from here
  // but what says how the outputs came to be (counts, times).
  std::map<std::string, Json> summaries;
};

struct StepResult {
  std::map<std::string, std::string> outputs;  // output name -> artifact digest
  Json summary;  // small facts for the final page and the report; stored with the cache entry
};

struct Step {
  std::string name;                // "train"
  int code_version = 1;            // raised when the step's behaviour changes: old cache entries no longer match
  Json config;                     // everything its result depends on besides inputs
  std::vector<std::string> needs;  // names of earlier steps
  std::vector<std::filesystem::path> files;  // raw files it reads: their content is part of the key
  bool cacheable = true;                     // false: runs every time (serve, monitor live traffic)
  std::function<StepResult(StepContext&)> run;
};

}  // namespace slipway::pipeline
