// The papers of a run: report and model card.
#include <fmt/format.h>

#include "base/error.h"
#include "cli/project/facts.h"
#include "cli/project/steps.h"
#include "govern/model_card.h"
#include "govern/report.h"

namespace slipway::cli {

using base::Json;
using pipeline::Step;
using pipeline::StepContext;
using pipeline::StepResult;

Step report_step(Project& project) {
  Step step;
  step.name = "report";
  step.needs = {"collect", "clean", "deduplicate", "validate", "split", "train", "evaluate", "optimize", "register"};
  if (project.config.explain.enabled) {
    step.needs.emplace_back("explain");
  }
  if (project.config.deploy.enabled) {
    step.needs.emplace_back("deploy");
    if (project.config.monitor.enabled && !project.config.monitor.replay.empty()) {
      step.needs.emplace_back("monitor");
    }
  }
  step.code_version = 2;
  const ProjectConfig& config = project.config;
  step.config = {{"project", config.project}, {"description", config.description},   {"license", config.license}, {"languages", config.languages},
                 {"base_id", config.base_id}, {"intended_use", config.intended_use}, {"limits", config.limits}};
  step.run = [&project](StepContext& context) {
    const Json facts = gather_facts(project, context);
    auto& artifacts = context.store.artifacts();
    StepResult result;
    result.outputs["report"] = artifacts.put_bytes(govern::render_report(facts), "report", "report.html", Json::object()).digest;
    result.outputs["card"] = artifacts.put_bytes(govern::render_model_card(facts), "card", "README.md", Json::object()).digest;
    result.outputs["facts"] = put_json(context, facts, "report", "facts.json").digest;
    const std::string node = fmt::format("model:{}/{}", facts["model"]["name"].get<std::string>(), facts["model"]["version"].get<int>());
    context.store.lineage().add_edges(std::vector<record::Edge>{{node, "artifact:" + result.outputs["report"], "produced"},
                                                                {node, "artifact:" + result.outputs["card"], "produced"}});
    result.summary = {{"line", "report.html and model card"}};
    return result;
  };
  return step;
}

}  // namespace slipway::cli
