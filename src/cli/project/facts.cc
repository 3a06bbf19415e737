#include "cli/project/facts.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "data/dataset.h"
#include "govern/model_card.h"
#include "hub/address.h"
#include "model/cost.h"
#include "model/folder.h"

namespace slipway::cli {
namespace {

using base::Json;
constexpr int kTypicalTokens = 32;  // a sentence; attention adds little at this length

using Summaries = std::map<std::string, Json>;  // what the steps left besides their outputs

const Json& summary(const Summaries& summaries, const std::string& step) {
  static const Json kNothing = Json::object();
  const auto found = summaries.find(step);
  return found == summaries.end() ? kNothing : found->second;
}

// The base model by its Hub name where the project tells it, else the folder's own name: paths of this machine say nothing
// to a reader.
std::string base_name(const ProjectConfig& config) {
  if (!config.base_id.empty()) {
    return config.base_id;
  }
  if (hub::is_address(config.base_model)) {
    return hub::parse_address(config.base_model).name;
  }
  return config.base_model.starts_with("models:") ? config.base_model
                                                  : std::filesystem::path(config.base_model).lexically_normal().filename().string();
}

Json value_or(const Json& json, const char* key, Json fallback) { return json.contains(key) ? json.at(key) : std::move(fallback); }

// The dataset's manifest as it is, which the report reads, and what the manifest does not say.
Json data_facts(const data::Dataset& dataset, const Summaries& summaries) {
  Json facts = dataset.manifest();
  facts["dataset_digest"] = dataset.digest();
  const Json& collected = summary(summaries, "collect");
  const Json& cleaned = summary(summaries, "clean");
  const Json& unique = summary(summaries, "deduplicate");
  facts["counts"] = {{"rows read", collected.value("rows", 0)},
                     {"collected", collected.value("documents", 0)},
                     {"cleaned", cleaned.value("kept", 0)},
                     {"deduplicated", unique.value("kept", 0)}};
  Json drops = Json::object();
  const auto add = [&drops](const std::string& reason, int64_t count) {
    if (count > 0) {
      drops[reason] = drops.value(reason, int64_t{0}) + count;
    }
  };
  const auto add_all = [&add](const Json& reasons) {
    if (reasons.is_object()) {
      for (const auto& [reason, count] : reasons.items()) {
        add(reason, count.is_number() ? count.get<int64_t>() : 0);
      }
    }
  };
  const Json sources = value_or(facts, "sources", Json::array());
  for (const Json& source : sources) {
    const Json counts = value_or(source, "counts", Json::object());
    add_all(value_or(counts, "dropped", Json::object()));
    add_all(value_or(counts, "bad", Json::object()));
  }
  add_all(value_or(cleaned, "dropped", Json::object()));
  add("exact_duplicate", unique.value("exact", int64_t{0}));
  add("near_duplicate", unique.value("near", int64_t{0}));
  facts["drops"] = std::move(drops);
  facts["checks"] = value_or(summary(summaries, "validate"), "checks", Json::array());
  return facts;
}

Json train_facts(const ProjectConfig& config, const Json& trained) {
  const Json done = value_or(trained, "done", Json::object());
  return {{"base", base_name(config)},
          {"epochs", config.train.epochs},
          {"options", train::options_to_json(config.train)},
          {"steps", value_or(done, "step", 0)},
          {"seconds", value_or(done, "seconds", 0)},
          {"samples_per_second", value_or(done, "samples_per_second", 0)},
          {"first_step_seconds", value_or(done, "first_step_seconds", 0)},
          {"peak_memory_bytes", value_or(done, "peak_rss_bytes", 0)},
          {"curve", value_or(trained, "curve", Json::array())},
          {"validation", value_or(trained, "validation", Json::array())}};
}

// Latency as the deploy step measured it, with what it was measured on.
Json latency_facts(const Project& project, const Summaries& summaries, bool has_int8) {
  const Json& deployed = summary(summaries, "deploy");
  Json latency = value_or(deployed, "latency", Json());
  if (latency.is_object()) {
    const std::string& precision = project.config.deploy.precision;
    latency["precision"] = precision != "auto" ? precision : has_int8 ? "int8" : "float32";
    latency["machine"] =
        fmt::format("{} cores, {}", base::usable_cores(), base::isa_name(base::select_isa(project.app.options().isa)));
    const double ready = deployed.value("ready_seconds", 0.0);
    latency["ready_ms"] = ready > 0 ? Json(ready * 1000) : Json();
  }
  return latency;
}

// The windows of all replays in the order of their traffic, each with the replay's name.
Json drift_facts(const Json& replays, int window) {
  Json windows = Json::array();
  for (const Json& replay : replays) {
    for (Json one : replay.value("windows", Json::array())) {
      one["name"] = replay.value("name", std::string());
      windows.push_back(std::move(one));
    }
  }
  return {{"window", window}, {"windows", std::move(windows)}};
}

// What people call the nodes: artifacts by their names, raw files by theirs.
Json node_names(pipeline::StepContext& context, const Json& edges, const Json& sources) {
  Json names = Json::object();
  for (const Json& source : sources) {
    for (const Json& file : source.value("files", Json::array())) {
      names["file:sha256:" + file.value("sha256", std::string())] =
          std::filesystem::path(file.value("path", std::string())).filename().string();
    }
  }
  constexpr std::string_view kArtifact = "artifact:";
  for (const Json& edge : edges) {
    for (const char* end : {"from", "to"}) {
      const std::string node = edge[end].get<std::string>();
      if (node.starts_with(kArtifact) && !names.contains(node)) {
        const auto artifact = context.store.artifacts().find(node.substr(kArtifact.size()));
        names[node] = artifact && !artifact->name.empty() ? artifact->name : node.substr(kArtifact.size(), 19);
      } else if (node.starts_with("run:")) {
        names[node] = node.substr(4, 8);
      }
    }
  }
  return names;
}

Json lineage_facts(pipeline::StepContext& context, const std::string& node, const Json& sources) {
  Json edges = Json::array();
  for (const record::Edge& edge : context.store.lineage().walk(node, record::Direction::kBack, 200)) {
    edges.push_back(record::to_json(edge));
  }
  Json names = node_names(context, edges, sources);
  return {{"node", node}, {"edges", std::move(edges)}, {"names", std::move(names)}};
}

Json repeat_facts(const Project& project, const Summaries& summaries, const Json& version, const std::string& dataset) {
  const ProjectConfig& config = project.config;
  Json versions = {{"slipway", SLIPWAY_VERSION},
                   {"instruction_set", base::isa_name(base::select_isa(project.app.options().isa))}};
  const Json started = value_or(summary(summaries, "train"), "start", Json::object());
  const Json trainer = value_or(started, "versions", Json::object());
  for (const auto& [name, value] : trainer.items()) {
    if (name != "slipway") {
      versions[name] = value;
    }
  }
  Json digests = {{"dataset", dataset}};
  digests.update(version["artifacts"]);
  return {{"commands", Json::array({fmt::format("slipway run {}", config.file.filename().string()),
                                    fmt::format("slipway lineage models:/{}/{}", version["model"].get<std::string>(),
                                                version["version"].get<int>())})},
          {"versions", std::move(versions)},
          {"seeds", {{"split", config.data.split.seed}, {"train", config.train.seed}, {"evaluate", config.evaluate.seed}}},
          {"digests", std::move(digests)},
          {"config", govern::to_yaml(config.resolved)}};
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
  Json facts = {{"project", config.project}, {"task", config.task}, {"summary", config.description}, {"run_id", context.run_id},
                {"created", base::iso8601(context.base.clock.unix_ms())}};
  const bool has_int8 = optimized.contains("quantization");
  facts["model"] = {{"name", version["model"]},
                    {"version", version["version"]},
                    {"base", base_name(config)},
                    {"base_id", config.base_id},
                    {"parameters", folder.spec.parameter_count()},
                    {"size_f32", model::weight_bytes_f32(folder.spec)},
                    {"size_int8", has_int8 ? Json(model::weight_bytes_int8(folder.spec)) : Json()},
                    {"flops_per_token", model::flops_per_text(folder.spec, kTypicalTokens) / kTypicalTokens},
                    {"artifacts", version["artifacts"]}};
  facts["card"] = {{"language", config.languages},
                   {"license", config.license},
                   {"tags", Json::array({config.task})},
                   {"intended_use", config.intended_use},
                   {"limits", config.limits}};
  facts["data"] = data_facts(dataset, summaries);
  facts["train"] = train_facts(config, summary(summaries, "train"));
  facts["evaluation"] = evaluation;
  for (const char* part : {"bias", "comparison", "gates"}) {
    if (evaluation.contains(part)) {
      facts[part] = evaluation[part];
    }
  }
  facts["quantization"] = value_or(optimized, "quantization", Json());
  facts["latency"] = latency_facts(project, summaries, has_int8);
  facts["rollout"] = value_or(summary(summaries, "deploy"), "rollout", Json());
  if (context.inputs.contains("monitor")) {
    facts["drift"] = drift_facts(read_json(context, input(context, "monitor", "windows")), config.monitor.window);
  }
  if (context.inputs.contains("explain")) {
    facts["explanations"] = read_json(context, input(context, "explain", "explanations"));
  }
  facts["lineage"] = lineage_facts(context, node, value_or(dataset.manifest(), "sources", Json::array()));
  facts["repeat"] = repeat_facts(project, summaries, version, dataset.digest());
  facts["endpoint"] = config.deploy.enabled ? Json(config.deploy.endpoint) : Json();
  return facts;
}

}  // namespace slipway::cli
