#include "cli/project/steps.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::cli {

std::vector<pipeline::Step> make_steps(Project& project) {
  std::vector<pipeline::Step> steps = {collect_step(project),  clean_step(project),    deduplicate_step(project), validate_step(project),
                                       split_step(project), train_step(project),    evaluate_step(project),    optimize_step(project),
                                       sketch_step(project),   register_step(project)};
  if (project.config.explain.enabled) {
    steps.push_back(explain_step(project));
  }
  if (project.config.deploy.enabled) {
    steps.push_back(deploy_step(project));
    if (project.config.monitor.enabled && !project.config.monitor.replay.empty()) {
      steps.push_back(monitor_step(project));
    }
  }
  steps.push_back(report_step(project));
  return steps;
}

const std::string& input(const pipeline::StepContext& context, const std::string& step, const std::string& output) {
  const auto outputs = context.inputs.find(step);
  SLIPWAY_CHECK(outputs != context.inputs.end());
  const auto digest = outputs->second.find(output);
  SLIPWAY_CHECK(digest != outputs->second.end());
  return digest->second;
}

std::filesystem::path checkout(pipeline::StepContext& context, const std::string& digest, const std::string& name) {
  const std::filesystem::path target = context.work / name;
  if (!std::filesystem::exists(target)) {
    const std::filesystem::path partial = context.work / (name + ".partial");
    std::filesystem::remove_all(partial);
    context.store.artifacts().checkout(digest, partial, false);
    std::filesystem::rename(partial, target);
  }
  return target;
}

base::Json read_json(pipeline::StepContext& context, const std::string& digest) {
  return base::parse_json(base::read_file(context.store.artifacts().path_of(digest)), digest);
}

record::Artifact put_json(pipeline::StepContext& context, const base::Json& value, const std::string& kind, const std::string& name) {
  return context.store.artifacts().put_bytes(base::dump_json_pretty(value), kind, name, base::Json::object());
}

record::Artifact put_folder(pipeline::StepContext& context, const std::filesystem::path& path, const std::string& kind,
                            const std::string& name, const base::Json& meta) {
  return context.store.artifacts().put_folder(path, kind, name, meta);
}

}  // namespace slipway::cli
