// slipway train: one training run outside a project, from a base folder and a dataset to a model folder.
#include <cstdlib>
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "data/dataset.h"
#include "train/launcher.h"

namespace slipway::cli {
namespace {

class TrainCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"train", "fine-tune (or train from scratch) a classifier from a dataset folder",
            "DATASET holds train.jsonl and validation.jsonl (or .zst shards, as `slipway run` makes them) with \"text\" and\n"
            "\"label\". Interrupted runs resume exactly when started again with the same arguments. `slipway run` does this\n"
            "as one step of a project, with everything recorded.",
            "slipway train ~/.cache/slipway/minilm data/ out/ --labels negative,positive --epochs 2"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("BASE", base_, "a model folder, or a reference");
    parameters.positional("DATASET", dataset_, "a folder of splits");
    parameters.positional("OUTPUT", output_, "model folder to write");
    parameters.flags.add("labels", labels_, "class names in the order of the outputs; default: the dataset's manifest");
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    train::Job job;
    job.base_model = locate_model(app, base_, "float32").folder;
    job.dataset = dataset_;
    job.labels = labels_;
    if (job.labels.empty()) {
      job.labels = data::Dataset(dataset_).labels();
    }
    job.options = options_;
    job.options.threads = app.options().threads;
    job.output = output_;
    job.checkpoint = output_ + ".checkpoint";
    base::Context context = app.context();
    const char* worker = std::getenv("SLIPWAY_TRAIN");
    const train::TrainResult result = train::run_worker(
        job, context, [&](const base::Json& event) { if (app.json()) app.print_json(event); }, train::find_worker(worker != nullptr ? worker : ""));
    if (!app.json()) {
      app.out() << fmt::format("{}: {} steps in {:.1f} s ({:.1f} samples/s)", output_, result.steps, result.seconds, result.samples_per_second);
      if (result.has_validation) {
        app.out() << fmt::format(", validation accuracy {:.4f} (epoch {})", result.validation_accuracy, result.best_epoch);
      }
      app.out() << '\n';
    }
    return 0;
  }

 private:
  std::string base_;
  std::string dataset_;
  std::string output_;
  std::vector<std::string> labels_;
  train::TrainOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_train() { return std::make_unique<TrainCommand>(); }

}  // namespace slipway::cli
