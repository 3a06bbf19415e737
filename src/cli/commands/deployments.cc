// slipway deployments: what serves, its traffic split; canary, rollback, stop.
#include <ostream>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/table.h"
#include "deploy/process.h"
#include "net/client.h"

namespace slipway::cli {
namespace {

record::Deployment running(App& app, const std::string& endpoint) {
  auto deployment = deploy::find_running(app.store(), endpoint);
  if (!deployment) {
    throw base::Error(base::Code::kNotFound, fmt::format("no deployment of '{}' is running; 'slipway deployments' lists them", endpoint));
  }
  return *deployment;
}

// POSTs to an admin route of the deployment and prints its answer.
int post(App& app, const record::Deployment& deployment, const std::string& path, const base::Json& body) {
  net::HttpClient client(deployment.address);
  const net::Response response = client.post_json(path, body, {{"X-Model", deployment.endpoint}});
  if (response.status != 200) {
    throw base::Error(base::Code::kFailure, fmt::format("{}{} answered {}: {}", deployment.address, path, response.status, response.body));
  }
  if (app.json()) {
    app.out() << response.body << '\n';
  } else {
    app.out() << base::dump_json_pretty(base::parse_json(response.body, deployment.address));
  }
  return 0;
}

class DeploymentsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"deployments", "what serves or served, newest first", "", "slipway deployments"};
  }
  void describe(Parameters& parameters) override { parameters.flags.add("limit", limit_, "at most this many", {1, 1e6}); }
  int run(App& app) override {
    record::Store& store = app.store();
    Table table({"DEPLOYMENT", "ENDPOINT", "MODEL", "STATUS", "ADDRESS", "STARTED", "PREDICTIONS"});
    for (const record::Deployment& one : store.events().list_deployments(limit_)) {
      const int64_t predictions = store.predictions().count(one.id);
      if (app.json()) {
        base::Json json = record::to_json(one);
        json["predictions"] = predictions;
        app.print_json(json);
      } else {
        table.row({one.id.substr(0, 10), one.endpoint, one.model, record::name_of(one.status), one.address, when(one.started_ms),
                   std::to_string(predictions)});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  int limit_ = 20;
};

class CanaryCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"deployments canary", "give a second version a share of the traffic", "--percent 0 takes it away.",
            "slipway deployments canary movie-sentiment models:/movie-sentiment/4 --percent 10"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("ENDPOINT", endpoint_, "a running endpoint");
    parameters.positional("MODEL", model_, "models:/NAME/VERSION");
    parameters.flags.add("percent", percent_, "share of the traffic", {0, 100});
  }
  int run(App& app) override {
    return post(app, running(app, endpoint_), "/v1/deployment/canary", {{"reference", model_}, {"percent", percent_}});
  }

 private:
  std::string endpoint_;
  std::string model_;
  double percent_ = 10;
};

class RollbackCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"deployments rollback", "take the canary away, or move the alias back to the version before", "",
            "slipway deployments rollback movie-sentiment"};
  }
  void describe(Parameters& parameters) override { parameters.positional("ENDPOINT", endpoint_, "a running endpoint"); }
  int run(App& app) override { return post(app, running(app, endpoint_), "/v1/deployment/rollback", base::Json::object()); }

 private:
  std::string endpoint_;
};

class StopCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"deployments stop", "drain and stop a running endpoint", "", "slipway deployments stop movie-sentiment"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("ENDPOINT", endpoint_, "a running endpoint");
    parameters.flags.add("timeout_s", timeout_s_, "seconds to wait for requests in flight", {0, 3600});
  }
  int run(App& app) override {
    base::Context context = app.context();
    const bool clean = deploy::stop_process(app.store(), running(app, endpoint_), std::chrono::seconds(timeout_s_), context);
    if (app.json()) {
      app.print_json({{"endpoint", endpoint_}, {"drained", clean}});
    } else {
      app.out() << endpoint_ << (clean ? ": drained and stopped\n" : ": killed at the deadline\n");
    }
    return clean ? 0 : 1;
  }

 private:
  std::string endpoint_;
  int timeout_s_ = 30;
};

}  // namespace

std::unique_ptr<Command> make_deployments() { return std::make_unique<DeploymentsCommand>(); }
std::unique_ptr<Command> make_deployments_canary() { return std::make_unique<CanaryCommand>(); }
std::unique_ptr<Command> make_deployments_rollback() { return std::make_unique<RollbackCommand>(); }
std::unique_ptr<Command> make_deployments_stop() { return std::make_unique<StopCommand>(); }

}  // namespace slipway::cli
