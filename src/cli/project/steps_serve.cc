// The reference sketch, the rollout, and the monitor shown at work on replayed traffic.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "cli/data_inputs.h"
#include "cli/observe.h"
#include "cli/project/rows.h"
#include "cli/project/steps.h"
#include "cli/project/traffic.h"
#include "data/dataset.h"
#include "deploy/rollout.h"
#include "engine/engine.h"
#include "monitor/reference.h"
#include "stats/bootstrap.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using base::Json;
using pipeline::Step;
using pipeline::StepContext;
using pipeline::StepResult;

constexpr int kLatencyRequests = 200;  // enough for a p95 that moves by a few per cent

// The weights that serve: int8 where there are, else float32.
std::filesystem::path served_folder(StepContext& context) {
  const auto& optimized = context.inputs.at("optimize");
  const auto int8 = optimized.find("int8");
  return checkout(context, int8 != optimized.end() ? int8->second : input(context, "train", "model"), "served");
}

Json latency_of(std::vector<double>& milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto at = [&](double q) { return milliseconds[static_cast<size_t>(q * static_cast<double>(milliseconds.size() - 1))]; };
  return {{"n", milliseconds.size()}, {"p50_ms", at(0.5)}, {"p95_ms", at(0.95)}, {"p99_ms", at(0.99)}};
}

// Files are often sorted by label or date; traffic is not.
void shuffle_traffic(std::vector<std::string>& texts, const ProjectConfig& config) {
  base::Rng rng(config.data.split.seed, "traffic");
  rng.shuffle(std::span(texts));
}

// Replayed texts, cut to whole windows.
std::vector<std::string> replay_texts(Project& project, StepContext& context, const ReplaySection& replay) {
  std::vector<std::string> texts;
  if (!replay.split.empty()) {
    const data::Dataset dataset(checkout(context, input(context, "split", "dataset"), "dataset"));
    for (data::Document& row : dataset.load_split(data::split_from_name(replay.split))) {
      texts.push_back(std::move(row.text));
    }
  } else {
    data::SourceCounts counts;
    data::read_source(local_source(project.app, replay.source), project.config.dir, context.base, [&](data::Document&& row) { texts.push_back(std::move(row.text)); }, counts);
  }
  shuffle_traffic(texts, project.config);
  size_t count = replay.limit > 0 ? std::min(texts.size(), static_cast<size_t>(replay.limit)) : texts.size();
  const auto window = static_cast<size_t>(project.config.monitor.window);
  count -= count % window;
  if (count == 0) {
    throw Error(Code::kInvalid, fmt::format("monitor: replay '{}' has {} texts, fewer than a window of {}", replay.name, texts.size(), window));
  }
  texts.resize(count);
  return texts;
}

// "no-alert" is kept unless more than 5 % of windows alarm beyond what chance explains; "alert" wants every window.
bool as_expected(const std::string& expect, int64_t alarms, int64_t windows) {
  return expect == "alert" ? alarms == windows : expect == "no-alert" ? stats::wilson(alarms, windows).low <= 0.05 : true;
}

}  // namespace

Step sketch_step(Project& project) {
  Step step;
  step.name = "sketch";
  step.code_version = 2;
  step.needs = {"split", "train", "optimize"};
  step.config = {{"split", "validation"}};
  step.run = [&project](StepContext& context) {
    const auto folder = served_folder(context);
    const data::Dataset dataset(checkout(context, input(context, "split", "dataset"), "dataset"));
    const auto engine = engine::Engine::load(folder, {.precision = "auto", .isa = project.app.options().isa}, context.base.pool);
    const evaluate::Rows rows = labelled_rows(dataset, data::Split::kValidation);
    monitor::ReferenceSketch sketch = monitor::build_sketch(observe(*engine, rows.texts, context.base), engine->labels());
    sketch.model = project.config.registration.name;
    sketch.meta = {{"dataset", dataset.digest()}, {"split", "validation"}};
    StepResult result;
    result.outputs["sketch"] =
        context.store.artifacts().put_bytes(monitor::serialize_sketch(sketch), "sketch", "reference.sketch", Json::object()).digest;
    result.summary = {{"rows", sketch.rows_given}, {"line", fmt::format("reference of {} held-out texts", sketch.rows_given)}};
    return result;
  };
  return step;
}

