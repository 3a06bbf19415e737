#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "store/query_parts.h"
#include "store/tables.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Comparator;
using record::Condition;
using record::Entity;
using record::KeyValue;
using record::LoggedModel;
using record::LoggedModelQuery;

constexpr std::array<Attribute, 7> kAttributes = {{{"name", "m.name"},
                                                   {"model_id", "m.id"},
                                                   {"model_type", "nullif(m.type, '')", true},
                                                   {"status", "m.status"},
                                                   {"source_run_id", "nullif(m.run_id, '')", true},
                                                   {"creation_timestamp_ms", "m.created_ms"},
                                                   {"last_updated_timestamp_ms", "m.updated_ms"}}};

void read_pairs(Database& database, const char* sql, int64_t number, std::vector<KeyValue>& pairs) {
  Statement query = database.prepare(sql);
  query.bind(number);
  while (query.step()) {
    pairs.push_back({query.text(0), query.text(1)});
  }
}

LoggedModel read_model(Database& database, int64_t number) {
  Statement query = database.prepare(
      "SELECT m.id, m.experiment, m.name, m.type, m.run_id, m.status, m.deleted, m.created_ms, m.updated_ms, "
      "rtrim(e.artifact_location, '/') FROM logged_models m JOIN experiments e ON e.number = m.experiment WHERE "
      "m.number = ?");
  if (!query.bind(number).step()) {
    throw Error(Code::kIntegrity, "a logged model of the store has no experiment; 'slipway store verify' tells more");
  }
  LoggedModel model;
  model.id = query.text(0);
  model.experiment_id = std::to_string(query.integer(1));
  model.name = query.text(2);
  model.type = query.text(3);
  model.source_run_id = query.text(4);
  model.status = query.text(5);
  model.deleted = query.integer(6) != 0;
  model.created_ms = query.integer(7);
  model.updated_ms = query.integer(8);
  model.artifact_uri = fmt::format("{}/models/{}/artifacts", query.text(9), model.id);
  read_pairs(database, "SELECT key, value FROM logged_model_params WHERE model = ? ORDER BY key", number, model.params);
  read_pairs(database, "SELECT key, value FROM logged_model_tags WHERE model = ? ORDER BY key", number, model.tags);
  Statement metrics = database.prepare(
      "SELECT key, value, nan, step, time_ms, run_id, dataset_name, dataset_digest FROM logged_model_metrics WHERE "
      "model = "
      "? ORDER BY key, time_ms, step, run_id");
  metrics.bind(number);
  while (metrics.step()) {
    model.metrics.push_back({read_point(metrics), model.id, metrics.text(5), metrics.text(6), metrics.text(7)});
  }
  return model;
}

std::optional<int64_t> find_number(Database& database, const std::string& id) {
  Statement query = database.prepare("SELECT number FROM logged_models WHERE id = ?");
  return query.bind(id).step() ? std::optional(query.integer(0)) : std::nullopt;
}

[[noreturn]] void no_such_model(const std::string& id) {
  throw Error(Code::kNotFound, fmt::format("Logged model with ID '{}' not found.", id));
}

// Of a model that is not deleted.
int64_t active_number(Database& database, const std::string& id) {
  Statement query = database.prepare("SELECT number FROM logged_models WHERE id = ? AND deleted = 0");
  if (!query.bind(id).step()) {
    no_such_model(id);
  }
  return query.integer(0);
}

void put_tag(Database& database, int64_t model, const KeyValue& tag) {
  database
      .prepare(
          "INSERT INTO logged_model_tags(model, key, value) VALUES(?,?,?) ON CONFLICT(model, key) DO UPDATE SET value "
          "= "
          "excluded.value")
      .bind(model, tag.key, tag.value)
      .run();
}

void touch(Database& database, int64_t model, int64_t now_ms) {
  database.prepare("UPDATE logged_models SET updated_ms = ? WHERE number = ?").bind(now_ms, model).run();
}

