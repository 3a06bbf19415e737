// What the classes over the tables of runs share: rows found and written inside a transaction or on a reader's connection.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "record/tracking.h"
#include "store/database.h"

namespace slipway::store {

struct RunRow {
  int64_t number = 0;
  int64_t experiment = 0;
  bool deleted = false;
};

std::optional<RunRow> find_run_row(Database& database, const std::string& id);
// Throws Error(kNotFound | kInvalid when it is deleted) in MLflow's words.
RunRow active_run_row(Database& database, const std::string& id);

// The experiment of that name, made or restored if need be; an empty name is the default one.
int64_t experiment_of_project(Database& database, const std::string& project, int64_t now_ms);
// A decimal id as a row number. Throws Error(kInvalid).
int64_t experiment_number(const std::string& id);
// The experiment's row, "" being the default one. Throws Error(kNotFound | kInvalid when it is deleted) in MLflow's words.
int64_t active_experiment(Database& database, const std::string& id);

struct NewRun {
  const std::string& id;
  int64_t experiment;
  const std::string& name;
  const std::string& user;
  record::RunStatus status;
  int64_t started_ms;
  int64_t ended_ms;
  const std::string& config;  // JSON
};
// The row's number. Throws Error(kConflict) when there is a run of that id.
int64_t insert_run(Database& database, const NewRun& run);

// Keeps points, and the latest of each key: the highest (step, time, value). Repeats change nothing.
void put_metrics(Database& database, int64_t run, std::span<const record::MetricPoint> points);
// Values that are there already stay. Throws Error(kNotFound) for a logged model that is not there.
void put_model_metrics(Database& database, const std::string& run_id,
                       std::span<const record::LoggedModelMetric> metrics);
// The value that is there already when it is another one; then nothing is written.
std::optional<std::string> put_param(Database& database, int64_t run, const record::KeyValue& param);
// Replaces; record::kRunNameTag renames the run.
void put_run_tag(Database& database, int64_t run, const record::KeyValue& tag);

// Columns: key, value, nan, step, time_ms.
record::MetricPoint read_point(const Statement& row);

}  // namespace slipway::store
