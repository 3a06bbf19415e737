// slipway data clean: keep or drop the documents of a corpus by quality, as datatrove, dolma and others decide.
#include <chrono>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <ostream>

#include "base/error.h"
#include "base/input.h"
#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/clean_filters.h"
#include "cli/commands/factories.h"
#include "cli/data_inputs.h"
#include "cli/progress.h"
#include "cli/shard_argument.h"
#include "data/clean_corpus.h"

namespace slipway::cli {
namespace {

constexpr const char* kNone = "none";  // no rules: only the filters beside them decide

class DataCleanCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {
        "data clean", "keep or drop the documents of a corpus by quality",
        "Reads JSON Lines (plain, gzip, zstd; files, folders or - for standard input), a document a line, tables (Parquet, Arrow) and\n"
        "web pages (HTML, WARC, zip, tar: their main text), and writes those that pass to OUT as shards. Presets decide as datatrove's filters (gopher, c4, mc4, fineweb), as "
        "dolma's\n"
        "taggers with the mixer of Dolma 1.6, as the Gopher rules of RedPajama-V2's card, or as NeMo Curator's English "
        "pipeline;\n"
        "--set changes a threshold by the peer's name for it, or turns its rule off; none has no rules. Beside them decide lists of\n"
        "addresses (--url-…), language models (--perplexity-…), scanners (--scan) and numbers that documents have (--limit). The output does not depend on\n"
        "the number of threads. A run that was killed goes on when it is started again with the same options. Lines\n"
        "that are no documents go to OUT/quarantine with file, line and reason. With --shards i/n, n processes share the\n"
        "work and the last one to finish writes the summary; --out - writes what is kept to standard output.",
        "slipway data clean crawl/ --preset fineweb --out clean --exclusions dropped --set min_doc_words=30"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("IN", inputs_, "files (JSON Lines, Parquet, Arrow, HTML, WARC, zip, …), folders, hf://datasets/…, s3://…, or -");
    auto& flags = parameters.flags;
    std::vector<std::string> presets;
    for (const std::string_view name : data::quality_presets()) {
      presets.emplace_back(name);
    }
    presets.emplace_back(kNone);
    flags.add("preset", preset_, "whose rules decide", presets);
    flags.add("out", out_, "folder for the shards of what is kept; -: its lines to standard output, the summary to standard error");
    flags.add("exclusions", exclusions_,
              "folder for what is dropped, with filter_reason, filter_signal and filter_value");
    flags.add("signals", options_.write_signals,
              "compute the signals of all families and write them into each document");
    flags.add("set", settings_, "NAME=NUMBER or NAME=off, for a threshold of the preset");
    flags.add("bad_words", bad_words_,
              "file of unwanted words, one a line (for c4, mc4; dolma's and RedPajama's signals)");
    flags.add("bad_words_language", options_.quality.bad_words_language,
              "its language; ja, th, zh: no word boundaries");
    flags.add("stop_words", stop_words_, "file of stop words, one a line (for RedPajama's stop word signal)");
    flags.add("text_field", options_.text_field, "member that holds the text");
    flags.add("id_field", options_.id_field, "member that holds the id");
    flags.add("format", format_, "of the shards", {"jsonl.zst", "jsonl"});
    flags.add("shard_size", shard_size_, "of input that becomes one shard");
    flags.add("max_line", max_line_, "longer lines are quarantined");
    flags.add("memory", memory_, "for blocks in work");
    filters_.describe(flags);
    flags.add("shards", shards_, kShardsHelp);
  }

  int run(App& app) override {
    if (out_.empty()) {
      throw base::Error(base::Code::kInvalid, "--out is missing: the folder for what is kept");
    }
    read_options(app);
    base::Context context = app.context();
    const auto begin = std::chrono::steady_clock::now();
    const data::CorpusSummary summary = data::clean_corpus(options_, context);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const bool streaming = options_.stream != nullptr;
    if (app.json()) {
      base::Json json = summary.to_json();
      json["resumed_shards"] = summary.resumed_shards;
      json["waiting"] = summary.waiting;
      json["seconds"] = seconds;
      if (streaming) {
        app.err() << base::dump_json(json) << '\n';
      } else {
        app.print_json(json);
      }
    } else if (!streaming || !app.options().quiet) {
      print(streaming ? app.err() : app.out(), summary, seconds);
    }
    return 0;
  }

