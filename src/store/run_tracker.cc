#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "store/metric_blocks.h"
#include "store/run_query.h"
#include "store/run_reader.h"
#include "store/tables.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::DatasetUse;
using record::KeyValue;
using record::TrackedRun;

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
    result = std::move(read_runs(database, {&number, 1}).front());
  });
  return result;
}

std::optional<TrackedRun> SqlRunTracker::find(const std::string& id) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const auto row = find_run_row(*database, id);
  return row ? std::optional(std::move(read_runs(*database, {&row->number, 1}).front())) : std::nullopt;
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
    result = read_run_info(database, row->number);
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
  page.items = read_runs(*database, numbers);
  return page;
}

record::Page<record::MetricSample> SqlRunTracker::history(const record::HistoryQuery& query) {
  return read_history(*core_.read(), query);
}

}  // namespace slipway::store
