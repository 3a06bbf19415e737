// slipway explain: which words made the answer what it is.
#include <algorithm>
#include <cmath>
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "cli/text_lines.h"
#include "explain/explain.h"

namespace slipway::cli {
namespace {

class ExplainCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"explain", "the words of JSON lines (or of one text) by what they add to the answer",
            "Each line {\"text\": …} gives the words with their values, the base value, the method's own measure of fit, and how\n"
            "far the model agrees (faithfulness). On a terminal, one TEXT is shown in colour. The same seed gives the same bytes.",
            "slipway explain models:/movie-sentiment@champion \"a joy to watch\" --method shap\n"
            "slipway explain models:/movie-sentiment@champion --method lime --seed 7 < lines.jsonl"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder or a reference");
    parameters.positional("TEXT", text_, "one text; default: JSON lines from standard input", false);
    parameters.flags.add("precision", precision_, "weights to use", {"auto", "float32", "int8"});
    parameters.flags.add("field", field_, "key of the text in each line");
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    const auto engine = load_engine(app, locate_model(app, model_, precision_), precision_);
    base::Context context = app.context();
    if (!text_.empty()) {
      const explain::Explanation explanation = explain::explain(*engine, text_, options_, context);
      if (app.json()) {
        app.print_json(explain::to_json(explanation));
      } else {
        print(app, explanation);
      }
      return 0;
    }
    read_text_lines(app.in(), "standard input", field_, [&](const std::string& text, const base::Json&) {
      app.print_json(explain::to_json(explain::explain(*engine, text, options_, context)));
    });
    return 0;
  }

 private:
  // The text with its words in green (for) and red (against), then the words by weight.
  static void print(App& app, const explain::Explanation& explanation) {
    double largest = 1e-12;
    for (const auto& word : explanation.words) {
      largest = std::max(largest, std::abs(word.value));
    }
    size_t at = 0;
    for (const auto& word : explanation.words) {
      app.out() << explanation.text.substr(at, word.begin - at);
      const bool strong = std::abs(word.value) > 0.15 * largest;
      if (app.color_out() && strong) {
        app.out() << (word.value > 0 ? "\033[42;30m" : "\033[41;97m") << word.word << "\033[0m";
      } else {
        app.out() << word.word;
      }
      at = word.end;
    }
    app.out() << explanation.text.substr(at) << "\n\n"
              << fmt::format("{} of '{}' {:.4f}, without its words {:.4f}; {} model calls\n", explanation.output, explanation.label,
                             explanation.prediction, explanation.base_value, explanation.evaluations);
    std::vector<explain::WordValue> words = explanation.words;
    std::stable_sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return std::abs(a.value) > std::abs(b.value); });
    for (size_t i = 0; i < std::min<size_t>(words.size(), 10); ++i) {
      app.out() << fmt::format("  {:+.4f}  {}\n", words[i].value, words[i].word);
    }
  }

  std::string model_;
  std::string text_;
  std::string precision_ = "auto";
  std::string field_ = "text";
  explain::ExplainOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_explain() { return std::make_unique<ExplainCommand>(); }

}  // namespace slipway::cli
