#include "cli/project/facts.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "data/dataset.h"
#include "model/cost.h"
#include "model/folder.h"

namespace slipway::cli {
namespace {

using base::Json;
using Summaries = std::map<std::string, Json>;  // what the steps left besides their outputs

const Json& summary(const Summaries& summaries, const std::string& step) {
  static const Json kNothing = Json::object();
  const auto found = summaries.find(step);
  return found == summaries.end() ? kNothing : found->second;
}

Json value_or(const Json& json, const char* key, Json fallback) { return json.contains(key) ? json.at(key) : std::move(fallback); }

Json data_facts(const data::Dataset& dataset, const Summaries& summaries) {
  const Json& manifest = dataset.manifest();
  Json facts = {{"dataset_digest", dataset.digest()},
                {"merkle_root", value_or(manifest, "merkle_root", "")},
                {"manifest", manifest},
                {"drops", Json::object()},
                {"labels", Json::object()},
                {"splits", Json::object()}};
  const Json& collected = summary(summaries, "collect");
  const Json& cleaned = summary(summaries, "clean");
  const Json& unique = summary(summaries, "deduplicate");
  facts["counts"] = {{"rows", collected.value("rows", 0)}, {"collected", collected.value("documents", 0)}, {"cleaned", cleaned.value("kept", 0)},
                     {"kept", unique.value("kept", 0)}, {"masked", value_or(cleaned, "masked", 0)}};
  for (const Json* step : {&collected, &cleaned}) {
    const Json dropped = value_or(*step, "dropped", Json::object());  // named: items() refers into it
    for (const auto& [reason, count] : dropped.items()) {
      facts["drops"][reason] = count;
    }
  }
  facts["drops"]["exact_duplicate"] = unique.value("exact", 0);
  facts["drops"]["near_duplicate"] = unique.value("near", 0);
  for (const data::Split split : {data::Split::kTrain, data::Split::kValidation, data::Split::kTest}) {
    const data::SplitInfo& info = dataset.split(split);
    facts["splits"][data::split_name(split)] = {{"rows", info.rows}, {"labels", info.labels}};
    for (const auto& [label, count] : info.labels) {
      facts["labels"][label] = facts["labels"].value(label, int64_t{0}) + count;
    }
  }
  facts["sources"] = value_or(summary(summaries, "split"), "sources", Json::array());
  facts["validation"] = value_or(summary(summaries, "validate"), "checks", Json::array());
  return facts;
}

Json train_facts(const ProjectConfig& config, const Json& trained) {
  const Json done = value_or(trained, "done", Json::object());
  return {{"base", config.base_model},
          {"epochs", config.train.epochs},
          {"options", train::options_to_json(config.train)},
          {"steps", value_or(done, "step", 0)},
          {"seconds", value_or(done, "seconds", 0)},
          {"samples_per_second", value_or(done, "samples_per_second", 0)},
          {"first_step_seconds", value_or(done, "first_step_seconds", 0)},
          {"peak_rss_bytes", value_or(done, "peak_rss_bytes", 0)},
          {"curve", value_or(trained, "curve", Json::array())},
          {"validation", value_or(trained, "validation", Json::array())}};
}

Json lineage_facts(pipeline::StepContext& context, const std::string& node) {
  Json edges = Json::array();
  for (const record::Edge& edge : context.store.lineage().walk(node, record::Direction::kBack, 200)) {
    edges.push_back(record::to_json(edge));
  }
  return {{"node", node}, {"edges", edges}};
}

}  // namespace

Json gather_facts(Project& project, pipeline::StepContext& context) {
  const Summaries& summaries = context.summaries;
  const ProjectConfig& config = project.config;
  const Json version = read_json(context, input(context, "register", "version"));
  const std::string node = fmt::format("model:{}/{}", version["model"].get<std::string>(), version["version"].get<int>());
  const data::Dataset dataset(checkout(context, input(context, "split", "dataset"), "dataset"));
  const model::ModelFolder folder = model::open_model_folder(checkout(context, input(context, "train", "model"), "model"));
  const Json evaluation = read_json(context, input(context, "evaluate", "evaluation"));
  const Json& optimized = summary(summaries, "optimize");
  Json facts = {{"project", config.project}, {"task", config.task}, {"description", config.description}, {"run_id", context.run_id},
                {"created", base::iso8601(context.base.clock.unix_ms())}};
  facts["model"] = {{"name", version["model"]},
                    {"version", version["version"]},
                    {"base", config.base_model},
                    {"parameters", folder.spec.parameter_count()},
                    {"size_f32", model::weight_bytes_f32(folder.spec)},
                    {"size_int8", optimized.contains("quantization") ? Json(model::weight_bytes_int8(folder.spec)) : Json()},
                    {"flops_per_text_32", model::flops_per_text(folder.spec, 32)},
                    {"artifacts", version["artifacts"]}};
  facts["card"] = {{"language", config.languages}, {"license", config.license}, {"tags", Json::array({"text-classification", "slipway"})}};
  facts["data"] = data_facts(dataset, summaries);
  facts["train"] = train_facts(config, summary(summaries, "train"));
  facts["evaluation"] = evaluation;
  for (const char* part : {"bias", "comparison", "gates"}) {
    if (evaluation.contains(part)) {
      facts[part] = evaluation[part];
    }
  }
  facts["quantization"] = value_or(optimized, "quantization", Json());
  facts["latency"] = value_or(summary(summaries, "deploy"), "latency", Json());
  facts["rollout"] = value_or(summary(summaries, "deploy"), "rollout", Json());
  if (context.inputs.contains("monitor")) {
    facts["drift"] = {{"window", config.monitor.window}, {"replays", read_json(context, input(context, "monitor", "windows"))}};
  }
  if (context.inputs.contains("explain")) {
    facts["explanations"] = read_json(context, input(context, "explain", "explanations"));
  }
  facts["lineage"] = lineage_facts(context, node);
  facts["repeat"] = {{"commands", Json::array({fmt::format("slipway run {}", config.file.filename().string()),
                                               fmt::format("slipway lineage models:/{}/{}", version["model"].get<std::string>(), version["version"].get<int>())})},
                     {"versions", {{"slipway", SLIPWAY_VERSION}, {"trainer", value_or(value_or(summary(summaries, "train"), "start", Json::object()), "versions", Json::object())},
                                   {"instruction_set", base::isa_name(base::select_isa(project.app.options().isa))}}},
                     {"seeds", {{"split", config.data.split.seed}, {"train", config.train.seed}, {"evaluate", config.evaluate.seed}}},
                     {"digests", version["artifacts"]}};
  facts["endpoint"] = config.deploy.enabled ? Json{{"name", config.deploy.endpoint}} : Json();
  return facts;
}

}  // namespace slipway::cli
