// From raw files to an immutable dataset version.
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "cli/data_inputs.h"
#include "cli/data_version.h"
#include "cli/local_change.h"
#include "cli/progress.h"
#include "cli/project/steps.h"
#include "data/dataset.h"
#include "data/steps.h"

namespace slipway::cli {
namespace {

using base::Json;
using pipeline::Step;
using pipeline::StepContext;
using pipeline::StepResult;

// Puts the folder a data step wrote, with the line that the live view shows.
StepResult folder_result(StepContext& context, const std::filesystem::path& folder, const std::string& output, Json summary,
                         const std::string& line) {
  StepResult result;
  result.outputs[output] = put_folder(context, folder, output == "dataset" ? "dataset" : "file", output).digest;
  result.summary = std::move(summary);
  result.summary["line"] = line;
  return result;
}

// The dataset's next version on `main`, unless it is that already (docs/guide/data-versions.md).
void commit_dataset(StepContext& context, std::string name, const std::string& digest, const std::string& manifest) {
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '@' || c == '~' || c == ':'; }, '-');
  const std::vector<record::FolderFile> files = context.store.data().trees().files(digest);
  record::DataCommit commit;
  commit.dataset = name;
  commit.digest = digest;
  commit.message = "slipway run";
  commit.author = local_person();
  commit.meta = {{"files", files.size()},
                 {"bytes", std::accumulate(files.begin(), files.end(), uint64_t{0}, [](uint64_t sum, const auto& file) { return sum + file.size; })},
                 {"key", {"id"}},
                 {"run", context.run_id},
                 {"manifest", manifest}};
  constexpr int kTries = 5;
  for (int tried = 1;; ++tried) {
    try {
      commit_version(context.store, commit, record::kMainDataBranch);
      return;
    } catch (const base::Error& error) {  // another run committed in between
      if (error.code() != base::Code::kConflict || tried == kTries) {
        throw;
      }
    }
  }
}

std::string counted(const Json& summary, const char* key) { return human_count(summary.value(key, int64_t{0}), ""); }

// A step that makes documents of documents: `make` writes the folder and returns its summary, which `line` puts in words.
// Its options are those of the data options under the step's own name.
Step documents_step(Project& project, const std::string& name, const std::string& after, decltype(&data::clean) make,
                    std::string (*line)(const Json& summary)) {
  Step step;
  step.name = name;
  step.needs = {after};
  step.config = data::to_json(project.config.data)[name];
  step.run = [&project, after, make, line](StepContext& context) {
    const auto in = checkout(context, input(context, after, "documents"), "in");
    const std::filesystem::path out = context.work / "out";
    Json summary = make(in, project.config.data, context.base, out);
    const std::string text = line(summary);
    return folder_result(context, out, "documents", std::move(summary), text);
  };
  return step;
}

}  // namespace

Step collect_step(Project& project) {
  Step step;
  step.name = "collect";
  data::DataOptions options = project.config.data;
  step.config = {{"sources", Json::array()}, {"labels", project.config.labels}};
  for (data::SourceOptions& source : options.sources) {
    source = local_source(project.app, source);
    step.config["sources"].push_back(data::to_json(source));
    step.cacheable = step.cacheable && source.type != "postgres";  // what has changed there no file tells
    for (const auto& file : data::source_files(source, project.config.dir)) {
      step.files.push_back(file);
    }
  }
  step.run = [&project, options](StepContext& context) {
    const std::filesystem::path out = context.work / "documents";
    Json summary = data::collect(options, project.config.dir, context.base, out);
    const std::string line = fmt::format("{} of {} rows from {} sources", counted(summary, "documents"), counted(summary, "rows"),
                                         project.config.data.sources.size());
    return folder_result(context, out, "documents", std::move(summary), line);
  };
  return step;
}

Step clean_step(Project& project) {
  return documents_step(project, "clean", "collect", data::clean, [](const Json& summary) {
    return fmt::format("kept {} of {}", counted(summary, "kept"), counted(summary, "documents"));
  });
}

Step deduplicate_step(Project& project) {
  return documents_step(project, "deduplicate", "clean", data::deduplicate, [](const Json& summary) {
    return fmt::format("kept {}; {} exact and {} near duplicates dropped", counted(summary, "kept"), counted(summary, "exact"),
                       counted(summary, "near"));
  });
}

Step split_step(Project& project) {
  Step step;
  step.name = "split";
  step.code_version = 2;
  step.needs = {"deduplicate", "validate"};
  step.config = {{"split", data::to_json(project.config.data)["split"]}, {"labels", project.config.labels}, {"name", project.config.project}};
  step.run = [&project](StepContext& context) {
    const auto in = checkout(context, input(context, "deduplicate", "documents"), "in");
    const std::filesystem::path out = context.work / "dataset";
    Json summary = data::build_dataset(in, project.config.data, context.base, out);
    const data::Dataset dataset(out);
    // Lineage from the raw files to the dataset version, whatever the folder artifact is called.
    std::vector<record::Edge> edges;
    const Json sources = base::parse_json(base::read_file(in / "sources.json"), "sources.json");
    for (const Json& source : sources.is_array() ? sources : sources.value("sources", Json::array())) {
      for (const Json& file : source.value("files", Json::array())) {
        const std::string digest = file.value("sha256", std::string());
        edges.push_back({"file:" + (digest.starts_with("sha256:") ? digest : "sha256:" + digest), "dataset:" + dataset.digest(), "produced"});
      }
    }
    context.store.lineage().add_edges(edges);
    const std::string line = fmt::format("train {}, validation {}, test {}; {}", dataset.split(data::Split::kTrain).rows,
                                         dataset.split(data::Split::kValidation).rows, dataset.split(data::Split::kTest).rows,
                                         dataset.digest().substr(0, 19));
    summary["dataset"] = dataset.digest();
    summary["sources"] = sources;
    StepResult result = folder_result(context, out, "dataset", std::move(summary), line);
    context.store.lineage().add_edges(
        std::vector<record::Edge>{{"dataset:" + dataset.digest(), "artifact:" + result.outputs["dataset"], "version_of"}});
    commit_dataset(context, project.config.project, result.outputs["dataset"], dataset.digest());
    return result;
  };
  return step;
}

Step validate_step(Project& project) {
  Step step;
  step.name = "validate";
  step.needs = {"deduplicate"};
  const Json options = data::to_json(project.config.data);
  step.config = {{"validate", options["validate"]}, {"split", options["split"]}, {"labels", project.config.labels}};
  step.run = [&project](StepContext& context) {
    const auto in = checkout(context, input(context, "deduplicate", "documents"), "in");
    const std::filesystem::path out = context.work / "out";
    const data::ValidationReport report = data::validate(in, project.config.data, context.base, out);
    const Json json = data::to_json(report);
    if (!report.passed()) {
      context.store.events().append("gate_failed", "run:" + context.run_id, json);
      throw base::Error(base::Code::kGate, report.summary());
    }
    StepResult result;
    result.outputs["validation"] = put_json(context, json, "file", "validation.json").digest;
    result.summary = json;
    result.summary["line"] = report.summary();
    return result;
  };
  return step;
}

}  // namespace slipway::cli
