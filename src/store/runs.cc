// Runs as a pipeline sees them: over the tables that tracking.cc keeps.
#include <fmt/format.h>

#include "base/error.h"
#include "store/metric_blocks.h"
#include "store/tables.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::MetricPoint;
using record::Run;

constexpr std::string_view kSelect =
    "SELECT id, (SELECT e.name FROM experiments e WHERE e.number = experiment), name, status, started_ms, ended_ms, "
    "config, number FROM runs";

Run read_run(Database& database, const Statement& row) {
  Run run;
  run.id = row.text(0);
  run.project = row.text(1);
  run.name = row.text(2);
  run.status = record::run_status(row.text(3));
  run.started_ms = row.integer(4);
  run.ended_ms = row.integer(5);
  run.config = to_value(row.text(6));
  Statement tags = database.prepare("SELECT key, value FROM run_tags WHERE run = ?");
  tags.bind(row.integer(7));
  while (tags.step()) {
    run.tags.emplace(tags.text(0), tags.text(1));
  }
  return run;
}

int64_t existing_run(Database& database, const std::string& run_id) {
  const auto run = find_run_row(database, run_id);
  if (!run) {
    throw Error(Code::kNotFound, fmt::format("there is no run '{}'", run_id.substr(0, 100)));
  }
  return run->number;
}

}  // namespace

void SqlRuns::create_run(const Run& run) {
  check_name(run.id, "a run's id");
  const std::string config = to_text(run.config);
  const int64_t now = core_.now();
  core_.write([&](Database& database) {
    const int64_t experiment = experiment_of_project(database, run.project, now);
    const int64_t number = insert_run(
        database, {run.id, experiment, run.name, "", run.status, run.started_ms, run.ended_ms, config});
    for (const auto& [key, value] : run.tags) {
      put_run_tag(database, number, {key, value});
    }
  });
}

void SqlRuns::end_run(const std::string& run_id, record::RunStatus status, int64_t ended_ms) {
  core_.write([&](Database& database) {
    const int64_t number = existing_run(database, run_id);
    database.prepare("UPDATE runs SET status = ?, ended_ms = ? WHERE number = ?")
        .bind(record::name_of(status), ended_ms, number)
        .run();
  });
}

void SqlRuns::log_params(const std::string& run_id, const std::map<std::string, std::string>& params) {
  core_.write([&](Database& database) {
    const int64_t run = existing_run(database, run_id);
    for (const auto& [key, value] : params) {
      if (const auto there = put_param(database, run, {key, value})) {
        throw Error(Code::kConflict,
                    fmt::format("parameter '{}' of run {} is '{}' already and cannot become '{}'", key, run_id, *there,
                                value));
      }
    }
  });
}

void SqlRuns::log_metrics(const std::string& run_id, std::span<const MetricPoint> points) {
  core_.writer.write(false, [&](Database& database) {
    put_metrics(database, existing_run(database, run_id), points);
  });
}

std::optional<Run> SqlRuns::find_run(const std::string& run_id) {
  const auto database = core_.read();
  return find_row(*database, kSelect, "id", run_id, [&](const Statement& row) { return read_run(*database, row); });
}

std::vector<Run> SqlRuns::list_runs(const std::string& project, int limit) {
  const auto database = core_.read();
  const std::string_view where = project.empty()
                                     ? " WHERE deleted = 0"
                                     : " WHERE experiment = (SELECT number FROM experiments WHERE name = ?2) AND "
                                       "deleted = 0";
  Statement query =
      database->prepare(fmt::format("{}{} ORDER BY started_ms DESC, number DESC LIMIT ?1", kSelect, where));
  project.empty() ? query.bind(sql_limit(limit)) : query.bind(sql_limit(limit), project);
  std::vector<Run> runs;
  while (query.step()) {
    runs.push_back(read_run(*database, query));
  }
  return runs;
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
  return read_metrics(*core_.read(), run_id, key);
}

}  // namespace slipway::store
