// The live view of `slipway run`: a line a step (done, cached, failed), the running step's bar below; as JSON events with
// --json. Fed by the runner; calls never overlap.
#pragma once

#include <string>

#include "cli/app.h"
#include "cli/progress.h"
#include "pipeline/runner.h"

namespace slipway::cli {

class RunView final : public pipeline::StepListener {
 public:
  explicit RunView(App& app);

  void on_plan(const pipeline::Plan& plan) override;
  void on_start(const std::string& step, const std::vector<std::string>& reasons) override;
  void on_cached(const std::string& step, const record::CachedStep& cached) override;
  void on_progress(const std::string& step, const StepProgress& progress) override;
  void on_finish(const std::string& step, const pipeline::StepResult& result, double seconds) override;
  void on_failed(const std::string& step, const base::Error& error, bool will_retry) override;

 private:
  void say(const char* mark, const char* color, const std::string& step, const std::string& text);
  void event(base::Json json);
  App& app_;
  LineProgress line_;
  std::string task_;
};

}  // namespace slipway::cli
