#include "serve/seq2seq_model.h"

#include <atomic>
#include <fmt/format.h>

#include "engine/text2text.h"
#include "serve/body.h"
#include "serve/handling.h"
#include "serve/tracing.h"

namespace slipway::serve {

namespace {

constexpr int kWorkers = 2;
constexpr size_t kWorkerQueue = 256;
constexpr size_t kMaxInputs = 256;  // of one request

}  // namespace

// The texts of one HTTP request under way; owned by the callbacks of its requests.
struct Seq2SeqModel::Batch {
  Batch(net::Responder responder_in, std::string task_in, bool list_in, size_t count)
      : responder(std::move(responder_in)), task(std::move(task_in)), list(list_in), results(count), left(count) {}
  net::Response answer() const;

  net::Responder responder;
  std::string task;
  bool list;  // "inputs" was a list
  std::vector<engine::Seq2SeqResult> results;
  std::atomic<size_t> left;
  std::atomic<bool> refused{false};  // the client was told that it failed
};

net::Response Seq2SeqModel::Batch::answer() const {
  for (const engine::Seq2SeqResult& result : results) {
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
  for (const engine::Seq2SeqResult& result : results) {
    Json one = engine::text2text_answer(task, result);
    if (!list) {
      return net::json_response(one);
    }
    all.push_back(one.size() == 1 ? one[0] : std::move(one));
  }
  return net::json_response(all);
}

Seq2SeqModel::Seq2SeqModel(Seq2SeqModelOptions options, std::unique_ptr<engine::Seq2Seq> model, const Host& host,
                           Origin origin)
    : name_(options.name.empty() ? model->info().name : options.name),
      task_(engine::Text2TextOptions::of(model->info(), options.task, {}, "the server").task),
      created_s_(host.context.clock.unix_ms() / 1000),
      origin_(std::move(origin)),
      access_(host.access),
      model_(std::move(model)),
      texts_(metrics_.counter("slipway_texts_total", "Texts answered.")),
      tokens_(metrics_.counter("slipway_tokens_total", "Tokens computed.", {"kind"}, {"output"})),
      seconds_(metrics_.histogram("slipway_generation_seconds", "From the request to its last token.",
                                  net::latency_bounds())),
      workers_(kWorkers, kWorkerQueue) {
  const auto gauge = [this](const char* metric, const char* help, auto read) {
    metrics_.callback(metric, help, [this, read] { return static_cast<double>(read(model_->stats())); });
  };
  gauge("slipway_running_requests", "Texts being answered.", [](const engine::Seq2SeqStats& s) { return s.running; });
  gauge("slipway_waiting_requests", "Texts that wait.", [](const engine::Seq2SeqStats& s) { return s.waiting; });
  add_routes(host.context.log);
}

Seq2SeqModel::~Seq2SeqModel() {
  workers_.stop();
  model_.reset();  // its last callbacks count in the metrics
}

void Seq2SeqModel::submit(const Json& body_json, const net::Responder& responder) {
  const Body body(body_json);
  const Json* inputs = body.find("inputs");
  const std::vector<std::string> sources = body.texts("inputs", kMaxInputs);
  if (sources.empty()) {
    reject("inputs", "'inputs' must be a text, or a list of texts");
  }
  static const Json kNone = Json::object();
  const Json* parameters = body.find("parameters");
  const engine::Text2TextOptions task = engine::Text2TextOptions::of(
      model_->info(), body.text("task").value_or(task_), parameters != nullptr ? *parameters : kNone, "parameters");
  std::vector<engine::Seq2SeqRequest> requests;
  for (const std::string& text : sources) {
    requests.push_back(engine::text2text_request(*model_, text, task));
  }
  const auto batch = std::make_shared<Batch>(responder, task.task, inputs->is_array(), requests.size());
  int64_t input_tokens = 0;
  for (const engine::Seq2SeqRequest& one : requests) {
    input_tokens += static_cast<int64_t>(one.ids.size());
  }
  trace_tokens(responder.trace(), input_tokens, 0);
  if (access_) {
    access_->charge(responder.client(), input_tokens, 0);
  }
  std::vector<uint64_t> handles;
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].on_done = [this, batch, i](const engine::Seq2SeqResult& result) { done(*batch, i, result); };
    try {
      handles.push_back(model_->submit(std::move(requests[i])));
    } catch (const base::Error& error) {
      batch->refused = true;
      for (const uint64_t handle : handles) {
        model_->cancel(handle);
      }
      if (error.code() == base::Code::kUnavailable) {
        throw StatusError(429, "too many requests are waiting; try again in a second");
      }
      throw;
    }
  }
}

void Seq2SeqModel::done(Batch& batch, size_t i, const engine::Seq2SeqResult& result) {
  texts_.add(1);
  seconds_.observe(std::chrono::duration<double>(result.total).count());
  for (const engine::Seq2SeqResult::Sequence& one : result.sequences) {
    tokens_.add(static_cast<int64_t>(one.ids.size()));
    trace_tokens(batch.responder.trace(), 0, static_cast<int64_t>(one.ids.size()));
    if (access_) {
      access_->charge(batch.responder.client(), 0, static_cast<int64_t>(one.ids.size()));
    }
  }
  batch.results[i] = result;
  if (batch.left.fetch_sub(1) == 1 && !batch.refused) {
    batch.responder.send(batch.answer());
  }
}

void Seq2SeqModel::add_routes(base::Log& log) {
  for (const char* path : {"/", "/models/{name}"}) {
    router_.add("POST", path,
                on_worker(
                    workers_, log,
                    [this](const net::Request& request, const net::Responder& responder) {
                      if (const std::string_view name = request.param("name"); !name.empty() && !answers_to(name)) {
                        throw StatusError(404, fmt::format("model '{}' is not served here", name.substr(0, 100)));
                      }
                      submit(parse_body(request), responder);
                    },
                    plain_error));
  }
  for (const char* path : {"/", "/info"}) {
    router_.add("GET", path, [this](const net::Request&, const net::Responder& responder) {
      const engine::Seq2SeqInfo& info = model_->info();
      responder.send(net::json_response({{"model_id", name_},
                                         {"task", task_},
                                         {"architecture", info.architecture},
                                         {"parameters", info.parameters},
                                         {"model_dtype", info.weight_type},
                                         {"max_input_tokens", info.context_length},
                                         {"version", SLIPWAY_VERSION}}));
    });
  }
  add_presence_routes(router_, *this);
}

ModelCard Seq2SeqModel::card() const {
  const engine::Seq2SeqInfo& info = model_->info();
  ModelCard card;
  card.kind = ModelKind::kSeq2Seq;
  card.name = name_;
  card.display = origin_.display.empty() ? name_ : origin_.display;
  card.versions = {origin_.version_text};
  card.created_s = created_s_;
  card.architecture = info.architecture;
  card.weight_type = info.weight_type;
  card.parameters = info.parameters;
  card.weight_bytes = info.weight_bytes;
  return card;
}

void Seq2SeqModel::stop(int /*cut_off*/) {
  model_->drain(std::chrono::milliseconds(1));  // what was cut off needs no answer
}

}  // namespace slipway::serve
