#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>

#include "base/error.h"
#include "store/metric_blocks.h"
#include "store/tracking.h"

namespace slipway::store {

using base::Code;
using base::Error;
using record::KeyValue;
using record::MetricPoint;

std::optional<RunRow> find_run_row(Database& database, const std::string& id) {
  Statement query = database.prepare("SELECT number, experiment, deleted FROM runs WHERE id = ?");
  if (!query.bind(id).step()) {
    return std::nullopt;
  }
  return RunRow{query.integer(0), query.integer(1), query.integer(2) != 0};
}

RunRow active_run_row(Database& database, const std::string& id) {
  const auto row = find_run_row(database, id);
  if (!row) {
    throw Error(Code::kNotFound, fmt::format("Run with id={} not found", id));
  }
  if (row->deleted) {
    throw Error(Code::kInvalid,
                fmt::format("The run {} must be in the 'active' state. Current state is deleted.", id));
  }
  return *row;
}

int64_t experiment_number(const std::string& id) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) {
    throw Error(Code::kInvalid,
                fmt::format("Invalid experiment ID '{}'. Experiment ID must be a valid integer.", id.substr(0, 100)));
  }
  return number;
}

int64_t active_experiment(Database& database, const std::string& id) {
  const int64_t number = id.empty() ? 0 : experiment_number(id);
  Statement query = database.prepare("SELECT deleted FROM experiments WHERE number = ?");
  if (!query.bind(number).step()) {
    throw Error(Code::kNotFound, fmt::format("No Experiment with id={} exists", number));
  }
  if (query.integer(0) != 0) {
    throw Error(Code::kInvalid,
                fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", number));
  }
  return number;
}

int64_t experiment_of_project(Database& database, const std::string& project, int64_t now_ms) {
  if (project.empty()) {
    return 0;
  }
  Statement query = database.prepare("SELECT number, deleted FROM experiments WHERE name = ?");
  if (query.bind(project).step()) {
    const int64_t number = query.integer(0);
    if (query.integer(1) != 0) {
      database.prepare("UPDATE experiments SET deleted = 0, updated_ms = ? WHERE number = ?").bind(now_ms, number).run();
    }
    return number;
  }
  database
      .prepare(
          "INSERT INTO experiments(name, artifact_location, deleted, created_ms, updated_ms) VALUES(?1, '', 0, ?2, ?2)")
      .bind(project, now_ms)
      .run();
  const int64_t number = database.last_insert_id();
  database.prepare("UPDATE experiments SET artifact_location = 'mlflow-artifacts:/' || number WHERE number = ?")
      .bind(number)
      .run();
  return number;
}

int64_t insert_run(Database& database, const NewRun& run) {
  database
      .prepare(
          "INSERT INTO runs(id, experiment, name, user, status, deleted, started_ms, ended_ms, config) "
          "VALUES(?,?,?,?,?,0,?,?,?) ON CONFLICT(id) DO NOTHING")
      .bind(run.id, run.experiment, run.name, run.user, record::name_of(run.status), run.started_ms, run.ended_ms,
            run.config)
      .run();
  if (database.changes() == 0) {
    throw Error(Code::kConflict, fmt::format("there is a run '{}' already", run.id));
  }
  return database.last_insert_id();
}

void put_metrics(Database& database, int64_t run, std::span<const MetricPoint> points) {
  struct Metric {
    std::vector<record::MetricSample> points;
    record::MetricSample latest;  // of this batch; NaN counts as 0
  };
  std::map<std::string_view, Metric> metrics;
  Metric* metric = nullptr;
  std::string_view key;
  for (const MetricPoint& point : points) {
    if (metric == nullptr || point.key != key) {
      key = point.key;
      metric = &metrics[key];
    }
    const record::MetricSample sample{point.time_ms, point.step, point.value};
    const auto place = [](const record::MetricSample& at) {
      return std::tuple(at.step, at.time_ms, std::isnan(at.value) ? 0 : at.value);
    };
    if (metric->points.empty() || place(sample) > place(metric->latest)) {
      metric->latest = sample;
    }
    metric->points.push_back(sample);
  }
  Statement replace = database.prepare(
      "INSERT INTO latest_metrics(run, key, time_ms, step, value, nan) VALUES(?,?,?,?,?,?) ON CONFLICT(run, key) DO "
      "UPDATE SET time_ms = excluded.time_ms, step = excluded.step, value = excluded.value, nan = excluded.nan "
      "WHERE (excluded.step, excluded.time_ms, excluded.value) > (latest_metrics.step, latest_metrics.time_ms, "
      "latest_metrics.value)");
  for (auto& [name, entry] : metrics) {
    put_points(database, run, name, std::move(entry.points));
    const bool nan = std::isnan(entry.latest.value);
    replace.bind(run, name, entry.latest.time_ms, entry.latest.step, nan ? 0 : entry.latest.value, nan ? 1 : 0).run();
  }
}

std::optional<std::string> put_param(Database& database, int64_t run, const KeyValue& param) {
  database.prepare("INSERT INTO params(run, key, value) VALUES(?,?,?) ON CONFLICT DO NOTHING")
      .bind(run, param.key, param.value)
      .run();
  if (database.changes() > 0) {
    return std::nullopt;
  }
  Statement there = database.prepare("SELECT value FROM params WHERE run = ? AND key = ?");
  if (!there.bind(run, param.key).step() || there.text(0) == param.value) {
    return std::nullopt;
  }
  return there.text(0);
}

void put_run_tag(Database& database, int64_t run, const KeyValue& tag) {
  if (tag.key == record::kRunNameTag) {
    database.prepare("UPDATE runs SET name = ? WHERE number = ?").bind(tag.value, run).run();
    return;
  }
  database
      .prepare(
          "INSERT INTO run_tags(run, key, value) VALUES(?,?,?) ON CONFLICT(run, key) DO UPDATE SET value = excluded.value")
      .bind(run, tag.key, tag.value)
      .run();
}

MetricPoint read_point(const Statement& row) {
  MetricPoint point;
  point.key = row.text(0);
  point.value = row.integer(2) != 0 ? std::numeric_limits<double>::quiet_NaN() : row.real(1);
  point.step = row.integer(3);
  point.time_ms = row.integer(4);
  return point;
}

}  // namespace slipway::store
