#include "serve/core.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/clock.h"
#include "serve/tracing.h"

namespace slipway::serve {

namespace {

constexpr int kWorkers = 2;
constexpr size_t kWorkerQueue = 256;
constexpr size_t kExplainQueue = 16;  // an explanation takes about a second

Logging parse_logging(const std::string& text, bool has_store) {
  if (!has_store || text == "off") {
    return Logging::kOff;
  }
  if (text != "durable" && text != "async") {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("log_predictions is '{}'; it must be durable, async or off", text));
  }
  return text == "durable" ? Logging::kDurable : Logging::kAsync;
}

}  // namespace

struct Core::Gather {
  Inference inference;
  std::shared_ptr<Batch> batch = std::make_shared<Batch>();
  std::vector<std::string> texts;
  std::atomic<size_t> left{0};
  std::mutex mutex;  // guards error
  std::exception_ptr error;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

  void fail(std::exception_ptr why) {
    const std::lock_guard lock(mutex);
    if (!error) {
      error = std::move(why);
    }
  }
};

Core::Core(const ServeOptions& options_in, record::Store* store_in, const Host& host, ServeHooks hooks_in)
    : options(options_in),
      store(store_in),
      context(host.context),
      hooks(std::move(hooks_in)),
      deployment_id(record::new_id()),
      logging(parse_logging(options.log_predictions, store != nullptr)),
      fleet(options, store, context, hooks.loader ? hooks.loader : BackendLoader(load_backend)),
      access(host.access),
      workers(kWorkers, kWorkerQueue),
      explainers(1, kExplainQueue),
      queue_seconds_(metrics.histogram("slipway_queue_seconds", "Time a text waits until its batch begins.",
                                       net::latency_bounds())),
      compute_seconds_(
          metrics.histogram("slipway_compute_seconds", "Time of the batch that a text was in.", net::latency_bounds())),
      batch_seconds_(metrics.histogram("slipway_inference_seconds",
                                       "Time from a request's arrival to its results, before they are logged.",
                                       net::latency_bounds())),
      tokens_(metrics.counter("slipway_tokens_total", "Tokens computed.", {"kind"}, {"input"})),
      texts_(metrics.counter("slipway_texts_total", "Texts computed.")) {
  if (logging != Logging::kOff) {
    writer = std::make_unique<PredictionWriter>(store->predictions(), static_cast<size_t>(options.log_queue), metrics,
                                                context.log);
  }
  if (hooks.monitor) {
    feed =
        std::make_unique<MonitorFeed>(hooks.monitor, static_cast<size_t>(options.monitor_queue), metrics, context.log);
  }
  metrics.callback("slipway_queued_texts", "Texts waiting for the engine.", [this] {
    const Routing now = fleet.snapshot();
    double queued = 0;
    for (const auto& served : {now.primary, now.canary}) {
      queued += served ? served->backend->queued() : 0;
    }
    return queued;
  });
}

Core::~Core() { shut_down(); }

void Core::shut_down() {
  explainers.stop();
  workers.stop();
  fleet.unload();
  if (writer) {
    writer->stop();
  }
  if (feed) {
    feed->stop();
  }
}

std::shared_ptr<Served> Core::version_for(const net::Request& request) const {
  const std::string_view version = request.param("version");
  if (version.empty()) {
    return fleet.pick(request.id);
  }
  std::shared_ptr<Served> served = fleet.pick_version(version);
  if (!served) {
    const Routing now = fleet.snapshot();
    throw StatusError(
        404, fmt::format("version '{}' is not served; served: {}{}", version.substr(0, 40), now.primary->version_text(),
                         now.canary ? ", " + now.canary->version_text() : ""));
  }
  return served;
}

bool Core::is_called(std::string_view name) const {
  const Routing now = fleet.snapshot();
  return name == endpoint || name == now.primary->model || (now.canary && name == now.canary->model);
}

void Core::check_model_name(std::string_view name) const {
  if (!is_called(name)) {
    throw StatusError(404, fmt::format("model '{}' is not served here; served: '{}'", name.substr(0, 100), endpoint));
  }
}

void Core::check_count(size_t texts) const {
  if (texts == 0) {
    throw StatusError(400, "the request has no inputs");
  }
  if (texts > static_cast<size_t>(options.max_inputs)) {
    throw StatusError(
        413, fmt::format("the request has {} inputs; at most {} are taken at a time", texts, options.max_inputs));
  }
}

void Core::check_text(const std::string& text) const {
  if (text.size() > static_cast<size_t>(options.max_text_bytes)) {
    throw StatusError(413,
                      fmt::format("an input has {} bytes; at most {} are taken", text.size(), options.max_text_bytes));
  }
}

Item Core::tokenize(const Served& served, std::string text) const {
  check_text(text);
  Item item;
  item.ids = served.backend->encode(text);
  if (static_cast<int>(item.ids.size()) >= served.info.max_length) {
    text::Encoding whole;
    served.backend->tokenizer().encode(text, {}, whole);
    item.truncated = whole.ids.size() > item.ids.size();
  }
  item.text = std::move(text);
  return item;
}

Item Core::tokenize_pair(const Served& served, std::string first, const std::string& second) const {
  check_text(first);
  check_text(second);
  const BackendTaskModel model(served.backend);
  engine::Input input = engine::encode_task_text(model, {first, second});
  Item item;
  if (static_cast<int>(input.ids.size()) >= served.info.max_length) {
    text::Encoding whole;
    served.backend->tokenizer().encode_pair(first, second, {}, whole);
    item.truncated = whole.ids.size() > input.ids.size();
  }
  item.ids = std::move(input.ids);
  item.types = std::move(input.types);
  item.text = std::move(first) + '\n' + second;  // what the record shows
  return item;
}

