#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "store/run_query.h"
#include "store/tables.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::DatasetUse;
using record::KeyValue;
using record::MetricPoint;
using record::TrackedRun;

TrackedRun read_info(Database& database, int64_t number) {
  Statement query = database.prepare(
      "SELECT r.id, r.experiment, r.name, r.user, r.status, r.deleted, r.started_ms, r.ended_ms, "
      "rtrim(e.artifact_location, '/') FROM runs r JOIN experiments e ON e.number = r.experiment WHERE r.number = ?");
  if (!query.bind(number).step()) {
    throw Error(Code::kIntegrity, "a run of the store has no experiment; 'slipway store verify' tells more");
  }
  TrackedRun run;
  run.id = query.text(0);
  run.experiment_id = std::to_string(query.integer(1));
  run.name = query.text(2);
  run.user = query.text(3);
  run.status = record::run_status(query.text(4));
  run.deleted = query.integer(5) != 0;
  run.started_ms = query.integer(6);
  run.ended_ms = query.integer(7);
  run.artifact_uri = fmt::format("{}/{}/artifacts", query.text(8), run.id);
  return run;
}

void read_pairs(Database& database, const char* sql, int64_t number, std::vector<KeyValue>& pairs) {
  Statement query = database.prepare(sql);
  query.bind(number);
  while (query.step()) {
    pairs.push_back({query.text(0), query.text(1)});
  }
}

void add_name_tag(TrackedRun& run) {
  if (!run.name.empty()) {
    const KeyValue tag{record::kRunNameTag, run.name};
    const auto at = std::lower_bound(run.tags.begin(), run.tags.end(), tag,
                                     [](const KeyValue& a, const KeyValue& b) { return a.key < b.key; });
    run.tags.insert(at, tag);
  }
}

void read_datasets(Database& database, int64_t number, TrackedRun& run) {
  Statement query = database.prepare(
      "SELECT d.name, d.digest, d.source_type, d.source, d.schema, d.profile, u.tags FROM run_datasets u JOIN datasets d "
      "ON d.number = u.dataset WHERE u.run = ? ORDER BY d.number");
  query.bind(number);
  while (query.step()) {
    DatasetUse use;
    use.dataset = {query.text(0), query.text(1), query.text(2), query.text(3), std::nullopt, std::nullopt};
    if (!query.is_null(4)) {
      use.dataset.schema = query.text(4);
    }
    if (!query.is_null(5)) {
      use.dataset.profile = query.text(5);
    }
    for (const auto& [key, value] : to_map(query.text(6))) {
      use.tags.push_back({key, value});
    }
    run.datasets.push_back(std::move(use));
  }
}

void read_models(Database& database, int64_t number, TrackedRun& run) {
  Statement query = database.prepare("SELECT output, model, step FROM run_models WHERE run = ? ORDER BY output, model, step");
  query.bind(number);
  while (query.step()) {
    (query.integer(0) != 0 ? run.model_outputs : run.model_inputs).push_back({query.text(1), query.integer(2)});
  }
}

bool any_row(Database& database, const char* select) { return database.prepare(select).step(); }

// Reads whole runs; knows once for all of them whether there is anything in the tables that few runs use.
class RunReader {
 public:
  explicit RunReader(Database& database)
      : database_(database),
        datasets_(any_row(database, "SELECT 1 FROM run_datasets LIMIT 1")),
        models_(any_row(database, "SELECT 1 FROM run_models LIMIT 1")) {}

  TrackedRun read(int64_t number) {
    TrackedRun run = read_info(database_, number);
    Statement metrics =
        database_.prepare("SELECT key, value, nan, step, time_ms FROM latest_metrics WHERE run = ? ORDER BY key");
    metrics.bind(number);
    while (metrics.step()) {
      run.metrics.push_back(read_point(metrics));
    }
    read_pairs(database_, "SELECT key, value FROM params WHERE run = ? ORDER BY key", number, run.params);
    read_pairs(database_, "SELECT key, value FROM run_tags WHERE run = ? ORDER BY key", number, run.tags);
    add_name_tag(run);
    if (datasets_) {
      read_datasets(database_, number, run);
    }
    if (models_) {
      read_models(database_, number, run);
    }
    return run;
  }

