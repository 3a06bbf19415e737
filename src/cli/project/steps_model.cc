// From a dataset version to a registered model: train, optimize, register.
#include <cstdlib>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/local_change.h"
#include "cli/model_argument.h"
#include "cli/progress.h"
#include "cli/project/rows.h"
#include "cli/project/steps.h"
#include "convert/onnx.h"
#include "convert/parity.h"
#include "convert/quantize.h"
#include "data/dataset.h"
#include "engine/engine.h"
#include "model/cost.h"
#include "model/folder.h"
#include "train/launcher.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;
using pipeline::Step;
using pipeline::StepContext;
using pipeline::StepResult;

// The base model: a folder relative to the project, a registered version, or a repository of a hub.
fs::path base_folder(Project& project) {
  const std::string& base = project.config.base_model;
  if (base.starts_with("models:") || base.starts_with("hf://")) {
    return locate_model(project.app, base, "float32").folder;
  }
  const fs::path folder = project.config.dir / base;
  if (!fs::is_directory(folder)) {
    throw Error(Code::kNotFound, fmt::format("model: base: there is no folder '{}'; tools/setup models fetches the example's", folder.string()));
  }
  return folder;
}

// Live metrics into the record, and the curve for the report.
class TrainingLog {
 public:
  explicit TrainingLog(StepContext& context) : context_(context) {}
  void take(const Json& event) {
    const std::string kind = event.value("event", std::string());
    if (kind == "start") {
      start_ = event;
    } else if (kind == "step") {
      curve_.push_back({{"step", event["step"]}, {"loss", event["loss"]}, {"learning_rate", event["learning_rate"]}});
      add(event, {"loss", "learning_rate", "grad_norm", "samples_per_second"}, "train.");
    } else if (kind == "validation") {
      validation_.push_back({{"epoch", event["epoch"]}, {"step", event.value("step", 0)}, {"loss", event["loss"]}, {"accuracy", event["accuracy"]}});
      add(event, {"loss", "accuracy"}, "validation.");
    }
  }
  Json summary() const { return {{"start", start_}, {"curve", curve_}, {"validation", validation_}}; }

 private:
  void add(const Json& event, std::initializer_list<const char*> keys, const std::string& prefix) {
    std::vector<record::MetricPoint> points;
    for (const char* key : keys) {
      if (event.contains(key) && event[key].is_number()) {
        points.push_back({prefix + key, event[key].get<double>(), event.value("step", int64_t{0}), context_.base.clock.unix_ms()});
      }
    }
    context_.store.runs().log_metrics(context_.run_id, points);
  }
  StepContext& context_;
  Json start_ = Json::object();
  Json curve_ = Json::array();
  Json validation_ = Json::array();
};

