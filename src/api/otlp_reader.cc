#include "api/otlp_reader.h"

#include <charconv>
#include <fmt/format.h>

#include "base/base64.h"
#include "base/error.h"
#include "text/proto_reader.h"
#include "text/unicode.h"

namespace slipway::api {
namespace {

using text::ProtoReader;

constexpr size_t kTraceIdBytes = 16;
constexpr size_t kSpanIdBytes = 8;
constexpr size_t kMaxPairs = 4096;  // of one object: adding one looks at all
const std::string kSource = "the spans";

[[noreturn]] void broken(const std::string& what) {
  throw base::Error(base::Code::kInvalid, "Invalid OpenTelemetry format: " + what);
}

void put(Json& object, const std::string& key, Json value) {
  if (object.size() >= kMaxPairs) {
    broken(fmt::format("more than {} attributes", kMaxPairs));
  }
  object[key] = std::move(value);
}

std::string text_of(std::string_view bytes) {
  if (!text::is_valid_utf8(bytes)) {
    broken("a text is not UTF-8");
  }
  return std::string(bytes);
}

void check(const IncomingSpan& span) {
  if (span.trace_id.size() != kTraceIdBytes || span.id.size() != kSpanIdBytes) {
    broken("a span needs a trace id of 16 bytes and an id of 8");
  }
  if (!span.parent_id.empty() && span.parent_id.size() != kSpanIdBytes) {
    broken("the id of a parent has 8 bytes");
  }
  if (span.start_ns < 0 || span.end_ns < 0) {
    broken("a time of a span is out of range");
  }
}

// Protocol buffers. Field numbers are those of opentelemetry/proto/{common,trace}/v1.

Json proto_value(std::string_view bytes, int depth);

// KeyValue {key = 1, value = 2} into an object.
void proto_pair(std::string_view bytes, int depth, Json& object) {
  std::string key;
  Json value;
  ProtoReader reader(bytes, kSource);
  while (reader.next()) {
    if (reader.field() == 1) {
      key = text_of(reader.bytes());
    } else if (reader.field() == 2) {
      value = proto_value(reader.bytes(), depth);
    }
  }
  put(object, key, std::move(value));
}

// The repeated field 1 of an ArrayValue or a KeyValueList.
Json proto_list(std::string_view bytes, int depth, bool pairs) {
  Json out = pairs ? Json::object() : Json::array();
  ProtoReader reader(bytes, kSource);
  while (reader.next()) {
    if (reader.field() != 1) {
      continue;
    }
    if (pairs) {
      proto_pair(reader.bytes(), depth, out);
    } else {
      out.push_back(proto_value(reader.bytes(), depth));
    }
  }
  return out;
}

Json proto_value(std::string_view bytes, int depth) {
  if (depth <= 0) {
    broken("a value is nested too deep");
  }
  Json value;
  ProtoReader reader(bytes, kSource);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: value = text_of(reader.bytes()); break;
      case 2: value = reader.boolean(); break;
      case 3: value = reader.integer(); break;
      case 4: value = reader.real(); break;
      case 5: value = proto_list(reader.bytes(), depth - 1, false); break;
      case 6: value = proto_list(reader.bytes(), depth - 1, true); break;
      case 7: value = base::base64_encode(reader.bytes()); break;
      default: break;
    }
  }
  return value;
}

Json proto_event(std::string_view bytes, int depth) {
  Json event = {{"name", ""}, {"time_unix_nano", 0}, {"attributes", Json::object()}};
  ProtoReader reader(bytes, kSource);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: event["time_unix_nano"] = static_cast<int64_t>(reader.fixed64()); break;
      case 2: event["name"] = text_of(reader.bytes()); break;
      case 3: proto_pair(reader.bytes(), depth, event["attributes"]); break;
      default: break;
    }
  }
  return event;
}

Json proto_link(std::string_view bytes, int depth) {
  Json link = {{"trace_id", ""}, {"span_id", ""}, {"attributes", Json::object()}};
  ProtoReader reader(bytes, kSource);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: link["trace_id"] = "tr-" + hex_text(reader.bytes()); break;
      case 2: link["span_id"] = hex_text(reader.bytes()); break;
      case 4: proto_pair(reader.bytes(), depth, link["attributes"]); break;
      default: break;
    }
  }
  return link;
}