 private:
  Database& database_;
  bool datasets_;
  bool models_;
};

std::vector<int64_t> numbers_of(Database& database, const SqlText& sql) {
  std::vector<int64_t> numbers;
  Statement select = sql.prepare(database);
  while (select.step()) {
    numbers.push_back(select.integer(0));
  }
  return numbers;
}

int64_t put_dataset(Database& database, int64_t experiment, const record::TrackedDataset& dataset) {
  database
      .prepare(
          "INSERT INTO datasets(experiment, name, digest, source_type, source, schema, profile) VALUES(?,?,?,?,?,?,?) ON "
          "CONFLICT DO NOTHING")
      .bind(experiment, dataset.name, dataset.digest, dataset.source_type, dataset.source, dataset.schema,
            dataset.profile)
      .run();
  Statement query = database.prepare("SELECT number FROM datasets WHERE experiment = ? AND name = ? AND digest = ?");
  query.bind(experiment, dataset.name, dataset.digest).step();
  return query.integer(0);
}

void put_use(Database& database, const RunRow& run, const DatasetUse& use) {
  std::optional<std::string> context;
  record::Json tags = record::Json::object();
  for (const KeyValue& tag : use.tags) {
    tags[tag.key] = tag.value;
    if (tag.key == record::kContextTag) {
      context = tag.value;
    }
  }
  database
      .prepare("INSERT INTO run_datasets(run, dataset, context, tags) VALUES(?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(run.number, put_dataset(database, run.experiment, use.dataset), context, to_text(tags))
      .run();
}

// Which of the points in order of step are shown: the first of each of `samples` groups of equal size (SQL's ntile), and
// the last.
std::vector<MetricPoint> sampled(std::vector<MetricPoint> points, size_t samples) {
  const size_t count = points.size();
  if (count <= samples) {
    return points;
  }
  std::vector<MetricPoint> chosen;
  chosen.reserve(samples);
  size_t at = 0;
  for (size_t group = 0; group < samples; ++group) {
    chosen.push_back(std::move(points[at]));
    at += count / samples + (group < count % samples ? 1 : 0);
  }
  if (count / samples > 1) {  // the last point is not the first of the last group
    chosen.back() = std::move(points.back());
  }
  return chosen;
}

}  // namespace

TrackedRun SqlRunTracker::create(TrackedRun run) {
  check_name(run.id, "a run's id");
  const std::string config = "{}";
  TrackedRun result;
  core_.write([&](Database& database) {
    const int64_t experiment = active_experiment(database, run.experiment_id);
    const int64_t number =
        insert_run(database, {run.id, experiment, run.name, run.user, run.status, run.started_ms, run.ended_ms, config});
    for (const KeyValue& tag : run.tags) {
      put_run_tag(database, number, tag);
    }
    result = RunReader(database).read(number);
  });
  return result;
}

std::optional<TrackedRun> SqlRunTracker::find(const std::string& id) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const auto row = find_run_row(*database, id);
  return row ? std::optional(RunReader(*database).read(row->number)) : std::nullopt;
}

TrackedRun SqlRunTracker::change(const std::string& id, const record::RunChange& change) {
  TrackedRun result;
  core_.write([&](Database& database) {
    const bool fate_only = change.deleted && !change.status && !change.ended_ms && !change.name;
    const auto row = fate_only ? find_run_row(database, id) : active_run_row(database, id);
    if (!row) {
      throw Error(Code::kNotFound, fmt::format("Run with id={} not found", id));
    }
    if (change.deleted) {
      database.prepare("UPDATE runs SET deleted = ?, deleted_ms = ? WHERE number = ?")
          .bind(*change.deleted ? 1 : 0, core_.now(), row->number)
          .run();
    }
    if (change.status) {
      database.prepare("UPDATE runs SET status = ? WHERE number = ?")
          .bind(record::name_of(*change.status), row->number)
          .run();
    }
    if (change.ended_ms) {
      database.prepare("UPDATE runs SET ended_ms = ? WHERE number = ?").bind(*change.ended_ms, row->number).run();
    }
    if (change.name) {
      put_run_tag(database, row->number, {record::kRunNameTag, *change.name});
    }
    result = read_info(database, row->number);
  });
  return result;
}

