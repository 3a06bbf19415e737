// Reads what OpenTelemetry's exporters send: ExportTraceServiceRequest (opentelemetry-proto 1.x), in protocol buffers
// or in JSON. Bytes of strangers: what is malformed throws Error(kInvalid); nesting, spans and attributes are bounded.
// Pure.
#pragma once

#include <string_view>
#include <vector>

#include "api/span_content.h"

namespace slipway::api {

struct OtlpLimits {
  size_t max_spans = 100'000;
  int max_depth = 32;  // of an attribute's value
};

// Spans with one resource.
struct IncomingSpans {
  Json resource = Json::object();  // attributes
  std::vector<IncomingSpan> spans;
};

std::vector<IncomingSpans> read_otlp_protobuf(std::string_view bytes, const OtlpLimits& limits = {});
std::vector<IncomingSpans> read_otlp_json(std::string_view text, const OtlpLimits& limits = {});

// What is kept of them: a batch a trace. What a trace takes from its root: state, previews, tags (mlflow.traceTag.*,
// and the resource's attributes), the session and the user, how many tokens its model calls used.
std::vector<record::SpanBatch> batches_of(const std::vector<IncomingSpans>& groups);

}  // namespace slipway::api
