// The endpoint of a project while `slipway run` works: started when a step first needs it, found again when it already
// runs, stopped at the end unless asked to stay. One thread.
#pragma once

#include <string>

#include "cli/app.h"
#include "cli/project/config.h"
#include "deploy/process.h"

namespace slipway::cli {

class Endpoint {
 public:
  Endpoint(const ProjectConfig& config, App& app) : config_(config), app_(app) {}
  // Stops what it started, unless keep() was called.
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // The running deployment of the endpoint; starts one that follows the alias when there is none.
  record::Deployment ensure_running(base::Context& context);
  // nullopt when none runs.
  std::optional<record::Deployment> find();
  // Lets it go on after this process.
  void keep();
  // True when this process started it.
  bool started() const { return !started_id_.empty(); }
  double ready_seconds() const { return ready_seconds_; }

 private:
  const ProjectConfig& config_;
  App& app_;
  std::string started_id_;
  bool keep_ = false;
  deploy::Lifeline lifeline_;  // so that a killed run leaves no server behind
  double ready_seconds_ = 0;
};

}  // namespace slipway::cli
