#include "record/trace_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>

namespace slipway::record {
namespace {

using base::Json;

constexpr int64_t kMsPerSecond = 1000;
constexpr std::array<std::string_view, 4> kStates = {"STATE_UNSPECIFIED", kTraceOk, kTraceFailed, kTraceRuns};

[[noreturn]] void missing_parameter(std::string_view name) { throw FieldFault(name, nullptr, true); }
[[noreturn]] void wrong_type(std::string_view name, const Json& value) { throw FieldFault(name, value, false); }
[[noreturn]] void invalid(const std::string& message) { throw base::Error(base::Code::kInvalid, message); }

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

void write_python(const Json& value, std::string& out) {
  if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : value.items()) {
      out += first ? "" : ", ";
      first = false;
      write_python(Json(key), out);
      out += ": ";
      write_python(item, out);
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (size_t i = 0; i < value.size(); ++i) {
      out += i == 0 ? "" : ", ";
      write_python(value[i], out);
    }
    out += ']';
  } else {
    out += base::dump_json(value);
  }
}

}  // namespace

FieldFault::FieldFault(std::string_view name, Json value, bool missing)
    : base::Error(base::Code::kInvalid, missing ? fmt::format("the field '{}' is missing", name)
                                                : fmt::format("the field '{}' is of another type: {}", name,
                                                              base::dump_json(value).substr(0, 100))),
      name_(name),
      value_(std::move(value)),
      missing_(missing) {}

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

Trace trace_from_json(const Json& info, int64_t now_ms) {
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
    trace.assessments.push_back(assessment_from_json(assessment, trace.id, now_ms));
  }
  return trace;
}

Assessment assessment_from_json(const Json& message, const std::string& trace_id, int64_t now_ms) {
  if (!message.is_object()) {
    missing_parameter("assessment");
  }
  Assessment assessment;
  assessment.trace_id = trace_id;
  assessment.id = text(message, "assessment_id");
  assessment.id = assessment.id.empty() ? "a-" + new_id() : assessment.id;
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

AssessmentChange assessment_change_from_json(const Json& message, const Json& mask) {
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
  AssessmentChange change;
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

std::string python_json_text(const Json& value) {
  std::string out;
  write_python(value, out);
  return out;
}


}  // namespace slipway::record
