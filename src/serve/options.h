// What a server is told: its options, and what is plugged into the models that it loads. Values.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/pool.h"
#include "engine/generator.h"
#include "hub/snapshots.h"
#include "model/predictor.h"
#include "net/otlp.h"
#include "net/server.h"
#include "record/record.h"
#include "serve/access.h"
#include "serve/backend.h"

namespace slipway::serve {

using base::Json;

struct ServeOptions {
  std::string model;               // of one encoder: "models:/NAME@ALIAS", "models:/NAME/3", or a model folder
  std::string endpoint;            // what clients call it, and its deployment; empty: the model's name
  std::string store = ".slipway";  // model versions are laid out under STORE/models/
  std::shared_ptr<const hub::Snapshots> hub;  // where hf://… come from; null: nowhere
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
  int writers_timeout_ms = 0;  // for an answer of a model that writes text, where http.handler_timeout_ms is less
  // Of decoders; of encoder-decoders where those have the same. Of several models (below) each adapter says whose it is:
  // MODEL:NAME=FOLDER.
  engine::GeneratorOptions generator;
  bool several = false;                // more than one model is named at the start
  std::string task;                    // of requests to encoder-decoders that name none; empty: what the model is for
  int grpc_port = -1;                  // of gRPC; 0 takes a free one, -1: none
  net::OtlpOptions otlp;               // where traces of requests go; endpoint empty: nowhere
  AccessOptions access;                // API keys
  net::ServerOptions http;             // gRPC has its limits and certificate too

  // All of the above but `model`, `store` and `hub`, which every command names its own way, `generator`, `task` and
  // `writers_timeout_ms`, which are for writers of text, and `access`, which holds secrets; and http's fields.
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

using GeneratorLoader = std::function<std::unique_ptr<engine::Generator>(const std::filesystem::path&,
                                                                         const engine::GeneratorOptions&, base::Pool&)>;

class EncoderModel;

// What is plugged into an encoder; and how models are loaded, for tests.
struct ServeHooks {
  ExplainFn explain;                 // absent: /v1/explain answers 501
  MonitorSink monitor;               // absent: nothing is fed
  BackendLoader loader;              // absent: load_backend
  GeneratorLoader generator_loader;  // absent: engine::load_generator
  // Told of the encoder before its first request.
  std::function<void(EncoderModel&)> attach;
  // GET /v1/monitor: open alerts and the newest windows; 501 when absent. Called on a worker thread.
  std::function<Json()> monitor_report;
  // POST /v1/monitor/flush (this machine only): called once the sink was given every prediction served until then.
  std::function<Json()> monitor_flush;
};

}  // namespace slipway::serve
