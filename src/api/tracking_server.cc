#include "api/tracking_server.h"

#include <fmt/format.h>

#include "api/guard.h"
#include "api/hub.h"
#include "api/routes.h"
#include "net/signals.h"
#include "net/workers.h"

namespace slipway::api {

TrackingServerOptions::TrackingServerOptions() {
  http.compress = false;  // programs on this machine: compressing costs more than sending
  http.threads = 2;       // uploads are hashed where they arrive
}

void TrackingServerOptions::describe(base::FieldTable& table) {
  http.describe(table);
  table.add("drain_ms", drain_ms, "how long requests in flight may take after SIGTERM, in milliseconds", {0, 3.6e6});
  table.add("workers", workers, "requests at the store at once", {1, 1024});
  table.add("max_queue", max_queue, "requests that may wait for a worker; more are answered 429", {1, 1e6});
}

struct TrackingServer::Impl {
  Impl(TrackingServerOptions options_in, record::Store& store, base::Context& context_in)
      : options(std::move(options_in)),
        context(context_in),
        backend{store, context_in.clock, !options.http.tls_cert.empty()},
        workers(options.workers, static_cast<size_t>(options.max_queue)) {
    if (!is_loopback_host(options.http.address) && options.http.address != "::1") {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("the server listens on this machine only (127.0.0.1, ::1), not on '{}': it has no "
                                    "accounts yet; put a proxy that asks who is there in front of it",
                                    options.http.address));
    }
    auto router = std::make_shared<net::Router>();
    Routes routes(*router, workers, context.log, [](const std::exception& error) { return error_answer(error); });
    add_server_routes(routes);
    add_experiment_routes(routes, backend);
    add_run_routes(routes, backend);
    add_metric_routes(routes, backend);
    add_artifact_routes(routes, backend);
    add_model_routes(routes, backend);
    add_version_routes(routes, backend);
    Routes hub(*router, workers, context.log, hub_error_answer);
    add_hub_repo_routes(hub, backend);
    add_hub_tree_routes(hub, backend);
    add_hub_ref_routes(hub, backend);
    add_hub_commit_routes(hub, backend);
    add_hub_lfs_routes(hub, backend);
    add_hub_xet_routes(hub, backend);
    add_ui_run_routes(routes, backend);
    add_ui_record_routes(routes, backend);
    add_ui_dataset_routes(routes, backend);
    add_ui_model_routes(routes, backend);
    add_ui_files(routes);
    http = std::make_unique<net::HttpServer>(options.http, *router, context.log, net::Observer(), make_guard(router));
  }

  TrackingServerOptions options;
  base::Context& context;
  Backend backend;
  net::Workers workers;
  std::unique_ptr<net::HttpServer> http;  // before workers ends: handlers post to them
  std::unique_ptr<net::SignalWait> signals;
  bool started = false;
};

TrackingServer::TrackingServer(TrackingServerOptions options, record::Store& store, base::Context& context)
    : impl_(std::make_unique<Impl>(std::move(options), store, context)) {}

TrackingServer::~TrackingServer() {
  impl_->http->stop();
  impl_->workers.stop();
}

void TrackingServer::start() {
  impl_->signals = std::make_unique<net::SignalWait>();
  impl_->http->start();
  impl_->started = true;
  impl_->context.log.info("serving the record", {{"url", impl_->http->url()}});
}

std::string TrackingServer::url() const { return impl_->http->url(); }
int TrackingServer::port() const { return impl_->http->port(); }
int TrackingServer::wait_until_signal() { return impl_->signals->wait(impl_->context.stop); }

int TrackingServer::drain(std::chrono::milliseconds deadline) {
  if (!impl_->started) {
    return 0;
  }
  impl_->started = false;
  const auto allowed = deadline.count() > 0 ? deadline : std::chrono::milliseconds(impl_->options.drain_ms);
  const int cut = impl_->http->drain(allowed);
  impl_->signals.reset();
  return cut;
}

}  // namespace slipway::api