void proto_status(std::string_view bytes, IncomingSpan& span) {
  ProtoReader reader(bytes, kSource);
  while (reader.next()) {
    if (reader.field() == 2) {
      span.status_message = text_of(reader.bytes());
    } else if (reader.field() == 3) {
      const int64_t code = reader.integer();
      span.status = code == 1 || code == 2 ? static_cast<int>(code) : 0;
    }
  }
}

IncomingSpan proto_span(std::string_view bytes, int depth) {
  IncomingSpan span;
  ProtoReader reader(bytes, kSource);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: span.trace_id = reader.bytes(); break;
      case 2: span.id = reader.bytes(); break;
      case 4: span.parent_id = reader.bytes(); break;
      case 5: span.name = text_of(reader.bytes()); break;
      case 7: span.start_ns = static_cast<int64_t>(reader.fixed64()); break;
      case 8: span.end_ns = static_cast<int64_t>(reader.fixed64()); break;
      case 9: proto_pair(reader.bytes(), depth, span.attributes); break;
      case 11: span.events.push_back(proto_event(reader.bytes(), depth)); break;
      case 13: span.links.push_back(proto_link(reader.bytes(), depth)); break;
      case 15: proto_status(reader.bytes(), span); break;
      default: break;
    }
  }
  check(span);
  return span;
}

// JSON: names in camel case or as in the definition, ids in hex, 64-bit numbers as texts or numbers.

const Json& member(const Json& object, const char* camel, const char* snake) {
  static const Json kNull;
  if (!object.is_object()) {
    broken("an object is missing");
  }
  auto found = object.find(camel);
  found = found == object.end() ? object.find(snake) : found;
  return found == object.end() ? kNull : *found;
}

const Json& list(const Json& object, const char* camel, const char* snake) {
  static const Json kNone = Json::array();
  const Json& value = member(object, camel, snake);
  if (!value.is_null() && !value.is_array()) {
    broken(fmt::format("'{}' is not a list", camel));
  }
  return value.is_null() ? kNone : value;
}

std::string text(const Json& object, const char* camel, const char* snake) {
  const Json& value = member(object, camel, snake);
  if (!value.is_null() && !value.is_string()) {
    broken(fmt::format("'{}' is not a text", camel));
  }
  return value.is_null() ? std::string() : value.get<std::string>();
}

int64_t whole(const Json& value) {
  int64_t number = 0;
  if (value.is_null()) {
    return 0;
  }
  if (value.is_string()) {
    const auto& digits = value.get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      broken("a number is malformed");
    }
    return number;
  }
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX)) {
    broken("a number is malformed");
  }
  return value.get<int64_t>();
}

std::string id(const Json& object, const char* camel, const char* snake) {
  const std::string hex = text(object, camel, snake);
  std::string bytes = hex_bytes(hex);
  if (bytes.empty() != hex.empty()) {
    broken(fmt::format("'{}' is not made of hex digits", camel));
  }
  return bytes;
}

Json json_value(const Json& value, int depth);

Json json_pairs(const Json& pairs, int depth) {
  Json object = Json::object();
  for (const Json& pair : pairs) {
    put(object, text(pair, "key", "key"), json_value(member(pair, "value", "value"), depth));
  }
  return object;
}

Json json_value(const Json& value, int depth) {
  if (depth <= 0) {
    broken("a value is nested too deep");
  }
  if (value.is_null()) {
    return {};
  }
  for (const auto& [camel, snake] :
       {std::pair{"stringValue", "string_value"}, {"boolValue", "bool_value"}, {"bytesValue", "bytes_value"}}) {
    if (const Json& found = member(value, camel, snake); !found.is_null()) {
      return found;
    }
  }
  if (const Json& number = member(value, "intValue", "int_value"); !number.is_null()) {
    return whole(number);
  }
  if (const Json& number = member(value, "doubleValue", "double_value"); !number.is_null()) {
    return number;
  }
  if (const Json& values = member(value, "arrayValue", "array_value"); !values.is_null()) {
    Json out = Json::array();
    for (const Json& item : list(values, "values", "values")) {
      out.push_back(json_value(item, depth - 1));
    }
    return out;
  }
  if (const Json& values = member(value, "kvlistValue", "kvlist_value"); !values.is_null()) {
    return json_pairs(list(values, "values", "values"), depth - 1);
  }
  return {};
}

