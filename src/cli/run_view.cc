#include "cli/run_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"

namespace slipway::cli {

RunView::RunView(App& app)
    : app_(app),
      line_(app.err(), {.live = app.live(), .color = app.color_err(), .quiet = app.options().quiet || app.json()}) {}

void RunView::say(const char* mark, const char* color, const std::string& step, const std::string& text) {
  if (app_.color_err()) {
    line_.print_line(fmt::format("{}{}\033[0m {:<12} {}", color, mark, step, text));
  } else {
    line_.print_line(fmt::format("{} {:<12} {}", mark, step, text));
  }
}

void RunView::event(base::Json json) {
  if (app_.json()) {
    app_.print_json(json);
  }
}

void RunView::on_plan(const pipeline::Plan& plan) {
  base::Json steps = base::Json::array();
  for (const pipeline::PlannedStep& step : plan.steps) {
    steps.push_back(step.name);
  }
  event({{"event", "plan"}, {"steps", steps}});
}

void RunView::on_start(const std::string& step, const std::vector<std::string>& reasons) {
  task_.clear();
  event({{"event", "start"}, {"step", step}, {"reasons", reasons}});
  line_.start(step, 0, "");
  line_.update(0, fmt::format("{}", fmt::join(reasons, ", ")));
}

void RunView::on_cached(const std::string& step, const record::CachedStep&) {
  event({{"event", "cached"}, {"step", step}});
  say("·", "\033[2m", step, "cached");
}

void RunView::on_progress(const std::string& step, const StepProgress& progress) {
  if (progress.task != task_) {
    task_ = progress.task;
    line_.start(progress.task.empty() || progress.task == step ? step : fmt::format("{} · {}", step, progress.task), progress.total,
                progress.unit);
  }
  line_.update(progress.done, progress.note);
  if (progress.finished) {
    task_.clear();
    line_.finish("");
  }
}

void RunView::on_finish(const std::string& step, const pipeline::StepResult& result, double seconds) {
  event({{"event", "finish"}, {"step", step}, {"seconds", seconds}, {"summary", result.summary}, {"outputs", result.outputs}});
  line_.finish("");
  const std::string text = result.summary.is_object() ? result.summary.value("line", std::string()) : std::string();
  say("✓", "\033[32m", step, fmt::format("{:>11}  {}", base::human_seconds(seconds), text));
}

void RunView::on_failed(const std::string& step, const base::Error& error, bool will_retry) {
  event({{"event", will_retry ? "retry" : "failed"}, {"step", step}, {"code", base::code_name(error.code())}, {"message", error.what()}});
  line_.finish("");
  const bool stopped = error.code() == base::Code::kInterrupted;
  say(stopped ? "■" : "✗", stopped ? "\033[33m" : "\033[31m", step, fmt::format("{}{}", error.what(), will_retry ? " (trying again)" : ""));
}

}  // namespace slipway::cli
