#include "serve/model_server.h"

#include <condition_variable>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "net/signals.h"
#include "serve/core.h"

namespace slipway::serve {

using record::DeploymentStatus;

void ServeOptions::describe(base::FieldTable& table) {
  table.add("endpoint", endpoint, "Name of the deployment; the model's name when empty");
  table.add("precision", precision, "Weights to serve", {"auto", "float32", "int8"});
  table.add("max_batch_tokens", max_batch_tokens, "Most tokens computed together", {1, 1 << 20});
  table.add("max_queue", max_queue, "Most texts waiting for the engine; more are answered 429", {1, 1 << 20});
  table.add("max_inputs", max_inputs, "Most texts of one request", {1, 1 << 20});
  table.add("max_text_bytes", max_text_bytes, "Largest text in bytes", {1, 1 << 30});
  table.add("log_predictions", log_predictions, "Keep predictions: durable answers once they are committed",
            {"durable", "async", "off"});
  table.add("log_queue", log_queue, "Most predictions waiting to be committed", {1, 1 << 24});
  table.add("monitor_queue", monitor_queue, "Most predictions waiting for the monitor", {1, 1 << 24});
  table.add("canary", canary, "A second version to give some of the traffic");
  table.add("canary_percent", canary_percent, "Share of the traffic that the canary gets", {0, 100});
  table.add("follow_alias_ms", follow_alias_ms, "How often the alias is looked up; 0 never", {0, 3'600'000});
  table.add("drain_ms", drain_ms, "Time for requests in flight to finish after SIGTERM", {0, 3'600'000});
  http.describe(table);
}

struct ModelServer::Impl {
  Impl(ServeOptions options_in, record::Store* store, base::Context& context, ServeHooks hooks)
      : options(std::move(options_in)), core(options, store, context, std::move(hooks)) {}

  net::Router make_router();
  void follow_loop();
  void stop_follower();
  void put_record(DeploymentStatus status);
  void record_event(const std::string& kind, const Json& data);
  void record_serving(const Routing& routing);
  void on_change(const Routing& routing, const std::string& reason);

  ServeOptions options;
  Core core;
  std::unique_ptr<net::SignalWait> signals;
  std::unique_ptr<net::HttpServer> http;
  std::mutex record_mutex;  // guards deployment
  record::Deployment deployment;
  std::mutex mutex;  // guards stopping
  std::condition_variable wake;
  bool stopping = false;
  std::thread follower;
  bool started = false;
};

net::Router ModelServer::Impl::make_router() {
  net::Router router;
  add_classify_routes(router, core);
  add_oip_routes(router, core);
  add_tei_routes(router, core);
  add_pipeline_routes(router, core);
  add_embedding_routes(router, core);
  add_admin_routes(router, core);
  add_monitor_routes(router, core);
  return router;
}

void ModelServer::Impl::put_record(DeploymentStatus status) {
  if (core.store == nullptr) {
    return;
  }
  deployment.status = status;
  if (status == DeploymentStatus::kStopped) {
    deployment.ended_ms = core.context.clock.unix_ms();
  }
  core.store->events().put_deployment(deployment);
}

void ModelServer::Impl::record_event(const std::string& kind, const Json& data) {
  if (core.store != nullptr) {
    core.store->events().append(kind, "deployment:" + core.deployment_id, data);
  }
}

void ModelServer::Impl::record_serving(const Routing& routing) {
  std::vector<record::Edge> edges;
  Json traffic = Json::array();
  for (const auto& served : {routing.primary, routing.canary}) {
    if (served) {
      const double percent = served == routing.canary ? routing.canary_percent
                             : routing.canary         ? 100 - routing.canary_percent
                                                      : 100;
      traffic.push_back({{"model", served->model}, {"version", served->version}, {"percent", percent}});
      if (served->version > 0) {
        edges.push_back({"model:" + served->display(), "deployment:" + core.deployment_id, "serves"});
      }
    }
  }
  deployment.meta["traffic"] = std::move(traffic);
  deployment.meta["precision"] = routing.primary->info.precision;
  if (core.store != nullptr && !edges.empty()) {
    core.store->lineage().add_edges(edges);
  }
}

// The switch is made already: a store that cannot be written now must not undo it.
void ModelServer::Impl::on_change(const Routing& routing, const std::string& reason) {
  core.context.log.info("traffic changed", {{"reason", reason}, {"primary", routing.primary->display()}});
  const std::lock_guard lock(record_mutex);
  try {
    record_serving(routing);
    put_record(deployment.status);
    record_event(reason == "rollback" ? "rollback" : "traffic_changed",
                 {{"reason", reason}, {"traffic", deployment.meta["traffic"]}});
  } catch (const std::exception& error) {
    core.context.log.error("a change of traffic was not recorded", {{"error", std::string(error.what())}});
  }
}

void ModelServer::Impl::follow_loop() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    wake.wait_for(lock, std::chrono::milliseconds(options.follow_alias_ms), [this] { return stopping; });
    if (!stopping) {
      lock.unlock();
      core.fleet.follow();
      lock.lock();
    }
  }
}

