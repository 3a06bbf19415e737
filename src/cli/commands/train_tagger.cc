// slipway train tagger: a model for segmentation, parts of speech, entities or lemmas from tagged sentences.
#include <algorithm>
#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/lexicon_flags.h"
#include "data/tagger_training.h"

namespace slipway::cli {
namespace {

class TrainTaggerCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"train tagger", "a small tagger (words, parts of speech, entities, lemmas) from tagged sentences",
            "Files are CoNLL-U, or columns with the token first and its tag last (CoNLL-2003; entities in any of IOB1, BIO, BIOES,\n"
            "BMES); for --task segment also words between blanks. The model is linear, a few MB, and runs at tens of thousands\n"
            "of sentences a second (`slipway tag`, `slipway segment --model`). The same files, options and seed give the same\n"
            "bytes. docs/guide/text.md",
            "slipway train tagger --task pos --train train.conllu --dev dev.conllu --out pos.tagger\n"
            "slipway train tagger --task segment --lexicon --train words.txt --dev held-out.txt --out zh.tagger"};
  }
  void describe(Parameters& parameters) override {
    base::FieldTable& flags = parameters.flags;
    flags.add("task", task_, "what is learnt", {"segment", "pos", "ner", "lemma"});
    flags.add("train", train_, "files to learn from");
    flags.add("dev", dev_, "files that choose the best epoch; default: the last epoch");
    flags.add("out", out_, "model file to write");
    flags.add("column", column_, "where the tag is, from 1; 0: UPOS, LEMMA or NER= in MISC of CoNLL-U, else the last column", {0, 64});
    flags.add("lexicon", lexicon_used_, "learn from what a Chinese dictionary says, too; the model then needs it");
    lexicon_.describe(flags, false);
    options_.describe(flags);
  }
  int run(App& app) override {
    if (task_.empty() || train_.empty() || out_.empty()) {
      throw base::Error(base::Code::kInvalid, "--task, --train and --out must be given");
    }
    data::TaggerTraining training;
    training.task = text::parse_task(task_);
    training.options = options_;
    const auto read = [&](const std::vector<std::string>& files, std::vector<data::TaggedSentence>& into) {
      for (const std::string& file : files) {
        std::vector<data::TaggedSentence> sentences = data::read_tagged(file, training.task, static_cast<size_t>(column_));
        std::move(sentences.begin(), sentences.end(), std::back_inserter(into));
      }
    };
    read(train_, training.train);
    read(dev_, training.dev);
    if (lexicon_used_) {
      training.lexicon = lexicon_.load(true);
    }
    data::TaggerEpoch best;
    const std::string bytes = data::train_tagger(training, [&](const data::TaggerEpoch& epoch) {
      if (app.stop().stop_requested()) {
        throw base::Error(base::Code::kInterrupted, "stopped; no model is written");
      }
      if (epoch.best) {
        best = epoch;
      }
      if (!app.json() && !app.options().quiet) {
        app.err() << fmt::format("epoch {}: {:.2f} % wrong while learning", epoch.number, 100 * epoch.wrong);
        if (epoch.scores.sentences > 0) {
          app.err() << fmt::format(", {:.4f} {} on --dev", epoch.scores.value(training.task), measure(training.task));
        }
        app.err() << '\n';
      }
    });
    base::write_file_atomic(out_, bytes);
    if (app.json()) {
      base::Json row = {{"model", out_}, {"bytes", bytes.size()}, {"sentences", training.train.size()}, {"epoch", best.number}};
      if (best.scores.sentences > 0) {
        row["dev"] = data::to_json(best.scores, training.task);
      }
      app.print_json(row);
      return 0;
    }
    app.out() << fmt::format("{}: {} sentences, epoch {}, {:.1f} MB", out_, training.train.size(), best.number, static_cast<double>(bytes.size()) / 1e6);
    if (best.scores.sentences > 0) {
      app.out() << fmt::format(", {:.4f} {} on {} sentences", best.scores.value(training.task), measure(training.task), best.scores.sentences);
    }
    app.out() << '\n';
    return 0;
  }

 private:
  static const char* measure(text::SequenceTask task) {
    return task == text::SequenceTask::kSegment || task == text::SequenceTask::kEntities ? "F1" : "accuracy";
  }

  std::string task_;
  std::vector<std::string> train_;
  std::vector<std::string> dev_;
  std::string out_;
  int column_ = 0;
  bool lexicon_used_ = false;
  LexiconFlags lexicon_;
  text::SequenceTrainOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_train_tagger() { return std::make_unique<TrainTaggerCommand>(); }

}  // namespace slipway::cli
