#include "api/trace_messages.h"

#include <chrono>
#include <fmt/format.h>

#include "api/span_content.h"

namespace slipway::api {
namespace {

using record::Assessment;
using record::KeyValue;
using record::Trace;

constexpr int64_t kMsPerSecond = 1000;
constexpr const char* kUnspecified = "STATE_UNSPECIFIED";

Json map_of(const std::vector<KeyValue>& pairs) {
  Json map = Json::object();
  for (const KeyValue& pair : pairs) {
    map[pair.key] = pair.value;
  }
  return map;
}

Json list_of(const std::vector<KeyValue>& pairs) {
  Json list = Json::array();
  for (const KeyValue& pair : pairs) {
    list.push_back({{"key", pair.key}, {"value", pair.value}});
  }
  return list;
}

void put(Json& out, const char* key, Json value) {
  if (!value.empty()) {
    out[key] = std::move(value);
  }
}

// A fault of the record's readers, in MLflow's words.
template <class Read>
auto told(const Read& read) {
  try {
    return read();
  } catch (const record::FieldFault& fault) {
    fault.missing() ? missing_parameter(fault.name()) : wrong_type(fault.name(), fault.value());
  }
}

}  // namespace

std::string timestamp_text(int64_t unix_ms) {
  const auto floor_div = [](int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); };
  const int64_t seconds = floor_div(unix_ms, kMsPerSecond);
  const int64_t ms = unix_ms - seconds * kMsPerSecond;
  const std::chrono::sys_days day{std::chrono::days{floor_div(seconds, 86'400)}};
  const std::chrono::year_month_day date{day};
  const int64_t rest = seconds - floor_div(seconds, 86'400) * 86'400;
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / 3600,
                                rest / 60 % 60, rest % 60);
  return out + (ms != 0 ? fmt::format(".{:03}Z", ms) : "Z");
}

std::string duration_text(int64_t ms) {
  const char* sign = ms < 0 ? "-" : "";
  const int64_t size = ms < 0 ? -ms : ms;
  const int64_t part = size % kMsPerSecond;
  return fmt::format("{}{}{}s", sign, size / kMsPerSecond, part != 0 ? fmt::format(".{:03}", part) : "");
}

Trace trace_of(const Json& info, int64_t now_ms) {
  return told([&] { return record::trace_from_json(info, now_ms); });
}

Assessment assessment_of(const Json& message, const std::string& trace_id, int64_t now_ms) {
  return told([&] { return record::assessment_from_json(message, trace_id, now_ms); });
}

record::AssessmentChange assessment_change(const Json& message, const Json& mask) {
  return told([&] { return record::assessment_change_from_json(message, mask); });
}

Json trace_info(const Trace& trace) {
  Json info = {{"trace_id", trace.id}};
  if (trace.client_request_id) {
    info["client_request_id"] = *trace.client_request_id;
  }
  info["trace_location"] = {{"type", "MLFLOW_EXPERIMENT"},
                            {"mlflow_experiment", {{"experiment_id", trace.experiment_id}}}};
  info["request_time"] = timestamp_text(trace.started_ms);
  if (trace.duration_ms) {
    info["execution_duration"] = duration_text(*trace.duration_ms);
  }
  info["state"] = trace.state;
  put(info, "trace_metadata", map_of(trace.metadata));
  Json assessments = Json::array();
  for (const Assessment& assessment : trace.assessments) {
    assessments.push_back(assessment_answer(assessment));
  }
  put(info, "assessments", std::move(assessments));
  put(info, "tags", map_of(trace.tags));
  if (trace.request_preview) {
    info["request_preview"] = *trace.request_preview;
  }
  if (trace.response_preview) {
    info["response_preview"] = *trace.response_preview;
  }
  return info;
}

Json trace_info_v2(const Trace& trace) {
  Json info = {{"request_id", trace.id}, {"experiment_id", trace.experiment_id}, {"timestamp_ms", trace.started_ms}};
  if (trace.duration_ms) {
    info["execution_time_ms"] = *trace.duration_ms;
  }
  info["status"] = trace.state == kUnspecified ? "TRACE_STATUS_UNSPECIFIED" : trace.state;
  put(info, "request_metadata", list_of(trace.metadata));
  put(info, "tags", list_of(trace.tags));
  return info;
}

Json trace_answer(const Trace& trace) {
  Json spans = Json::array();
  for (const record::TraceSpan& span : trace.spans) {
    spans.push_back(span_answer(span));
  }
  Json answer = {{"trace_info", trace_info(trace)}};
  put(answer, "spans", std::move(spans));
  return answer;
}

Json assessment_answer(const Assessment& assessment) {
  Json out = {
      {"assessment_id", assessment.id}, {"assessment_name", assessment.name}, {"trace_id", assessment.trace_id}};
  put(out, "span_id", assessment.span_id.empty() ? Json() : Json(assessment.span_id));
  out["source"] = {{"source_type", assessment.source_type}, {"source_id", assessment.source_id}};
  out["create_time"] = timestamp_text(assessment.created_ms);
  out["last_update_time"] = timestamp_text(assessment.updated_ms);
  if (assessment.kind == "feedback") {
    out["feedback"] = {{"value", assessment.value}};
    put(out["feedback"], "error", assessment.error);
  } else if (assessment.kind == "issue") {
    out["issue"] = {{"issue_name", assessment.issue_name}};
  } else if (assessment.value.is_structured()) {
    out["expectation"] = {
        {"serialized_value", {{"serialization_format", "JSON_FORMAT"}, {"value", python_json_text(assessment.value)}}}};
  } else {
    out["expectation"] = {{"value", assessment.value}};
  }
  if (assessment.rationale) {
    out["rationale"] = *assessment.rationale;
  }
  put(out, "metadata", map_of(assessment.metadata));
  put(out, "overrides", assessment.overrides.empty() ? Json() : Json(assessment.overrides));
  out["valid"] = assessment.valid;
  return out;
}

}  // namespace slipway::api
