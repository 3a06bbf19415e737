// slipway data tokens: packed token shards read in the order of training.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <ostream>
#include <span>

#include "base/error.h"
#include "base/hash.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/tokenizer_argument.h"
#include "data/pack_corpus.h"
#include "data/token_stream.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

double number(std::string_view text, const std::string& source) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || value < 0) {
    throw Error(Code::kInvalid, fmt::format("{}: '{}' is no number; write FOLDER, FOLDER=WEIGHT or FOLDER=WEIGHT:EPOCHS", source, text));
  }
  return value;
}

class DataTokensCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data tokens", "packed token shards in the order of training: shuffled, mixed, from any position",
            "Sources are folders of `slipway data pack`. A weight is a source's share of the rows: of every --period rows it has exactly\n"
            "that (largest remainder). With epochs the stream ends where a source has been read so often; a single source without them is\n"
            "read once, several are repeated without end. The order is a function of sources, seed and position: --from goes on\n"
            "anywhere, and --rank r/n has every n-th position from r on, so that other numbers of ranks can go on, too.\n"
            "  json  a line a row: position, source, epoch, sequence, ids, begins (of documents), used (the rest is padding)\n"
            "  raw   the ids alone, int32 little-endian, for a program that reads a pipe\n"
            "  text  what the ids say (--tokenizer)\n"
            "  index what is in the sources; --verify reads all bytes and compares their digests",
            "slipway data tokens web=7 code=3:2 --seed 1 --from 128000 --count 64 --rank 0/8 --format raw | python train.py\n"
            "slipway data tokens packed --format index --verify"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("SOURCE", sources_, "FOLDER, FOLDER=WEIGHT or FOLDER=WEIGHT:EPOCHS");
    auto& flags = parameters.flags;
    flags.add("format", format_, "what is written", {"json", "raw", "text", "index"});
    flags.add("seed", options_.seed, "of the order");
    flags.add("shuffle", options_.shuffle, "--no-shuffle: rows in the order of the shards");
    flags.add("block", options_.block, "rows that are read together", {1, 2147483648.0});
    flags.add("window", options_.window, "blocks whose rows are mixed", {1, 1048576});
    flags.add("period", options_.period, "rows in which every source has exactly its share", {1, 16777216});
    flags.add("from", from_, "position to go on at, over all ranks");
    flags.add("count", count_, "rows to write; 0: to the end", {0, 1e18});
    flags.add("rank", rank_, "r/n: positions r, r + n, r + 2 n, …, r from 0");
    flags.add("tokenizer", tokenizer_, "text: the tokenizer that packed them");
    flags.add("verify", verify_, "compare the digests of all shards first");
  }
  int run(App& app) override;

 private:
  void open();
  void print_index(App& app) const;
  void write(const data::TokenPlace& place, uint64_t position, const data::TokenSequence& row, std::string& out) const;

  std::vector<std::string> sources_;
  std::string format_ = "json";
  data::TokenStreamOptions options_;
  uint64_t from_ = 0;
  uint64_t count_ = 0;
  std::string rank_ = "0/1";
  std::string tokenizer_;
  bool verify_ = false;
  std::vector<std::string> names_;
  std::vector<data::TokenFolder> folders_;
  std::vector<data::TokenSource> weights_;
  std::unique_ptr<text::Tokenizer> decoder_;
};

