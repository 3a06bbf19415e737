// Sends spans to an OpenTelemetry collector: OTLP over HTTP in JSON (opentelemetry-proto 1.x), batched by a thread of its
// own from a bounded queue. JSON, because the standard has it, every collector takes it and it needs no generated code.
// A collector that is away costs requests nothing: spans are kept until the queue is full, then dropped and counted. Any
// thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "net/metrics.h"
#include "net/trace.h"

namespace slipway::net {

struct OtlpOptions {
  std::string endpoint;          // "http://127.0.0.1:4318": spans go to ENDPOINT/v1/traces; empty: nowhere
  std::string service = "slipway";
  std::vector<std::pair<std::string, std::string>> resource;  // more attributes of the service
  Headers headers;                                            // sent with each request, such as the collector's key
  size_t max_queue = 2048;                                    // spans that wait; OpenTelemetry's default
  size_t max_batch = 512;                                     // spans of one request; likewise
  std::chrono::milliseconds delay{1000};                      // how long a span waits for others
  std::chrono::milliseconds timeout{10'000};                  // for one request
  std::chrono::milliseconds max_backoff{30'000};              // between attempts while the collector is away

  // Fills what the standard's variables say and the options leave open: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (the whole
  // address), OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES;
  // OTEL_SDK_DISABLED=true empties the endpoint. `get` is getenv, or a test's.
  void add_environment(const std::function<const char*(const char*)>& get);
};

class OtlpExporter {
 public:
  // Throws Error(kInvalid) for an endpoint that is not http:// or https://. Metrics and log are borrowed. `version` is
  // the program's.
  OtlpExporter(OtlpOptions options, const std::string& version, MetricRegistry& metrics, base::Log& log);
  // Gives up what is queued.
  ~OtlpExporter();
  OtlpExporter(const OtlpExporter&) = delete;
  OtlpExporter& operator=(const OtlpExporter&) = delete;

  // False, and counted, when the queue is full. Never blocks on the network.
  bool push(Span span);
  SpanSink sink();
  // Sends what is queued and ends; what the collector has not taken by `deadline` is dropped and counted.
  void stop(std::chrono::milliseconds deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The body of a request: an ExportTraceServiceRequest in JSON. Ids are hex, numbers of 64 bits are texts, as the
// standard says.
std::string otlp_json(const OtlpOptions& options, const std::string& version, std::span<const Span> spans);

}  // namespace slipway::net
