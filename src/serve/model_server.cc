#include "serve/model_server.h"

#include <condition_variable>
#include <fmt/format.h>
#include <future>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "net/signals.h"
#include "serve/choice.h"
#include "serve/handling.h"
#include "serve/oip_grpc.h"
#include "serve/routes_models.h"
#include "serve/tracing.h"

namespace slipway::serve {

namespace {

constexpr size_t kAskQueue = 256;
constexpr size_t kChangeQueue = 16;              // loading takes seconds
constexpr size_t kInlineBody = size_t{8} << 10;  // a body up to here is searched in well under a millisecond

constexpr std::chrono::milliseconds kFlushTraces{5000};  // for the last spans, once all else has ended

// Addresses that clients of a protocol try: told in its own words where no model has them.
struct Absent {
  const char* path;
  int status;
};
constexpr Absent kAbsent[] = {{"/v1/embeddings", 404},  {"/v1/responses", 404}, {"/v1/chat/completions", 404},
                              {"/v1/completions", 404}, {"/api/pull", 501},     {"/api/push", 501},
                              {"/api/create", 501},     {"/api/copy", 501},     {"/api/embed", 501},
                              {"/api/embeddings", 501}};

}  // namespace

struct ModelServer::Impl {
  Impl(ServeOptions options_in, std::vector<ModelSource> sources_in, MakeModel make, base::Context& context_in)
      : options(std::move(options_in)),
        sources(std::move(sources_in)),
        context(context_in),
        access(make_access(options.access, metrics)),
        asking(1, kAskQueue),
        changers(1, kChangeQueue),
        models(std::move(make), Host{context, access.get()}, [this] { routes_changed(); }) {
    metrics.add_process_metrics();
    if (!options.otlp.endpoint.empty()) {
      traces = std::make_unique<net::OtlpExporter>(options.otlp, SLIPWAY_VERSION, metrics, context.log);
    }
  }
  net::SpanSink spans() const { return traces ? request_spans(traces->sink()) : net::SpanSink(); }

  net::Router make_router();
  void routes_changed();
  void publish_router();
  void make_grpc();
  void dispatch(const std::string& method, const std::string& pattern, net::Request request,
                const net::Responder& responder);
  void ask_body(const std::string& method, const std::string& pattern, net::Request request,
                const net::Responder& responder);
  void give(const Choice& choice, const std::string& method, const std::string& pattern, net::Request request,
            const net::Responder& responder);
  void follow_loop();
  void stop_follower();

