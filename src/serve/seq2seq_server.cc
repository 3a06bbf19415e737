#include "serve/seq2seq_server.h"

#include <atomic>
#include <fmt/format.h>

#include "engine/text2text.h"
#include "net/signals.h"
#include "serve/body.h"
#include "serve/handling.h"
#include "serve/workers.h"

namespace slipway::serve {
namespace {

constexpr int kWorkers = 2;
constexpr size_t kWorkerQueue = 256;
constexpr size_t kMaxInputs = 256;  // of one request

// The texts of one HTTP request under way; owned by the callbacks of its requests.
struct Batch {
  Batch(net::Responder responder_in, std::string task_in, bool list_in, size_t count)
      : responder(std::move(responder_in)), task(std::move(task_in)), list(list_in), results(count), left(count) {}
  net::Responder responder;
  std::string task;
  bool list;  // "inputs" was a list
  std::vector<engine::Seq2SeqResult> results;
  std::atomic<size_t> left;
  std::atomic<bool> refused{false};  // the client was told that it failed
};

net::Response answer_of(const Batch& batch) {
  for (const engine::Seq2SeqResult& result : batch.results) {
    if (result.cancelled) {
      return plain_error(503, "the request was cancelled: the server is stopping");
    }
    if (result.error) {
      try {
        std::rethrow_exception(result.error);
      } catch (const std::exception& error) {
        return plain_error(status_of(error), message_of(error));
      }
    }
  }
  // As pipelines: one list for one text; of a list of texts an object each, or a list each of several sequences.
  Json all = Json::array();
  for (const engine::Seq2SeqResult& result : batch.results) {
    Json one = engine::text2text_answer(batch.task, result);
    if (!batch.list) {
      return net::json_response(one);
    }
    all.push_back(one.size() == 1 ? one[0] : std::move(one));
  }
  return net::json_response(all);
}

}  // namespace

struct Seq2SeqServer::Impl {
  Impl(Seq2SeqServerOptions options_in, std::unique_ptr<engine::Seq2Seq> model_in, base::Context& context_in)
      : options(std::move(options_in)),
        name(options.name.empty() ? model_in->info().name : options.name),
        context(context_in),
        model(std::move(model_in)),
        texts(metrics.counter("slipway_texts_total", "Texts answered.")),
        tokens(metrics.counter("slipway_tokens_total", "Tokens computed.", {"kind"}, {"output"})),
        seconds(metrics.histogram("slipway_generation_seconds", "From the request to its last token.",
                                  net::latency_bounds())),
        workers(kWorkers, kWorkerQueue) {
    options.task = engine::Text2TextOptions::of(model->info(), options.task, {}, "the server").task;
    const auto gauge = [this](const char* metric, const char* help, auto read) {
      metrics.callback(metric, help, [this, read] { return static_cast<double>(read(model->stats())); });
    };
    gauge("slipway_running_requests", "Texts being answered.", [](const engine::Seq2SeqStats& s) { return s.running; });
    gauge("slipway_waiting_requests", "Texts that wait.", [](const engine::Seq2SeqStats& s) { return s.waiting; });
    metrics.add_process_metrics();
    access = make_access(options.access, metrics);
    http = std::make_unique<net::HttpServer>(options.http, make_router(), context.log,
                                             counting_observer(metrics, context.log), gate_of(access.get()));
  }
  ~Impl() {
    http->stop();
    workers.stop();
    model.reset();  // its last callbacks count in the metrics
  }

  void submit(const Json& body_json, const net::Responder& responder) {
    const Body body(body_json);
    const Json* inputs = body.find("inputs");
    const std::vector<std::string> sources = body.texts("inputs", kMaxInputs);
    if (sources.empty()) {
      reject("inputs", "'inputs' must be a text, or a list of texts");
    }
    static const Json kNone = Json::object();
    const Json* parameters = body.find("parameters");
    const engine::Text2TextOptions task =
        engine::Text2TextOptions::of(model->info(), body.text("task").value_or(options.task),
                                     parameters != nullptr ? *parameters : kNone, "parameters");
    std::vector<engine::Seq2SeqRequest> requests;
    for (const std::string& text : sources) {
      requests.push_back(engine::text2text_request(*model, text, task));
    }
    const auto batch = std::make_shared<Batch>(responder, task.task, inputs->is_array(), requests.size());
    if (access) {
      size_t input_tokens = 0;
      for (const engine::Seq2SeqRequest& one : requests) {
        input_tokens += one.ids.size();
      }
      access->charge(responder.client(), static_cast<int64_t>(input_tokens), 0);
    }
    std::vector<uint64_t> handles;
    for (size_t i = 0; i < requests.size(); ++i) {
      requests[i].on_done = [this, batch, i](const engine::Seq2SeqResult& result) { done(*batch, i, result); };
      try {
        handles.push_back(model->submit(std::move(requests[i])));
      } catch (const base::Error& error) {
        batch->refused = true;
        for (const uint64_t handle : handles) {
          model->cancel(handle);
        }
        if (error.code() == base::Code::kUnavailable) {
          throw StatusError(429, "too many requests are waiting; try again in a second");
        }
        throw;
      }
    }
  }

