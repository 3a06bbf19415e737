// slipway runs: what was run, with its parameters and metrics; approving what awaits approval.
#include <cstdlib>
#include <ostream>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/table.h"
#include "pipeline/trigger.h"

namespace slipway::cli {
namespace {

// The run whose id begins with `prefix`; ids are long, people type a few digits.
record::Run find_by_prefix(record::Store& store, const std::string& prefix) {
  if (const auto exact = store.runs().find_run(prefix)) {
    return *exact;
  }
  std::vector<record::Run> hits;
  for (record::Run& run : store.runs().list_runs("", 10000)) {
    if (run.id.starts_with(prefix)) {
      hits.push_back(std::move(run));
    }
  }
  if (hits.size() == 1) {
    return hits.front();
  }
  throw base::Error(base::Code::kNotFound, fmt::format("{} run begins with '{}'; 'slipway runs' lists them", hits.empty() ? "no" : "more than one", prefix));
}

std::string who() {
  const char* user = std::getenv("USER");
  return user != nullptr && *user != '\0' ? user : "local";
}

class RunsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"runs", "the runs of the record, newest first", "", "slipway runs --limit 5"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("project", project_, "only of this project");
    parameters.flags.add("limit", limit_, "at most this many", {1, 1e6});
  }
  int run(App& app) override {
    record::Store& store = app.store();
    Table table({"RUN", "PROJECT", "STATUS", "STARTED", "TOOK", "ACCURACY"});
    for (const record::Run& run : store.runs().list_runs(project_, limit_)) {
      const auto points = store.runs().metrics(run.id, "test.accuracy");
      if (app.json()) {
        base::Json json = record::to_json(run);
        json["params"] = store.runs().params(run.id);
        app.print_json(json);
        continue;
      }
      const int64_t end = run.ended_ms > 0 ? run.ended_ms : base::SystemClock().unix_ms();
      table.row({run.id.substr(0, 8), run.project, record::name_of(run.status), when(run.started_ms),
                 base::human_seconds(static_cast<double>(end - run.started_ms) / 1000),
                 points.empty() ? "-" : fmt::format("{:.4f}", points.back().value)});
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  std::string project_;
  int limit_ = 20;
};

class RunsShowCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"runs show", "one run: parameters, metrics, what it made", "", "slipway runs show 3f2a"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("RUN", run_, "id of the run, or its first digits");
  }
  int run(App& app) override {
    record::Store& store = app.store();
    const record::Run run = find_by_prefix(store, run_);
    const auto params = store.runs().params(run.id);
    const auto points = store.runs().metrics(run.id, "");
    auto edges = store.lineage().walk("run:" + run.id, record::Direction::kForward, 1000);
    // What the run made, not the thousands of answers that its model gave since.
    std::erase_if(edges, [](const record::Edge& edge) { return edge.kind == "predicted"; });
    if (app.json()) {
      base::Json json = record::to_json(run);
      json["params"] = params;
      for (const auto& point : points) {
        json["metrics"].push_back(record::to_json(point));
      }
      for (const auto& edge : edges) {
        json["lineage"].push_back(record::to_json(edge));
      }
      app.print_json(json);
      return 0;
    }
    app.out() << fmt::format("run {}\nproject {} · {} · started {}\n\n", run.id, run.project, record::name_of(run.status),
                             base::iso8601(run.started_ms));
    Table table({"PARAMETER", "VALUE"});
    for (const auto& [key, value] : params) {
      table.row({key, value});
    }
    table.print(app.out(), app.color_out());
    app.out() << '\n';
    Table metrics({"METRIC", "STEP", "VALUE"});
    std::map<std::string, record::MetricPoint> last;
    for (const auto& point : points) {
      last[point.key] = point;
    }
    for (const auto& [key, point] : last) {
      metrics.row({key, std::to_string(point.step), fmt::format("{:.6g}", point.value)});
    }
    metrics.print(app.out(), app.color_out());
    app.out() << '\n';
    for (const auto& edge : edges) {
      app.out() << fmt::format("{} → {}  ({})\n", edge.from, edge.to, edge.kind);
    }
    return 0;
  }

 private:
  std::string run_;
};

class ApproveCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"runs approve", "let a run that awaits approval begin",
            "A drift alert with `on_alert: {retrain: true}` leaves a run awaiting approval. Once approved,\n"
            "`slipway run --run-id RUN` trains it.",
            "slipway runs approve 3f2a && slipway run --run-id 3f2a"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("RUN", run_, "id of the run, or its first digits");
  }
  int run(App& app) override {
    record::Store& store = app.store();
    const record::Run run = find_by_prefix(store, run_);
    pipeline::approve(store, run.id, who(), base::SystemClock().unix_ms());
    if (app.json()) {
      app.print_json({{"run_id", run.id}, {"approved", true}});
    } else {
      app.out() << fmt::format("approved; begin it with: slipway run --run-id {}\n", run.id);
    }
    return 0;
  }

 private:
  std::string run_;
};

class RejectCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"runs reject", "refuse a run that awaits approval", "", "slipway runs reject 3f2a --reason 'holiday traffic'"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("RUN", run_, "id of the run, or its first digits");
    parameters.flags.add("reason", reason_, "kept with the run");
  }
  int run(App& app) override {
    record::Store& store = app.store();
    const record::Run run = find_by_prefix(store, run_);
    pipeline::reject(store, run.id, who(), reason_, base::SystemClock().unix_ms());
    if (app.json()) {
      app.print_json({{"run_id", run.id}, {"approved", false}});
    } else {
      app.out() << "rejected\n";
    }
    return 0;
  }

 private:
  std::string run_;
  std::string reason_;
};

}  // namespace

std::unique_ptr<Command> make_runs() { return std::make_unique<RunsCommand>(); }
std::unique_ptr<Command> make_runs_show() { return std::make_unique<RunsShowCommand>(); }
std::unique_ptr<Command> make_runs_approve() { return std::make_unique<ApproveCommand>(); }
std::unique_ptr<Command> make_runs_reject() { return std::make_unique<RejectCommand>(); }

}  // namespace slipway::cli
