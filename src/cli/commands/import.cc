// slipway import mlflow | tensorboard | wandb: runs of other trackers into the record.
#include <ostream>

#include <fmt/format.h>

#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "track/import_mlflow.h"
#include "track/import_tensorboard.h"
#include "track/import_wandb.h"

namespace slipway::cli {
namespace {

int tell(App& app, const track::ImportReport& report) {
  if (app.json()) {
    app.print_json({{"experiments", report.experiments},
                    {"runs", report.runs},
                    {"runs_there", report.runs_there},
                    {"points", report.points},
                    {"params", report.params},
                    {"files", report.files},
                    {"file_bytes", report.file_bytes},
                    {"models", report.models},
                    {"logged_models", report.logged_models},
                    {"traces", report.traces},
                    {"versions", report.versions},
                    {"skipped", report.skipped}});
    return 0;
  }
  app.out() << fmt::format("{} runs ({} more were there), {} points of metrics, {} parameters, {} files ({}), {} model versions, "
                           "{} logged models, {} traces\n",
                           report.runs, report.runs_there, report.points, report.params, report.files,
                           human_count(static_cast<int64_t>(report.file_bytes), "bytes"), report.versions, report.logged_models, report.traces);
  for (const auto& [reason, count] : report.skipped) {
    app.out() << fmt::format("left out: {} {}\n", count, reason);
  }
  return 0;
}

class ImportMlflowCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"import mlflow", "experiments, runs, artifacts, models and traces of an MLflow server or an mlruns folder",
            "Ids of runs and numbers of versions are kept, experiments are found by name. Again adds what is new. A server is asked\n"
            "with $MLFLOW_TRACKING_TOKEN, or $MLFLOW_TRACKING_USERNAME and $MLFLOW_TRACKING_PASSWORD.",
            "slipway import mlflow http://127.0.0.1:5000\nslipway import mlflow ./mlruns --experiments sentiment"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("SOURCE", source_, "http[s]://HOST:PORT, or a folder");
    parameters.flags.add("experiments", options_.experiments, "only these, by name");
    parameters.flags.add("artifacts", options_.artifacts, "files of runs too");
  }
  int run(App& app) override {
    const track::TargetOptions source = track::target_options(source_);
    record::Store& store = app.store({}, true);
    if (app.live()) {
      app.progress().start("import", 0, "runs");
      options_.progress = [&](const track::ImportReport& report) {
        app.progress().update(report.runs + report.runs_there, "");
      };
    }
    const track::ImportReport report = track::import_mlflow(store, source, options_);
    if (app.live()) {
      app.progress().finish("");
    }
    return tell(app, report);
  }

 private:
  std::string source_;
  track::MlflowImportOptions options_;
};

class ImportTensorboardCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"import tensorboard", "runs of a folder of TensorBoard event files",
            "Each folder with event files is a run: scalars become metrics, hparams parameters, texts and images files.",
            "slipway import tensorboard runs/ --experiment sentiment"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("LOGDIR", folder_, "what 'tensorboard --logdir' is given");
    parameters.flags.add("experiment", options_.experiment, "by name; default: the folder's");
  }
  int run(App& app) override { return tell(app, track::import_tensorboard(app.store({}, true), folder_, options_)); }

 private:
  std::string folder_;
  track::TensorboardOptions options_;
};

class ImportWandbCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"import wandb", "a run of Weights & Biases: an offline run's .wandb file, or a history as CSV or JSON",
            "Of an offline run the files beside it are taken too. A CSV from the web page has a column for each run.",
            "slipway import wandb wandb/offline-run-20260101_120000-abcd1234/run-abcd1234.wandb\n"
            "slipway import wandb history.csv --experiment sentiment --name first"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FILE", file_, ".wandb, .csv, .json or .jsonl");
    parameters.flags.add("experiment", options_.experiment, "by name; default: the project of the file, else wandb");
    parameters.flags.add("name", options_.name, "of the run of a CSV or JSON file; default: the file's");
  }
  int run(App& app) override { return tell(app, track::import_wandb(app.store({}, true), file_, options_)); }

 private:
  std::string file_;
  track::WandbOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_import_mlflow() { return std::make_unique<ImportMlflowCommand>(); }
std::unique_ptr<Command> make_import_tensorboard() { return std::make_unique<ImportTensorboardCommand>(); }
std::unique_ptr<Command> make_import_wandb() { return std::make_unique<ImportWandbCommand>(); }

}  // namespace slipway::cli
