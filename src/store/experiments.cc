#include <fmt/format.h>

#include "base/error.h"
#include "store/run_query.h"
#include "store/tables.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Experiment;
using record::KeyValue;

std::optional<Experiment> read_experiment(Database& database, int64_t number) {
  Statement query = database.prepare(
      "SELECT number, name, artifact_location, deleted, created_ms, updated_ms FROM experiments WHERE number = ?");
  if (!query.bind(number).step()) {
    return std::nullopt;
  }
  Experiment experiment;
  experiment.id = std::to_string(query.integer(0));
  experiment.name = query.text(1);
  experiment.artifact_location = query.text(2);
  experiment.deleted = query.integer(3) != 0;
  experiment.created_ms = query.integer(4);
  experiment.updated_ms = query.integer(5);
  Statement tags = database.prepare("SELECT key, value FROM experiment_tags WHERE experiment = ? ORDER BY key");
  tags.bind(number);
  while (tags.step()) {
    experiment.tags.push_back({tags.text(0), tags.text(1)});
  }
  return experiment;
}

[[noreturn]] void no_such_experiment(int64_t number) {
  throw Error(Code::kNotFound, fmt::format("No Experiment with id={} exists", number));
}

// Whether it is deleted; throws when there is none.
bool is_deleted(Database& database, int64_t number) {
  Statement query = database.prepare("SELECT deleted FROM experiments WHERE number = ?");
  if (!query.bind(number).step()) {
    no_such_experiment(number);
  }
  return query.integer(0) != 0;
}

void check_active(Database& database, int64_t number) {
  if (is_deleted(database, number)) {
    throw Error(Code::kInvalid,
                fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", number));
  }
}

void check_free(Database& database, const std::string& name, int64_t but) {
  Statement query = database.prepare("SELECT deleted FROM experiments WHERE name = ? AND number <> ?");
  if (query.bind(name, but).step()) {
    throw Error(Code::kConflict,
                fmt::format("Experiment(name={}) already exists.{}", name,
                            query.integer(0) != 0 ? " It is in the deleted state: restore it, or take another name." : ""));
  }
}

void put_tag(Database& database, int64_t number, const KeyValue& tag) {
  database
      .prepare(
          "INSERT INTO experiment_tags(experiment, key, value) VALUES(?,?,?) ON CONFLICT(experiment, key) DO UPDATE "
          "SET value = excluded.value")
      .bind(number, tag.key, tag.value)
      .run();
}

}  // namespace

Experiment SqlExperiments::create(Experiment experiment) {
  const int64_t now = core_.now();
  Experiment result;
  core_.write([&](Database& database) {
    check_free(database, experiment.name, -1);
    database
        .prepare(
            "INSERT INTO experiments(name, artifact_location, deleted, created_ms, updated_ms) VALUES(?1, ?2, 0, ?3, ?3)")
        .bind(experiment.name, experiment.artifact_location, now)
        .run();
    const int64_t number = database.last_insert_id();
    if (experiment.artifact_location.empty()) {
      database.prepare("UPDATE experiments SET artifact_location = 'mlflow-artifacts:/' || number WHERE number = ?")
          .bind(number)
          .run();
    }
    for (const KeyValue& tag : experiment.tags) {
      put_tag(database, number, tag);
    }
    result = *read_experiment(database, number);
  });
  return result;
}

std::optional<Experiment> SqlExperiments::find(const std::string& id) {
  return read_experiment(*core_.read(), experiment_number(id));
}

std::optional<Experiment> SqlExperiments::find_by_name(const std::string& name) {
  const auto database = core_.read();
  Statement query = database->prepare("SELECT number FROM experiments WHERE name = ?");
  return query.bind(name).step() ? read_experiment(*database, query.integer(0)) : std::nullopt;
}

void SqlExperiments::change(const std::string& id, const record::ExperimentChange& change) {
  const int64_t number = experiment_number(id);
  const int64_t now = core_.now();
  core_.write([&](Database& database) {
    const bool deleted = is_deleted(database, number);
    if (change.deleted) {
      if (*change.deleted == deleted) {
        no_such_experiment(number);  // none that is active (or deleted), as MLflow says it
      }
      const int now_deleted = *change.deleted ? 1 : 0;
      database.prepare("UPDATE experiments SET deleted = ?, deleted_ms = ? WHERE number = ?").bind(now_deleted, now, number).run();
      // A run that was deleted before keeps its time.
      database.prepare("UPDATE runs SET deleted = ?1, deleted_ms = ?2 WHERE experiment = ?3 AND deleted <> ?4")
          .bind(now_deleted, now, number, now_deleted)
          .run();
    }
    if (change.name) {
      if (deleted) {
        throw Error(Code::kInvalid, "Cannot rename a non-active experiment.");
      }
      check_free(database, *change.name, number);
      database.prepare("UPDATE experiments SET name = ? WHERE number = ?").bind(*change.name, number).run();
    }
    database.prepare("UPDATE experiments SET updated_ms = ? WHERE number = ?").bind(now, number).run();
  });
}

void SqlExperiments::set_tag(const std::string& id, const KeyValue& tag) {
  const int64_t number = experiment_number(id);
  core_.write([&](Database& database) {
    check_active(database, number);
    put_tag(database, number, tag);
  });
}

void SqlExperiments::remove_tag(const std::string& id, const std::string& key) {
  const int64_t number = experiment_number(id);
  core_.write([&](Database& database) {
    check_active(database, number);
    database.prepare("DELETE FROM experiment_tags WHERE experiment = ? AND key = ?").bind(number, key).run();
    if (database.changes() == 0) {
      throw Error(Code::kNotFound, fmt::format("No tag with name: {} in experiment with id {}", key, id));
    }
  });
}

record::Page<Experiment> SqlExperiments::search(const record::Query& query) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  record::Page<Experiment> page;
  Statement numbers = experiments_query(query).prepare(*database);
  while (numbers.step()) {
    if (static_cast<int64_t>(page.items.size()) == query.limit) {
      page.more = true;
      break;
    }
    page.items.push_back(*read_experiment(*database, numbers.integer(0)));
  }
  return page;
}

std::vector<record::DatasetSummary> SqlExperiments::datasets(std::span<const std::string> experiment_ids, int limit) {
  const auto database = core_.read();
  SqlText sql;
  sql << "SELECT DISTINCT d.experiment, d.name, d.digest, u.context FROM datasets d JOIN run_datasets u ON u.dataset = "
         "d.number WHERE d.experiment IN (";
  for (size_t i = 0; i < experiment_ids.size(); ++i) {
    (i == 0 ? sql : sql << ", ").bind(experiment_number(experiment_ids[i]));
  }
  sql << ") ORDER BY 1, 2, 3, 4 LIMIT ";
  sql.bind(sql_limit(limit));
  std::vector<record::DatasetSummary> summaries;
  Statement query = sql.prepare(*database);
  while (query.step()) {
    record::DatasetSummary& summary = summaries.emplace_back();
    summary.experiment_id = std::to_string(query.integer(0));
    summary.name = query.text(1);
    summary.digest = query.text(2);
    if (!query.is_null(3)) {
      summary.context = query.text(3);
    }
  }
  return summaries;
}

}  // namespace slipway::store
