#include "track/mlflow_records.h"

#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/base64.h"
#include "base/error.h"
#include "record/trace_json.h"

namespace slipway::track {
namespace {

using base::Code;
using base::Error;
using record::KeyValue;

const Json& field(const Json& object, const char* key) {
  static const Json kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

// Bytes in base64 as hex digits.
std::string hex_of(const Json& value, size_t bytes) {
  const auto decoded = value.is_string() ? base::base64_decode(value.get_ref<const std::string&>()) : std::nullopt;
  if (!decoded || decoded->size() != bytes) {
    throw Error(Code::kInvalid, fmt::format("a span's id is not {} bytes in base64", bytes));
  }
  std::string out;
  for (const char byte : *decoded) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

}  // namespace

std::string field_text(const Json& object, const char* key) {
  const Json& value = field(object, key);
  return value.is_null() ? std::string() : value.is_string() ? value.get<std::string>() : base::dump_json(value);
}

int64_t field_number(const Json& object, const char* key) {
  const Json& value = field(object, key);
  if (value.is_number()) {
    return value.is_number_integer() ? value.get<int64_t>() : 0;
  }
  int64_t number = 0;
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

const Json& field_list(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const Json& value = field(object, key);
  return value.is_array() ? value : kNone;
}

const Json& field_object(const Json& object, const char* key) {
  static const Json kNone = Json::object();
  const Json& value = field(object, key);
  return value.is_object() ? value : kNone;
}

std::vector<KeyValue> field_pairs(const Json& object, const char* key) {
  std::vector<KeyValue> pairs;
  for (const Json& entry : field_list(object, key)) {
    pairs.push_back({field_text(entry, "key"), field_text(entry, "value")});
  }
  const Json& map = field_object(object, key);
  for (auto it = map.begin(); it != map.end(); ++it) {
    pairs.push_back({it.key(), field_text(map, it.key().c_str())});
  }
  return pairs;
}

record::RunStatus run_status(const Json& info) {
  const std::string status = field_text(info, "status");
  return status == "FINISHED" || status == "3" ? record::RunStatus::kFinished
         : status == "FAILED" || status == "4" ? record::RunStatus::kFailed
         : status == "KILLED" || status == "5" ? record::RunStatus::kKilled
                                               : record::RunStatus::kRunning;
}

record::RegisteredModel registered_model(const Json& json) {
  record::RegisteredModel model;
  model.name = field_text(json, "name");
  model.description = field_text(json, "description");
  model.created_ms = field_number(json, "creation_timestamp");
  model.updated_ms = field_number(json, "last_updated_timestamp");
  model.tags = field_pairs(json, "tags");
  return model;
}

record::CatalogVersion model_version(const Json& json) {
  record::CatalogVersion version;
  version.version = static_cast<int>(field_number(json, "version"));
  version.source = field_text(json, "source");
  version.run_id = field_text(json, "run_id");
  version.run_link = field_text(json, "run_link");
  version.model_id = field_text(json, "model_id");
  version.description = field_text(json, "description");
  version.stage = field_text(json, "current_stage");
  version.created_ms = field_number(json, "creation_timestamp");
  version.updated_ms = field_number(json, "last_updated_timestamp");
  return version;
}

record::TrackedDataset dataset(const Json& json) {
  record::TrackedDataset dataset = {field_text(json, "name"),   field_text(json, "digest"), field_text(json, "source_type"),
                                    field_text(json, "source"), std::nullopt,               std::nullopt};
  if (!field(json, "schema").is_null()) {
    dataset.schema = field_text(json, "schema");
  }
  if (!field(json, "profile").is_null()) {
    dataset.profile = field_text(json, "profile");
  }
  return dataset;
}

record::LoggedModel logged_model(const Json& info) {
  constexpr std::array<const char*, 3> kStatuses = {record::kModelPending, record::kModelReady, record::kModelFailed};
  record::LoggedModel model;
  model.id = field_text(info, "model_id");
  model.name = field_text(info, "name");
  model.type = field_text(info, "model_type");
  model.source_run_id = field_text(info, "source_run_id");
  const Json& status = field(info, "status");  // a number in files: 1 pending, 2 ready, 3 failed
  if (status.is_string()) {
    const std::string word = status.get<std::string>();
    model.status = word.starts_with("LOGGED_MODEL_") ? word
                   : word == "FAILED"                ? record::kModelFailed
                                                     : "LOGGED_MODEL_" + word;
  } else if (const int64_t number = field_number(info, "status"); number >= 1 && number <= 3) {
    model.status = kStatuses.at(static_cast<size_t>(number - 1));
  }
  const auto time = [&](const char* of_server, const char* of_file) {
    const int64_t ms = field_number(info, of_server);
    return ms != 0 ? ms : field_number(info, of_file);
  };
  model.created_ms = time("creation_timestamp_ms", "creation_timestamp");
  model.updated_ms = time("last_updated_timestamp_ms", "last_updated_timestamp");
  return model;
}

record::TraceSpan trace_span(const Json& json) {
  constexpr std::string_view kStatus = "STATUS_CODE_";
  constexpr size_t kIdBytes = 8;
  record::TraceSpan span;
  span.id = hex_of(field(json, "span_id"), kIdBytes);
  const Json& parent = field(json, "parent_span_id");
  span.parent = parent.is_string() && !parent.get_ref<const std::string&>().empty() ? hex_of(parent, kIdBytes) : "";
  span.name = field_text(json, "name");
  // A text that holds JSON.
  const Json type = Json::parse(field_text(field_object(json, "attributes"), "mlflow.spanType"), nullptr, false);
  span.type = type.is_string() ? type.get<std::string>() : "";
  const std::string status = field_text(field_object(json, "status"), "code");
  span.status = status.starts_with(kStatus) ? status.substr(kStatus.size()) : "UNSET";
  span.start_ns = field_number(json, "start_time_unix_nano");
  span.end_ns = field_number(json, "end_time_unix_nano");
  span.content = record::python_json_text(json);
  return span;
}

}  // namespace slipway::track