  const ServeOptions options;
  const std::vector<ModelSource> sources;
  base::Context& context;
  net::MetricRegistry metrics;
  std::unique_ptr<net::AccessControl> access;  // null: no API keys
  std::unique_ptr<net::OtlpExporter> traces;   // null: nobody traces
  std::unique_ptr<net::HttpServer> http;
  std::unique_ptr<net::GrpcServer> grpc;                 // null without gRPC
  std::mutex router_mutex;                               // guards live_routes; held for a copy only
  std::shared_ptr<const net::Router> live_routes;        // what gRPC's methods become routes of
  net::Workers asking;                                   // large bodies, for the model that they name
  net::Workers changers;                                 // loading and unloading
  std::mutex offers_mutex;                               // guards offers
  std::set<std::pair<std::string, std::string>> offers;  // method and pattern of all models so far
  Models models;
  std::unique_ptr<net::SignalWait> signals;
  std::mutex mutex;  // guards stopping
  std::condition_variable wake;
  bool stopping = false;
  std::thread follower;
  bool started = false;
};

net::Router ModelServer::Impl::make_router() {
  net::Router router;
  add_model_routes(router,
                   {models, metrics, access.get(), changers, context.log, std::chrono::milliseconds(options.drain_ms)});
  for (const auto& [method, pattern] : offers) {
    router.add(method, pattern,
               [this, method = method, pattern = pattern](net::Request request, const net::Responder& responder) {
                 dispatch(method, pattern, std::move(request), responder);
               });
  }
  for (const Absent& absent : kAbsent) {
    if (router.handler("POST", absent.path) == nullptr) {
      router.add("POST", absent.path, [absent](const net::Request& request, const net::Responder& responder) {
        responder.send(
            error_in_form(request, absent.status, fmt::format("no model of this server answers {}", absent.path)));
      });
    }
  }
  return router;
}

void ModelServer::Impl::publish_router() {
  auto next = std::make_shared<const net::Router>(make_router());
  const std::lock_guard lock(router_mutex);
  live_routes.swap(next);
}

void ModelServer::Impl::make_grpc() {
  if (options.grpc_port < 0) {
    return;
  }
  publish_router();
  net::ServerOptions listening = options.http;
  listening.port = options.grpc_port;
  const auto current = [this] {
    const std::lock_guard lock(router_mutex);
    return live_routes;
  };
  grpc = std::make_unique<net::GrpcServer>(listening, grpc_routes(current), context.log,
                                           counting_observer(metrics, context.log), gate_of(access.get()), spans());
}

// Routes are only ever added: what an unloaded model answered is refused in the words of its protocol.
void ModelServer::Impl::routes_changed() {
  const std::lock_guard lock(offers_mutex);
  const size_t before = offers.size();
  const std::shared_ptr<const Models::Table> table = models.table();
  for (const Models::Entry& entry : *table) {
    if (entry.model) {
      const auto routes = entry.model->routes().routes();
      offers.insert(routes.begin(), routes.end());
    }
  }
  if (http && offers.size() > before) {
    http->replace_router(make_router());
    publish_router();
  }
}

void ModelServer::Impl::give(const Choice& choice, const std::string& method, const std::string& pattern,
                             net::Request request, const net::Responder& responder) {
  if (choice.entry == nullptr) {
    responder.send(error_in_form(request, choice.status, choice.message, "model", "model_not_found"));
    return;
  }
  const std::shared_ptr<ServedModel> model = choice.entry->model;
  responder.keep(model);
  if (choice.entry->kind != ModelKind::kEncoder) {
    responder.allow(std::chrono::milliseconds(options.writers_timeout_ms));
  }
  trace_model(responder.trace(), pattern, choice.entry->name);
  (*model->routes().handler(method, pattern))(std::move(request), responder);
}

void ModelServer::Impl::dispatch(const std::string& method, const std::string& pattern, net::Request request,
                                 const net::Responder& responder) {
  const std::shared_ptr<const Models::Table> table = models.table();
  Choice choice = choose(*table, method, pattern, request, nullptr);
  if (choice.ask_body && request.body.size() > kInlineBody) {
    ask_body(method, pattern, std::move(request), responder);
    return;
  }
  if (choice.ask_body) {
    const std::optional<std::string> named = model_field(request.body);
    choice = choose(*table, method, pattern, request, &named);
  }
  give(choice, method, pattern, std::move(request), responder);
}

void ModelServer::Impl::ask_body(const std::string& method, const std::string& pattern, net::Request request,
                                 const net::Responder& responder) {
  auto shared = std::make_shared<net::Request>(std::move(request));
  const bool taken = asking.post([this, method, pattern, shared, responder] {
    try {
      const std::optional<std::string> named = model_field(shared->body);
      const std::shared_ptr<const Models::Table> table = models.table();
      const Choice choice = choose(*table, method, pattern, *shared, &named);
      give(choice, method, pattern, std::move(*shared), responder);
    } catch (const std::exception& error) {
      responder.fail(error);
    }
  });
  if (!taken) {
    responder.send(error_in_form(*shared, 429, "too many requests are waiting; try again in a second"));
  }
}

void ModelServer::Impl::follow_loop() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    wake.wait_for(lock, std::chrono::milliseconds(options.follow_alias_ms), [this] { return stopping; });
    if (!stopping) {
      lock.unlock();
      models.follow();
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

ModelServer::ModelServer(ServeOptions options, std::vector<ModelSource> models, MakeModel make, base::Context& context)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(models), std::move(make), context)) {}

