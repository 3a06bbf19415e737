// slipway data scan: scores of toxicity, prompt injection and perplexity added to the documents of a corpus.
#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <map>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "cli/app.h"
#include "cli/clean_filters.h"
#include "cli/commands/factories.h"
#include "cli/data_inputs.h"
#include "cli/model_argument.h"
#include "data/clean_corpus.h"
#include "data/document.h"
#include "data/jsonl_line.h"
#include "data/line_blocks.h"
#include "model/predictor.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using data::Risk;

constexpr size_t kBlock = size_t{1} << 20;
constexpr size_t kMaxLine = size_t{64} << 20;

struct Scanned {
  std::string line;  // with its scores
  std::string text;
  std::string fault;
  std::string members;
  std::string_view language;  // of the perplexity
  double perplexity = 0;      // 0: none
};

class DataScanCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data scan", "score documents for toxicity, prompt injection and perplexity",
            "Each line of IN (JSON Lines, plain or compressed, tables, folders, - for standard input) comes out with a number 0..1 for each\n"
            "risk of --for, as its members toxicity and prompt_injection; perplexity (with --perplexity-model) as perplexity, perplexity_language\n"
            "and, with cut-offs, perplexity_bucket. Scores are those of rules for English and Chinese words and phrases (--findings\n"
            "tells which, --rules adds some), or the probability by --model that a text is of a class: a light classifier of `slipway\n"
            "train scanner`, or a text classifier that the engine loads. `slipway data clean --limit 'toxicity<=0.5'` decides by\n"
            "scores afterwards. Order is kept; memory is a block of 1 MiB. How good the scores are: docs/guide/scan.md.",
            "slipway data scan crawl/ --for toxicity,prompt-injection --out scored.jsonl.zst\n"
            "slipway data scan chats.jsonl --for toxicity --model models:/toxicity@champion --threshold 0.8 --out -"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("IN", inputs_, "files, folders, hf://datasets/…, or -");
    auto& flags = parameters.flags;
    flags.add("for", for_, "what to score, comma-separated: toxicity, prompt-injection, perplexity");
    flags.add("out", out_, "a file (.zst: compressed), or - for standard output");
    flags.add("model", model_, "score by it, in place of the rules: a light classifier's file, a folder, models:/NAME@ALIAS, hf://NS/NAME");
    flags.add("positive", positive_, "its labels that mean the risk; without it usual names of it");
    flags.add("precision", precision_, "of an engine's model", {"auto", "float32", "int8"});
    flags.add("rules", rules_, "file of further rules: NAME TAB WEIGHT TAB REGEX");
    flags.add("findings", findings_, "also write the rules that the worst line breaks, as \"toxicity_rules\" and \"prompt_injection_rules\"");
    flags.add("threshold", threshold_, "for the count of documents above it", {0, 1});
    flags.add("text_field", text_field_, "member that holds the text");
    flags.add("quarantine", quarantine_, "file for lines that are no documents, with the reason");
    perplexity_.describe(flags);
    flags.add("write_cutoffs", write_cutoffs_, "file for --perplexity-cutoffs: the perplexities below which 30 and 60 % of the documents are, by language");
  }
  int run(App& app) override {
    open(app);
    const std::vector<std::string> local = local_inputs(app, inputs_);
    data::LineBlocks reader(data::corpus_files({local.begin(), local.end()}), kBlock, kMaxLine);
    std::unique_ptr<base::AtomicFile> file;
    if (out_ != "-") {
      file = std::make_unique<base::AtomicFile>(out_);
    }
    const bool packed = out_.ends_with(".zst");
    base::Context context = app.context();
    context.progress.start("scan", 0, "bytes");
    data::Block block;
    while (reader.next(block)) {
      base::check_stop(context, "scan");
      const std::string lines = work(app, block);
      if (file == nullptr) {
        app.out() << lines;
      } else {
        file->write(packed ? base::zstd_compress(lines) : lines);
      }
      context.progress.update(static_cast<int64_t>(block.consumed), fmt::format("{} documents", documents_));
    }
    if (file != nullptr) {
      file->commit();
    }
    context.progress.finish(fmt::format("{} documents", documents_));
    return finish(app);
  }

 private:
  void open(App& app) {
    if (out_.empty()) {
      throw Error(Code::kInvalid, "--out is missing: a file, or -");
    }
    for (const std::string& name : for_) {
      if (name == "perplexity") {
        if (!perplexity_.given()) {
          throw Error(Code::kInvalid, "--for perplexity needs --perplexity-model");
        }
        perplexity_filter_ = std::make_unique<data::PerplexityFilter>(perplexity_.resolved());
      } else {
        risks_.push_back(data::risk_from_name(name));
      }
    }
    if (risks_.empty() && perplexity_filter_ == nullptr) {
      throw Error(Code::kInvalid, "--for is missing: toxicity, prompt-injection, perplexity");
    }
    if (model_.empty()) {
      for (const Risk risk : risks_) {
        scanners_.emplace_back(risk, rules_);
      }
      return;
    }
    if (risks_.size() != 1 || !rules_.empty() || findings_) {
      throw Error(Code::kInvalid, "--model scores one risk of --for, and goes without --rules and --findings");
    }
    if (base::is_file(model_)) {
      light_.emplace(model_, risks_[0], positive_);
      return;
    }
    engine_ = load_engine(app, locate_model(app, model_, precision_), precision_);
    labels_ = data::positive_labels(engine_->labels(), risks_[0], positive_, "'" + model_ + "'");
  }

  std::string work(App& app, const data::Block& block) {
    std::vector<Scanned> all(block.lines.size());
    app.pool().parallel_chunks(static_cast<int64_t>(all.size()), 16, [&](int64_t begin, int64_t end) {
      data::JsonlLine line(text_field_, "id");
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        scan(block, block.lines[i], line, all[i]);
      }
    });
    if (engine_ != nullptr) {
      ask_engine(all);
    }
    std::string out;
    data::JsonlLine line(text_field_, "id");
    for (size_t i = 0; i < all.size(); ++i) {
      Scanned& one = all[i];
      if (one.fault == "empty_line") {
        continue;
      }
      if (!one.fault.empty()) {
        ++bad_[one.fault];
        broken_ += fmt::format("{{\"line\":{},\"offset\":{},\"reason\":\"{}\"}}\n", block.lines[i].line, block.lines[i].offset, one.fault);
        continue;
      }
      ++documents_;
      if (one.perplexity > 0) {
        perplexities_[std::string(one.language)].push_back(one.perplexity);
      }
      line.read(bytes_of(block, block.lines[i]));
      line.write(false, one.members, out);
    }
    return out;
  }
  static std::string_view bytes_of(const data::Block& block, const data::BlockLine& at) {
    return std::string_view(block.bytes).substr(at.begin, at.size);
  }

  void scan(const data::Block& block, const data::BlockLine& at, data::JsonlLine& line, Scanned& one) {
    const std::string_view unread = data::fault_of(at);
    one.fault = unread.empty() ? line.read(bytes_of(block, at)) : unread;
    if (!one.fault.empty()) {
      return;
    }
    std::vector<data::NamedSignal> signals;
    for (size_t i = 0; i < scanners_.size(); ++i) {
      std::vector<data::RiskFinding> findings;
      add_score(risks_[i], scanners_[i].score(line.text(), findings_ ? &findings : nullptr), one);
      if (!findings.empty()) {
        one.members += fmt::format(",\"{}_rules\":[", data::risk_member(risks_[i]));
        for (const data::RiskFinding& finding : findings) {
          one.members += &finding == findings.data() ? "" : ",";
          data::append_json_string(finding.rule, one.members);
        }
        one.members += ']';
      }
    }
    if (light_) {
      add_score(risks_[0], light_->score(line.text()), one);
    }
    if (engine_ != nullptr) {
      one.text = line.text();
    }
    if (perplexity_filter_ != nullptr) {
      perplexity_filter_->judge(bytes_of(block, at), line.text(), signals);
      data::append_named_signals(signals, false, one.members);
      for (const data::NamedSignal& signal : signals) {
        one.perplexity = signal.name == "perplexity" ? signal.value : one.perplexity;
        one.language = signal.name == "perplexity_language" ? signal.word : one.language;
      }
    }
  }

  void ask_engine(std::vector<Scanned>& all) {
    std::vector<std::string> texts;
    std::vector<size_t> places;
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].fault.empty()) {
        texts.push_back(std::move(all[i].text));
        places.push_back(i);
      }
    }
    if (texts.empty()) {
      return;
    }
    const model::Matrix p = model::probabilities(*engine_, texts);
    for (size_t i = 0; i < places.size(); ++i) {
      double sum = 0;
      for (const size_t label : labels_) {
        sum += static_cast<double>(p.row(static_cast<int>(i))[label]);
      }
      add_score(risks_[0], std::min(sum, 1.0), all[places[i]]);
    }
  }

  void add_score(Risk risk, double score, Scanned& one) {
    one.members += fmt::format(",\"{}\":", data::risk_member(risk));
    data::append_signal_number(std::round(score * 1e6) / 1e6, one.members);
    if (score > threshold_) {
      ++above_[static_cast<size_t>(risk)];
    }
  }

  int finish(App& app) {
    base::Json report = {{"documents", documents_}, {"bad", bad_}, {"threshold", threshold_}};
    for (const Risk risk : risks_) {
      report["above"][std::string(data::risk_member(risk))] = above_[static_cast<size_t>(risk)].load();
    }
    std::string cutoffs;
    for (auto& [language, values] : perplexities_) {
      std::sort(values.begin(), values.end());
      base::Json quantiles = base::Json::object();
      const auto quantile = [&values = values](double q) { return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))]; };
      for (const int percent : {10, 30, 50, 60, 90}) {
        quantiles[std::to_string(percent)] = quantile(percent / 100.0);
      }
      report["perplexity"][language.empty() ? "*" : language] = quantiles;
      cutoffs += fmt::format("{} {} {}\n", language.empty() ? "*" : language, quantile(0.3), quantile(0.6));
    }
    if (!write_cutoffs_.empty()) {
      base::write_file_atomic(write_cutoffs_, cutoffs);
    }
    if (!quarantine_.empty()) {
      base::write_file_atomic(quarantine_, broken_);
    }
    if (app.json() && out_ != "-") {
      app.print_json(report);
    } else if (!app.options().quiet) {
      app.err() << fmt::format("{} documents\n", documents_);
      for (const Risk risk : risks_) {
        app.err() << fmt::format("{} above {}: {}\n", data::risk_member(risk), threshold_, above_[static_cast<size_t>(risk)].load());
      }
      for (const auto& [language, values] : perplexities_) {
        app.err() << fmt::format("perplexity{}{}: median {:.1f}\n", language.empty() ? "" : " ", language, values[values.size() / 2]);
      }
      for (const auto& [reason, count] : bad_) {
        app.err() << fmt::format("{} lines left out: {}{}\n", count, reason, quarantine_.empty() ? "; --quarantine FILE tells which" : "");
      }
    }
    return 0;
  }

  std::vector<std::string> inputs_;
  std::vector<std::string> for_;
  std::string out_;
  std::string model_;
  std::vector<std::string> positive_;
  std::string precision_ = "auto";
  std::string rules_;
  bool findings_ = false;
  double threshold_ = 0.5;
  std::string text_field_ = "text";
  std::string quarantine_;
  PerplexityFlags perplexity_;
  std::string write_cutoffs_;

  std::vector<Risk> risks_;
  std::vector<data::RiskScanner> scanners_;  // of risks_, without a model
  std::optional<data::LightRisk> light_;
  std::unique_ptr<engine::Engine> engine_;
  std::vector<size_t> labels_;
  std::unique_ptr<data::PerplexityFilter> perplexity_filter_;
  uint64_t documents_ = 0;
  std::array<std::atomic<uint64_t>, 2> above_{};  // by risk
  std::map<std::string, uint64_t> bad_;
  std::map<std::string, std::vector<double>> perplexities_;  // by language
  std::string broken_;
};

}  // namespace

std::unique_ptr<Command> make_data_scan() { return std::make_unique<DataScanCommand>(); }

}  // namespace slipway::cli
