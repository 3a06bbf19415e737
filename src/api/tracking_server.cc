#include "api/tracking_server.h"

#include <fmt/format.h>

#include "api/annotate.h"
#include "api/guard.h"
#include "api/hub.h"
#include "api/routes.h"
#include "api/trace_measures.h"
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
  access.describe(table);
  oidc.describe(table);
  table.add("allowed_hosts", allowed_hosts, "names of this server that requests may be for (Host); default: any, or on "
                                            "this machine without accounts those of this machine");
  table.add("insecure_no_tls", insecure_no_tls, "let other machines send passwords in the clear: a proxy does TLS");
  table.add("max_queue", max_queue, "requests that may wait for a worker; more are answered 429", {1, 1e6});
  webhooks.describe(table);
  annotation.describe(table);
}

namespace {

bool is_for_this_machine(const std::string& address) { return is_loopback_host(address) || address == "::1"; }

AuthorityOptions access_of(const TrackingServerOptions& options) {
  AuthorityOptions access = options.access;
  access.required = !is_for_this_machine(options.http.address) || !options.oidc.issuer.empty();
  access.secure = !options.http.tls_cert.empty();
  return access;
}

// Nobody but programs on this machine may reach the record unasked or unencrypted.
void check_address(const TrackingServerOptions& options, record::Store& store) {
  if (is_for_this_machine(options.http.address)) {
    return;
  }
  if (options.http.tls_cert.empty() && !options.insecure_no_tls) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' lets other machines in, and passwords and tokens would travel in the clear: give "
                                  "--tls-cert and --tls-key, or --insecure-no-tls behind a proxy that does TLS",
                                  options.http.address));
  }
  const auto all = store.accounts().read(-1);
  if (options.oidc.issuer.empty() && (!all || all->accounts.empty())) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' lets other machines in, and there is no account that could: make one with `slipway "
                                  "users add NAME --admin`, or set SLIPWAY_ADMIN_NAME and SLIPWAY_ADMIN_PASSWORD",
                                  options.http.address));
  }
}

// Before an authority is made, which asks for no accounts when there are none.
const TrackingServerOptions& checked(const TrackingServerOptions& options, record::Store& store) {
  check_address(options, store);
  return options;
}

}  // namespace

struct TrackingServer::Impl {
  Impl(TrackingServerOptions options_in, record::Store& store, base::Context& context_in)
      : options(std::move(options_in)),
        context(context_in),
        webhooks(options.webhooks, store, context_in.log),
        backend{store, context_in.clock, !options.http.tls_cert.empty(), &authority, &webhooks},
        authority(access_of(checked(options, store)), store, context_in.clock, context_in.log),
        oidc(options.oidc.issuer.empty() ? nullptr : std::make_unique<Oidc>(options.oidc, context_in.clock)),
        desk(store, context_in.log, options.annotation_models, options.annotation),
        workers(options.workers, static_cast<size_t>(options.max_queue)) {
    auto filled = std::make_shared<net::Router>();
    Routes routes(*filled, *rules, {workers, context.log, authority, store},
                  [](const std::exception& error) { return error_answer(error); });
    add_server_routes(routes, backend);
    add_session_routes(routes, oidc != nullptr, authority, store);
    add_oidc_routes(routes, oidc.get(), authority, store);
    add_experiment_routes(routes, backend);
    add_run_routes(routes, backend);
    add_metric_routes(routes, backend);
    add_artifact_routes(routes, backend);
    add_model_routes(routes, backend);
    add_version_routes(routes, backend);
    Routes hub(*filled, *rules, {workers, context.log, authority, store}, hub_error_answer);
    add_hub_repo_routes(hub, backend);
    add_hub_tree_routes(hub, backend);
    add_hub_ref_routes(hub, backend);
    add_hub_commit_routes(hub, backend);
    add_hub_lfs_routes(hub, backend);
    add_hub_xet_routes(hub, backend);
    add_hub_xet_read_routes(hub, backend);
    add_ui_run_routes(routes, backend);
    add_ui_record_routes(routes, backend);
    add_ui_dataset_routes(routes, backend);
    add_ui_model_routes(routes, backend);
    add_ui_approval_routes(routes, backend);
    add_annotation_project_routes(routes, backend, desk);
    add_annotation_task_routes(routes, backend, desk);
    add_annotation_file_routes(routes, backend);
    add_ui_files(routes);
    add_logged_model_routes(routes, backend);
    add_trace_routes(routes, backend);
    add_trace_measure_routes(routes, backend);
    add_assessment_routes(routes, backend);
    add_otlp_routes(routes, backend);
    add_upload_routes(routes, backend);
    add_webhook_routes(routes, backend);
    add_eval_dataset_routes(routes, backend);
    add_scorer_routes(routes, backend);
    add_graphql_routes(routes);
    add_absent_routes(routes);
    router = filled;
    http = std::make_unique<net::HttpServer>(options.http, *router, context.log, net::Observer(),
                                             make_guard(router, rules, authority, {options.allowed_hosts}));
  }

  TrackingServerOptions options;
  base::Context& context;
  WebhookSender webhooks;
  Backend backend;
  Authority authority;
  std::unique_ptr<Oidc> oidc;  // null: nobody logs in by an issuer
  AnnotationDesk desk;  // with a thread that trains
  std::shared_ptr<Rules> rules = std::make_shared<Rules>();
  std::shared_ptr<const net::Router> router;
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
  forget_old_uploads(impl_->backend);
  impl_->signals = std::make_unique<net::SignalWait>();
  impl_->signals->on_hangup([this] { reload_tls(); });
  impl_->http->start();
  impl_->started = true;
  impl_->context.log.info("serving the record", {{"url", impl_->http->url()}});
}

std::string TrackingServer::url() const { return impl_->http->url(); }
int TrackingServer::port() const { return impl_->http->port(); }
std::vector<std::tuple<std::string, std::string, const Rule*>> TrackingServer::routes() const {
  std::vector<std::tuple<std::string, std::string, const Rule*>> all;
  for (const auto& [method, pattern] : impl_->router->routes()) {
    all.emplace_back(method, pattern, impl_->rules->find(method, pattern));
  }
  return all;
}

void TrackingServer::reload_tls() {
  try {
    impl_->http->reload_tls();
  } catch (const std::exception& error) {
    impl_->context.log.error("the certificate could not be read again; the one in use stays",
                             {{"error", std::string(error.what())}});
  }
}

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