void Core::infer(Inference inference) {
  const std::shared_ptr<Served> served = inference.served;
  const size_t count = inference.items.size();
  if (static_cast<size_t>(served->backend->queued()) + count > static_cast<size_t>(served->info.max_queue)) {
    inference.responder.send(inference.render_error(429, "too many texts are waiting; try again in a second"));
    return;
  }
  int64_t tokens = 0;
  for (const Item& item : inference.items) {
    tokens += static_cast<int64_t>(item.ids.size());
  }
  trace_tokens(inference.responder.trace(), tokens, 0);
  if (access) {
    access->charge(inference.responder.client(), tokens, 0);
  }
  auto gather = std::make_shared<Gather>();
  gather->inference = std::move(inference);
  gather->batch->served = served;
  gather->batch->answers.resize(count);
  gather->left.store(count);
  for (size_t i = 0; i < count; ++i) {
    Item& item = gather->inference.items[i];
    Answer& slot = gather->batch->answers[i];
    slot.truncated = item.truncated;
    slot.prediction.text = std::move(item.text);
    slot.ids = item.ids;
    try {
      engine::Input input{.ids = std::move(item.ids), .types = std::move(item.types)};
      input.wanted = [responder = gather->inference.responder] { return responder.wanted(); };
      served->backend->submit(std::move(input),
                              [this, gather, i](engine::BatchResult result) {
                                Answer& answer = gather->batch->answers[i];
                                if (result.error) {
                                  gather->fail(result.error);
                                } else {
                                  answer.prediction.tokens = result.tokens;
                                  answer.logits = std::move(result.logits);
                                  answer.embedding = std::move(result.embedding);
                                  queue_seconds_.observe(std::chrono::duration<double>(result.queued).count());
                                  compute_seconds_.observe(std::chrono::duration<double>(result.computed).count());
                                  tokens_.add(result.tokens);
                                  texts_.add();
                                }
                                if (gather->left.fetch_sub(1) == 1) {
                                  finish(gather);
                                }
                              });
    } catch (...) {
      gather->fail(std::current_exception());
      const size_t never = count - i;  // this one and those after it
      if (gather->left.fetch_sub(never) == never) {
        finish(gather);
      }
      return;
    }
  }
}

// Softmax, label, identity of each answer.
void Core::fill(Gather& gather) {
  const Served& served = *gather.batch->served;
  const auto elapsed = std::chrono::steady_clock::now() - gather.start;
  const int64_t latency_us = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
  const int64_t now_ms = context.clock.unix_ms();
  for (Answer& answer : gather.batch->answers) {
    record::Prediction& prediction = answer.prediction;
    prediction.id = "p-" + record::new_id();
    prediction.time_ms = now_ms;
    prediction.deployment = deployment_id;
    prediction.model = served.display();
    prediction.latency_us = latency_us;
    if (answer.logits.empty()) {
      continue;
    }
    model::Matrix row{1, static_cast<int>(answer.logits.size()), answer.logits};
    model::class_probabilities(row);
    const auto best = static_cast<size_t>(model::argmax(row.values));
    prediction.scores = std::move(row.values);
    prediction.score = prediction.scores[best];
    prediction.label = best < served.labels.size() ? served.labels[best] : std::to_string(best);
  }
  batch_seconds_.observe(std::chrono::duration<double>(elapsed).count());
  gather.batch->served->record_outcome(now_ms, latency_us, true);
}

void Core::finish(const std::shared_ptr<Gather>& gather) {
  const Inference& inference = gather->inference;
  if (gather->error) {
    int status = 500;
    std::string message;
    try {
      std::rethrow_exception(gather->error);
    } catch (const std::exception& error) {
      status = status_of(error);
      status = status == 503 ? 429 : status;  // a queue that filled between the check and the call
      message = message_of(error);
      if (status >= 500) {
        context.log.error("a batch failed", {{"model", gather->batch->served->display()}, {"error", error.what()}});
      }
    }
    if (status >= 500) {
      gather->batch->served->record_outcome(context.clock.unix_ms(), 0, false);
    }
    inference.responder.send(inference.render_error(status, message));
    return;
  }
  fill(*gather);
  if (inference.is_prediction && feed) {
    feed->push(gather->batch);
  }
  if (!inference.is_prediction || logging == Logging::kOff) {
    answer(gather);
    return;
  }
  if (logging == Logging::kAsync) {
    writer->push(gather->batch, {});
    answer(gather);
    return;
  }
  const bool taken = writer->push(gather->batch, [this, gather](const std::exception_ptr& error) {
    if (error) {
      gather->inference.responder.send(
          gather->inference.render_error(503, "the prediction could not be recorded; the server's log says why"));
    } else {
      answer(gather);
    }
  });
  if (!taken) {
    inference.responder.send(inference.render_error(429, "too many predictions wait to be recorded; try again"));
  }
}

// The JSON is made on the network's thread: the scheduler's and the writer's are shared by all requests.
void Core::answer(const std::shared_ptr<Gather>& gather) {
  gather->inference.responder.send([gather] { return gather->inference.render(*gather->batch); });
}

net::Handler Core::worker_handler(Handle handle, RenderError render_error) {
  return on_worker(workers, context.log, std::move(handle), std::move(render_error));
}

net::Handler Core::handler(Handle handle, RenderError render_error) {
  return here_or_on_worker(workers, context.log, std::move(handle), std::move(render_error));
}

}  // namespace slipway::serve
