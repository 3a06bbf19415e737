// The graph of a project: collect → clean → deduplicate → split → validate → train → evaluate → optimize → sketch → explain →
// register → deploy → monitor → report. Each step reads artifacts by digest and leaves artifacts; the runner caches it by what
// went in. One factory a step; steps_*.cc hold them by theme.
#pragma once

#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/project/config.h"
#include "cli/project/endpoint.h"
#include "pipeline/step.h"

namespace slipway::cli {

// What the steps share; outlives them.
struct Project {
  const ProjectConfig& config;
  App& app;
  Endpoint& endpoint;
};

std::vector<pipeline::Step> make_steps(Project& project);

// One factory each, in the order of the graph.
pipeline::Step collect_step(Project& project);
pipeline::Step clean_step(Project& project);
pipeline::Step deduplicate_step(Project& project);
pipeline::Step split_step(Project& project);
pipeline::Step validate_step(Project& project);
pipeline::Step train_step(Project& project);
pipeline::Step evaluate_step(Project& project);
pipeline::Step optimize_step(Project& project);
pipeline::Step sketch_step(Project& project);
pipeline::Step explain_step(Project& project);
pipeline::Step register_step(Project& project);
pipeline::Step deploy_step(Project& project);
pipeline::Step monitor_step(Project& project);
pipeline::Step report_step(Project& project);

// The digest of an output of a step that this one needs; a missing one is a bug of ours.
const std::string& input(const pipeline::StepContext& context, const std::string& step, const std::string& output);
// A folder artifact laid out below the step's work folder (once; hard links where possible).
std::filesystem::path checkout(pipeline::StepContext& context, const std::string& digest, const std::string& name);
// An artifact that is one JSON text.
base::Json read_json(pipeline::StepContext& context, const std::string& digest);
record::Artifact put_json(pipeline::StepContext& context, const base::Json& value, const std::string& kind, const std::string& name);
// A folder artifact made of the folder at `path`.
record::Artifact put_folder(pipeline::StepContext& context, const std::filesystem::path& path, const std::string& kind,
                            const std::string& name, const base::Json& meta = base::Json::object());

}  // namespace slipway::cli
