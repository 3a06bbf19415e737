#include "api/span_content.h"

#include <array>
#include <fmt/format.h>

#include "base/base64.h"
#include "base/error.h"

namespace slipway::api {
namespace {

constexpr std::array<std::string_view, 3> kStatuses = {"UNSET", "OK", "ERROR"};
constexpr const char* kTypeAttribute = "mlflow.spanType";
constexpr const char* kTraceAttribute = "mlflow.traceRequestId";

// An AnyValue.
Json any_value(const Json& value) {
  if (value.is_null()) {
    return Json::object();
  }
  if (value.is_boolean()) {
    return {{"bool_value", value}};
  }
  if (value.is_string()) {
    return {{"string_value", value}};
  }
  if (value.is_number_integer()) {
    return {{"int_value", value}};
  }
  if (value.is_number()) {
    return {{"double_value", value}};
  }
  Json values = Json::array();
  if (value.is_array()) {
    for (const Json& item : value) {
      values.push_back(any_value(item));
    }
    return {{"array_value", {{"values", std::move(values)}}}};
  }
  for (const auto& [key, item] : value.items()) {
    values.push_back({{"key", key}, {"value", any_value(item)}});
  }
  return {{"kvlist_value", {{"values", std::move(values)}}}};
}

Json pairs_of(const Json& attributes, bool encoded) {
  Json pairs = Json::array();
  for (const auto& [key, value] : attributes.items()) {
    Json decoded = value;
    if (encoded && value.is_string()) {
      decoded = Json::parse(value.get_ref<const std::string&>(), nullptr, false);
      if (decoded.is_discarded()) {
        decoded = value;
      }
    }
    pairs.push_back({{"key", key}, {"value", any_value(decoded)}});
  }
  return pairs;
}

const Json& member(const Json& object, const char* key) {
  static const Json kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

Json links_of(const Json& links) {
  Json out = Json::array();
  for (const Json& link : links) {
    std::string trace = member(link, "trace_id").is_string() ? member(link, "trace_id").get<std::string>() : "";
    trace = trace.starts_with("tr-") ? trace.substr(3) : trace;
    const std::string span = member(link, "span_id").is_string() ? member(link, "span_id").get<std::string>() : "";
    Json shown = {{"trace_id", base::base64_encode(hex_bytes(trace))},
                  {"span_id", base::base64_encode(hex_bytes(span))}};
    if (member(link, "attributes").is_object() && !member(link, "attributes").empty()) {
      shown["attributes"] = pairs_of(member(link, "attributes"), false);
    }
    out.push_back(std::move(shown));
  }
  return out;
}

}  // namespace

std::string hex_text(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

std::string hex_bytes(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
  };
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) {
      return {};
    }
    out += static_cast<char>(high * 16 + low);
  }
  return text.size() % 2 == 0 ? out : std::string();
}

std::string trace_id_of(const IncomingSpan& span) { return "tr-" + hex_text(span.trace_id); }

record::TraceSpan kept_span(const IncomingSpan& span) {
  record::TraceSpan kept;
  kept.id = hex_text(span.id);
  kept.parent = hex_text(span.parent_id);
  kept.name = span.name;
  kept.status = kStatuses.at(static_cast<size_t>(span.status));
  kept.start_ns = span.start_ns;
  kept.end_ns = span.end_ns;
  Json attributes = Json::object();
  for (const auto& [key, value] : span.attributes.items()) {
    attributes[key] = python_json_text(value);
  }
  attributes[kTraceAttribute] = python_json_text(trace_id_of(span));
  if (const Json& type = member(span.attributes, kTypeAttribute); type.is_string()) {
    kept.type = type.get<std::string>();
  }
  const Json content = {
      {"trace_id", base::base64_encode(span.trace_id)},
      {"span_id", base::base64_encode(span.id)},
      {"parent_span_id", span.parent_id.empty() ? Json() : Json(base::base64_encode(span.parent_id))},
      {"name", span.name},
      {"start_time_unix_nano", span.start_ns},
      {"end_time_unix_nano", span.end_ns == 0 ? Json() : Json(span.end_ns)},
      {"events", span.events},
      {"status", {{"code", fmt::format("STATUS_CODE_{}", kept.status)}, {"message", span.status_message}}},
      {"attributes", std::move(attributes)},
      {"links", span.links}};
  kept.content = python_json_text(content);
  return kept;
}

Json span_answer(const record::TraceSpan& span) {
  const Json content = Json::parse(span.content, nullptr, false);
  if (!content.is_object()) {
    throw base::Error(base::Code::kIntegrity, fmt::format("the span '{}' of the store does not read back", span.id));
  }
  Json out = {{"trace_id", member(content, "trace_id")}, {"span_id", member(content, "span_id")}};
  if (member(content, "parent_span_id").is_string()) {
    out["parent_span_id"] = member(content, "parent_span_id");
  }
  out["name"] = span.name;
  out["start_time_unix_nano"] = span.start_ns;
  if (span.end_ns != 0) {
    out["end_time_unix_nano"] = span.end_ns;
  }
  const auto put = [&](const char* key, Json list) {
    if (!list.empty()) {
      out[key] = std::move(list);
    }
  };
  if (member(content, "attributes").is_object()) {
    put("attributes", pairs_of(member(content, "attributes"), true));
  }
  Json events = Json::array();
  for (const Json& event : member(content, "events")) {
    Json shown = {{"time_unix_nano", member(event, "time_unix_nano")}, {"name", member(event, "name")}};
    if (member(event, "attributes").is_object() && !member(event, "attributes").empty()) {
      shown["attributes"] = pairs_of(member(event, "attributes"), false);
    }
    events.push_back(std::move(shown));
  }
  put("events", std::move(events));
  put("links", links_of(member(content, "links")));
  Json status = Json::object();
  const Json& message = member(member(content, "status"), "message");
  if (message.is_string() && !message.get_ref<const std::string&>().empty()) {
    status["message"] = message;
  }
  if (span.status != "UNSET") {
    status["code"] = fmt::format("STATUS_CODE_{}", span.status);
  }
  out["status"] = std::move(status);
  return out;
}

}  // namespace slipway::api
