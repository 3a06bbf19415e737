// slipway data pack: a corpus as rows of token ids for training, in shards that are mapped.
#include <chrono>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <ostream>

#include "base/error.h"
#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/data_inputs.h"
#include "cli/progress.h"
#include "cli/tokenizer_argument.h"
#include "data/pack_corpus.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

class DataPackCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data pack", "a corpus as packed token shards for training",
            "Reads JSON Lines (plain, gzip, zstd; files, folders or -) or Parquet, a document a line, and writes rows of --length token\n"
            "ids to OUT, with where documents begin, so that attention can be kept inside of them.\n"
            "  concatenate  documents one after the other, an end-of-text token behind each; a row may cut one\n"
            "  documents    documents are whole, but for those longer than a row; rows are filled by best fit, then padded\n"
            "The bytes do not depend on the number of threads. A run that was killed goes on when it is started again with the\n"
            "same options. `slipway data tokens` reads them: shuffled, mixed, from any position. docs/guide/pack.md",
            "slipway data pack clean/ --tokenizer SmolLM2/ --length 2048 --out packed"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("IN", inputs_, "files (JSON Lines, Parquet), folders, hf://datasets/…, or -");
    auto& flags = parameters.flags;
    flags.add("out", out_, "folder for the shards");
    flags.add("tokenizer", tokenizer_, kTokenizerHelp);
    flags.add("length", options_.length, "tokens in a row", {1, 16777216});
    flags.add("mode", mode_, "how rows are filled", {"concatenate", "documents"});
    flags.add("end", end_, "token behind each document; default: the tokenizer's end-of-text token");
    flags.add("special", special_, "the tokenizer's own special tokens around each document ([CLS], [SEP]), in place of --end");
    flags.add("pad_token", pad_, "documents: what rows are padded with; default: the one that ends documents");
    flags.add("text_field", options_.text_field, "member that holds the text");
    flags.add("shard_size", shard_size_, "of a shard, about");
    flags.add("max_line", max_line_, "longer lines are quarantined");
  }
  int run(App& app) override {
    if (out_.empty() || tokenizer_.empty()) {
      throw Error(Code::kInvalid, "--out and --tokenizer must be given");
    }
    const auto tokenizer = load_tokenizer_argument(tokenizer_);
    options_.mode = mode_ == "documents" ? data::PackMode::kDocuments : data::PackMode::kConcatenate;
    options_.end = special_ ? -1 : end_of_text_id(*tokenizer, end_, tokenizer_);
    options_.pad = std::max(options_.end, 0);
    if (!pad_.empty()) {
      options_.pad = tokenizer->token_to_id(pad_);
      if (options_.pad < 0) {
        throw Error(Code::kInvalid, fmt::format("the vocabulary has no token '{}'", pad_));
      }
    }
    inputs_ = local_inputs(app, inputs_);
    options_.inputs.assign(inputs_.begin(), inputs_.end());
    options_.out = out_;
    options_.shard_bytes = parse_byte_size(shard_size_, "shard-size");
    options_.max_line_bytes = parse_byte_size(max_line_, "max-line");
    base::Context context = app.context();
    const auto begin = std::chrono::steady_clock::now();
    const data::PackSummary summary = data::pack_corpus(options_, *tokenizer, context);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    print(app, summary, seconds);
    return 0;
  }

 private:
  void print(App& app, const data::PackSummary& summary, double seconds) const {
    const data::TokenIndex& index = summary.index;
    if (app.json()) {
      app.print_json({{"documents", index.documents}, {"tokens", index.tokens}, {"sequences", index.sequences()}, {"tail_tokens", index.tail_tokens},
                      {"shards", index.shards.size()}, {"resumed_shards", summary.resumed_shards}, {"bad_lines", summary.bad_lines}, {"bad", summary.bad},
                      {"digest", summary.digest}, {"text_bytes", summary.text_bytes}, {"seconds", seconds}});
      return;
    }
    std::ostream& out = app.out();
    const double places = static_cast<double>(index.sequences()) * index.length;
    fmt::print(out, "{} documents, {} tokens in {} rows of {} ({:.1f} % filled), {} shards, {:.1f} s\n", human_count(static_cast<int64_t>(index.documents), ""),
               human_count(static_cast<int64_t>(index.tokens), ""), index.sequences(), index.length,
               places > 0 ? 100.0 * static_cast<double>(index.tokens) / places : 0.0, index.shards.size(), seconds);
    if (index.tail_tokens > 0) {
      fmt::print(out, "{} tokens at the end fill no row and are in no shard\n", index.tail_tokens);
    }
    for (const auto& [reason, count] : summary.bad) {
      fmt::print(out, "bad line  {:>10}            {}\n", count, reason);
    }
    if (summary.resumed_shards > 0) {
      fmt::print(out, "{} shards were finished before\n", summary.resumed_shards);
    }
    fmt::print(out, "{}\n", summary.digest);
  }

  std::vector<std::string> inputs_;
  std::string out_;
  std::string tokenizer_;
  std::string mode_ = "concatenate";
  std::string end_;
  bool special_ = false;
  std::string pad_;
  std::string shard_size_ = "64MiB";
  std::string max_line_ = "64MiB";
  data::PackOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_data_pack() { return std::make_unique<DataPackCommand>(); }

}  // namespace slipway::cli
