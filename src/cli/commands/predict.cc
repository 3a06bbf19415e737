// slipway predict: a task over JSON lines, or one text.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "cli/text2text.h"
#include "cli/text_lines.h"
#include "model/predictor.h"

namespace slipway::cli {
namespace {

constexpr const char* kDefaultTask = "text-classification";
constexpr size_t kBatch = 512;  // texts in flight: enough to fill token batches, little enough to stream

class PredictCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"predict", "labels (or embeddings) of JSON lines from standard input, or of one text",
            "Tasks: text-classification gives {\"label\", \"score\", \"scores\"}; feature-extraction gives {\"embedding\"};\n"
            "of encoder-decoders (T5, BART, Marian, M2M100) summarization gives {\"summary_text\"}, translation\n"
            "{\"translation_text\"}, text2text-generation {\"generated_text\"}, and without --task what the model is for.\n"
            "Output lines come in the order of input lines.",
            "echo '{\"text\": \"a joy to watch\"}' | slipway predict --task text-classification models:/movie-sentiment@champion\n"
            "slipway predict models:/movie-sentiment@champion \"a joy to watch\""};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder, models:/NAME@ALIAS or models:/NAME/3");
    parameters.positional("TEXT", text_, "one text, or a file of JSON lines; default: standard input", false);
    parameters.flags.add("task", task_, "what to do", {"text-classification", "sentiment-analysis", "feature-extraction", "summarization", "translation", "text2text-generation"});
    parameters.flags.add("precision", precision_, "weights to use", {"auto", "float32", "int8"});
    parameters.flags.add("field", field_, "key of the text in each line");
    parameters.flags.add("source_lang", source_lang_, "of a translation, as the model names it: en, eng_Latn");
    parameters.flags.add("target_lang", target_lang_, "of a translation");
    parameters.flags.add("parameters", parameters_, "of generated texts: a JSON object such as {\"num_beams\": 4, \"max_new_tokens\": 60}");
  }
  int run(App& app) override {
    const LocatedModel located = locate_model(app, model_, precision_);
    if (is_text2text_model(located.folder)) {
      const std::string task = task_ == kDefaultTask ? "" : task_;
      return run_text2text(app, located.folder, {task, text_, field_, parameters_, source_lang_, target_lang_});
    }
    const auto engine = load_engine(app, located, precision_);
    if (task_ != "feature-extraction" && engine->labels().empty()) {
      throw base::Error(base::Code::kInvalid, fmt::format("'{}' has no classification head; --task feature-extraction gives its embeddings", model_));
    }
    std::vector<std::string> texts;
    const auto take = [&](std::string text, const base::Json&) {
      texts.push_back(std::move(text));
      if (texts.size() == kBatch) {
        flush(app, *engine, texts);
      }
    };
    if (text_.empty()) {
      read_text_lines(app.in(), "standard input", field_, take);
    } else if (std::filesystem::is_regular_file(text_)) {
      std::ifstream file(text_, std::ios::binary);
      read_text_lines(file, text_, field_, take);
    } else {
      texts.push_back(text_);
    }
    flush(app, *engine, texts);
    return 0;
  }

 private:
  void flush(App& app, engine::Engine& engine, std::vector<std::string>& texts) {
    if (texts.empty()) {
      return;
    }
    if (task_ == "feature-extraction") {
      const model::Matrix rows = engine.embed(texts);
      for (int i = 0; i < rows.rows; ++i) {
        const auto row = rows.row(i);
        app.print_json({{"embedding", std::vector<float>(row.begin(), row.end())}});
      }
    } else {
      const model::Matrix rows = model::probabilities(engine, texts);
      const auto& labels = engine.labels();
      for (int i = 0; i < rows.rows; ++i) {
        const auto row = rows.row(i);
        const auto best = static_cast<size_t>(model::argmax(row));
        base::Json scores = base::Json::object();
        for (size_t k = 0; k < labels.size(); ++k) {
          scores[labels[k]] = row[k];
        }
        app.print_json({{"label", labels[best]}, {"score", row[best]}, {"scores", scores}});
      }
    }
    texts.clear();
  }

  std::string model_;
  std::string text_;
  std::string task_ = kDefaultTask;
  std::string parameters_;
  std::string source_lang_;
  std::string target_lang_;
  std::string precision_ = "auto";
  std::string field_ = "text";
};

}  // namespace

std::unique_ptr<Command> make_predict() { return std::make_unique<PredictCommand>(); }

}  // namespace slipway::cli
