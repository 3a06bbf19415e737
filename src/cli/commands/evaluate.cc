// slipway evaluate: any model on any labelled rows.
#include <algorithm>
#include <fstream>
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "cli/project/rows.h"
#include "cli/table.h"
#include "cli/text_lines.h"
#include "evaluate/bias_probe.h"
#include "evaluate/evaluate.h"
#include "govern/gate.h"

namespace slipway::cli {
namespace {

class EvaluateCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"evaluate", "metrics with intervals of a model on labelled rows",
            "DATA is a dataset folder (its test split, or --split) or a file of JSON lines with \"text\" and \"label\".\n"
            "Each --gates condition must hold, else the exit code is 6.",
            "slipway evaluate models:/movie-sentiment@champion test.jsonl --gates 'accuracy >= 0.8'"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder or a reference");
    parameters.positional("DATA", data_, "dataset folder, or JSON lines");
    parameters.flags.add("split", split_, "split of a dataset folder", {"train", "validation", "test"});
    parameters.flags.add("precision", precision_, "weights to use", {"auto", "float32", "int8"});
    parameters.flags.add("gates", gates_, "conditions that must hold");
    parameters.flags.add("bias", bias_, "also run the names-and-pronouns probe");
    parameters.flags.add("seed", options_.seed, "seed of the bootstrap");
    parameters.flags.add("bootstrap", options_.resamples, "resamples of the intervals", {0, 1e6});
  }
  int run(App& app) override {
    const auto engine = load_engine(app, locate_model(app, model_, precision_), precision_);
    const evaluate::Rows rows = read_rows(engine->labels());
    base::Context context = app.context();
    const evaluate::Report report = evaluate::evaluate(*engine, rows, options_, context);
    base::Json json = evaluate::to_json(report);
    if (bias_) {
      json["bias"] = evaluate::to_json(evaluate::bias_probe(*engine, rows.texts, {.seed = options_.seed}, context));
    }
    base::Json measures = json["measures"];
    measures["bias"] = json.value("bias", base::Json::object());
    const auto results = govern::check_gates(gates_, govern::measures_from_json(measures), nullptr);
    json["gates"] = base::Json::array();
    for (const auto& result : results) {
      json["gates"].push_back(govern::to_json(result));
    }
    if (app.json()) {
      app.print_json(json);
    } else {
      print(app, report);
      for (const auto& result : results) {
        app.out() << fmt::format("{} {}  {}\n", result.passed ? "✓" : "✗", result.text, result.reason);
      }
    }
    return govern::all_passed(results) ? 0 : base::exit_code(base::Code::kGate);
  }

 private:
  evaluate::Rows read_rows(const std::vector<std::string>& labels) const {
    if (std::filesystem::is_directory(data_)) {
      return labelled_rows(data::Dataset(data_), data::split_from_name(split_));
    }
    std::ifstream file(data_, std::ios::binary);
    if (!file) {
      throw base::Error(base::Code::kNotFound, fmt::format("cannot read '{}'", data_));
    }
    evaluate::Rows rows;
    read_text_lines(file, data_, "text", [&](std::string text, const base::Json& row) {
      const auto label = base::get<std::string>(row, "label", data_);
      const auto found = std::find(labels.begin(), labels.end(), label);
      if (found == labels.end()) {
        throw base::Error(base::Code::kInvalid, fmt::format("{}: '{}' is not a label of the model", data_, label));
      }
      rows.texts.push_back(std::move(text));
      rows.truth.push_back(static_cast<int>(found - labels.begin()));
      rows.sources.emplace_back(base::get_or<std::string>(row, "source", "", data_));
    });
    return rows;
  }

  static void print(App& app, const evaluate::Report& report) {
    Table table({"METRIC", "VALUE", "95 %", "N"});
    for (const auto& [name, interval] : report.measures) {
      table.row({name, fmt::format("{:.4f}", interval.value), fmt::format("[{:.4f}, {:.4f}]", interval.low, interval.high), std::to_string(interval.n)});
    }
    table.print(app.out(), app.color_out());
    app.out() << '\n';
    Table slices({"SLICE", "N", "ACCURACY", "95 %"});
    for (const evaluate::Slice& slice : report.slices) {
      slices.row({slice.by + ": " + slice.name, std::to_string(slice.n), fmt::format("{:.4f}", slice.accuracy.value),
                  fmt::format("[{:.4f}, {:.4f}]", slice.accuracy.low, slice.accuracy.high)});
    }
    slices.print(app.out(), app.color_out());
  }

  std::string model_;
  std::string data_;
  std::string split_ = "test";
  std::string precision_ = "auto";
  std::vector<std::string> gates_;
  bool bias_ = false;
  evaluate::EvaluateOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_evaluate() { return std::make_unique<EvaluateCommand>(); }

}  // namespace slipway::cli
