// What `slipway run` ends with: one page for people, one object for machines.
#pragma once

#include <iosfwd>
#include <optional>

#include "cli/project/steps.h"
#include "pipeline/runner.h"

namespace slipway::cli {

// {"project", "run_id", "nothing_to_do", "seconds", "model", "version", "metrics", "artifacts", "gates", "latency", "size",
//  "endpoint", "report", "model_card", "alerts", "awaiting_approval"}. Report and card are laid out under
// STORE/reports/MODEL-VERSION/ when they are not there. A run of some steps only, without the report, gives {"project",
// "run_id", "nothing_to_do", "seconds", "steps": [{"step", "outputs", "seconds"}]}.
base::Json final_page(Project& project, const pipeline::RunOutcome& outcome, const std::optional<record::Deployment>& serving);

void print_page(std::ostream& out, const base::Json& page, bool color);

}  // namespace slipway::cli
