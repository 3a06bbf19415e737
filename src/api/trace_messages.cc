#include "api/trace_messages.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>

#include "api/span_content.h"

namespace slipway::api {
namespace {

using record::Assessment;
using record::KeyValue;
using record::Trace;

constexpr size_t kMaxMetadata = 8000;  // characters of a value; longer ones are cut
constexpr int64_t kMsPerSecond = 1000;
constexpr std::array<std::string_view, 4> kStates = {"STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"};

const Json& member(const Json& object, const char* key) {
  static const Json kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string text(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_null() && !value.is_string()) {
    wrong_type(key, value);
  }
  return value.is_null() ? std::string() : value.get<std::string>();
}

std::optional<std::string> maybe_text(const Json& object, const char* key) {
  return member(object, key).is_null() ? std::nullopt : std::optional(text(object, key));
}

// A map in JSON.
std::vector<KeyValue> pairs_of(const Json& object, const char* key) {
  std::vector<KeyValue> pairs;
  const Json& map = member(object, key);
  if (map.is_null()) {
    return pairs;
  }
  if (!map.is_object()) {
    wrong_type(key, map);
  }
  for (const auto& [name, value] : map.items()) {
    if (!value.is_string()) {
      wrong_type(fmt::format("{}.{}", key, name), value);
    }
    pairs.push_back({name, value.get<std::string>()});
  }
  return pairs;
}

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

std::string state_of(const Json& value) {
  if (value.is_null()) {
    return std::string(kStates[0]);
  }
  if (value.is_number_integer() && value >= 0 && value < static_cast<int64_t>(kStates.size())) {
    return std::string(kStates.at(value.get<size_t>()));
  }
  if (value.is_string() &&
      std::find(kStates.begin(), kStates.end(), value.get_ref<const std::string&>()) != kStates.end()) {
    return value.get<std::string>();
  }
  wrong_type("state", value);
}

// Digits of a fraction of a second, ".5" being 500 milliseconds.
int64_t fraction_ms(std::string_view digits) {
  int64_t ms = 0;
  for (size_t i = 0; i < 3; ++i) {
    ms = ms * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  return ms;
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void put(Json& out, const char* key, Json value) {
  if (!value.empty()) {
    out[key] = std::move(value);
  }
}

Json value_of_expectation(const Json& expectation) {
  const Json& serialized = member(expectation, "serialized_value");
  if (serialized.is_null()) {
    return member(expectation, "value");
  }
  if (!serialized.is_object()) {
    wrong_type("assessment.expectation.serialized_value", serialized);
  }
  const Json parsed = Json::parse(text(serialized, "value"), nullptr, false);
  if (parsed.is_discarded()) {
    invalid("the value of an expectation is not JSON, though its serialization_format says so");
  }
  return parsed;
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

int64_t timestamp_ms(const Json& value, std::string_view name) {
  if (!value.is_string()) {
    wrong_type(name, value);
  }
  const auto& given = value.get_ref<const std::string&>();
  std::array<int, 6> parts{};  // year, month, day, hour, minute, second
  int used = 0;
  const int count = std::sscanf(given.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts[0], &parts[1], &parts[2], &parts[3],
                                &parts[4], &parts[5], &used);
  std::string_view rest = count == 6 ? std::string_view(given).substr(static_cast<size_t>(used)) : std::string_view();
  int64_t ms = 0;
  if (rest.starts_with('.')) {
    const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    ms = fraction_ms(rest.substr(1, end - 1));
    rest.remove_prefix(end);
  }
  int64_t offset = 0;  // minutes east
  bool good = count == 6 && (rest == "Z" || rest == "z");
  if (!good && rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' &&
      all_digits(rest.substr(1, 2)) && all_digits(rest.substr(4))) {
    offset = ((rest[1] - '0') * 10 + rest[2] - '0') * 60 + (rest[4] - '0') * 10 + rest[5] - '0';
    offset = rest[0] == '-' ? -offset : offset;
    good = true;
  }
  const std::chrono::year_month_day date{std::chrono::year{parts[0]},
                                         std::chrono::month{static_cast<unsigned>(parts[1])},
                                         std::chrono::day{static_cast<unsigned>(parts[2])}};
  if (!good || !date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) {
    wrong_type(name, value);
  }
  const int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const int64_t seconds = ((days * 24 + parts[3]) * 60 + parts[4] - offset) * 60 + parts[5];
  return seconds * kMsPerSecond + ms;
}

std::string duration_text(int64_t ms) {
  const char* sign = ms < 0 ? "-" : "";
  const int64_t size = ms < 0 ? -ms : ms;
  const int64_t part = size % kMsPerSecond;
  return fmt::format("{}{}{}s", sign, size / kMsPerSecond, part != 0 ? fmt::format(".{:03}", part) : "");
}

int64_t duration_ms(const Json& value, std::string_view name) {
  if (!value.is_string()) {
    wrong_type(name, value);
  }
  std::string_view rest = value.get_ref<const std::string&>();
  const bool negative = rest.starts_with('-');
  rest.remove_prefix(negative ? 1 : 0);
  const size_t point = rest.find('.');
  const std::string_view whole = rest.substr(0, std::min(point, rest.size() - (rest.ends_with('s') ? 1 : 0)));
  const std::string_view fraction =
      point == std::string_view::npos ? "" : rest.substr(point + 1, rest.size() - point - 2);
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  constexpr int64_t kMost = 315'576'000'000;  // ten thousand years, as protobuf has it
  if (!rest.ends_with('s') || !all_digits(whole) || error != std::errc() || end != whole.data() + whole.size() || seconds > kMost ||
      (point != std::string_view::npos && !all_digits(fraction))) {
    wrong_type(name, value);
  }
  const int64_t ms = seconds * kMsPerSecond + fraction_ms(fraction);
  return negative ? -ms : ms;
}

Trace trace_of(const Json& info, int64_t now_ms) {
  if (!info.is_object()) {
    missing_parameter("trace.trace_info");
  }
  Trace trace;
  trace.id = text(info, "trace_id");
  if (trace.id.empty()) {
    missing_parameter("trace.trace_info.trace_id");
  }
  const Json& location = member(info, "trace_location");
  if (location.is_object() && member(location, "mlflow_experiment").is_object()) {
    trace.experiment_id = text(member(location, "mlflow_experiment"), "experiment_id");
  }
  trace.client_request_id = maybe_text(info, "client_request_id");
  trace.request_preview = maybe_text(info, "request_preview");
  trace.response_preview = maybe_text(info, "response_preview");
  const Json& time = member(info, "request_time");
  trace.started_ms = time.is_null() ? now_ms : timestamp_ms(time, "request_time");
  if (const Json& duration = member(info, "execution_duration"); !duration.is_null()) {
    trace.duration_ms = duration_ms(duration, "execution_duration");
  }
  trace.state = state_of(member(info, "state"));
  trace.metadata = pairs_of(info, "trace_metadata");
  trace.tags = pairs_of(info, "tags");
  const Json& assessments = member(info, "assessments");
  if (!assessments.is_null() && !assessments.is_array()) {
    wrong_type("assessments", assessments);
  }
  for (const Json& assessment : assessments) {
    trace.assessments.push_back(assessment_of(assessment, trace.id, now_ms));
  }
  return trace;
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
  info["status"] = trace.state == kStates[0] ? "TRACE_STATUS_UNSPECIFIED" : trace.state;
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

Assessment assessment_of(const Json& message, const std::string& trace_id, int64_t now_ms) {
  if (!message.is_object()) {
    missing_parameter("assessment");
  }
  Assessment assessment;
  assessment.trace_id = trace_id;
  assessment.id = text(message, "assessment_id");
  assessment.id = assessment.id.empty() ? "a-" + record::new_id() : assessment.id;
  assessment.name = text(message, "assessment_name");
  if (const Json& feedback = member(message, "feedback"); feedback.is_object()) {
    assessment.kind = "feedback";
    assessment.value = member(feedback, "value");
    assessment.error = member(feedback, "error");
    if (assessment.error.is_null()) {
      assessment.error = member(message, "error");
    }
  } else if (const Json& expectation = member(message, "expectation"); expectation.is_object()) {
    assessment.kind = "expectation";
    assessment.value = value_of_expectation(expectation);
  } else if (const Json& issue = member(message, "issue"); issue.is_object()) {
    assessment.kind = "issue";
    assessment.issue_name = text(issue, "issue_name");
  } else {
    invalid("Unknown assessment type: None");
  }
  if (const Json& source = member(message, "source"); source.is_object()) {
    const Json& type = member(source, "source_type");
    assessment.source_type = type.is_string() ? type.get<std::string>() : "";
    assessment.source_id = text(source, "source_id");
  }
  assessment.span_id = text(message, "span_id");
  assessment.rationale = maybe_text(message, "rationale");
  assessment.metadata = pairs_of(message, "metadata");
  assessment.overrides = text(message, "overrides");
  assessment.valid = !member(message, "valid").is_boolean() || member(message, "valid").get<bool>();
  const Json& created = member(message, "create_time");
  assessment.created_ms = created.is_null() ? now_ms : timestamp_ms(created, "create_time");
  const Json& updated = member(message, "last_update_time");
  assessment.updated_ms = updated.is_null() ? now_ms : timestamp_ms(updated, "last_update_time");
  return assessment;
}

record::AssessmentChange assessment_change(const Json& message, const Json& mask) {
  if (!message.is_object()) {
    missing_parameter("assessment");
  }
  // A FieldMask: "a,b" in JSON, {"paths": ["a", "b"]} of clients that write it out.
  std::string paths;
  if (mask.is_string()) {
    paths = mask.get<std::string>();
  } else if (mask.is_object() && member(mask, "paths").is_array()) {
    for (const Json& path : member(mask, "paths")) {
      paths += (paths.empty() ? "" : ",") + (path.is_string() ? path.get<std::string>() : std::string());
    }
  } else {
    missing_parameter("update_mask");
  }
  record::AssessmentChange change;
  for (std::string_view rest = paths; !rest.empty();) {
    const size_t comma = rest.find(',');
    const std::string_view path = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (path == "assessment_name" || path == "assessmentName") {
      change.name = text(message, "assessment_name");
    } else if (path == "expectation") {
      change.expectation = value_of_expectation(member(message, "expectation"));
    } else if (path == "feedback") {
      change.feedback = member(member(message, "feedback"), "value");
      change.error = member(member(message, "feedback"), "error");
    } else if (path == "rationale") {
      change.rationale = text(message, "rationale");
    } else if (path == "metadata") {
      change.metadata = pairs_of(message, "metadata");
    } else if (path == "valid") {
      change.valid = member(message, "valid").is_boolean() && member(message, "valid").get<bool>();
    }
  }
  return change;
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
