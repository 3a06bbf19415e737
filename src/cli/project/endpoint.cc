#include "cli/project/endpoint.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"

namespace slipway::cli {

std::optional<record::Deployment> Endpoint::find() {
  return deploy::find_running(app_.store(config_.dir), config_.deploy.endpoint);
}

record::Deployment Endpoint::ensure_running(base::Context& context) {
  if (auto running = find()) {
    return *running;
  }
  const std::string reference = fmt::format("models:/{}@{}", config_.registration.name, config_.registration.alias);
  const std::filesystem::path folder = app_.store_path(config_.dir);
  base::make_dirs(folder / "logs");
  deploy::ProcessOptions options;
  const std::filesystem::path ready = folder / "work" / fmt::format("ready-{}.json", record::new_id());
  options.arguments = {"serve",         reference,
                       "--endpoint",    config_.deploy.endpoint,
                       "--address",     config_.deploy.address,
                       "--port",        std::to_string(config_.deploy.port),
                       "--precision",   config_.deploy.precision,
                       "--project",     config_.file.string(),
                       "--ready-file",  ready.string(),
                       "--threads",     std::to_string(app_.options().threads),
                       "--log-level",   "info",
                       "--until-input-ends"};
  for (const std::string& word : app_.store_flags(config_.dir)) {
    options.arguments.push_back(word);
  }
  options.tied = true;
  options.log_file = folder / "logs" / (config_.deploy.endpoint + ".log");
  options.ready_file = ready;
  options.directory = config_.dir;
  const double began = base::monotonic_seconds();
  deploy::RunningProcess process = deploy::start_process(options, context);
  lifeline_ = std::move(process.lifeline);
  ready_seconds_ = base::monotonic_seconds() - began;
  std::error_code ignored;
  std::filesystem::remove(ready, ignored);
  started_id_ = process.deployment;
  auto running = app_.store(config_.dir).events().find_deployment(process.deployment);
  if (!running) {
    throw base::Error(base::Code::kFailure, fmt::format("the server at {} left no deployment record; its log is {}", process.url,
                                                        options.log_file.string()));
  }
  return *running;
}

void Endpoint::keep() {
  keep_ = true;
  lifeline_.release();
}

Endpoint::~Endpoint() {
  if (started_id_.empty() || keep_) {
    return;
  }
  try {
    auto deployment = app_.store(config_.dir).events().find_deployment(started_id_);
    if (deployment) {
      base::Context context = app_.context();
      deploy::stop_process(app_.store(config_.dir), *deployment, std::chrono::seconds(30), context);
    }
  } catch (const base::Error& error) {
    app_.log().warning("cannot stop the endpoint", {{"deployment", started_id_}, {"error", std::string(error.what())}});
  }
}

}  // namespace slipway::cli
