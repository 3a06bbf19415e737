#include "serve/generator_server.h"

#include "net/signals.h"
#include "serve/generator_core.h"

namespace slipway::serve {

struct GeneratorServer::Impl {
  Impl(GeneratorServerOptions options_in, std::unique_ptr<engine::Generator> generator, base::Context& context)
      : options(std::move(options_in)), core(std::move(generator), options.name, context), http(make_http()) {}

  std::unique_ptr<net::HttpServer> make_http() {
    core.access = make_access(options.access, core.metrics);
    return std::make_unique<net::HttpServer>(options.http, make_router(), core.context.log,
                                             counting_observer(core.metrics, core.context.log),
                                             gate_of(core.access.get()));
  }

  net::Router make_router() {
    net::Router router;
    add_openai_routes(router, core);
    add_tgi_routes(router, core);
    add_ollama_routes(router, core);
    router.add("GET", "/", [](const net::Request& request, const net::Responder& responder) {
      responder.send(front_page(request, true));
    });
    router.add("GET", "/health", [this](const net::Request&, const net::Responder& responder) {
      responder.send(net::json_response({{"status", "ok"}, {"model", core.name}}));
    });
    router.add("GET", "/metrics", [this](const net::Request& request, const net::Responder& responder) {
      responder.send(core.metrics.response(request.headers.get("Accept")));
    });
    return router;
  }

  GeneratorServerOptions options;
  GeneratorCore core;
  std::unique_ptr<net::HttpServer> http;
  std::unique_ptr<net::SignalWait> signals;
  bool started = false;
};

namespace {

GeneratorServerOptions named(GeneratorServerOptions options, const engine::Generator& generator) {
  if (options.name.empty()) {
    options.name = generator.info().name;
  }
  return options;
}

}  // namespace

GeneratorServer::GeneratorServer(GeneratorServerOptions options, std::unique_ptr<engine::Generator> generator,
                                 base::Context& context) {
  options = named(std::move(options), *generator);
  impl_ = std::make_unique<Impl>(std::move(options), std::move(generator), context);
}

GeneratorServer::~GeneratorServer() { impl_->http->stop(); }

void GeneratorServer::start() {
  impl_->signals = std::make_unique<net::SignalWait>();
  if (impl_->core.access || !impl_->options.http.tls_cert.empty()) {
    impl_->signals->on_hangup(
        hangup_handler(impl_->options.access, impl_->core.access.get(), impl_->http, impl_->core.context.log));
  }
  impl_->http->start();
  impl_->started = true;
  impl_->core.context.log.info("serving", {{"model", impl_->core.name}, {"url", impl_->http->url()}});
}

std::string GeneratorServer::url() const { return impl_->http->url(); }
int GeneratorServer::port() const { return impl_->http->port(); }
const std::string& GeneratorServer::name() const { return impl_->core.name; }
net::MetricRegistry& GeneratorServer::metrics() { return impl_->core.metrics; }
int GeneratorServer::wait_until_signal() { return impl_->signals->wait(impl_->core.context.stop); }

int GeneratorServer::drain(std::chrono::milliseconds deadline) {
  if (!impl_->started) {
    return 0;
  }
  impl_->started = false;
  const auto allowed = deadline.count() > 0 ? deadline : std::chrono::milliseconds(impl_->options.drain_ms);
  const int cut = impl_->http->drain(allowed);
  impl_->core.generator->drain(std::chrono::milliseconds(1));  // what was cut off needs no answer
  impl_->signals.reset();
  return cut;
}

}  // namespace slipway::serve
