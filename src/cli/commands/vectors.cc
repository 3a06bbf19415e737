// slipway vectors nearest | analogy: questions to static word vectors (word2vec, GloVe, fastText).
#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/table.h"
#include "model/word_vectors.h"

namespace slipway::cli {
namespace {

using Neighbours = std::vector<model::WordVectors::Neighbour>;

void print_neighbours(App& app, const Neighbours& neighbours) {
  Table table({"WORD", "COSINE"});
  for (const auto& one : neighbours) {
    if (app.json()) {
      app.print_json({{"word", one.word}, {"similarity", one.similarity}});
    } else {
      table.row({one.word, fmt::format("{:.4f}", one.similarity)});
    }
  }
  if (!app.json()) {
    table.print(app.out(), app.color_out());
  }
}

class NearestCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"vectors nearest", "the words nearest to a word by cosine",
            "FILE is word2vec text or binary, GloVe text, or fastText .vec or .bin; a fastText .bin has vectors for "
            "unknown words too.",
            "slipway vectors nearest cc.en.300.bin cathedral --count 5"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FILE", file_, "word vectors");
    parameters.positional("WORD", word_, "a word");
    parameters.flags.add("count", count_, "how many words", {1, 1000});
    parameters.flags.add("max_words", max_words_, "read only this many words, the most frequent; 0 = all", {0, 1e8});
  }
  int run(App& app) override {
    const auto vectors = model::WordVectors::load(file_, max_words_);
    const auto query = vectors.vector(word_);
    if (!query) {
      throw base::Error(base::Code::kNotFound, fmt::format("{}: the word '{}' has no vector", file_, word_));
    }
    print_neighbours(app, vectors.nearest(*query, count_, {word_}));
    return 0;
  }

 private:
  std::string file_;
  std::string word_;
  int count_ = 10;
  int64_t max_words_ = 0;
};

class AnalogyCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"vectors analogy", "A is to B as C is to which word",
            "The words nearest to B - A + C of unit vectors (Mikolov et al. 2013).",
            "slipway vectors analogy glove.6B.300d.txt man king woman"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FILE", file_, "word vectors");
    parameters.positional("A", a_, "a word");
    parameters.positional("B", b_, "what it is to");
    parameters.positional("C", c_, "the word to continue from");
    parameters.flags.add("count", count_, "how many words", {1, 1000});
    parameters.flags.add("max_words", max_words_, "read only this many words, the most frequent; 0 = all", {0, 1e8});
  }
  int run(App& app) override {
    print_neighbours(app, model::WordVectors::load(file_, max_words_).analogy(a_, b_, c_, count_));
    return 0;
  }

 private:
  std::string file_;
  std::string a_;
  std::string b_;
  std::string c_;
  int count_ = 5;
  int64_t max_words_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_vectors_nearest() { return std::make_unique<NearestCommand>(); }
std::unique_ptr<Command> make_vectors_analogy() { return std::make_unique<AnalogyCommand>(); }

}  // namespace slipway::cli
