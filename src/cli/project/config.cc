#include "cli/project/config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/suggest.h"
#include "data/expectations.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::FieldTable;
using base::Json;

// One section of the file with the place it stands at, for messages.
class Section {
 public:
  Section(const base::YamlDocument& document, std::string file, std::string pointer)
      : document_(document), file_(std::move(file)), pointer_(std::move(pointer)) {
    const auto at = Json::json_pointer(pointer_);
    value_ = document.value.contains(at) ? document.value.at(at) : Json();
    present_ = !value_.is_null();
    if (!present_) {
      value_ = Json::object();
    } else if (!value_.is_object() && !pointer_.empty()) {
      throw Error(Code::kInvalid, where() + ": must be a mapping of names to values");
    }
  }

  bool present() const { return present_; }
  std::string where() const { return document_.where(file_, pointer_) + " (" + pointer_.substr(pointer_.empty() ? 0 : 1) + ")"; }
  std::string where(const std::string& key) const { return document_.where(file_, pointer_ + "/" + key); }
  Section child(const std::string& key) { return {document_, file_, pointer_ + "/" + key}; }
  // Takes `key` out of the section: what is left is for the table.
  Json take(const std::string& key) {
    const auto found = value_.find(key);
    if (found == value_.end()) {
      return nullptr;
    }
    Json taken = *found;
    value_.erase(key);
    taken_.push_back(key);
    return taken;
  }
  // Applies what is left to `table`; keys that were taken count as known for suggestions.
  void apply(FieldTable& table) const {
    for (const auto& [key, unused] : value_.items()) {
      std::vector<std::string> known = taken_;
      for (const base::Field& field : table.fields()) {
        known.push_back(field.name);
      }
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        throw Error(Code::kInvalid, fmt::format("{}: unknown key '{}'{}", where(key), key, base::suggestion(key, known)));
      }
    }
    table.apply(value_, where());
  }

 private:
  const base::YamlDocument& document_;
  std::string file_;
  std::string pointer_;
  Json value_;
  bool present_ = false;
  std::vector<std::string> taken_;
};

// "10%" or 0.1 -> 0.1.
double share(const Json& value, const std::string& where) {
  double number = -1;
  if (value.is_number()) {
    number = value.get<double>();
  } else if (value.is_string()) {
    const std::string text = value.get<std::string>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    number = error == std::errc() && std::string_view(end) == "%" ? number / 100 : -1;
  }
  if (!(number > 0 && number <= 1)) {
    throw Error(Code::kInvalid, fmt::format("{}: must be a share above 0 and at most 100%, such as 10% or 0.1", where));
  }
  return number;
}

EvaluateSection read_evaluate(Section section) {
  EvaluateSection result;
  if (section.present()) {
    Section bias = section.child("bias");
    section.take("bias");
    FieldTable bias_table;
    bias_table.add("suite", result.bias_suite, "counterfactual suite", {"names-and-pronouns", "none"});
    bias.apply(bias_table);
    FieldTable table;
    table.add("metrics", result.metrics, "metrics to report");
    table.add("slices", result.slices, "slices to report: length, source");
    table.add("gates", result.gates, "conditions that must hold, such as 'accuracy >= 0.85'");
    table.add("bootstrap", result.bootstrap, "resamples of the intervals", {0, 1000000});
    table.add("seed", result.seed, "seed of the resampling");
    section.apply(table);
  }
  return result;
}

OptimizeSection read_optimize(Section section) {
  OptimizeSection result;
  Section loss = section.child("max_loss");
  const Json losses = section.take("max_loss");
  for (const auto& [metric, limit] : losses.items()) {
    if (!limit.is_number()) {
      throw Error(Code::kInvalid, fmt::format("{}: must be a number", loss.where(metric)));
    }
    result.max_loss[metric] = limit.get<double>();
  }
  FieldTable table;
  table.add("quantize", result.quantize, "weights of the served model", {"int8", "none"});
  table.add("onnx", result.onnx, "also export the float32 model as ONNX");
  section.apply(table);
  return result;
}

