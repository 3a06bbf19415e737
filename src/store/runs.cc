#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::MetricPoint;
using record::Run;

constexpr std::string_view kSelect = "SELECT id, project, name, status, started_ms, ended_ms, tags, config FROM runs";

Run read_run(const Statement& row) {
  Run run;
  run.id = row.text(0);
  run.project = row.text(1);
  run.name = row.text(2);
  run.status = record::run_status(row.text(3));
  run.started_ms = row.integer(4);
  run.ended_ms = row.integer(5);
  run.tags = to_map(row.text(6));
  run.config = to_value(row.text(7));
  return run;
}

// The row number that params and metrics are kept under.
int64_t run_number(Database& database, const std::string& run_id) {
  Statement statement = database.prepare("SELECT number FROM runs WHERE id = ?");
  if (!statement.bind(run_id).step()) {
    throw Error(Code::kNotFound, fmt::format("there is no run '{}'", run_id.substr(0, 100)));
  }
  return statement.integer(0);
}

}  // namespace

void SqlRuns::create_run(const Run& run) {
  check_name(run.id, "a run's id");
  core_.write([&](Database& database) {
    Statement insert = database.prepare(
        "INSERT INTO runs(id, project, name, status, started_ms, ended_ms, tags, config) VALUES(?,?,?,?,?,?,?,?) "
        "ON CONFLICT(id) DO NOTHING");
    insert.bind(run.id, run.project, run.name, record::name_of(run.status), run.started_ms, run.ended_ms,
                to_text(run.tags), to_text(run.config));
    insert.run();
    if (database.changes() == 0) {
      throw Error(Code::kConflict, fmt::format("there is a run '{}' already", run.id));
    }
  });
}

void SqlRuns::end_run(const std::string& run_id, record::RunStatus status, int64_t ended_ms) {
  core_.write([&](Database& database) {
    const int64_t number = run_number(database, run_id);
    database.prepare("UPDATE runs SET status = ?, ended_ms = ? WHERE number = ?")
        .bind(record::name_of(status), ended_ms, number)
        .run();
  });
}

void SqlRuns::log_params(const std::string& run_id, const std::map<std::string, std::string>& params) {
  core_.write([&](Database& database) {
    const int64_t run = run_number(database, run_id);
    for (const auto& [key, value] : params) {
      database.prepare("INSERT INTO params(run, key, value) VALUES(?,?,?) ON CONFLICT DO NOTHING")
          .bind(run, key, value)
          .run();
      if (database.changes() > 0) {
        continue;
      }
      Statement there = database.prepare("SELECT value FROM params WHERE run = ? AND key = ?");
      if (there.bind(run, key).step() && there.text(0) != value) {
        throw Error(Code::kConflict, fmt::format("parameter '{}' of run {} is '{}' already and cannot become '{}'", key,
                                                 run_id, there.text(0), value));
      }
    }
  });
}

void SqlRuns::log_metrics(const std::string& run_id, std::span<const MetricPoint> points) {
  core_.writer.write(false, [&](Database& database) {
    const int64_t run = run_number(database, run_id);
    Statement insert = database.prepare("INSERT INTO metrics(run, key, step, time_ms, value) VALUES(?,?,?,?,?)");
    for (const MetricPoint& point : points) {
      insert.bind(run, point.key, point.step, point.time_ms, point.value).run();
    }
  });
}

std::optional<Run> SqlRuns::find_run(const std::string& run_id) {
  return find_row(*core_.read(), kSelect, "id", run_id, read_run);
}

std::vector<Run> SqlRuns::list_runs(const std::string& project, int limit) {
  return list_rows(*core_.read(), kSelect, {"project", project}, "ORDER BY started_ms DESC, number DESC", limit,
                   read_run);
}

std::map<std::string, std::string> SqlRuns::params(const std::string& run_id) {
  const auto database = core_.read();
  Statement query = database->prepare(
      "SELECT key, value FROM params WHERE run = (SELECT number FROM runs WHERE id = ?) ORDER BY key");
  query.bind(run_id);
  std::map<std::string, std::string> params;
  while (query.step()) {
    params.emplace(query.text(0), query.text(1));
  }
  return params;
}

std::vector<MetricPoint> SqlRuns::metrics(const std::string& run_id, const std::string& key) {
  const auto database = core_.read();
  Statement query = key.empty() ? database->prepare(
                                      "SELECT key, value, step, time_ms FROM metrics WHERE run = (SELECT number FROM "
                                      "runs WHERE id = ?) ORDER BY step, id")
                                : database->prepare(
                                      "SELECT key, value, step, time_ms FROM metrics WHERE run = (SELECT number FROM "
                                      "runs WHERE id = ?) AND key = ? ORDER BY step, id");
  key.empty() ? query.bind(run_id) : query.bind(run_id, key);
  std::vector<MetricPoint> points;
  while (query.step()) {
    MetricPoint point;
    point.key = query.text(0);
    point.value = query.is_null(1) ? std::numeric_limits<double>::quiet_NaN() : query.real(1);
    point.step = query.integer(2);
    point.time_ms = query.integer(3);
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace slipway::store