void SqlRunTracker::log(const std::string& id, const record::RunBatch& batch) {
  core_.write([&](Database& database) {
    const RunRow run = active_run_row(database, id);
    std::vector<record::ParamConflict::Change> conflicts;
    for (const KeyValue& param : batch.params) {
      if (auto there = put_param(database, run.number, param)) {
        conflicts.push_back({param.key, *std::move(there), param.value});
      }
    }
    if (!conflicts.empty()) {
      throw record::ParamConflict(std::move(conflicts));
    }
    put_metrics(database, run.number, batch.metrics);
    put_model_metrics(database, id, batch.model_metrics);
    for (const KeyValue& tag : batch.tags) {
      put_run_tag(database, run.number, tag);
    }
  });
}

void SqlRunTracker::remove_tag(const std::string& id, const std::string& key) {
  core_.write([&](Database& database) {
    const RunRow run = active_run_row(database, id);
    if (key == record::kRunNameTag) {
      database.prepare("UPDATE runs SET name = '' WHERE number = ? AND name <> ''").bind(run.number).run();
    } else {
      database.prepare("DELETE FROM run_tags WHERE run = ? AND key = ?").bind(run.number, key).run();
    }
    if (database.changes() == 0) {
      throw Error(Code::kNotFound, fmt::format("No tag with name: {} in run with id {}", key, id));
    }
  });
}

void SqlRunTracker::add_inputs(const std::string& id, const record::RunInputs& inputs) {
  core_.write([&](Database& database) {
    const RunRow run = active_run_row(database, id);
    for (const DatasetUse& use : inputs.datasets) {
      put_use(database, run, use);
    }
    const auto put_models = [&](const std::vector<record::ModelUse>& models, int output) {
      for (const record::ModelUse& model : models) {
        database.prepare("INSERT INTO run_models(run, output, model, step) VALUES(?,?,?,?) ON CONFLICT DO NOTHING")
            .bind(run.number, output, model.model_id, model.step)
            .run();
      }
    };
    put_models(inputs.model_inputs, 0);
    put_models(inputs.model_outputs, 1);
  });
}

record::Page<TrackedRun> SqlRunTracker::search(const record::Query& query) {
  record::Page<TrackedRun> page;
  if (query.experiment_ids.empty()) {
    return page;
  }
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  std::vector<int64_t> numbers;
  if (const auto walk = metric_walk(*database, query)) {
    numbers = numbers_of(*database, *walk);
  }
  if (static_cast<int64_t>(numbers.size()) <= query.limit) {
    numbers = numbers_of(*database, runs_query(*database, query));
  }
  page.more = static_cast<int64_t>(numbers.size()) > query.limit;
  numbers.resize(std::min(numbers.size(), static_cast<size_t>(query.limit)));
  RunReader reader(*database);
  page.items.reserve(numbers.size());
  for (const int64_t number : numbers) {
    page.items.push_back(reader.read(number));
  }
  return page;
}

record::Page<MetricPoint> SqlRunTracker::history(const record::HistoryQuery& query) {
  const auto database = core_.read();
  SqlText sql;
  sql << "SELECT key, value, nan, step, time_ms FROM metrics WHERE run = (SELECT number FROM runs WHERE id = ";
  sql.bind(query.run_id) << ") AND key = ";
  sql.bind(query.key);
  if (query.steps) {
    sql << " AND step BETWEEN ";
    sql.bind(query.steps->first) << " AND ";
    sql.bind(query.steps->second);
  }
  sql << (query.samples > 0 ? " ORDER BY step, time_ms, value, nan LIMIT " : " ORDER BY time_ms, step, value, nan LIMIT ");
  sql.bind(query.limit > 0 ? query.limit + 1 : int64_t{-1}) << " OFFSET ";
  sql.bind(query.offset);
  record::Page<MetricPoint> page;
  Statement select = sql.prepare(*database);
  while (select.step()) {
    page.items.push_back(read_point(select));
  }
  if (query.limit > 0 && static_cast<int64_t>(page.items.size()) > query.limit) {
    page.items.pop_back();
    page.more = true;
  }
  if (query.samples > 0) {
    page.items = sampled(std::move(page.items), static_cast<size_t>(query.samples));
  }
  return page;
}

}  // namespace slipway::store