DeploySection read_deploy(Section section, const std::string& project) {
  DeploySection result;
  result.enabled = section.present();
  result.endpoint = project;
  const Json steps = section.take("steps");
  if (!steps.is_null()) {
    std::vector<double>& percents = result.rollout.steps;
    percents.clear();
    for (size_t i = 0; i < steps.size(); ++i) {
      percents.push_back(100 * share(steps.is_array() ? steps[i] : steps, section.where(fmt::format("steps/{}", i))));
    }
    if (!std::is_sorted(percents.begin(), percents.end()) || percents.empty() || percents.back() != 100) {
      throw Error(Code::kInvalid, fmt::format("{}: steps must rise and end at 100%", section.where("steps")));
    }
  }
  FieldTable table;
  table.add("endpoint", result.endpoint, "name of the endpoint");
  result.rollout.describe(table);
  table.add("address", result.address, "address to listen on");
  table.add("port", result.port, "port to listen on; 0 = a free one", {0, 65535});
  table.add("precision", result.precision, "weights to serve", {"auto", "float32", "int8"});
  section.apply(table);
  return result;
}

ReplaySection read_replay(Section section) {
  ReplaySection result;
  const Json source = section.take("source");
  FieldTable table;
  table.add("name", result.name, "name of this traffic");
  table.add("split", result.split, "a split of the dataset to send", {"", "train", "validation", "test"});
  table.add("limit", result.limit, "texts to send; 0 = all", {0, 1e9});
  table.add("expect", result.expect, "what the monitor should say", {"", "alert", "no-alert"});
  section.apply(table);
  if (source.is_null() == result.split.empty()) {
    throw Error(Code::kInvalid, section.where() + ": give either 'split' or 'source'");
  }
  if (!source.is_null()) {
    result.source = data::parse_source_options(source, section.where("source"));
    result.source.path = expand_path(result.source.path, section.where("source"));
  }
  if (result.name.empty()) {
    result.name = result.split.empty() ? result.source.id : result.split;
  }
  return result;
}

MonitorSection read_monitor(Section section) {
  MonitorSection result;
  result.enabled = section.present();
  Section drift = section.child("drift");
  Section bias = section.child("bias");
  Section on_alert = section.child("on_alert");
  section.take("drift");
  section.take("bias");
  section.take("on_alert");
  const Json threshold = drift.take("threshold");
  if (threshold.is_number() && threshold.get<double>() > 0) {
    result.threshold = threshold.get<double>();
  } else if (!threshold.is_null() && threshold != "auto") {
    throw Error(Code::kInvalid, drift.where("threshold") + ": must be 'auto' or a number above 0");
  }
  FieldTable drift_table;
  drift_table.add("tests", result.tests, "drift tests: psi, js, mmd");
  drift.apply(drift_table);
  FieldTable bias_table;
  bias_table.add("groups", result.bias_groups, "groups whose prediction rates are watched");
  bias.apply(bias_table);
  FieldTable alert_table;
  alert_table.add("retrain", result.retrain, "an alert asks for a new training run");
  alert_table.add("approve", result.approve, "who starts it", {"manual"});
  on_alert.apply(alert_table);
  const Json replay = section.take("replay");
  for (size_t i = 0; i < replay.size(); ++i) {
    result.replay.push_back(read_replay(section.child(fmt::format("replay/{}", i))));
  }
  FieldTable table;
  table.add("window", result.window, "predictions in a window", {50, 1e6});
  section.apply(table);
  return result;
}

