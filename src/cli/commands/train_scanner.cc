// slipway train scanner | ngrams: light models for `data scan` and `data clean`.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"
#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/data_inputs.h"
#include "data/clean_corpus.h"
#include "data/jsonl_line.h"
#include "data/light_classifier.h"
#include "data/line_blocks.h"
#include "data/perplexity_filter.h"
#include "text/ngram_trainer.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

constexpr size_t kBlock = size_t{4} << 20;
constexpr size_t kMaxLine = size_t{64} << 20;

// Calls `take(text, line)` for each document, and returns how many lines were none.
template <class Take>
uint64_t each_document(App& app, const std::vector<std::string>& inputs, const std::string& field, const Take& take) {
  const std::vector<std::string> local = local_inputs(app, inputs);
  data::LineBlocks reader(data::corpus_files({local.begin(), local.end()}), kBlock, kMaxLine);
  data::Block block;
  data::JsonlLine line(field, "id");
  uint64_t bad = 0;
  base::Context context = app.context();
  while (reader.next(block)) {
    base::check_stop(context, "reading");
    for (const data::BlockLine& at : block.lines) {
      const std::string_view bytes = std::string_view(block.bytes).substr(at.begin, at.size);
      const std::string_view unread = data::fault_of(at);
      const std::string_view fault = unread.empty() ? line.read(bytes) : unread;
      if (fault.empty()) {
        take(line.text(), bytes);
      } else if (fault != "empty_line") {
        ++bad;
      }
    }
  }
  return bad;
}

class TrainScannerCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"train scanner", "a light classifier of texts for `data scan` and `data clean`",
            "Logistic regression on hashed words and pairs of words, trained in seconds on labelled lines of JSON: --field holds the text,\n"
            "--label-field a text, a number or true/false. --hold-out K keeps every K-th document (by a hash of its text) back and\n"
            "measures on it. The same lines give the same file.",
            "slipway train scanner comments.jsonl --label-field toxic --out toxicity.light --hold-out 5"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("IN", inputs_, "files of JSON Lines, tables, folders");
    auto& flags = parameters.flags;
    flags.add("out", out_, "file to write");
    flags.add("field", field_, "member that holds the text");
    flags.add("label_field", label_field_, "member (A.B) that holds the label");
    flags.add("epochs", options_.epochs, "passes over the texts", {1, 1000});
    flags.add("seed", options_.seed, "of the order of texts", {0, 1e18});
    flags.add("hold_out", hold_out_, "measure on one in K documents; 0: train on all", {0, 1000});
  }
  int run(App& app) override {
    if (out_.empty()) {
      throw Error(Code::kInvalid, "--out is missing: the file to write");
    }
    uint64_t unlabelled = 0;
    const uint64_t bad = each_document(app, inputs_, field_, [&](const std::string& text, std::string_view line) {
      const auto value = data::json_member(line, label_field_);
      if (!value || *value == "null" || value->starts_with('{') || value->starts_with('[')) {
        ++unlabelled;
        return;
      }
      const auto name = data::json_text(line, label_field_);
      const bool held = hold_out_ > 0 && base::xxh64(text) % static_cast<uint64_t>(hold_out_) == 0;
      (held ? held_ : kept_).add(text, name ? *name : std::string(*value));
    });
    data::LightModel model;
    std::map<std::string, int> ids;
    for (const std::string& label : kept_.labels) {
      ids.emplace(label, 0);
    }
    for (auto& [label, id] : ids) {
      id = static_cast<int>(model.labels.size());
      model.labels.push_back(label);
    }
    if (ids.size() < 2) {
      throw Error(Code::kInvalid, fmt::format("--label-field {}: {} different labels in {} documents; two are needed", label_field_, ids.size(), kept_.labels.size()));
    }
    std::vector<std::vector<int>> classes;
    for (const std::string& label : kept_.labels) {
      classes.push_back({ids.at(label)});
    }
    model.classifier = data::LightClassifier::train(kept_.texts, classes, static_cast<int>(ids.size()), options_);
    const std::string bytes = model.to_bytes();
    base::write_file_atomic(out_, bytes);
    base::Json report = {{"model", out_}, {"bytes", bytes.size()}, {"labels", model.labels}, {"documents", kept_.texts.size()}, {"unlabelled", unlabelled}, {"bad_lines", bad}};
    if (hold_out_ > 0) {
      report["held_out"] = measure(model);
    }
    if (app.json()) {
      app.print_json(report);
      return 0;
    }
    app.out() << fmt::format("{}: {} documents, labels {}\n", out_, kept_.texts.size(), fmt::join(model.labels, ", "));
    if (unlabelled + bad > 0) {
      app.out() << fmt::format("left out: {} without a label, {} broken lines\n", unlabelled, bad);
    }
    if (hold_out_ > 0) {
      for (const std::string& label : model.labels) {
        const base::Json& row = report["held_out"]["labels"][label];
        app.out() << fmt::format("held out  {:<20} precision {:.3f}  recall {:.3f}  F1 {:.3f}  of {}\n", label, row["precision"].get<double>(), row["recall"].get<double>(),
                                 row["f1"].get<double>(), row["count"].get<uint64_t>());
      }
    }
    return 0;
  }

 private:
  struct Set {
    std::vector<std::string> texts;
    std::vector<std::string> labels;
    void add(const std::string& text, std::string label) {
      texts.push_back(text);
      labels.push_back(std::move(label));
    }
  };

  base::Json measure(const data::LightModel& model) const {
    std::map<std::string, std::array<uint64_t, 3>> counts;  // right, said, there
    uint64_t right = 0;
    for (size_t i = 0; i < held_.texts.size(); ++i) {
      const auto p = model.classifier.probabilities(data::text_features(held_.texts[i], model.classifier.bits()));
      const std::string& said = model.labels[static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin())];
      ++counts[said][1];
      ++counts[held_.labels[i]][2];
      if (said == held_.labels[i]) {
        ++counts[said][0];
        ++right;
      }
    }
    const auto share = [](uint64_t part, uint64_t whole) { return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole); };
    base::Json json = {{"documents", held_.texts.size()}, {"accuracy", share(right, held_.texts.size())}};
    for (const std::string& label : model.labels) {
      const auto& c = counts[label];
      json["labels"][label] = {{"precision", share(c[0], c[1])}, {"recall", share(c[0], c[2])}, {"f1", share(2 * c[0], c[1] + c[2])}, {"count", c[2]}};
    }
    return json;
  }

  std::vector<std::string> inputs_;
  std::string out_;
  std::string field_ = "text";
  std::string label_field_ = "label";
  int hold_out_ = 0;
  data::LightClassifier::Options options_;
  Set kept_;
  Set held_;
};

class TrainNgramsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"train ngrams", "an n-gram language model (ARPA) for the perplexity of documents",
            "Interpolated modified Kneser-Ney over the lines of the texts, each a sentence, normalised as CCNet does and cut by --tokenizer. The file\n"
            "is read by `data clean` and `data scan` (--perplexity-model, with the same --perplexity-tokenizer), by KenLM and SRILM. All\n"
            "n-grams are held in memory; --memory says how much that may be.",
            "slipway train ngrams wikipedia.jsonl.zst --order 5 --tokenizer en.sp.model --out en.arpa"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("IN", inputs_, "files of JSON Lines, tables, folders");
    auto& flags = parameters.flags;
    flags.add("out", out_, "ARPA file to write");
    flags.add("order", options_.order, "words of the longest n-gram", {1, 8});
    flags.add("tokenizer", tokenizer_, "what the words are: words (at white space), characters, or a tokenizer's file");
    flags.add("normalize", normalize_, "lower case, no accents, digits as 0, ASCII punctuation, as CCNet");
    flags.add("field", field_, "member that holds the text");
    flags.add("memory", memory_, "bound for the n-grams");
  }
  int run(App& app) override {
    if (out_.empty()) {
      throw Error(Code::kInvalid, "--out is missing: the ARPA file to write");
    }
    options_.memory_bytes = parse_byte_size(memory_, "memory");
    const data::NgramUnits units = tokenizer_ == "words"        ? data::NgramUnits::kWords
                                   : tokenizer_ == "characters" ? data::NgramUnits::kCharacters
                                                                : data::NgramUnits::kPieces;
    const auto tokenizer = units == data::NgramUnits::kPieces ? text::load_tokenizer(tokenizer_) : nullptr;
    text::NgramTrainer trainer(options_);
    uint64_t documents = 0;
    const uint64_t bad = each_document(app, inputs_, field_, [&](const std::string& text, std::string_view) {
      ++documents;
      for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        trainer.add(data::ngram_units(std::string_view(text).substr(begin, end - begin), units, tokenizer.get(), normalize_));
        begin = end + 1;
      }
    });
    base::AtomicFile file(out_);
    const text::NgramTrainResult result = trainer.finish([&](std::string_view bytes) { file.write(bytes); });
    file.commit();
    if (app.json()) {
      app.print_json({{"model", out_}, {"documents", documents}, {"bad_lines", bad}, {"words", result.words}, {"ngrams", result.ngrams}, {"fallback", result.fallback}});
      return 0;
    }
    app.out() << fmt::format("{}: {} words of {} documents, n-grams {}\n", out_, result.words, documents, fmt::join(result.ngrams, " + "));
    if (!result.fallback.empty()) {
      app.err() << fmt::format("order {}: too little text to estimate discounts; 0.5, 1 and 1.5 were taken\n", fmt::join(result.fallback, ", "));
    }
    return 0;
  }

 private:
  std::vector<std::string> inputs_;
  std::string out_;
  std::string tokenizer_ = "words";
  std::string field_ = "text";
  std::string memory_ = "4GB";
  bool normalize_ = true;
  text::NgramTrainOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_train_scanner() { return std::make_unique<TrainScannerCommand>(); }
std::unique_ptr<Command> make_train_ngrams() { return std::make_unique<TrainNgramsCommand>(); }

}  // namespace slipway::cli