std::map<std::string, std::string> params_of(const train::TrainOptions& options) {
  std::map<std::string, std::string> params;
  const Json json = train::options_to_json(options);
  for (const auto& [key, value] : json.items()) {
    params["train." + key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return params;
}

}  // namespace

Step train_step(Project& project) {
  Step step;
  step.name = "train";
  step.needs = {"split"};
  const fs::path base = base_folder(project);
  step.config = {{"train", train::options_to_json(project.config.train)}, {"labels", project.config.labels}};
  step.config["train"].erase("threads");
  for (const char* file : {model::kConfigFile, model::kWeightsFile, model::kTokenizerFile, model::kVocabularyFile}) {
    if (fs::exists(base / file)) {
      step.files.push_back(base / file);
    }
  }
  step.run = [&project, base](StepContext& context) {
    train::Job job;
    job.base_model = base;
    job.dataset = checkout(context, input(context, "split", "dataset"), "dataset");
    job.labels = project.config.labels;
    job.options = project.config.train;
    job.options.threads = project.app.options().threads;
    job.output = context.work / "model";
    job.checkpoint = context.work / "checkpoint";
    context.store.runs().log_params(context.run_id, params_of(job.options));
    TrainingLog log(context);
    const char* worker = std::getenv("SLIPWAY_TRAIN");
    const train::TrainResult trained = train::run_worker(job, context.base, [&](const Json& event) { log.take(event); },
                                                         train::find_worker(worker != nullptr ? worker : ""));
    StepResult result;
    result.outputs["model"] = put_folder(context, trained.output, "model", project.config.project).digest;
    result.summary = log.summary();
    result.summary["done"] = trained.done;
    result.summary["base"] = project.config.base_model;
    result.summary["line"] = fmt::format("{} steps at {:.1f} samples/s; validation accuracy {:.4f}; peak {}", trained.steps,
                                         trained.samples_per_second, trained.validation_accuracy, human_count(trained.peak_rss_bytes, "bytes"));
    return result;
  };
  return step;
}

Step optimize_step(Project& project) {
  Step step;
  step.name = "optimize";
  step.needs = {"split", "train", "evaluate"};
  const OptimizeSection& optimize = project.config.optimize;
  step.config = {{"quantize", optimize.quantize}, {"max_loss", optimize.max_loss}, {"onnx", optimize.onnx}};
  step.run = [&project](StepContext& context) {
    const OptimizeSection& options = project.config.optimize;
    const auto float_folder = checkout(context, input(context, "train", "model"), "model");
    StepResult result;
    std::string line;
    if (options.quantize == "int8") {
      const fs::path out = context.work / "int8";
      Json quantization = convert::quantize_int8(float_folder, out, {}, context.base);
      const data::Dataset dataset(checkout(context, input(context, "split", "dataset"), "dataset"));
      const evaluate::Rows rows = labelled_rows(dataset, data::Split::kTest);
      engine::EngineOptions f32{.precision = "float32", .isa = project.app.options().isa};
      engine::EngineOptions int8{.precision = "int8", .isa = project.app.options().isa};
      const auto reference = engine::Engine::load(float_folder, f32, context.base.pool);
      const auto candidate = engine::Engine::load(out, int8, context.base.pool);
      const convert::Parity parity = convert::compare(*reference, *candidate, rows.texts, rows.truth, context.base);
      quantization["parity"] = convert::to_json(parity);
      const double loss = parity.accuracy_loss ? parity.accuracy_loss->difference.value : 0;
      const auto limit = options.max_loss.find("accuracy");
      if (limit != options.max_loss.end() && loss > limit->second) {
        throw Error(Code::kGate, fmt::format("int8 loses {:.4f} accuracy against float32; max_loss allows {:.4f}", loss, limit->second));
      }
      result.outputs["int8"] = put_folder(context, out, "model", project.config.project + "-int8").digest;
      result.summary["quantization"] = std::move(quantization);
      line = fmt::format("int8: accuracy {:+.4f} against float32 on {} texts", 0.0 - loss, parity.n);
    }
    if (options.onnx) {
      const fs::path onnx = context.work / "model.onnx";
      result.summary["onnx"] = convert::export_onnx(float_folder, onnx);
      result.outputs["onnx"] = context.store.artifacts().put_file(onnx, "onnx", "model.onnx", Json::object()).digest;
      line += (line.empty() ? "" : "; ") + fmt::format("ONNX {}", human_count(static_cast<int64_t>(fs::file_size(onnx)), "bytes"));
    }
    result.summary["line"] = line;
    return result;
  };
  return step;
}

Step register_step(Project& project) {
  Step step;
  step.name = "register";
  step.needs = {"split", "train", "evaluate", "optimize", "sketch"};
  step.config = {{"name", project.config.registration.name}};
  step.run = [&project](StepContext& context) {
    record::ModelVersion version;
    version.model = project.config.registration.name;
    version.run_id = context.run_id;
    version.artifacts["model"] = input(context, "train", "model");
    version.artifacts["evaluation"] = input(context, "evaluate", "evaluation");
    version.artifacts["sketch"] = input(context, "sketch", "sketch");
    for (const auto& [output, digest] : context.inputs.at("optimize")) {
      version.artifacts[output] = digest;
    }
    const data::Dataset dataset(checkout(context, input(context, "split", "dataset"), "dataset"));
    version.dataset = dataset.digest();
    version.metrics = read_json(context, version.artifacts["evaluation"]).value("measures", Json::object());
    version.meta = {{"labels", project.config.labels}, {"base", project.config.base_model}, {"project", project.config.project}};
    version.created_ms = context.base.clock.unix_ms();
    version.author = local_person();
    // A run that was killed right here made its version already: take that one instead of a second.
    for (const record::ModelVersion& known : context.store.registry().list_versions(version.model)) {
      if (known.artifacts == version.artifacts && known.dataset == version.dataset) {
        version = known;
        break;
      }
    }
    if (version.version == 0) {
      version = context.store.registry().create_version(version);
      const std::string node = fmt::format("model:{}/{}", version.model, version.version);
      std::vector<record::Edge> edges = {{"dataset:" + version.dataset, node, "used"}, {"run:" + context.run_id, node, "produced"}};
      for (const auto& [role, digest] : version.artifacts) {
        edges.push_back({"artifact:" + digest, node, "version_of"});
      }
      context.store.lineage().add_edges(edges);
      context.store.events().append("registered", node, {{"run_id", context.run_id}});
    }
    if (!project.config.deploy.enabled) {
      context.store.registry().set_alias(version.model, project.config.registration.alias, version.version, -1);
    }
    StepResult result;
    result.outputs["version"] = put_json(context, record::to_json(version), "config", "version.json").digest;
    result.summary = {{"model", version.model}, {"version", version.version}, {"line", fmt::format("{} version {}", version.model, version.version)}};
    return result;
  };
  return step;
}

}  // namespace slipway::cli