 private:
  void read_options(App& app) {
    const std::string language = options_.quality.bad_words_language;
    options_.quality = data::quality_preset(preset_ == kNone ? "gopher" : preset_);
    if (preset_ == kNone) {
      options_.quality.preset = kNone;
      options_.quality.stages.clear();
    }
    options_.filters = filters_.make();
    options_.quality.bad_words_language = language;
    options_.quality.all_signals = options_.write_signals;
    for (const std::string& setting : settings_) {
      const size_t equal = setting.find('=');
      if (equal == std::string::npos) {
        throw base::Error(base::Code::kInvalid, fmt::format("--set {}: write NAME=NUMBER or NAME=off", setting));
      }
      options_.quality.set(setting.substr(0, equal), setting.substr(equal + 1), "--set");
    }
    options_.quality.bad_words = read_words(bad_words_);
    options_.quality.stop_words = read_words(stop_words_);
    inputs_ = local_inputs(app, inputs_, &options_.names);
    options_.inputs.assign(inputs_.begin(), inputs_.end());
    options_.out = out_;
    options_.stream = out_ == "-" ? &app.out() : nullptr;
    const WorkShare share = parse_shards(shards_);
    options_.shard = share.shard;
    options_.shards = share.shards;
    options_.exclusions = exclusions_;
    options_.compress = format_ == "jsonl.zst";
    options_.shard_bytes = parse_byte_size(shard_size_, "shard-size");
    options_.max_line_bytes = parse_byte_size(max_line_, "max-line");
    options_.memory_bytes = parse_byte_size(memory_, "memory");
  }

  static std::vector<std::string> read_words(const std::string& file) {
    std::vector<std::string> words;
    if (file.empty()) {
      return words;
    }
    base::LineReader reader(file);
    for (std::string_view line; reader.next(line);) {
      const std::string_view word = data::strip(line);
      if (!word.empty()) {
        words.emplace_back(word);
      }
    }
    return words;
  }

  void print(std::ostream& out, const data::CorpusSummary& summary, double seconds) const {
    const auto share = [&](uint64_t count) {
      return summary.documents == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(summary.documents);
    };
    fmt::print(out, "{} documents in {} shards, {} of text, {:.1f} s\n",
               human_count(static_cast<int64_t>(summary.documents), ""), summary.shards,
               human_count(static_cast<int64_t>(summary.text_bytes), "bytes"), seconds);
    fmt::print(out, "kept      {:>10}  {:5.1f} %   ({} of them shortened)\n", summary.kept, share(summary.kept),
               summary.rewritten);
    for (const auto& [reason, count] : summary.dropped) {
      fmt::print(out, "dropped   {:>10}  {:5.1f} %   {}\n", count, share(count), reason);
    }
    for (const auto& [reason, count] : summary.bad) {
      fmt::print(out, "bad line  {:>10}            {}\n", count, reason);
    }
    if (summary.waiting) {
      fmt::print(out, "shard {} of {} is done; the last one to finish writes the summary of all\n", options_.shard, options_.shards);
    }
    if (summary.resumed_shards > 0) {
      fmt::print(out, "{} shards were finished before\n", summary.resumed_shards);
    }
  }

  std::vector<std::string> inputs_;
  std::vector<std::string> settings_;
  std::string preset_ = "fineweb";
  std::string out_;
  std::string exclusions_;
  std::string bad_words_;
  std::string stop_words_;
  std::string format_ = "jsonl.zst";
  std::string shard_size_ = "32MiB";
  std::string max_line_ = "64MiB";
  std::string memory_ = "1GB";
  std::string shards_ = "1/1";
  data::CorpusOptions options_;
  CleanFilters filters_;
};

}  // namespace

std::unique_ptr<Command> make_data_clean() { return std::make_unique<DataCleanCommand>(); }

}  // namespace slipway::cli
