#include "serve/options.h"

namespace slipway::serve {

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
  table.add("grpc_port", grpc_port, "Port of the Open Inference Protocol over gRPC; 0 takes a free one, -1 none",
            {-1, 65'535});
  table.add("otlp_endpoint", otlp.endpoint,
            "OpenTelemetry collector for a span a request: http://HOST:4318; also OTEL_EXPORTER_OTLP_ENDPOINT");
  http.describe(table);
}

}  // namespace slipway::serve