void ModelServer::Impl::stop_follower() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  wake.notify_all();
  if (follower.joinable()) {
    follower.join();
  }
}

ModelServer::ModelServer(ServeOptions options, record::Store* store, base::Context& context, ServeHooks hooks)
    : impl_(std::make_unique<Impl>(std::move(options), store, context, std::move(hooks))) {}

ModelServer::~ModelServer() {
  if (impl_->http) {
    impl_->stop_follower();
    impl_->http->stop();
  }
}

void ModelServer::start() {
  Impl& impl = *impl_;
  Core& core = impl.core;
  impl.signals = std::make_unique<net::SignalWait>();
  if (core.access || !impl.options.http.tls_cert.empty()) {
    impl.signals->on_hangup(hangup_handler(impl.options.access, core.access.get(), impl.http, core.context.log));
  }
  impl.deployment.id = core.deployment_id;
  impl.deployment.model = impl.options.model;
  impl.deployment.pid = getpid();
  impl.deployment.started_ms = core.context.clock.unix_ms();
  const double begin = base::monotonic_seconds();
  core.fleet.start();
  const Routing first = core.fleet.snapshot();
  core.endpoint = impl.options.endpoint.empty() ? first.primary->model : impl.options.endpoint;
  impl.deployment.endpoint = core.endpoint;
  impl.http =
      std::make_unique<net::HttpServer>(impl.options.http, impl.make_router(), core.context.log,
                                        counting_observer(core.metrics, core.context.log), gate_of(core.access.get()));
  core.fleet.on_change([&impl](const Routing& routing, const std::string& reason) { impl.on_change(routing, reason); });
  impl.http->start();
  const double seconds = base::monotonic_seconds() - begin;
  const std::lock_guard lock(impl.record_mutex);
  impl.deployment.address = impl.http->url();
  impl.record_serving(first);
  impl.put_record(DeploymentStatus::kReady);
  impl.record_event(
      "deploy_started",
      {{"endpoint", core.endpoint}, {"model", impl.options.model}, {"started_ms", impl.deployment.started_ms}});
  impl.record_event("deploy_ready", {{"endpoint", core.endpoint},
                                     {"address", impl.deployment.address},
                                     {"seconds", seconds},
                                     {"traffic", impl.deployment.meta["traffic"]}});
  if (impl.options.follow_alias_ms > 0) {
    impl.follower = std::thread([&impl] { impl.follow_loop(); });
  }
  impl.started = true;
  core.context.log.info("serving", {{"model", first.primary->display()},
                                    {"url", impl.deployment.address},
                                    {"precision", first.primary->info.precision},
                                    {"seconds", seconds}});
}

std::string ModelServer::url() const { return impl_->http->url(); }
int ModelServer::port() const { return impl_->http->port(); }
const std::string& ModelServer::deployment_id() const { return impl_->core.deployment_id; }
std::string ModelServer::serving() const { return impl_->core.fleet.snapshot().primary->display(); }
net::MetricRegistry& ModelServer::metrics() { return impl_->core.metrics; }

int ModelServer::wait_until_signal() { return impl_->signals->wait(impl_->core.context.stop); }

int ModelServer::drain(std::chrono::milliseconds deadline) {
  Impl& impl = *impl_;
  if (!impl.started) {
    return 0;
  }
  impl.started = false;
  const auto allowed = deadline.count() > 0 ? deadline : std::chrono::milliseconds(impl.options.drain_ms);
  impl.stop_follower();
  try {
    const std::lock_guard lock(impl.record_mutex);
    impl.put_record(DeploymentStatus::kDraining);
  } catch (const std::exception& error) {
    impl.core.context.log.warning("the drain was not recorded", {{"error", std::string(error.what())}});
  }
  const int cut = impl.http->drain(allowed);
  impl.core.shut_down();
  const std::lock_guard lock(impl.record_mutex);
  impl.put_record(DeploymentStatus::kStopped);
  impl.record_event("deploy_stopped", {{"cut_off", cut}});
  impl.signals.reset();
  return cut;
}

Json ModelServer::deployment() const { return describe_deployment(impl_->core, 0, false); }
void ModelServer::set_canary(const std::string& reference, double percent) {
  impl_->core.fleet.set_canary(reference, percent);
}
void ModelServer::rollback() { impl_->core.fleet.rollback(); }

}  // namespace slipway::serve
