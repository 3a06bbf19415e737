// slipway serve: the model server in the foreground, with monitor and explanations plugged in.
#include <cerrno>
#include <csignal>
#include <ostream>
#include <poll.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/explain_request.h"
#include "cli/project/config.h"
#include "cli/watch.h"
#include "serve/model_server.h"

namespace slipway::cli {
namespace {

constexpr int kInputPollMs = 200;  // how late the end of serving is noticed; the end of the input wakes at once

// Sends this process SIGTERM when standard input ends; a byte on it ends the watch. Who starts a server and may die keeps
// the other end.
std::jthread watch_input() {
  return std::jthread([](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd input{STDIN_FILENO, POLLIN, 0};
      if (poll(&input, 1, kInputPollMs) <= 0) {
        continue;
      }
      char byte = 0;
      const ssize_t got = read(STDIN_FILENO, &byte, 1);
      if (got == 0) {
        kill(getpid(), SIGTERM);
      }
      if (got >= 0 || errno != EINTR) {
        return;
      }
    }
  });
}

class ServeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"serve", "serve a model over HTTP until SIGTERM, which drains",
            "POST /v1/classify, /v1/explain; Open Inference Protocol under /v2; TEI /predict, /embed; GET /health, /metrics,\n"
            "/v1/monitor. A reference with an alias is followed: moving the alias swaps the version without dropping a request.\n"
            "Every answered prediction is in the record. With --project, the monitor's settings come from that file.",
            "slipway serve models:/movie-sentiment@champion --port 8080\n"
            "curl -s localhost:8080/v1/classify -d '{\"inputs\": \"a joy to watch\"}'"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", options_.model, "models:/NAME@ALIAS, models:/NAME/3, or a model folder");
    parameters.flags.add("project", project_, "a slipway.yaml whose `monitor:` section to use");
    parameters.flags.add("ready_file", ready_file_, "written with pid, url and deployment once it listens");
    parameters.flags.add("until_input_ends", until_input_ends_, "drain when standard input ends before it brought a byte");
    parameters.flags.add("window", window_, "predictions in a monitor window, without --project", {50, 1e6});
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    base::Context context = app.context();
    const bool reference = options_.model.starts_with("models:");
    const std::filesystem::path store_path = app.store_path();
    options_.store = store_path.string();
    record::Store* store = reference || std::filesystem::exists(store_path) ? &app.store() : nullptr;
    serve::ServeHooks hooks;
    hooks.explain = explain_for_server;
    std::unique_ptr<Watch> watch;
    if (store != nullptr) {
      watch = std::make_unique<Watch>(watch_options(), *store, context);
      hooks.monitor = [&](std::span<const serve::ServedPrediction> predictions) { watch->take(predictions); };
      hooks.monitor_report = [&] { return watch->report(); };
      hooks.monitor_flush = [&] { return watch->flush(); };
    }
    serve::ModelServer server(options_, store, context, std::move(hooks));
    server.start();
    if (watch) {
      watch->attach(server);
    }
    const base::Json ready = {{"pid", getpid()}, {"url", server.url()}, {"deployment", server.deployment_id()}, {"model", server.serving()}};
    if (!ready_file_.empty()) {
      base::write_file_atomic(ready_file_, base::dump_json(ready) + "\n");
    }
    if (app.json()) {
      app.print_json(ready);
    } else {
      app.out() << fmt::format("serving {} at {} (pid {})\n", server.serving(), server.url(), getpid()) << std::flush;
    }
    std::jthread input;
    if (until_input_ends_) {
      input = watch_input();
    }
    server.wait_until_signal();
    const int cut = server.drain();
    if (cut > 0) {
      app.log().warning("requests were cut off at the drain's deadline", {{"requests", cut}});
    }
    return 0;
  }

 private:
  WatchOptions watch_options() const {
    WatchOptions watch;
    watch.monitor.window = window_;
    if (!project_.empty()) {
      const ProjectConfig config = load_project(project_);
      watch.monitor.window = config.monitor.window;
      watch.monitor.tests = config.monitor.tests;
      watch.monitor.threshold = config.monitor.threshold > 0 ? fmt::format("{}", config.monitor.threshold) : "auto";
      watch.monitor.groups = config.monitor.bias_groups;
      watch.retrain = config.monitor.retrain;
      watch.project = config.project;
    }
    return watch;
  }

  serve::ServeOptions options_;
  std::string project_;
  std::string ready_file_;
  bool until_input_ends_ = false;
  int window_ = 1000;
};

}  // namespace

std::unique_ptr<Command> make_serve() { return std::make_unique<ServeCommand>(); }

}  // namespace slipway::cli
