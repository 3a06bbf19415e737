// slipway train relations: a model for relations between entities.
#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "data/relation_training.h"

namespace slipway::cli {
namespace {

class TrainRelationsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"train relations", "a small tagger of relations between entities",
            "Each pair of entities of a sentence is given a type and a direction, or none, by a linear model over the words in and\n"
            "around them. Files are columns as of CoNLL04 (#doc, index, token, BIO tag, relations, heads), SemEval-2010 task 8 (label,\n"
            "tab, text with <e1>, <e2>), or JSON lines with text, entities and relations as doccano and `slipway annotate export`\n"
            "write them. `slipway relations` uses the model. The same files, options and seed give the same bytes. docs/guide/text.md",
            "slipway train relations --train train.txt --dev dev.txt --out people.relations"};
  }
  void describe(Parameters& parameters) override {
    options_.epochs = 15;
    options_.min_count = 1;
    options_.algorithm = "perceptron";
    base::FieldTable& flags = parameters.flags;
    flags.add("train", train_, "files to learn from");
    flags.add("dev", dev_, "files that choose the best epoch; default: the last epoch");
    flags.add("out", out_, "model file to write");
    options_.describe(flags);
  }
  int run(App& app) override {
    if (train_.empty() || out_.empty()) {
      throw base::Error(base::Code::kInvalid, "--train and --out must be given");
    }
    data::RelationTraining training;
    training.options = options_;
    const auto read = [](const std::vector<std::string>& files, std::vector<data::RelationSentence>& into) {
      for (const std::string& file : files) {
        std::vector<data::RelationSentence> sentences = data::read_relations(file);
        std::move(sentences.begin(), sentences.end(), std::back_inserter(into));
      }
    };
    read(train_, training.train);
    read(dev_, training.dev);
    data::RelationEpoch best;
    const std::string bytes = data::train_relations(training, [&](const data::RelationEpoch& epoch) {
      if (app.stop().stop_requested()) {
        throw base::Error(base::Code::kInterrupted, "stopped; no model is written");
      }
      if (epoch.best) {
        best = epoch;
      }
      if (!app.json() && !app.options().quiet) {
        app.err() << fmt::format("epoch {}: {:.2f} % wrong while learning", epoch.number, 100 * epoch.wrong);
        if (epoch.scores.sentences > 0) {
          app.err() << fmt::format(", {:.4f} F1 on --dev", epoch.scores.total.f1());
        }
        app.err() << '\n';
      }
    });
    base::write_file_atomic(out_, bytes);
    if (app.json()) {
      base::Json row = {{"model", out_}, {"bytes", bytes.size()}, {"sentences", training.train.size()}, {"epoch", best.number}};
      if (best.scores.sentences > 0) {
        row["dev"] = data::to_json(best.scores);
      }
      app.print_json(row);
      return 0;
    }
    app.out() << fmt::format("{}: {} sentences, epoch {}, {:.1f} MB", out_, training.train.size(), best.number, static_cast<double>(bytes.size()) / 1e6);
    if (best.scores.sentences > 0) {
      app.out() << fmt::format(", {:.4f} F1 on {} sentences", best.scores.total.f1(), best.scores.sentences);
    }
    app.out() << '\n';
    return 0;
  }

 private:
  std::vector<std::string> train_;
  std::vector<std::string> dev_;
  std::string out_;
  text::SequenceTrainOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_train_relations() { return std::make_unique<TrainRelationsCommand>(); }

}  // namespace slipway::cli
