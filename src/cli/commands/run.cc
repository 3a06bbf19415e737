// slipway run | plan: a project through its whole life, or what that would do.
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/project/config.h"
#include "cli/project/endpoint.h"
#include "cli/project/page.h"
#include "cli/project/steps.h"
#include "cli/run_view.h"
#include "cli/table.h"
#include "pipeline/runner.h"

namespace slipway::cli {
namespace {

class RunCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"run", "take a project from raw text to a served, monitored, explained model",
            "Reads FILE (slipway.yaml). Steps that did not change come from the cache; a killed run goes on where it was.\n"
            "Exit code 6: a gate said no, and nothing was deployed. With --json, events go to standard output as lines; the\n"
            "last one is the result: model, version, metrics with intervals, artifact digests, endpoint, report.",
            "slipway run examples/sentiment/slipway.yaml --keep-serving"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FILE", file_, "the project; default: slipway.yaml", false);
    parameters.flags.add("keep_serving", keep_serving_, "leave the endpoint running at the end");
    parameters.flags.add("run_id", options_.run_id, "begin this run, which an alert asked for and someone approved");
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    const ProjectConfig config = load_project(file_.empty() ? "slipway.yaml" : file_);
    record::Store& store = app.store(config.dir, true);
    Endpoint endpoint(config, app);
    Project project{config, app, endpoint};
    const std::vector<pipeline::Step> steps = make_steps(project);
    RunView view(app);
    base::Context context = app.context();
    const pipeline::RunOutcome outcome = pipeline::run(steps, config.project, config.resolved, store, context, options_, &view);
    outcome.throw_if_failed();
    std::optional<record::Deployment> serving;
    if (keep_serving_ && config.deploy.enabled) {
      serving = endpoint.ensure_running(context);
      endpoint.keep();
    }
    const base::Json page = final_page(project, outcome, serving);
    if (app.json()) {
      app.print_json(page);
    } else {
      print_page(app.out(), page, app.color_out());
    }
    return 0;
  }

 private:
  std::string file_;
  bool keep_serving_ = false;
  pipeline::RunnerOptions options_;
};

class PlanCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"plan", "what `slipway run` would do, and why", "Nothing is changed.", "slipway plan examples/sentiment/slipway.yaml"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("FILE", file_, "the project; default: slipway.yaml", false);
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    const ProjectConfig config = load_project(file_.empty() ? "slipway.yaml" : file_);
    record::Store& store = app.store(config.dir, true);
    Endpoint endpoint(config, app);
    Project project{config, app, endpoint};
    const pipeline::Plan plan = pipeline::plan(make_steps(project), config.project, store, options_);
    Table table({"STEP", "ACTION", "WHY", "LAST TOOK"});
    for (const pipeline::PlannedStep& step : plan.steps) {
      const char* action = step.action == pipeline::Action::kCached ? "cached" : step.action == pipeline::Action::kRun ? "run" : "depends";
      if (app.json()) {
        app.print_json({{"step", step.name}, {"action", action}, {"reasons", step.reasons}, {"last_seconds", step.last_seconds}});
      } else {
        table.row({step.name, action, fmt::format("{}", fmt::join(step.reasons, "; ")), step.last_seconds > 0 ? base::human_seconds(step.last_seconds) : "-"});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
      if (plan.nothing_to_do()) {
        app.out() << "nothing to do\n";
      }
    }
    return 0;
  }

 private:
  std::string file_;
  pipeline::RunnerOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_run() { return std::make_unique<RunCommand>(); }
std::unique_ptr<Command> make_plan() { return std::make_unique<PlanCommand>(); }

}  // namespace slipway::cli