ExplainSection read_explain(Section section) {
  ExplainSection result;
  result.enabled = section.present();
  FieldTable table;
  table.add("methods", result.methods, "explanation methods: shap, lime");
  table.add("sample", result.sample, "test texts to explain in the report", {0, 10000});
  table.add("num_samples", result.num_samples, "LIME: perturbed texts", {10, 1e6});
  table.add("seed", result.seed, "seed of sampling");
  section.apply(table);
  for (const std::string& method : result.methods) {
    if (method != "shap" && method != "lime") {
      throw Error(Code::kInvalid, fmt::format("{}: unknown method '{}'; known: shap, lime", section.where("methods"), method));
    }
  }
  return result;
}

Json resolved_json(ProjectConfig& c) {
  Json json = {{"project", c.project}, {"task", c.task}, {"labels", c.labels}, {"description", c.description},
               {"license", c.license}, {"languages", c.languages}, {"intended_use", c.intended_use}, {"limits", c.limits}};
  json["data"] = data::to_json(c.data);
  json["model"] = {{"base", c.base_model}, {"id", c.base_id}};
  json["train"] = train::options_to_json(c.train);
  json["evaluate"] = {{"metrics", c.evaluate.metrics},     {"slices", c.evaluate.slices}, {"gates", c.evaluate.gates},
                      {"bias", {{"suite", c.evaluate.bias_suite}}}, {"bootstrap", c.evaluate.bootstrap},
                      {"seed", c.evaluate.seed}};
  json["register"] = {{"name", c.registration.name}, {"alias", c.registration.alias}};
  json["optimize"] = {{"quantize", c.optimize.quantize}, {"max_loss", c.optimize.max_loss}, {"onnx", c.optimize.onnx}};
  if (c.deploy.enabled) {
    FieldTable rollout;
    c.deploy.rollout.describe(rollout);
    json["deploy"] = rollout.to_json();
    json["deploy"].update({{"endpoint", c.deploy.endpoint}, {"steps", c.deploy.rollout.steps}, {"address", c.deploy.address},
                           {"port", c.deploy.port}, {"precision", c.deploy.precision}});
  }
  if (c.monitor.enabled) {
    Json replay = Json::array();
    for (const ReplaySection& one : c.monitor.replay) {
      replay.push_back({{"name", one.name}, {"split", one.split}, {"limit", one.limit}, {"expect", one.expect},
                        {"source", one.split.empty() ? data::to_json(one.source) : Json()}});
    }
    json["monitor"] = {{"window", c.monitor.window},
                       {"drift", {{"tests", c.monitor.tests}, {"threshold", c.monitor.threshold > 0 ? Json(c.monitor.threshold) : Json("auto")}}},
                       {"bias", {{"groups", c.monitor.bias_groups}}},
                       {"on_alert", {{"retrain", c.monitor.retrain}, {"approve", c.monitor.approve}}},
                       {"replay", replay}};
  }
  if (c.explain.enabled) {
    json["explain"] = {{"methods", c.explain.methods}, {"sample", c.explain.sample}, {"num_samples", c.explain.num_samples},
                       {"seed", c.explain.seed}};
  }
  return json;
}

void check_whole(const ProjectConfig& c, const std::string& file) {
  if (c.project.empty()) {
    throw Error(Code::kInvalid, file + ": 'project' is missing: the name of the project");
  }
  if (c.project.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != std::string::npos ||
      c.project.front() == '.') {
    throw Error(Code::kInvalid, fmt::format("{}: project '{}' may have letters, digits, '-', '_' and '.' only", file, c.project));
  }
  if (c.labels.size() < 2) {
    throw Error(Code::kInvalid, file + ": 'labels' needs at least two names, in the order of the model's outputs");
  }
  if (c.data.sources.empty()) {
    throw Error(Code::kInvalid, file + ": 'data: sources:' is empty: where are the texts?");
  }
  if (c.base_model.empty()) {
    throw Error(Code::kInvalid, file + ": 'model: base:' is missing: a model folder, or models:/NAME@ALIAS");
  }
  if (c.monitor.enabled && !c.deploy.enabled && !c.monitor.replay.empty()) {
    throw Error(Code::kInvalid, file + ": 'monitor: replay:' sends texts to an endpoint: add a 'deploy:' section");
  }
}

}  // namespace

