// The model server: one endpoint, a primary version and perhaps a canary, over HTTP. It follows an alias of the
// registry and swaps versions without dropping a request, keeps every prediction in the store, and is a deployment in
// the records. Owns its threads (network, log writer, monitor feed, follower, a few workers); borrows store and
// context, which outlive it. start, drain and stop are for one controlling thread; the rest is for any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/fields.h"
#include "model/predictor.h"
#include "net/metrics.h"
#include "net/server.h"
#include "record/stores.h"
#include "serve/access.h"
#include "serve/backend.h"

namespace slipway::serve {

using base::Json;

struct ServeOptions {
  std::string model;               // "models:/NAME@ALIAS", "models:/NAME/3", or a model folder
  std::string endpoint;            // name of the deployment; empty: the model's name
  std::string store = ".slipway";  // model versions are laid out under STORE/models/
  std::string precision = "auto";  // "float32", "int8", "auto": int8 when the version has it
  int max_batch_tokens = 2048;
  int max_queue = 1024;                     // texts waiting for the engine; more is 429
  int max_inputs = 512;                     // texts of one request
  int max_text_bytes = 1 << 20;             // of one text
  std::string log_predictions = "durable";  // "durable": answered once the prediction is committed (group commit);
                                            // "async": answered at once, committed soon after; "off"
  int log_queue = 65'536;      // predictions waiting for the writer; async drops beyond it, durable answers 429
  std::string canary;          // reference or folder of a second version
  double canary_percent = 0;   // of the traffic, by hash of the request id
  int follow_alias_ms = 200;   // how often the alias is looked up; 0 never
  int monitor_queue = 65'536;  // predictions waiting for the monitor's sink (about 2 KiB each); more are dropped
  int drain_ms = 25'000;       // what drain() without a deadline allows
  AccessOptions access;        // API keys
  net::ServerOptions http;

  // All of the above but `model` and `store`, which every command names its own way, and `access`, which holds secrets;
  // and http's fields.
  void describe(base::FieldTable& table);
};

struct ExplainRequest {
  std::string text;
  std::string method = "lime";  // "lime", "shap"
  std::string label;            // explained label; empty: the predicted one
  uint64_t seed = 7;
  int num_samples = 0;  // 0: the method's default
};
// Explains one answer; called on a worker thread. The JSON becomes the response. Throws base::Error.
using ExplainFn = std::function<Json(model::Predictor& predictor, const ExplainRequest& request)>;

// What the monitor hears of each prediction.
struct ServedPrediction {
  record::Prediction prediction;  // text, label, score, scores, tokens, latency
  std::vector<int32_t> token_ids;
  std::vector<float> embedding;
};
// Called on the monitor's own thread, a batch at a time in the order served; when it is slow the feed drops and counts,
// and requests do not notice.
using MonitorSink = std::function<void(std::span<const ServedPrediction>)>;

struct ServeHooks {
  ExplainFn explain;     // absent: /v1/explain answers 501
  MonitorSink monitor;   // absent: nothing is fed
  BackendLoader loader;  // absent: load_backend
  // GET /v1/monitor: open alerts and the newest windows; 501 when absent. Called on a worker thread.
  std::function<Json()> monitor_report;
  // POST /v1/monitor/flush (this machine only): called once the sink was given every prediction served until then.
  std::function<Json()> monitor_flush;
};

class ModelServer {
 public:
  // Nothing happens before start(). `store` may be null for a folder: then nothing is logged, recorded or followed.
  ModelServer(ServeOptions options, record::Store* store, base::Context& context, ServeHooks hooks = {});
  ~ModelServer();
  ModelServer(const ModelServer&) = delete;
  ModelServer& operator=(const ModelServer&) = delete;

  // Loads the model, then listens: who can connect gets answers. Throws Error with what is wrong with the reference,
  // the folder or the port.
  void start();
  std::string url() const;
  int port() const;
  const std::string& deployment_id() const;
  // "movie-sentiment/3" of the primary now.
  std::string serving() const;
  // Metrics of this server; the monitor's sink may add gauges to it.
  net::MetricRegistry& metrics();

  // Returns at SIGTERM or SIGINT (their number) or when context.stop fires (0). Then call drain().
  int wait_until_signal();
  // Stops accepting, answers what is in flight, commits what is logged, marks the deployment stopped. Returns the
  // number of requests cut off at the deadline: 0 is clean. 0 ms takes ServeOptions::drain_ms.
  int drain(std::chrono::milliseconds deadline = {});

  // What the admin routes do. All are instant for requests: the next one sees the new split.
  Json deployment() const;
  void set_canary(const std::string& reference, double percent);  // percent 0 removes it
  // Takes the canary's traffic away; without a canary, moves the followed alias back to the version before.
  void rollback();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::serve
