#include "api/render.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace slipway::api {
namespace {

using record::KeyValue;

void begin(JsonWriter& out, std::string_view name) { name.empty() ? out.begin_object() : out.begin_object(name); }

// In the order of record::RunStatus. A run that awaits approval is one that is scheduled.
constexpr std::array<std::string_view, 5> kStatuses = {"RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED"};

void write_datasets(JsonWriter& out, const std::vector<record::DatasetUse>& uses) {
  if (uses.empty()) {
    return;
  }
  out.begin_array("dataset_inputs");
  for (const record::DatasetUse& use : uses) {
    out.begin_object();
    write_pairs(out, "tags", use.tags);
    out.begin_object("dataset");
    out.field("name", use.dataset.name);
    out.field("digest", use.dataset.digest);
    out.field("source_type", use.dataset.source_type);
    out.field("source", use.dataset.source);
    if (use.dataset.schema) {
      out.field("schema", *use.dataset.schema);
    }
    if (use.dataset.profile) {
      out.field("profile", *use.dataset.profile);
    }
    out.end_object();
    out.end_object();
  }
  out.end_array();
}

void write_models(JsonWriter& out, std::string_view name, const std::vector<record::ModelUse>& uses, bool steps) {
  if (uses.empty()) {
    return;
  }
  out.begin_array(name);
  for (const record::ModelUse& use : uses) {
    out.begin_object();
    out.field("model_id", use.model_id);
    if (steps) {
      out.field("step", use.step);
    }
    out.end_object();
  }
  out.end_array();
}

}  // namespace

void write_pairs(JsonWriter& out, std::string_view name, const std::vector<KeyValue>& pairs) {
  if (pairs.empty()) {
    return;
  }
  out.begin_array(name);
  for (const KeyValue& pair : pairs) {
    out.begin_object();
    out.field("key", pair.key);
    out.field("value", pair.value);
    out.end_object();
  }
  out.end_array();
}

void write_experiment(JsonWriter& out, std::string_view name, const record::Experiment& experiment) {
  begin(out, name);
  out.field("experiment_id", experiment.id);
  out.field("name", experiment.name);
  out.field("artifact_location", experiment.artifact_location);
  out.field("lifecycle_stage", experiment.deleted ? "deleted" : "active");
  out.field("last_update_time", experiment.updated_ms);
  out.field("creation_time", experiment.created_ms);
  write_pairs(out, "tags", experiment.tags);
  out.field("workspace", "default");
  out.end_object();
}

void write_metric(JsonWriter& out, const record::MetricPoint& point) {
  out.begin_object();
  out.field("key", point.key);
  out.field("value", point.value);
  out.field("timestamp", point.time_ms);
  out.field("step", point.step);
  out.end_object();
}

// A history has 25,000 points that differ in three numbers: what is around these is made once.
void write_metrics(JsonWriter& out, std::string_view key, std::span<const record::MetricSample> points,
                   std::string_view run_id) {
  const std::string outer(static_cast<size_t>(2 * out.depth()), ' ');
  const std::string next = ",\n" + outer + "  ";
  const std::string before_value = "{\n" + outer + "  \"key\": " + json_text(key) + next + "\"value\": ";
  const std::string before_time = next + "\"timestamp\": ";
  const std::string before_step = next + "\"step\": ";
  const std::string end = (run_id.empty() ? "" : next + "\"run_id\": " + json_text(run_id)) + "\n" + outer + "}";
  constexpr size_t kIntegerBytes = 20;  // of -2^63
  std::string element(before_value.size() + before_time.size() + before_step.size() + end.size() + kDoubleBytes + 2 * kIntegerBytes, '\0');
  char* const limit = element.data() + element.size();
  const auto put = [](char* at, const std::string& text) { return std::copy(text.begin(), text.end(), at); };
  char* const first = put(element.data(), before_value);
  out.expect(points.size() * (element.size() + outer.size() + 2));
  for (const record::MetricSample& point : points) {
    char* at = put(write_double(first, point.value), before_time);
    at = put(std::to_chars(at, limit, point.time_ms).ptr, before_step);
    at = put(std::to_chars(at, limit, point.step).ptr, end);
    out.element({element.data(), static_cast<size_t>(at - element.data())});
  }
}

void write_model_metric(JsonWriter& out, const record::LoggedModelMetric& metric) {
  out.begin_object();
  out.field("key", metric.point.key);
  out.field("value", metric.point.value);
  out.field("timestamp", metric.point.time_ms);
  out.field("step", metric.point.step);
  if (!metric.dataset_name.empty()) {
    out.field("dataset_name", metric.dataset_name);
  }
  if (!metric.dataset_digest.empty()) {
    out.field("dataset_digest", metric.dataset_digest);
  }
  out.field("model_id", metric.model_id);
  out.field("run_id", metric.run_id);
  out.end_object();
}

void write_run_info(JsonWriter& out, std::string_view name, const record::TrackedRun& run) {
  begin(out, name);
  out.field("run_uuid", run.id);
  out.field("experiment_id", run.experiment_id);
  out.field("run_name", run.name);
  out.field("user_id", run.user);
  out.field("status", kStatuses[static_cast<size_t>(run.status)]);
  out.field("start_time", run.started_ms);
  if (run.ended_ms != 0) {
    out.field("end_time", run.ended_ms);
  }
  out.field("artifact_uri", run.artifact_uri);
  out.field("lifecycle_stage", run.deleted ? "deleted" : "active");
  out.field("run_id", run.id);
  out.end_object();
}

void write_run(JsonWriter& out, std::string_view name, const record::TrackedRun& run) {
  begin(out, name);
  write_run_info(out, "info", run);
  out.begin_object("data");
  if (!run.metrics.empty()) {
    out.begin_array("metrics");
    for (const record::MetricPoint& point : run.metrics) {
      write_metric(out, point);
    }
    out.end_array();
  }
  write_pairs(out, "params", run.params);
  write_pairs(out, "tags", run.tags);
  out.end_object();
  out.begin_object("inputs");
  write_datasets(out, run.datasets);
  write_models(out, "model_inputs", run.model_inputs, false);
  out.end_object();
  out.begin_object("outputs");
  write_models(out, "model_outputs", run.model_outputs, true);
  out.end_object();
  out.end_object();
}

void write_files(JsonWriter& out, std::span<const record::TreeEntry> entries, const std::string& folder) {
  if (entries.empty()) {
    return;
  }
  out.begin_array("files");
  for (const record::TreeEntry& entry : entries) {
    out.begin_object();
    out.field("path", folder.empty() ? entry.name : folder + "/" + entry.name);
    out.field("is_dir", entry.folder);
    if (!entry.folder) {
      out.field("file_size", static_cast<int64_t>(entry.size));
    }
    out.end_object();
  }
  out.end_array();
}

}  // namespace slipway::api
