// What the routes share: options, versions, log, monitor, metrics, and the one path a text takes: admitted, computed in
// a batch with others, logged, answered. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/access.h"
#include "net/responder.h"
#include "net/router.h"
#include "net/workers.h"
#include "serve/batch.h"
#include "serve/fleet.h"
#include "serve/handling.h"
#include "serve/monitor_feed.h"
#include "serve/options.h"
#include "serve/prediction_writer.h"
#include "serve/served_model.h"

namespace slipway::serve {

enum class Logging { kDurable, kAsync, kOff };

using RenderBatch = std::function<net::Response(const Batch&)>;

class Core {
 public:
  Core(const ServeOptions& options, record::Store* store, const Host& host, ServeHooks hooks);
  ~Core();
  // Finishes what is under way: work, engines, log, feed, in that order. No request may come any more.
  void shut_down();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // The version for this request: by its id, or the one named. Throws StatusError(404) when it is not loaded.
  std::shared_ptr<Served> version_for(const net::Request& request) const;
  // Whether `name` is the endpoint or a served model; check_model_name throws StatusError(404) unless it is.
  bool is_called(std::string_view name) const;
  void check_model_name(std::string_view name) const;

  // Ids of a text, and whether it was cut. Throws StatusError(413) for a text larger than allowed.
  Item tokenize(const Served& served, std::string text) const;
  // The same of two texts as one input. Throws Error(kInvalid) where the tokenizer takes no pairs.
  Item tokenize_pair(const Served& served, std::string first, const std::string& second) const;
  // Throws StatusError(413) for a text larger than allowed.
  void check_text(const std::string& text) const;
  // Throws StatusError: 400 for none, 413 for more than a request may have.
  void check_count(size_t texts) const;

  struct Inference {
    std::shared_ptr<Served> served;
    std::vector<Item> items;
    bool is_prediction = true;  // logged and monitored; false for embeddings
    net::Responder responder;
    RenderBatch render;
    RenderError render_error;
  };
  // Computes, logs, answers. Full queues are 429 with Retry-After. Does not throw.
  void infer(Inference inference);

  // Runs `handle` here when the body is small, on a worker otherwise; what it throws is answered through
  // `render_error`.
  net::Handler handler(Handle handle, RenderError render_error);
  // The same, always on a worker.
  net::Handler worker_handler(Handle handle, RenderError render_error);

  const ServeOptions& options;
  record::Store* store;
  base::Context& context;
  ServeHooks hooks;
  net::MetricRegistry metrics;
  std::string endpoint;
  std::string deployment_id;
  Logging logging;
  Fleet fleet;
  net::AccessControl* const access;          // null: no API keys
  std::unique_ptr<PredictionWriter> writer;  // null when nothing is logged
  std::unique_ptr<MonitorFeed> feed;         // null without a sink
  net::Workers workers;
  net::Workers explainers;

 private:
  struct Gather;
  void finish(const std::shared_ptr<Gather>& gather);
  void fill(Gather& gather);
  void answer(const std::shared_ptr<Gather>& gather);

  net::Histogram& queue_seconds_;
  net::Histogram& compute_seconds_;
  net::Histogram& batch_seconds_;
  net::Counter& tokens_;
  net::Counter& texts_;
};

// Each adds its routes; the core outlives the router.
void add_classify_routes(net::Router& router, Core& core);
void add_oip_routes(net::Router& router, Core& core);
void add_tei_routes(net::Router& router, Core& core);
void add_pipeline_routes(net::Router& router, Core& core);   // Hugging Face's pipelines
void add_embedding_routes(net::Router& router, Core& core);  // OpenAI's and Ollama's
void add_admin_routes(net::Router& router, Core& core);
void add_monitor_routes(net::Router& router, Core& core);

// The deployment as GET /v1/deployment shows it.
Json describe_deployment(const Core& core, int64_t since_ms, bool with_latencies);

}  // namespace slipway::serve