int json_status(const Json& code) {
  if (code.is_string()) {
    return code == "STATUS_CODE_OK" ? 1 : code == "STATUS_CODE_ERROR" ? 2 : 0;
  }
  const int64_t number = whole(code);
  return number == 1 || number == 2 ? static_cast<int>(number) : 0;
}

IncomingSpan json_span(const Json& json, int depth) {
  IncomingSpan span;
  span.trace_id = id(json, "traceId", "trace_id");
  span.id = id(json, "spanId", "span_id");
  span.parent_id = id(json, "parentSpanId", "parent_span_id");
  span.name = text(json, "name", "name");
  span.start_ns = whole(member(json, "startTimeUnixNano", "start_time_unix_nano"));
  span.end_ns = whole(member(json, "endTimeUnixNano", "end_time_unix_nano"));
  span.attributes = json_pairs(list(json, "attributes", "attributes"), depth);
  for (const Json& event : list(json, "events", "events")) {
    span.events.push_back({{"name", text(event, "name", "name")},
                           {"time_unix_nano", whole(member(event, "timeUnixNano", "time_unix_nano"))},
                           {"attributes", json_pairs(list(event, "attributes", "attributes"), depth)}});
  }
  for (const Json& link : list(json, "links", "links")) {
    span.links.push_back({{"trace_id", "tr-" + hex_text(id(link, "traceId", "trace_id"))},
                          {"span_id", hex_text(id(link, "spanId", "span_id"))},
                          {"attributes", json_pairs(list(link, "attributes", "attributes"), depth)}});
  }
  if (const Json& status = member(json, "status", "status"); !status.is_null()) {
    span.status = json_status(member(status, "code", "code"));
    span.status_message = text(status, "message", "message");
  }
  check(span);
  return span;
}

class Counter {
 public:
  explicit Counter(size_t most) : left_(most) {}
  void take() {
    if (left_-- == 0) {
      broken("too many spans in one request");
    }
  }

 private:
  size_t left_;
};

}  // namespace

std::vector<IncomingSpans> read_otlp_protobuf(std::string_view bytes, const OtlpLimits& limits) {
  std::vector<IncomingSpans> groups;
  Counter counter(limits.max_spans);
  ProtoReader request(bytes, kSource);
  while (request.next()) {
    if (request.field() != 1) {
      continue;
    }
    IncomingSpans& group = groups.emplace_back();
    ProtoReader resource_spans(request.bytes(), kSource);
    while (resource_spans.next()) {
      if (resource_spans.field() == 1) {  // Resource {attributes = 1}
        group.resource = proto_list(resource_spans.bytes(), limits.max_depth, true);
      } else if (resource_spans.field() == 2) {  // ScopeSpans {spans = 2}
        ProtoReader scope(resource_spans.bytes(), kSource);
        while (scope.next()) {
          if (scope.field() == 2) {
            counter.take();
            group.spans.push_back(proto_span(scope.bytes(), limits.max_depth));
          }
        }
      }
    }
  }
  return groups;
}

std::vector<IncomingSpans> read_otlp_json(std::string_view text, const OtlpLimits& limits) {
  const Json request = base::parse_json(text, "the spans");
  std::vector<IncomingSpans> groups;
  Counter counter(limits.max_spans);
  for (const Json& resource_spans : list(request, "resourceSpans", "resource_spans")) {
    IncomingSpans& group = groups.emplace_back();
    if (const Json& resource = member(resource_spans, "resource", "resource"); !resource.is_null()) {
      group.resource = json_pairs(list(resource, "attributes", "attributes"), limits.max_depth);
    }
    for (const Json& scope : list(resource_spans, "scopeSpans", "scope_spans")) {
      for (const Json& span : list(scope, "spans", "spans")) {
        counter.take();
        group.spans.push_back(json_span(span, limits.max_depth));
      }
    }
  }
  return groups;
}

}  // namespace slipway::api