void DataTokensCommand::open() {
  for (const std::string& source : sources_) {
    const size_t equal = source.rfind('=');
    data::TokenSource weight;
    weight.epochs = sources_.size() == 1 ? 1 : 0;
    if (equal != std::string::npos) {
      const std::string_view numbers = std::string_view(source).substr(equal + 1);
      const size_t colon = numbers.find(':');
      weight.weight = number(numbers.substr(0, colon), source);
      if (colon != std::string_view::npos) {
        weight.epochs = number(numbers.substr(colon + 1), source);
      }
    }
    names_.push_back(source.substr(0, equal));
    folders_.emplace_back(names_.back());
    weight.sequences = folders_.back().sequences();
    weights_.push_back(weight);
    const data::TokenIndex& first = folders_.front().index();
    const data::TokenIndex& now = folders_.back().index();
    if (now.length != first.length || now.vocabulary_sha256 != first.vocabulary_sha256) {
      throw Error(Code::kConflict, fmt::format("'{}' has rows of {} tokens of another vocabulary or length than '{}': they do not mix", names_.back(),
                                               now.length, names_.front()));
    }
    if (verify_) {
      folders_.back().verify();
    }
  }
  if (format_ == "text") {
    if (tokenizer_.empty()) {
      throw Error(Code::kInvalid, "--format text needs --tokenizer");
    }
    decoder_ = load_tokenizer_argument(tokenizer_);
    if (data::vocabulary_digest(*decoder_) != folders_.front().index().vocabulary_sha256) {
      throw Error(Code::kConflict, fmt::format("'{}' is not the tokenizer that packed '{}'", tokenizer_, names_.front()));
    }
  }
}

void DataTokensCommand::print_index(App& app) const {
  for (size_t i = 0; i < folders_.size(); ++i) {
    const data::TokenIndex& index = folders_[i].index();
    if (app.json()) {
      base::Json json = index.to_json();
      json["source"] = names_[i];
      json["verified"] = verify_;
      app.print_json(json);
    } else {
      fmt::print(app.out(), "{}: {} rows of {} tokens ({}), {} documents, {} shards, {}{}\n", names_[i], index.sequences(), index.length, index.mode,
                 index.documents, index.shards.size(), folders_[i].digest(), verify_ ? ", verified" : "");
    }
  }
}

void DataTokensCommand::write(const data::TokenPlace& place, uint64_t position, const data::TokenSequence& row, std::string& out) const {
  if (format_ == "raw") {
    out.append(reinterpret_cast<const char*>(row.ids.data()), row.ids.size() * sizeof(int32_t));  // NOLINT: little-endian machines only
    return;
  }
  if (format_ == "text") {
    out += decoder_->decode(std::span(row.ids).first(row.used), false);
    out += '\n';
    return;
  }
  fmt::format_to(std::back_inserter(out), "{{\"position\":{},\"source\":{},\"epoch\":{},\"sequence\":{},\"used\":{},\"begins\":[{}],\"ids\":[{}]}}\n", position,
                 base::dump_json(names_[place.source]), place.epoch, place.sequence, row.used, fmt::join(row.begins, ","), fmt::join(row.ids, ","));
}

int DataTokensCommand::run(App& app) {
  open();
  if (format_ == "index") {
    print_index(app);
    return 0;
  }
  uint64_t rank = 0;
  uint64_t ranks = 0;
  const char* const end = rank_.data() + rank_.size();
  const auto [slash, error] = std::from_chars(rank_.data(), end, rank);
  if (error != std::errc() || slash == end || *slash != '/' || std::from_chars(slash + 1, end, ranks).ptr != end || rank >= ranks) {
    throw Error(Code::kInvalid, fmt::format("--rank '{}': write r/n with 0 <= r < n, as in 0/8", rank_));
  }
  const data::TokenStream stream(weights_, options_);
  constexpr size_t kPiece = size_t{1} << 20U;
  std::string out;
  data::TokenSequence row;
  uint64_t written = 0;
  for (uint64_t position = from_ + rank; position < stream.length() && (count_ == 0 || written < count_); position += ranks) {
    const data::TokenPlace place = stream.at(position);
    folders_[place.source].read(place.sequence, row);
    write(place, position, row, out);
    ++written;
    if (out.size() >= kPiece) {
      if (app.stop().stop_requested()) {
        throw Error(Code::kInterrupted, "stopped");
      }
      app.out().write(out.data(), static_cast<std::streamsize>(out.size()));
      out.clear();
      if (!app.out()) {
        return 0;  // whoever read has enough
      }
    }
  }
  app.out().write(out.data(), static_cast<std::streamsize>(out.size()));
  return 0;
}

}  // namespace

std::unique_ptr<Command> make_data_tokens() { return std::make_unique<DataTokensCommand>(); }

}  // namespace slipway::cli
