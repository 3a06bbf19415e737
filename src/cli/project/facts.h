// The facts of a run, gathered from its steps for the report, the model card and the final page (docs/formats/report.md).
#pragma once

#include "cli/project/steps.h"

namespace slipway::cli {

base::Json gather_facts(Project& project, pipeline::StepContext& context);

}  // namespace slipway::cli
