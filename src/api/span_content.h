// Spans as they are kept (docs/formats/store.md, "Spans"), and as protobuf's JSON has them in answers. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "record/trace_json.h"

namespace slipway::api {

using base::Json;
using record::python_json_text;

// A span as it came, before it is kept: ids are bytes, attributes any JSON.
struct IncomingSpan {
  std::string trace_id;   // 16 bytes
  std::string id;         // 8 bytes
  std::string parent_id;  // 8 bytes, or none
  std::string name;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  int status = 0;  // 0 unset, 1 good, 2 failed
  std::string status_message;
  Json attributes = Json::object();
  Json events = Json::array();  // {name, time_unix_nano, attributes}
  Json links = Json::array();   // {trace_id, span_id, attributes}; ids as hex digits
};

// "tr-" and the id in hex.
std::string trace_id_of(const IncomingSpan& span);
record::TraceSpan kept_span(const IncomingSpan& span);
// opentelemetry.proto.trace.v1.Span in protobuf's JSON: snake case, base64 for bytes. Throws Error(kIntegrity) for a
// content that does not read back.
Json span_answer(const record::TraceSpan& span);

std::string hex_text(std::string_view bytes);
// The bytes of hex digits; nothing when they are not.
std::string hex_bytes(std::string_view text);

}  // namespace slipway::api
