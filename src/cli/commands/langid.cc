// slipway langid: which language each line is in; slipway train langid: a model for it.
#include <algorithm>
#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/text_stream.h"
#include "text/language.h"
#include "text/language_model.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

class LangidCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"langid", "which language each line of standard input is in",
            "More than 300 languages. A line of output is the code (ISO 639-1, or 639-3 where there is none, with the script where a\n"
            "language has several), a tab, and its probability; \"und\" for lines without letters, or below --threshold. --top adds\n"
            "further guesses on the same line. --json writes an object a line; with --field lines are JSON objects, which come\n"
            "back with \"language\" and \"language_score\" added. docs/guide/text.md",
            "echo 'Alle mennesker er født frie' | slipway langid --top 3\n"
            "slipway langid --field text --threshold 0.65 < documents.jsonl"};
  }
  void describe(Parameters& parameters) override {
    base::FieldTable& flags = parameters.flags;
    flags.add("top", top_, "how many guesses", {1, 511});
    flags.add("threshold", threshold_, "a first guess below this probability is \"und\"", {0, 1});
    flags.add("model", model_, "a model of `slipway train langid` in place of the program's own");
    flags.add("field", field_, "lines are JSON objects; the text is their member of this name");
    flags.add("errors", errors_, "bytes that are no UTF-8: strict stops, replace goes on with U+FFFD", {"strict", "replace"});
  }
  int run(App& app) override {
    const auto loaded = model_.empty() ? nullptr : text::LanguageModel::open(model_);
    const text::LanguageModel& model = loaded ? *loaded : text::LanguageModel::builtin();
    const bool json = app.json();
    stream_blocks(app, BlockEnd::kLine, [&](std::string_view block, uint64_t first_line, std::string& out) {
      for_each_line(block, first_line, errors_ == "replace",
                    [&](std::string_view line, uint64_t number) { write(line, number, json, model, out); });
    });
    return 0;
  }

 private:
  std::vector<text::LanguageGuess> guesses(std::string_view text, const text::LanguageModel& model) const {
    std::vector<text::LanguageGuess> out = text::identify_languages(text, static_cast<size_t>(top_), model);
    if (out[0].confidence < threshold_) {
      out[0].code = "und";
    }
    return out;
  }

  void write(std::string_view line, uint64_t number, bool json, const text::LanguageModel& model, std::string& out) const {
    if (!field_.empty()) {
      if (line.find_first_not_of(" \t") == std::string_view::npos) {
        return;
      }
      const std::string where = fmt::format("{}:{}", kStandardInput, number);
      base::Json row = base::parse_json(line, where);
      const auto found = guesses(base::get<std::string>(row, field_, where), model);
      row["language"] = found[0].code;
      row["language_score"] = found[0].confidence;
      out += base::dump_json(row);
    } else if (json) {
      const auto found = guesses(line, model);
      base::Json row = {{"language", found[0].code}, {"score", found[0].confidence}};
      if (top_ > 1) {
        base::Json all = base::Json::array();
        for (const text::LanguageGuess& guess : found) {
          all.push_back({{"language", guess.code}, {"score", guess.confidence}});
        }
        row["guesses"] = all;
      }
      out += base::dump_json(row);
    } else {
      bool first = true;
      for (const text::LanguageGuess& guess : guesses(line, model)) {
        fmt::format_to(std::back_inserter(out), "{}{}\t{:.4f}", first ? "" : "\t", guess.code, guess.confidence);
        first = false;
      }
    }
    out += '\n';
  }

  int top_ = 1;
  double threshold_ = 0;
  std::string model_;
  std::string field_;
  std::string errors_ = "strict";
};

class TrainLangidCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"train langid", "a language identification model from a folder of texts",
            "FOLDER has one UTF-8 text a language, LANGUAGE.txt; files called as those of the Universal Declaration of Human Rights\n"
            "(\"srp_latn.txt\") get the codes of `slipway langid`. --hold-out K leaves every K-th line out, for tests. This is how the\n"
            "program's own model is made (docs/guide/text.md).",
            "slipway train langid udhr2/ --hold-out 5 --out language_model.bin"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FOLDER", folder_, "texts");
    parameters.flags.add("out", out_, "model file to write");
    parameters.flags.add("hold_out", hold_out_, "leave every K-th line of each text out; 0: none", {0, 1000});
    parameters.flags.add("ngrams", options_.ngrams, "n-grams kept of each language", {10, 100000});
  }
  int run(App& app) override {
    if (out_.empty()) {
      throw base::Error(base::Code::kInvalid, "--out must be given");
    }
    if (!fs::is_directory(folder_)) {
      throw base::Error(base::Code::kNotFound, fmt::format("there is no folder '{}'", folder_));
    }
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
      if (entry.path().extension() == ".txt") {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    std::vector<text::LanguageText> texts;
    for (const fs::path& file : files) {
      text::LanguageText one;
      one.language = text::language_of_name(file.stem().string());
      if (one.language.empty()) {
        app.err() << file.string() << ": left out; its name begins with no language code of three letters\n";
        continue;
      }
      base::LineReader lines(file);
      for (std::string_view line; lines.next(line);) {
        if (hold_out_ == 0 || lines.line_number() % static_cast<uint64_t>(hold_out_) != 0) {
          one.text += line;
          one.text += '\n';
        }
      }
      texts.push_back(std::move(one));
    }
    const std::string bytes = text::train_language_model(texts, options_);
    base::write_file_atomic(out_, bytes);
    const size_t languages = text::LanguageModel::from_bytes(bytes, out_)->languages().size();
    if (app.json()) {
      app.print_json({{"model", out_}, {"bytes", bytes.size()}, {"texts", texts.size()}, {"languages", languages}});
    } else {
      app.out() << fmt::format("{}: {} texts, {} languages, {:.1f} MB\n", out_, texts.size(), languages, static_cast<double>(bytes.size()) / 1e6);
    }
    return 0;
  }

 private:
  std::string folder_;
  std::string out_;
  int hold_out_ = 0;
  text::LanguageTrainOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_langid() { return std::make_unique<LangidCommand>(); }
std::unique_ptr<Command> make_train_langid() { return std::make_unique<TrainLangidCommand>(); }

}  // namespace slipway::cli
