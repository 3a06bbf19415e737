#include "cli/project/page.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/progress.h"
#include "pipeline/trigger.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Json;

// The artifact as a file people can open; written once.
std::string lay_out(record::Store& store, const std::string& digest, const fs::path& folder, const std::string& name) {
  const fs::path path = folder / name;
  if (!fs::exists(path)) {
    base::make_dirs(folder);
    base::write_file_atomic(path, base::read_file(store.artifacts().path_of(digest)));
  }
  return path.string();
}

std::string interval_text(const Json& metric) {
  return metric.contains("low") && metric["low"].is_number()
             ? fmt::format("{:.4f}  [{:.4f}, {:.4f}]", metric.value("value", 0.0), metric["low"].get<double>(), metric["high"].get<double>())
             : fmt::format("{:.4f}", metric.value("value", 0.0));
}

bool ran(const pipeline::RunOutcome& outcome, const char* step) {
  return std::any_of(outcome.steps.begin(), outcome.steps.end(), [&](const auto& s) { return s.name == step; });
}

// Of a run of some steps only (--only): what each of them made.
Json part_of_a_run(const pipeline::RunOutcome& outcome) {
  Json steps = Json::array();
  for (const pipeline::StepOutcome& step : outcome.steps) {
    steps.push_back({{"step", step.name}, {"outputs", step.outputs}, {"seconds", step.seconds}});
  }
  return steps;
}

}  // namespace

Json final_page(Project& project, const pipeline::RunOutcome& outcome, const std::optional<record::Deployment>& serving) {
  const ProjectConfig& config = project.config;
  record::Store& store = project.app.store(config.dir);
  Json page = {{"project", config.project}, {"run_id", outcome.run_id}, {"nothing_to_do", outcome.nothing_to_do}, {"seconds", outcome.seconds}};
  if (!ran(outcome, "report")) {  // which needs all the rest
    page["steps"] = part_of_a_run(outcome);
    return page;
  }
  const auto& registered = outcome.step("register");
  const record::ModelVersion version = record::model_version_from_json(
      base::parse_json(base::read_file(store.artifacts().path_of(registered.outputs.at("version"))), "version.json"));
  page["model"] = version.model;
  page["version"] = version.version;
  page["dataset"] = version.dataset;
  page["metrics"] = Json::object();
  for (const std::string& name : config.evaluate.metrics) {
    if (version.metrics.contains(name)) {
      page["metrics"][name] = version.metrics[name];
    }
  }
  page["artifacts"] = version.artifacts;
  const auto& report = outcome.step("report");
  page["artifacts"]["report"] = report.outputs.at("report");
  page["artifacts"]["card"] = report.outputs.at("card");
  const fs::path folder = project.app.store_path(config.dir) / "reports" / fmt::format("{}-{}", version.model, version.version);
  page["report"] = lay_out(store, report.outputs.at("report"), folder, fmt::format("report-{}.html", report.outputs.at("report").substr(7, 8)));
  page["model_card"] = lay_out(store, report.outputs.at("card"), folder, fmt::format("README-{}.md", report.outputs.at("card").substr(7, 8)));
  page["bytes"] = Json::object();
  for (const auto& [role, digest] : version.artifacts) {
    if (role == "onnx") {
      page["bytes"][role] = store.artifacts().find(digest)->size;
    }
  }
  for (const pipeline::StepOutcome& step : outcome.steps) {
    if (step.name == "deploy") {
      page["latency"] = step.summary.value("latency", Json());
    } else if (step.name == "optimize" && step.summary.contains("quantization")) {
      page["bytes"]["int8"] = step.summary["quantization"].value("bytes_after", Json());
      page["bytes"]["float32"] = step.summary["quantization"].value("bytes_before", Json());
    } else if (step.name == "monitor") {
      page["monitor"] = step.summary.value("line", Json());
    }
  }
  if (config.deploy.enabled) {
    page["endpoint"] = {{"name", config.deploy.endpoint}, {"serving", serving.has_value()}, {"url", serving ? Json(serving->address) : Json()},
                        {"pid", serving ? Json(serving->pid) : Json()}};
  } else {
    page["endpoint"] = nullptr;
  }
  page["awaiting_approval"] = Json::array();
  for (const record::Run& run : pipeline::pending_retrains(store, config.project)) {
    page["awaiting_approval"].push_back(run.id);
  }
  return page;
}

void print_page(std::ostream& out, const Json& page, bool color) {
  const auto bold = [&](const std::string& text) { return color ? "\033[1m" + text + "\033[0m" : text; };
  const auto line = [&](const char* name, const std::string& text) { out << fmt::format("  {:<14} {}\n", name, text); };
  if (page.contains("steps")) {
    for (const Json& step : page["steps"]) {
      for (const auto& [name, digest] : step["outputs"].items()) {
        line(step["step"].get<std::string>().c_str(), fmt::format("{}  {}", digest.get<std::string>(), name));
      }
    }
    out << std::flush;
    return;
  }
  const std::string model = fmt::format("{} version {}", page["model"].get<std::string>(), page["version"].get<int>());
  out << '\n'
      << bold(model) << (page["nothing_to_do"].get<bool>() ? "  (nothing to do: all steps cached)" : fmt::format("  in {}", base::human_seconds(page["seconds"].get<double>())))
      << "\n\n";
  for (const auto& [name, metric] : page["metrics"].items()) {
    line(name.c_str(), interval_text(metric) + (metric.contains("n") ? fmt::format("  n={}", metric["n"].get<int64_t>()) : ""));
  }
  std::string sizes;
  for (const auto& [role, bytes] : page["bytes"].items()) {
    if (bytes.is_number()) {
      sizes += fmt::format("{}{} {}", sizes.empty() ? "" : ", ", role, human_count(bytes.get<int64_t>(), "bytes"));
    }
  }
  line("size", sizes);
  const Json latency = page.value("latency", Json());
  if (latency.is_object()) {
    line("latency", fmt::format("p50 {:.2f} ms, p95 {:.2f} ms, p99 {:.2f} ms over HTTP, one text at a time", latency["p50_ms"].get<double>(),
                                latency["p95_ms"].get<double>(), latency["p99_ms"].get<double>()));
  }
  if (page.contains("monitor") && page["monitor"].is_string()) {
    line("monitor", page["monitor"].get<std::string>());
  }
  line("dataset", page["dataset"].get<std::string>());
  line("report", page["report"].get<std::string>());
  line("model card", page["model_card"].get<std::string>());
  if (page["endpoint"].is_object() && page["endpoint"]["serving"].get<bool>()) {
    const std::string url = page["endpoint"]["url"].get<std::string>();
    line("endpoint", fmt::format("{} (pid {})", url, page["endpoint"]["pid"].get<int64_t>()));
    out << "\n  try it:  curl -s " << url << "/v1/classify -d '{\"inputs\": \"a joy to watch\"}'\n"
        << "  stop it: slipway deployments stop " << page["endpoint"]["name"].get<std::string>() << '\n';
  } else if (page["endpoint"].is_object()) {
    line("endpoint", "stopped; --keep-serving leaves it running, or: slipway serve models:/" + page["model"].get<std::string>() + "@champion");
  }
  for (const Json& run : page["awaiting_approval"]) {
    out << fmt::format("\n  an alert asks to retrain: slipway runs approve {}\n", run.get<std::string>());
  }
  out << std::flush;
}

}  // namespace slipway::cli
