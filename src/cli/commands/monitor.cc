// slipway monitor events | simulate: what the monitor saw, and what it would have said.
#include <fmt/format.h>
#include <fstream>
#include <ostream>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "cli/observe.h"
#include "cli/table.h"
#include "cli/text_lines.h"
#include "monitor/reference.h"
#include "monitor/simulate.h"

namespace slipway::cli {
namespace {

class EventsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"monitor events", "what happened: windows, alerts, deployments, runs",
            "The newest, in the order they happened; with --after those that follow that one.",
            "slipway monitor events --kind drift_detected"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("kind", kind_, "only of this kind");
    parameters.flags.add("after", after_, "the first events after this id, to read on from; 0 = the newest", {0, 1e15});
    parameters.flags.add("limit", limit_, "at most this many", {1, 1e6});
  }
  int run(App& app) override {
    Table table({"ID", "WHEN", "KIND", "ABOUT"});
    record::EventLog& events = app.store().events();
    for (const record::Event& event : after_ > 0 ? events.list(kind_, after_, limit_) : events.newest(kind_, limit_)) {
      if (app.json()) {
        app.print_json(record::to_json(event));
      } else {
        table.row({std::to_string(event.id), when(event.time_ms), event.kind, event.subject});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  std::string kind_;
  int64_t after_ = 0;
  int limit_ = 100;
};

class SimulateCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {
        "monitor simulate", "windows drawn from a file of texts, judged as live traffic would be",
        "Tells the share of windows that alarm: near 0 for in-domain texts, 1 for texts the model was not made for.",
        "slipway monitor simulate models:/movie-sentiment@champion tweets.jsonl --window 500 --windows 50"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a registered version, whose sketch is used");
    parameters.positional("FILE", file_, "JSON lines with a \"text\"");
    parameters.flags.add("window", window_, "texts in a window", {50, 1e6});
    parameters.flags.add("windows", windows_, "windows to draw", {1, 1e6});
    parameters.flags.add("seed", seed_, "seed of the drawing");
    parameters.flags.add("field", field_, "key of the text in each line");
    parameters.flags.add("precision", precision_, "weights to use", {"auto", "float32", "int8"});
  }
  int run(App& app) override {
    const LocatedModel located = locate_model(app, model_, precision_);
    if (!located.version || !located.version->artifacts.contains("sketch")) {
      throw base::Error(
          base::Code::kInvalid,
          fmt::format("'{}' has no reference sketch; name a version that 'slipway run' registered", model_));
    }
    const auto sketch = monitor::load_sketch(app.store().artifacts().path_of(located.version->artifacts.at("sketch")));
    const auto engine = load_engine(app, located, precision_);
    std::ifstream in(file_, std::ios::binary);
    if (!in) {
      throw base::Error(base::Code::kNotFound, fmt::format("cannot read '{}'", file_));
    }
    std::vector<std::string> texts;
    read_text_lines(in, file_, field_, [&](std::string text, const base::Json&) { texts.push_back(std::move(text)); });
    base::Context context = app.context();
    const auto rows = observe(*engine, texts, context);
    const monitor::Simulation result = monitor::simulate(sketch, rows, window_, windows_, seed_, &app.pool());
    if (app.json()) {
      app.print_json(monitor::to_json(result));
    } else {
      app.out() << fmt::format("{} of {} windows of {} texts alarm: {:.3f} [{:.3f}, {:.3f}]\n", result.alarms,
                               result.windows, result.window, result.rate.value, result.rate.low, result.rate.high);
      for (const auto& [test, alarms] : result.alarms_by_test) {
        app.out() << fmt::format("  {:<16} {}\n", test, alarms);
      }
    }
    return 0;
  }

 private:
  std::string model_;
  std::string file_;
  int window_ = 500;
  int windows_ = 50;
  uint64_t seed_ = 7;
  std::string field_ = "text";
  std::string precision_ = "auto";
};

}  // namespace

std::unique_ptr<Command> make_monitor_events() { return std::make_unique<EventsCommand>(); }
std::unique_ptr<Command> make_monitor_simulate() { return std::make_unique<SimulateCommand>(); }

}  // namespace slipway::cli