  void done(Batch& batch, size_t i, const engine::Seq2SeqResult& result) {
    texts.add(1);
    seconds.observe(std::chrono::duration<double>(result.total).count());
    for (const engine::Seq2SeqResult::Sequence& one : result.sequences) {
      tokens.add(static_cast<int64_t>(one.ids.size()));
      if (access) {
        access->charge(batch.responder.client(), 0, static_cast<int64_t>(one.ids.size()));
      }
    }
    batch.results[i] = result;
    if (batch.left.fetch_sub(1) == 1 && !batch.refused) {
      batch.responder.send(answer_of(batch));
    }
  }

  net::Router make_router() {
    net::Router router;
    router.add("POST", "/",
               on_worker(
                   workers, context.log,
                   [this](const net::Request& request, const net::Responder& responder) {
                     submit(parse_body(request), responder);
                   },
                   plain_error));
    for (const char* path : {"/", "/info"}) {
      router.add("GET", path, [this](const net::Request&, const net::Responder& responder) {
        const engine::Seq2SeqInfo& info = model->info();
        responder.send(net::json_response({{"model_id", name},
                                           {"task", options.task},
                                           {"architecture", info.architecture},
                                           {"parameters", info.parameters},
                                           {"model_dtype", info.weight_type},
                                           {"max_input_tokens", info.context_length},
                                           {"version", SLIPWAY_VERSION}}));
      });
    }
    router.add("GET", "/health", [this](const net::Request&, const net::Responder& responder) {
      responder.send(net::json_response({{"status", "ok"}, {"model", name}}));
    });
    router.add("GET", "/metrics", [this](const net::Request& request, const net::Responder& responder) {
      responder.send(metrics.response(request.headers.get("Accept")));
    });
    return router;
  }

  Seq2SeqServerOptions options;
  const std::string name;
  base::Context& context;
  std::unique_ptr<engine::Seq2Seq> model;
  net::MetricRegistry metrics;
  net::Counter& texts;
  net::Counter& tokens;
  net::Histogram& seconds;
  Workers workers;
  std::unique_ptr<net::AccessControl> access;  // null: no API keys
  std::unique_ptr<net::HttpServer> http;
  std::unique_ptr<net::SignalWait> signals;
  bool started = false;
};

Seq2SeqServer::Seq2SeqServer(Seq2SeqServerOptions options, std::unique_ptr<engine::Seq2Seq> model,
                             base::Context& context)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(model), context)) {}

Seq2SeqServer::~Seq2SeqServer() = default;

void Seq2SeqServer::start() {
  impl_->signals = std::make_unique<net::SignalWait>();
  if (impl_->access || !impl_->options.http.tls_cert.empty()) {
    impl_->signals->on_hangup(
        hangup_handler(impl_->options.access, impl_->access.get(), impl_->http, impl_->context.log));
  }
  impl_->http->start();
  impl_->started = true;
  impl_->context.log.info("serving", {{"model", impl_->name}, {"url", impl_->http->url()}});
}

std::string Seq2SeqServer::url() const { return impl_->http->url(); }
int Seq2SeqServer::port() const { return impl_->http->port(); }
const std::string& Seq2SeqServer::name() const { return impl_->name; }
net::MetricRegistry& Seq2SeqServer::metrics() { return impl_->metrics; }
int Seq2SeqServer::wait_until_signal() { return impl_->signals->wait(impl_->context.stop); }

int Seq2SeqServer::drain(std::chrono::milliseconds deadline) {
  if (!impl_->started) {
    return 0;
  }
  impl_->started = false;
  const auto allowed = deadline.count() > 0 ? deadline : std::chrono::milliseconds(impl_->options.drain_ms);
  const int cut = impl_->http->drain(allowed);
  impl_->model->drain(std::chrono::milliseconds(1));  // what was cut off needs no answer
  impl_->signals.reset();
  return cut;
}

}  // namespace slipway::serve
