// slipway tokenizer train: the vocabulary of a tokenizer from lines of text, as Hugging Face's trainers learn it.
#include <filesystem>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "text/bpe_trainer.h"
#include "text/unigram_trainer.h"
#include "text/vocabulary.h"
#include "text/wordpiece_trainer.h"

namespace slipway::cli {
namespace {

constexpr int64_t kLinesBetweenReports = 1024;

// Passes on what is told, until a signal asks to stop: then it throws Error(kInterrupted).
class StoppableProgress final : public base::Progress {
 public:
  explicit StoppableProgress(App& app) : to_(app.progress()), stop_(app.stop()) {}
  void start(std::string_view task, int64_t total, std::string_view unit) override { to_.start(task, total, unit); }
  void update(int64_t done, std::string_view note) override {
    if (stop_.stop_requested()) {
      throw base::Error(base::Code::kInterrupted, "stopped; nothing was written");
    }
    to_.update(done, note);
  }
  void finish(std::string_view summary) override { to_.finish(summary); }

 private:
  base::Progress& to_;
  std::stop_token stop_;
};

class TrainCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"tokenizer train", "learn a tokenizer from lines of text",
            "Reads text files (zstd and gzip too), a text a line, and writes a tokenizer.json as Hugging Face's\n"
            "trainers do: byte-level BPE as GPT-2's, WordPiece as BERT's, Unigram as\n"
            "SentencePiece's. The same lines give the same file.",
            "slipway tokenizer train corpus.txt --model unigram --output tokenizer.json --vocab-size 8000"};
  }
  void describe(Parameters& parameters) override {
    auto& flags = parameters.flags;
    parameters.positional("TEXT", text_, "a text file; more of them by --also");
    flags.add("model", model_, "the kind of tokenizer", {"bpe", "wordpiece", "unigram"});
    flags.add("also", also_, "more text files");
    flags.add("output", output_, "where to write the tokenizer.json");
    flags.add("vocab_size", vocab_size_, "tokens to end with, special ones included; 0: 30000, unigram 8000",
              {0, text::Vocabulary::kMaxId});
    flags.add("special", special_, "special tokens, they get the first ids; wordpiece has BERT's five without it");
    flags.add("max_words", max_words_, "distinct words to remember at once; the rarest go", {1000, 1e10});
    flags.add("min_frequency", min_frequency_, "bpe, wordpiece: merge no pair that is seen less often", {0, 1e15});
    flags.add("limit_alphabet", wordpiece_.limit_alphabet, "wordpiece: keep so many characters; 0: all", {0, 2e6});
    flags.add("lowercase", lowercase_, "wordpiece: lower case, no accents; --no-lowercase keeps them");
    flags.add("unk", unigram_.unk_token, "unigram: the token of unknown characters");
    flags.add("max_piece_length", unigram_.max_piece_length, "unigram: characters of a piece", {1, 1000});
    flags.add("shrinking_factor", unigram_.shrinking_factor, "unigram: part of the pieces that each pruning keeps",
              {0.01, 0.99});
    flags.add("sub_iterations", unigram_.n_sub_iterations, "unigram: rounds of EM between prunings", {1, 100});
    flags.add("seed_size", unigram_.seed_size, "unigram: pieces to begin with", {1, 1e9});
  }
  int run(App& app) override {
    StoppableProgress progress(app);
    base::Json summary = {{"output", output_}, {"model", model_}};
    if (model_ == "bpe") {
      text::BpeTrainerOptions options{.min_frequency = min_frequency_, .special_tokens = special_};
      set_common(options);
      text::BpeTrainer trainer(options);
      summary["lines"] = read(trainer, progress);
      const text::TrainedBpe trained = trainer.train(progress);
      note_words(summary, static_cast<int64_t>(trainer.words().size()), trainer.words().forgotten());
      finish(summary, trained.tokens.size(), text::trained_tokenizer_json(trained, options));
      summary["merges"] = trained.merges.size();
    } else if (model_ == "wordpiece") {
      set_common(wordpiece_);
      wordpiece_.min_frequency = min_frequency_;
      wordpiece_.normalizer.lowercase = wordpiece_.normalizer.strip_accents = lowercase_;
      if (!special_.empty()) {
        wordpiece_.special_tokens = special_;
      }
      text::WordPieceTrainer trainer(wordpiece_);
      summary["lines"] = read(trainer, progress);
      const text::TrainedWordPiece trained = trainer.train(progress);
      note_words(summary, trained.distinct_words, trained.forgotten);
      finish(summary, trained.tokens.size(), text::trained_tokenizer_json(trained, wordpiece_));
    } else {
      set_common(unigram_);
      unigram_.special_tokens = special_;
      text::UnigramTrainer trainer(unigram_);
      summary["lines"] = read(trainer, progress);
      const text::TrainedUnigram trained = trainer.train(progress);
      note_words(summary, trained.distinct_words, trained.forgotten);
      finish(summary, trained.pieces.size(), text::trained_tokenizer_json(trained, unigram_));
    }
    app.print_json(summary);
    return 0;
  }

 private:
  template <class Options>
  void set_common(Options& options) const {
    options.vocab_size = vocab_size_ > 0 ? vocab_size_ : options.vocab_size;
    options.max_words = max_words_;
  }
  // The number of lines.
  template <class Trainer>
  int64_t read(Trainer& trainer, base::Progress& progress) const {
    std::vector<std::string> files = {text_};
    files.insert(files.end(), also_.begin(), also_.end());
    int64_t bytes = 0;
    for (const std::string& file : files) {
      std::error_code missing;  // told by the reader
      const auto size = std::filesystem::file_size(file, missing);
      bytes += missing ? 0 : static_cast<int64_t>(size);
    }
    progress.start("read", bytes, "bytes");
    int64_t lines = 0;
    int64_t before = 0;
    for (const std::string& file : files) {
      base::LineReader reader(file);
      for (std::string_view line; reader.next(line);) {
        trainer.add(line);
        if (++lines % kLinesBetweenReports == 0) {
          progress.update(before + static_cast<int64_t>(reader.consumed()), {});
        }
      }
      before += static_cast<int64_t>(reader.consumed());
    }
    progress.finish(fmt::format("{} lines", lines));
    return lines;
  }
  static void note_words(base::Json& summary, int64_t distinct, int64_t forgotten) {
    summary["distinct_words"] = distinct;
    if (forgotten > 0) {
      summary["forgotten_words"] = forgotten;
    }
  }
  void finish(base::Json& summary, size_t tokens, const std::string& json) const {
    base::write_file_atomic(output_, json);
    summary["tokens"] = tokens;
  }

  std::string text_;
  std::string model_ = "bpe";
  std::vector<std::string> also_;
  std::vector<std::string> special_;
  std::string output_ = "tokenizer.json";
  int vocab_size_ = 0;
  int64_t min_frequency_ = 0;
  int64_t max_words_ = text::kMaxTrainingWords;
  bool lowercase_ = true;
  text::WordPieceTrainerOptions wordpiece_;
  text::UnigramTrainerOptions unigram_;
};

}  // namespace

std::unique_ptr<Command> make_tokenizer_train() { return std::make_unique<TrainCommand>(); }

}  // namespace slipway::cli
