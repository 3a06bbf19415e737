// How good the trained model is: measures, bias probe, comparison with the champion, gates.
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/model_argument.h"
#include "cli/project/rows.h"
#include "cli/project/steps.h"
#include "data/dataset.h"
#include "engine/engine.h"
#include "evaluate/bias_probe.h"
#include "evaluate/compare.h"
#include "evaluate/evaluate.h"
#include "govern/gate.h"

namespace slipway::cli {
namespace {

using base::Json;
using pipeline::Step;
using pipeline::StepContext;
using pipeline::StepResult;

// The version that serves now, evaluated on the same rows; nullopt when there is none, or it has other labels.
std::optional<evaluate::Comparison> against_champion(Project& project, StepContext& context, const evaluate::Report& candidate,
                                                     const evaluate::Rows& rows, const evaluate::EvaluateOptions& options) {
  const RegisterSection& registration = project.config.registration;
  const auto alias = context.store.registry().find_alias(registration.name, registration.alias);
  if (!alias) {
    return std::nullopt;
  }
  const LocatedModel located = locate_model(project.app, fmt::format("models:/{}/{}", registration.name, alias->version), "float32");
  const auto champion = load_engine(project.app, located, "float32");
  if (champion->labels() != candidate.labels) {
    project.app.log().warning("the champion has other labels and is not compared with", {{"champion", located.name()}});
    return std::nullopt;
  }
  const evaluate::Report report = evaluate::evaluate(*champion, rows, options, context.base);
  return evaluate::compare(report, candidate, rows, located.name(), options);
}

govern::Measures measures_of(const std::map<std::string, stats::Interval>& intervals) {
  govern::Measures measures;
  for (const auto& [name, interval] : intervals) {
    measures[name] = {interval.value, interval.low, interval.high, interval.n};
  }
  return measures;
}

void log_measures(StepContext& context, const govern::Measures& measures) {
  std::vector<record::MetricPoint> points;
  for (const auto& [name, measure] : measures) {
    if (measure.value == measure.value) {
      points.push_back({"test." + name, measure.value, 0, context.base.clock.unix_ms()});
    }
  }
  context.store.runs().log_metrics(context.run_id, points);
}

}  // namespace

Step evaluate_step(Project& project) {
  Step step;
  step.name = "evaluate";
  step.code_version = 3;
  step.needs = {"split", "train"};
  step.config = project.config.resolved["evaluate"];
  const std::vector<std::string> known = evaluate::known_measures(project.config.labels);
  for (const std::string& gate : project.config.evaluate.gates) {
    govern::Gate::parse(gate).check_names(known);
  }
  step.run = [&project](StepContext& context) {
    const EvaluateSection& section = project.config.evaluate;
    const auto folder = checkout(context, input(context, "train", "model"), "model");
    const data::Dataset dataset(checkout(context, input(context, "split", "dataset"), "dataset"));
    const evaluate::Rows rows = labelled_rows(dataset, data::Split::kTest);
    const auto engine = engine::Engine::load(folder, {.precision = "float32", .isa = project.app.options().isa}, context.base.pool);
    const evaluate::EvaluateOptions options{.slices = section.slices, .resamples = section.bootstrap, .seed = section.seed};
    const evaluate::Report report = evaluate::evaluate(*engine, rows, options, context.base);
    Json evaluation = evaluate::to_json(report);
    govern::Measures measures = measures_of(report.measures);

    if (section.bias_suite != "none") {
      const evaluate::BiasReport bias =
          evaluate::bias_probe(*engine, rows.texts, {.resamples = section.bootstrap, .seed = section.seed}, context.base);
      evaluation["bias"] = evaluate::to_json(bias);
      measures["bias.flip_rate"] = {bias.flip_rate.value, bias.flip_rate.low, bias.flip_rate.high, bias.flip_rate.n};
      measures["bias.max_shift"] = {bias.max_shift, std::nan(""), std::nan(""), bias.flip_rate.n};
    }
    govern::Measures champion;
    const auto comparison = against_champion(project, context, report, rows, options);
    if (comparison) {
      evaluation["comparison"] = evaluate::to_json(*comparison);
      champion = measures_of(comparison->champion_measures);
    }
    const std::vector<govern::GateResult> gates = govern::check_gates(section.gates, measures, comparison ? &champion : nullptr);
    evaluation["gates"] = Json::array();
    std::vector<std::string> failed;
    for (const govern::GateResult& gate : gates) {
      evaluation["gates"].push_back(govern::to_json(gate));
      if (!gate.passed) {
        failed.push_back(fmt::format("{} ({})", gate.text, gate.reason));
      }
    }
    log_measures(context, measures);
    StepResult result;
    const record::Artifact artifact = put_json(context, evaluation, "file", "evaluation.json");
    if (!failed.empty()) {
      context.store.events().append("gate_failed", "run:" + context.run_id, {{"evaluation", artifact.digest}, {"gates", evaluation["gates"]}});
      throw base::Error(base::Code::kGate, fmt::format("{} of {} gates failed: {}", failed.size(), gates.size(), fmt::join(failed, "; ")));
    }
    result.outputs["evaluation"] = artifact.digest;
    const stats::Interval& accuracy = report.measures.at("accuracy");
    result.summary = {{"accuracy", stats::to_json(accuracy)}, {"gates", gates.size()}};
    result.summary["line"] = fmt::format("accuracy {:.4f} [{:.4f}, {:.4f}] on {} texts; {} gates passed", accuracy.value, accuracy.low,
                                         accuracy.high, report.n, gates.size());
    return result;
  };
  return step;
}

}  // namespace slipway::cli