// "(dataset_name = ? AND dataset_digest = ?) OR …"
void match_datasets(SqlText& sql, const std::vector<record::DatasetName>& datasets) {
  sql << " AND (";
  bool first = true;
  for (const record::DatasetName& dataset : datasets) {
    (first ? sql : sql << " OR ") << "(k.dataset_name = ";
    sql.bind(dataset.name);
    if (!dataset.digest.empty()) {
      sql << " AND k.dataset_digest = ";
      sql.bind(dataset.digest);
    }
    sql << ")";
    first = false;
  }
  sql << ")";
}

void match(SqlText& sql, const Condition& condition, const LoggedModelQuery& query) {
  if (condition.entity == Entity::kAttribute) {
    compare(sql, attribute_of(kAttributes, condition.key).expression, condition);
    return;
  }
  const char* table = condition.entity == Entity::kMetric  ? "logged_model_metrics"
                      : condition.entity == Entity::kParam ? "logged_model_params"
                                                           : "logged_model_tags";
  sql << "EXISTS(SELECT 1 FROM " << table << " k WHERE k.model = m.number AND k.key = ";
  sql.bind(condition.key) << " AND ";
  compare(sql, "k.value", condition);
  if (condition.entity == Entity::kMetric) {
    sql << " AND k.nan = 0";
    if (!query.datasets.empty()) {
      match_datasets(sql, query.datasets);
    }
  }
  sql << ")";
}

// The latest value of a metric, on a dataset if one is named.
void latest_value(SqlText& sql, const record::LoggedModelOrdering& ordering) {
  sql << "(SELECT k.value FROM logged_model_metrics k WHERE k.model = m.number AND k.nan = 0 AND k.key = ";
  sql.bind(ordering.field.key);
  if (!ordering.dataset.name.empty()) {
    match_datasets(sql, {ordering.dataset});
  }
  sql << " ORDER BY k.time_ms DESC, k.step DESC, k.run_id LIMIT 1)";
}

SqlText models_query(const LoggedModelQuery& query) {
  SqlText sql;
  sql << "SELECT m.number FROM logged_models m WHERE ";
  match_experiments(sql, "m.experiment", query.experiment_ids);
  sql << " AND m.deleted = 0";
  bool metrics = false;
  for (const Condition& condition : query.conditions) {
    metrics = metrics || condition.entity == Entity::kMetric;
    sql << " AND ";
    match(sql, condition, query);
  }
  if (!query.datasets.empty() && !metrics) {
    sql << " AND EXISTS(SELECT 1 FROM logged_model_metrics k WHERE k.model = m.number";
    match_datasets(sql, query.datasets);
    sql << ")";
  }
  sql << " ORDER BY ";
  for (const record::LoggedModelOrdering& ordering : query.order) {
    const char* direction = ordering.field.ascending ? " NULLS LAST, " : " DESC NULLS LAST, ";
    if (ordering.field.entity == Entity::kMetric) {
      latest_value(sql, ordering);
    } else {
      sql << attribute_of(kAttributes, ordering.field.key).expression;
    }
    sql << direction;
  }
  sql << "m.created_ms DESC, m.id";
  page_of(sql, query.limit, query.offset);
  return sql;
}

}  // namespace

void put_model_metrics(Database& database, const std::string& run_id,
                       std::span<const record::LoggedModelMetric> metrics) {
  Statement insert = database.prepare(
      "INSERT INTO logged_model_metrics(model, key, time_ms, step, run_id, dataset_name, dataset_digest, value, nan) "
      "VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING");
  for (const record::LoggedModelMetric& metric : metrics) {
    const auto number = find_number(database, metric.model_id);
    if (!number) {
      no_such_model(metric.model_id);
    }
    const bool nan = std::isnan(metric.point.value);
    insert
        .bind(*number, metric.point.key, metric.point.time_ms, metric.point.step, run_id, metric.dataset_name,
              metric.dataset_digest, nan ? 0.0 : metric.point.value, nan ? 1 : 0)
        .run();
  }
}

