#include "api/render.h"

#include <array>

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

void write_metric(JsonWriter& out, const record::MetricPoint& point, std::string_view run_id) {
  out.begin_object();
  out.field("key", point.key);
  out.field("value", point.value);
  out.field("timestamp", point.time_ms);
  out.field("step", point.step);
  if (!run_id.empty()) {
    out.field("run_id", run_id);
  }
  out.end_object();
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