std::string expand_path(const std::string& text, const std::string& where) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const size_t end = text.compare(i, 2, "${") == 0 ? text.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      result += text[i++];
      continue;
    }
    const std::string inside = text.substr(i + 2, end - i - 2);
    const size_t split = inside.find(":-");
    const std::string name = inside.substr(0, split);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr && split == std::string::npos) {
      throw Error(Code::kInvalid, fmt::format("{}: the variable {} is not set; write ${{{}:-default}} to give a default", where, name, name));
    }
    result += value != nullptr ? value : inside.substr(split + 2);
    i = end + 1;
  }
  const char* home = std::getenv("HOME");
  if (home != nullptr && (result == "~" || result.starts_with("~/"))) {
    result = home + result.substr(1);
  }
  return result;
}

ProjectConfig load_project(const fs::path& file) {
  if (!fs::exists(file)) {
    throw Error(Code::kNotFound, fmt::format("there is no '{}'; name a project file, or start from examples/sentiment/slipway.yaml", file.string()));
  }
  const std::string name = file.string();
  const base::YamlDocument document = base::parse_yaml(base::read_file(file, size_t{4} << 20), name);
  ProjectConfig c;
  c.file = fs::absolute(file);
  c.dir = c.file.parent_path();
  if (!document.value.is_object()) {
    throw Error(Code::kInvalid, name + ": must be a mapping of names to values");
  }
  Section root(document, name, "");
  for (const char* section : {"data", "model", "train", "evaluate", "register", "optimize", "deploy", "monitor", "explain"}) {
    root.take(section);
  }
  FieldTable table;
  table.add("project", c.project, "name of the project");
  table.add("task", c.task, "what the model does", {"text-classification"});
  table.add("description", c.description, "one paragraph for the model card");
  table.add("license", c.license, "SPDX name of the model's licence");
  table.add("languages", c.languages, "ISO 639-1 codes");
  table.add("labels", c.labels, "class names in the order of the model's outputs");
  table.add("intended_use", c.intended_use, "what the model is for, in the model card");
  table.add("limits", c.limits, "what it is known not to do, in the model card");
  root.apply(table);

  Section data_section = root.child("data");
  c.data = data::parse_data_options(document.value.value("data", Json::object()), data_section.where());
  c.data.name = c.project;
  c.data.labels = c.labels;
  if (Json& suite = c.data.validate.expectations; suite.is_string()) {  // what it says is part of the configuration
    suite = data::to_json(data::read_expectations(c.dir / expand_path(suite.get<std::string>(), data_section.where())));
  }
  for (data::SourceOptions& source : c.data.sources) {
    source.path = expand_path(source.path, data_section.where());
  }
  Section model_section = root.child("model");
  FieldTable model_table;
  model_table.add("base", c.base_model, "a model folder, models:/NAME@ALIAS, hf://NS/NAME");
  model_table.add("id", c.base_id, "the base model's name on the Hub, for the model card");
  model_section.apply(model_table);
  c.base_model = expand_path(c.base_model, model_section.where("base"));
  Section train_section = root.child("train");
  c.train = train::options_from_json(document.value.value("train", Json::object()), train_section.where());
  c.evaluate = read_evaluate(root.child("evaluate"));
  Section register_section = root.child("register");
  c.registration.name = c.project;
  FieldTable register_table;
  register_table.add("name", c.registration.name, "registered name of the model");
  register_table.add("alias", c.registration.alias, "alias that the served version carries");
  register_section.apply(register_table);
  c.optimize = read_optimize(root.child("optimize"));
  c.deploy = read_deploy(root.child("deploy"), c.project);
  c.monitor = read_monitor(root.child("monitor"));
  c.explain = read_explain(root.child("explain"));
  check_whole(c, name);
  c.resolved = resolved_json(c);
  return c;
}

}  // namespace slipway::cli