LoggedModel SqlLoggedModels::create(LoggedModel model) {
  check_name(model.id, "a logged model's id", "/");
  const int64_t now = core_.now();
  LoggedModel result;
  core_.write([&](Database& database) {
    const int64_t experiment = active_experiment(database, model.experiment_id);
    database
        .prepare(
            "INSERT INTO logged_models(id, experiment, name, type, run_id, status, deleted, created_ms, updated_ms) "
            "VALUES(?1,?2,?3,?4,?5,?6,0,?7,?7)")
        .bind(model.id, experiment, model.name, model.type, model.source_run_id, model.status, now)
        .run();
    const int64_t number = database.last_insert_id();
    for (const KeyValue& tag : model.tags) {
      put_tag(database, number, tag);
    }
    for (const KeyValue& param : model.params) {
      database.prepare("INSERT INTO logged_model_params(model, key, value) VALUES(?,?,?) ON CONFLICT DO NOTHING")
          .bind(number, param.key, param.value)
          .run();
    }
    if (!model.source_run_id.empty()) {
      const record::Edge edge{"run:" + model.source_run_id, "logged-model:" + model.id, "produced"};
      insert_edges(database, {&edge, 1});
    }
    result = read_model(database, number);
  });
  return result;
}

std::optional<LoggedModel> SqlLoggedModels::find(const std::string& id) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const auto number = find_number(*database, id);
  return number ? std::optional(read_model(*database, *number)) : std::nullopt;
}

LoggedModel SqlLoggedModels::set_status(const std::string& id, const std::string& status) {
  const int64_t now = core_.now();
  LoggedModel result;
  core_.write([&](Database& database) {
    const int64_t number = active_number(database, id);
    database.prepare("UPDATE logged_models SET status = ? WHERE number = ?").bind(status, number).run();
    touch(database, number, now);
    result = read_model(database, number);
  });
  return result;
}

void SqlLoggedModels::remove(const std::string& id) {
  const int64_t now = core_.now();
  core_.write([&](Database& database) {
    const int64_t number = active_number(database, id);
    database.prepare("UPDATE logged_models SET deleted = 1 WHERE number = ?").bind(number).run();
    touch(database, number, now);
  });
}

LoggedModel SqlLoggedModels::set_tags(const std::string& id, std::span<const KeyValue> tags) {
  LoggedModel result;
  core_.write([&](Database& database) {
    const int64_t number = active_number(database, id);
    for (const KeyValue& tag : tags) {
      put_tag(database, number, tag);
    }
    result = read_model(database, number);
  });
  return result;
}

void SqlLoggedModels::remove_tag(const std::string& id, const std::string& key) {
  core_.write([&](Database& database) {
    const int64_t number = active_number(database, id);
    database.prepare("DELETE FROM logged_model_tags WHERE model = ? AND key = ?").bind(number, key).run();
    if (database.changes() == 0) {
      throw Error(Code::kNotFound, fmt::format("No tag with key '{}' found for model with ID '{}'.", key, id));
    }
  });
}

void SqlLoggedModels::add_params(const std::string& id, std::span<const KeyValue> params) {
  core_.write([&](Database& database) {
    const int64_t number = active_number(database, id);
    std::vector<record::ParamConflict::Change> conflicts;
    for (const KeyValue& param : params) {
      database.prepare("INSERT INTO logged_model_params(model, key, value) VALUES(?,?,?) ON CONFLICT DO NOTHING")
          .bind(number, param.key, param.value)
          .run();
      Statement there = database.prepare("SELECT value FROM logged_model_params WHERE model = ? AND key = ?");
      if (there.bind(number, param.key).step() && there.text(0) != param.value) {
        conflicts.push_back({param.key, there.text(0), param.value});
      }
    }
    if (!conflicts.empty()) {
      throw record::ParamConflict(std::move(conflicts));
    }
  });
}

record::Page<LoggedModel> SqlLoggedModels::search(const LoggedModelQuery& query) {
  record::Page<LoggedModel> page;
  if (query.experiment_ids.empty()) {
    return page;
  }
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  Statement numbers = models_query(query).prepare(*database);
  while (numbers.step()) {
    if (static_cast<int64_t>(page.items.size()) == query.limit) {
      page.more = true;
      break;
    }
    page.items.push_back(read_model(*database, numbers.integer(0)));
  }
  return page;
}

}  // namespace slipway::store
