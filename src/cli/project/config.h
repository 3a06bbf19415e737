// slipway.yaml: what a project is, read once, checked whole, then const. Unknown keys are errors with the nearest name; each
// message names the file and line. The resolved form (defaults filled in) is stored with every run.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/yaml.h"
#include "data/options.h"
#include "deploy/rollout.h"
#include "train/options.h"

namespace slipway::cli {

struct EvaluateSection {
  std::vector<std::string> metrics = {"accuracy", "precision", "recall", "f1", "roc_auc", "ece"};
  std::vector<std::string> slices = {"length", "source"};
  std::vector<std::string> gates;
  std::string bias_suite = "names-and-pronouns";  // or "none"
  int bootstrap = 2000;
  uint64_t seed = 7;
};

struct RegisterSection {
  std::string name;  // default: the project's name
  std::string alias = "champion";
};

struct OptimizeSection {
  std::string quantize = "int8";           // or "none"
  std::map<std::string, double> max_loss;  // metric -> largest loss against f32
  bool onnx = true;
};

struct DeploySection {
  bool enabled = false;
  std::string endpoint;  // default: the project's name
  deploy::RolloutOptions rollout;
  std::string address = "127.0.0.1";
  int port = 0;  // 0 = a free one
  std::string precision = "auto";
};

// Traffic that `slipway run` sends through the endpoint to show that the monitor works on this model.
struct ReplaySection {
  std::string name;
  std::string split;         // a split of the dataset ("test"), or
  data::SourceOptions source;  // a source of its own
  int limit = 0;             // 0 = all
  std::string expect;        // "", "alert" or "no-alert"
};

struct MonitorSection {
  bool enabled = false;
  int window = 1000;
  std::vector<std::string> tests = {"psi", "js", "mmd"};
  double threshold = 0;  // 0 = auto: calibrated on the reference
  std::vector<std::string> bias_groups = {"gender", "ethnicity"};
  bool retrain = false;
  std::string approve = "manual";
  std::vector<ReplaySection> replay;
};

struct ExplainSection {
  bool enabled = false;
  std::vector<std::string> methods = {"shap", "lime"};
  int sample = 20;
  int num_samples = 500;  // LIME
  uint64_t seed = 7;
};

struct ProjectConfig {
  std::filesystem::path file;
  std::filesystem::path dir;
  std::string project;
  std::string task = "text-classification";
  std::string description;
  std::string license;
  std::vector<std::string> languages;
  std::vector<std::string> labels;
  std::string intended_use;         // of the model card
  std::vector<std::string> limits;  // of the model card: what its makers know it cannot do
  data::DataOptions data;
  std::string base_model;  // as written
  std::string base_id;     // its name on the Hub, for the model card; may be empty
  train::TrainOptions train;
  EvaluateSection evaluate;
  RegisterSection registration;
  OptimizeSection optimize;
  DeploySection deploy;
  MonitorSection monitor;
  ExplainSection explain;
  base::Json resolved;  // everything above as JSON, defaults filled in
};

// Throws Error(kNotFound) when there is no such file, kInvalid for anything wrong in it.
ProjectConfig load_project(const std::filesystem::path& file);

// "~/x", "${NAME}" and "${NAME:-default}" replaced from the environment. Throws Error(kInvalid) naming an unset variable.
std::string expand_path(const std::string& text, const std::string& where);

}  // namespace slipway::cli
