// Records as MLflow's messages. Each writes one object into the writer. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/json_writer.h"
#include "record/tracking.h"

namespace slipway::api {

// `name` is the field it is the value of; empty: an element of the open array.
void write_experiment(JsonWriter& out, std::string_view name, const record::Experiment& experiment);
void write_run(JsonWriter& out, std::string_view name, const record::TrackedRun& run);
void write_run_info(JsonWriter& out, std::string_view name, const record::TrackedRun& run);
void write_metric(JsonWriter& out, const record::MetricPoint& point);
// Elements of the open array. `run_id` empty: left out.
void write_metrics(JsonWriter& out, std::string_view key, std::span<const record::MetricSample> points,
                   std::string_view run_id = {});
void write_model_metric(JsonWriter& out, const record::LoggedModelMetric& metric);
// The field `name` of the open object, a list of {key, value}; nothing for none.
void write_pairs(JsonWriter& out, std::string_view name, const std::vector<record::KeyValue>& pairs);
// The field "files" of the open object; nothing for no entries. `folder`: before each name, with a slash; empty: none.
void write_files(JsonWriter& out, std::span<const record::TreeEntry> entries, const std::string& folder = {});

}  // namespace slipway::api