Step deploy_step(Project& project) {
  Step step;
  step.name = "deploy";
  step.needs = {"split", "register"};
  step.config = project.config.resolved["deploy"];
  step.config["alias"] = project.config.registration.alias;
  step.run = [&project](StepContext& context) {
    const ProjectConfig& config = project.config;
    const auto version = record::model_version_from_json(read_json(context, input(context, "register", "version")));
    auto& registry = context.store.registry();
    const auto alias = registry.find_alias(version.model, config.registration.alias);
    if (!alias || alias->version != version.version) {
      // What may not be served in the end gets no traffic on the way there.
      context.store.approvals().check_move(version.model, config.registration.alias, version.version);
    }
    StepResult result;
    if (!alias) {
      registry.set_alias(version.model, config.registration.alias, version.version, -1);
    }
    const record::Deployment deployment = project.endpoint.ensure_running(context.base);
    const data::Dataset dataset(checkout(context, input(context, "split", "dataset"), "dataset"));
    evaluate::Rows rows = labelled_rows(dataset, data::Split::kTest);
    shuffle_traffic(rows.texts, config);
    Traffic traffic(deployment.address);
    if (alias && alias->version != version.version) {
      size_t next = 0;
      const deploy::RolloutResult rollout =
          deploy::roll_out(context.store, deployment, version.model, config.registration.alias, version.version, config.deploy.rollout, context.base, [&] {
            traffic.classify({rows.texts[next++ % rows.texts.size()]});
          });
      result.summary["rollout"] = rollout.to_json();
      if (!rollout.promoted) {
        throw Error(Code::kGate, fmt::format("version {} was rolled back: {}", version.version, rollout.reason));
      }
    }
    std::vector<double> milliseconds;
    context.base.progress.start("deploy", kLatencyRequests, "requests");
    for (int i = 0; i < kLatencyRequests; ++i) {
      base::check_stop(context.base, "deploy");
      const double began = base::monotonic_seconds();
      traffic.classify({rows.texts[static_cast<size_t>(i) % rows.texts.size()]});
      milliseconds.push_back((base::monotonic_seconds() - began) * 1000);
      context.base.progress.update(i + 1, "");
    }
    context.base.progress.finish("");
    result.summary["latency"] = latency_of(milliseconds);
    result.summary["ready_seconds"] = project.endpoint.ready_seconds();
    result.summary["model"] = fmt::format("{}/{}", version.model, version.version);
    result.outputs["deployment"] = put_json(context, {{"endpoint", config.deploy.endpoint}, {"model", version.model}, {"version", version.version}},
                                            "config", "deployment.json")
                                       .digest;
    result.summary["line"] = fmt::format("version {} serves at {}; p50 {:.1f} ms, p95 {:.1f} ms over HTTP", version.version, deployment.address,
                                         result.summary["latency"]["p50_ms"].get<double>(), result.summary["latency"]["p95_ms"].get<double>());
    return result;
  };
  return step;
}

Step monitor_step(Project& project) {
  Step step;
  step.name = "monitor";
  step.needs = {"split", "deploy"};
  step.config = project.config.resolved["monitor"];
  for (const ReplaySection& replay : project.config.monitor.replay) {
    if (replay.split.empty()) {
      for (const auto& file : data::source_files(local_source(project.app, replay.source), project.config.dir)) {
        step.files.push_back(file);
      }
    }
  }
  step.run = [&project](StepContext& context) {
    const record::Deployment deployment = project.endpoint.ensure_running(context.base);
    Traffic traffic(deployment.address);
    Json replays = Json::array();
    std::vector<std::string> surprises;
    std::vector<std::string> lines;
    traffic.flush_monitor();
    for (const ReplaySection& replay : project.config.monitor.replay) {
      const std::vector<std::string> texts = replay_texts(project, context, replay);
      const int64_t before = traffic.last_window();
      traffic.send_all(texts, fmt::format("replay {}", replay.name), context.base);
      traffic.flush_monitor();
      Json windows = traffic.windows_after(before);
      int64_t alarms = 0;
      for (const Json& window : windows) {
        alarms += window.value("drift", false) ? 1 : 0;
      }
      const auto count = static_cast<int64_t>(windows.size());
      const bool expected = as_expected(replay.expect, alarms, count) && count > 0;
      if (!expected) {
        surprises.push_back(fmt::format("'{}' was to give {}, and {} of {} windows alarmed", replay.name, replay.expect, alarms, count));
      }
      lines.push_back(fmt::format("{} {}/{}", replay.name, alarms, count));
      replays.push_back({{"name", replay.name}, {"texts", texts.size()}, {"expect", replay.expect}, {"as_expected", expected},
                         {"alarms", alarms}, {"windows", std::move(windows)}});
    }
    StepResult result;
    result.outputs["windows"] = put_json(context, replays, "file", "monitor.json").digest;
    if (!surprises.empty()) {
      throw Error(Code::kGate, fmt::format("the monitor did not behave: {}", fmt::join(surprises, "; ")));
    }
    result.summary = {{"line", fmt::format("windows that alarmed: {}", fmt::join(lines, ", "))}};
    return result;
  };
  return step;
}

}  // namespace slipway::cli