ModelServer::~ModelServer() {
  if (!impl_->http) {
    return;
  }
  impl_->stop_follower();
  if (impl_->grpc) {
    impl_->grpc->stop();
  }
  impl_->http->stop();
  impl_->models.stop(0);  // what an unloading waits for, too
  impl_->asking.stop();
  impl_->changers.stop();
  impl_->http.reset();
}

void ModelServer::start() {
  Impl& impl = *impl_;
  if (impl.sources.empty()) {
    throw base::Error(base::Code::kInvalid, "there is no model to serve");
  }
  impl.signals = std::make_unique<net::SignalWait>();
  if (impl.access || !impl.options.http.tls_cert.empty()) {
    impl.signals->on_hangup(
        hangup_handler(impl.options.access, impl.access.get(), impl.http, impl.context.log, &impl.grpc));
  }
  const double begin = base::monotonic_seconds();
  std::set<std::string> names;
  for (const ModelSource& source : impl.sources) {
    if (!source.name.empty() && !names.insert(source.name).second) {
      throw base::Error(base::Code::kConflict, fmt::format("two models are called '{}'", source.name));
    }
    impl.models.load(source);
  }
  impl.http = std::make_unique<net::HttpServer>(impl.options.http, impl.make_router(), impl.context.log,
                                                counting_observer(impl.metrics, impl.context.log),
                                                gate_of(impl.access.get()), impl.spans());
  impl.make_grpc();
  impl.http->start();
  if (impl.grpc) {
    impl.grpc->start();
  }
  impl.models.listening(impl.http->url());
  if (impl.options.follow_alias_ms > 0) {
    impl.follower = std::thread([&impl] { impl.follow_loop(); });
  }
  impl.started = true;
  for (const ModelCard& card : cards()) {
    impl.context.log.info("serving", {{"model", card.display},
                                      {"url", impl.http->url()},
                                      {"grpc", grpc_url()},
                                      {"precision", card.weight_type},
                                      {"seconds", base::monotonic_seconds() - begin}});
  }
}

std::string ModelServer::url() const { return impl_->http->url(); }
int ModelServer::port() const { return impl_->http->port(); }
net::MetricRegistry& ModelServer::metrics() { return impl_->metrics; }
std::string ModelServer::grpc_url() const { return impl_->grpc ? impl_->grpc->url() : std::string(); }

std::shared_ptr<ServedModel> ModelServer::find(std::string_view name) const {
  const std::shared_ptr<const Models::Table> table = impl_->models.table();
  if (name.empty()) {
    return table->empty() ? nullptr : table->front().model;
  }
  const Models::Entry* entry = Models::find(*table, name);
  return entry == nullptr ? nullptr : entry->model;
}

std::vector<ModelCard> ModelServer::cards() const { return impl_->models.cards(); }

int ModelServer::wait_until_signal() { return impl_->signals->wait(impl_->context.stop); }

int ModelServer::drain(std::chrono::milliseconds deadline) {
  Impl& impl = *impl_;
  if (!impl.started) {
    return 0;
  }
  impl.started = false;
  const auto allowed = deadline.count() > 0 ? deadline : std::chrono::milliseconds(impl.options.drain_ms);
  impl.stop_follower();
  impl.models.draining();
  auto grpc = std::async(std::launch::async, [&] { return impl.grpc ? impl.grpc->drain(allowed) : 0; });
  const int cut = impl.http->drain(allowed) + grpc.get();
  impl.models.stop(cut);
  if (impl.traces) {
    impl.traces->stop(std::min(allowed, kFlushTraces));
  }
  impl.signals.reset();
  return cut;
}

}  // namespace slipway::serve
