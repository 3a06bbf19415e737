#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/query_parts.h"
#include "store/tables.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using base::Json;
using record::Comparator;
using record::Condition;
using record::EvalDataset;
using record::EvalRecord;
using record::KeyValue;

constexpr std::array<Attribute, 5> kAttributes = {{{"name", "d.name"},
                                                   {"created_time", "d.created_ms"},
                                                   {"last_update_time", "d.updated_ms"},
                                                   {"created_by", "d.created_by"},
                                                   {"last_updated_by", "d.updated_by"}}};

EvalDataset read_dataset(Database& database, int64_t number) {
  Statement query = database.prepare(
      "SELECT id, name, schema, profile, digest, created_ms, updated_ms, created_by, updated_by FROM eval_datasets "
      "WHERE "
      "number = ?");
  query.bind(number).step();
  EvalDataset dataset{query.text(0),
                      query.text(1),
                      query.text(2),
                      query.text(3),
                      query.text(4),
                      query.integer(5),
                      query.integer(6),
                      query.text(7),
                      query.text(8),
                      {},
                      {}};
  Statement tags = database.prepare("SELECT key, value FROM eval_dataset_tags WHERE dataset = ? ORDER BY key");
  tags.bind(number);
  while (tags.step()) {
    dataset.tags.push_back({tags.text(0), tags.text(1)});
  }
  Statement experiments =
      database.prepare("SELECT experiment FROM eval_dataset_experiments WHERE dataset = ? ORDER BY experiment");
  experiments.bind(number);
  while (experiments.step()) {
    dataset.experiment_ids.push_back(std::to_string(experiments.integer(0)));
  }
  return dataset;
}

std::optional<int64_t> find_number(Database& database, const std::string& id) {
  Statement query = database.prepare("SELECT number FROM eval_datasets WHERE id = ?");
  return query.bind(id).step() ? std::optional(query.integer(0)) : std::nullopt;
}

int64_t number_of(Database& database, const std::string& id) {
  const auto number = find_number(database, id);
  if (!number) {
    throw Error(Code::kNotFound, fmt::format("Evaluation dataset with id '{}' not found", id));
  }
  return *number;
}

void put_tag(Database& database, int64_t dataset, const std::string& key, const std::string& value) {
  database
      .prepare(
          "INSERT INTO eval_dataset_tags(dataset, key, value) VALUES(?,?,?) ON CONFLICT(dataset, key) DO UPDATE SET "
          "value = "
          "excluded.value")
      .bind(dataset, key, value)
      .run();
}

void put_experiment(Database& database, int64_t dataset, const std::string& experiment) {
  database.prepare("INSERT INTO eval_dataset_experiments(dataset, experiment) VALUES(?,?) ON CONFLICT DO NOTHING")
      .bind(dataset, active_experiment(database, experiment))
      .run();
}

// Two records are the same when their inputs are, whatever the order of the fields.
std::string digest_of(const Json& content) {
  const auto inputs = content.find("inputs");
  const nlohmann::json sorted = inputs == content.end() ? nlohmann::json() : nlohmann::json(*inputs);
  return base::sha256_hex(sorted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// Objects are united; anything else is replaced when it is said.
void unite(Json& there, const Json& more) {
  for (const auto& [key, value] : more.items()) {
    if (value.is_null()) {
      continue;
    }
    const auto old = there.find(key);
    if ((key == "expectations" || key == "tags") && old != there.end() && old->is_object() && value.is_object()) {
      old->update(value);
    } else if (key != "inputs" || old == there.end()) {
      there[key] = value;
    }
  }
}

// A digest of the set that changes with each record; not one of all contents, which would be O(records).
void touch(Database& database, int64_t dataset, const std::string& by, int64_t now_ms) {
  Statement query = database.prepare("SELECT digest FROM eval_datasets WHERE number = ?");
  query.bind(dataset).step();
  const std::string digest = base::sha256_hex(fmt::format("{}:{}", query.text(0), now_ms)).substr(0, 8);
  database
      .prepare(
          "UPDATE eval_datasets SET updated_ms = ?, updated_by = CASE ?2 WHEN '' THEN updated_by ELSE ?2 END, digest = "
          "? "
          "WHERE number = ?")
      .bind(now_ms, by, digest, dataset)
      .run();
}

// Which fields records have, and how many there are: what the client shows of a dataset.
void profile(Database& database, int64_t dataset) {
  Statement count = database.prepare("SELECT count(*) FROM eval_records WHERE dataset = ?");
  count.bind(dataset).step();
  database.prepare("UPDATE eval_datasets SET profile = ? WHERE number = ?")
      .bind(fmt::format("{{\"num_records\": {}}}", count.integer(0)), dataset)
      .run();
}

const char* type_of(const Json& value) {
  return value.is_string()           ? "string"
         : value.is_boolean()        ? "boolean"
         : value.is_number_integer() ? "integer"
         : value.is_number()         ? "float"
         : value.is_array()          ? "array"
         : value.is_object()         ? "object"
                                     : "null";
}

void widen_schema(Json& schema, const Json& content) {
  for (const char* part : {"inputs", "outputs", "expectations"}) {
    const auto fields = content.find(part);
    if (fields == content.end() || !fields->is_object()) {
      continue;
    }
    for (const auto& [key, value] : fields->items()) {
      schema[part][key] = type_of(value);
    }
  }
}

void match(SqlText& sql, const Condition& condition) {
  if (condition.entity == record::Entity::kAttribute) {
    compare(sql, attribute_of(kAttributes, condition.key).expression, condition);
    return;
  }
  sql << "EXISTS(SELECT 1 FROM eval_dataset_tags t WHERE t.dataset = d.number AND t.key = ";
  sql.bind(condition.key) << " AND ";
  compare(sql, "t.value", condition);
  sql << ")";
}

}  // namespace

EvalDataset SqlEvalDatasets::create(EvalDataset dataset) {
  check_name(dataset.id, "a dataset's id", "/");
  const int64_t now = core_.now();
  EvalDataset result;
  core_.write([&](Database& database) {
    database
        .prepare(
            "INSERT INTO eval_datasets(id, name, schema, profile, digest, created_ms, updated_ms, created_by, "
            "updated_by) "
            "VALUES(?1,?2,?3,?4,?5,?6,?6,?7,?7)")
        .bind(dataset.id, dataset.name, dataset.schema, dataset.profile, dataset.digest, now, dataset.created_by)
        .run();
    const int64_t number = database.last_insert_id();
    for (const KeyValue& tag : dataset.tags) {
      put_tag(database, number, tag.key, tag.value);
    }
    for (const std::string& experiment : dataset.experiment_ids) {
      put_experiment(database, number, experiment);
    }
    result = read_dataset(database, number);
  });
  return result;
}

std::optional<EvalDataset> SqlEvalDatasets::find(const std::string& id) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const auto number = find_number(*database, id);
  return number ? std::optional(read_dataset(*database, *number)) : std::nullopt;
}

EvalDataset SqlEvalDatasets::change(const std::string& id, const record::EvalDatasetChange& change) {
  const int64_t now = core_.now();
  EvalDataset result;
  core_.write([&](Database& database) {
    const int64_t number = number_of(database, id);
    for (const auto& [key, value] : change.tags) {
      if (value) {
        put_tag(database, number, key, *value);
      } else {
        database.prepare("DELETE FROM eval_dataset_tags WHERE dataset = ? AND key = ?").bind(number, key).run();
      }
    }
    for (const std::string& experiment : change.add_experiments) {
      put_experiment(database, number, experiment);
    }
    for (const std::string& experiment : change.remove_experiments) {
      database.prepare("DELETE FROM eval_dataset_experiments WHERE dataset = ? AND experiment = ?")
          .bind(number, experiment_number(experiment))
          .run();
    }
    database.prepare("UPDATE eval_datasets SET updated_ms = ? WHERE number = ?").bind(now, number).run();
    result = read_dataset(database, number);
  });
  return result;
}

void SqlEvalDatasets::remove(const std::string& id) {
  core_.write([&](Database& database) {
    const auto number = find_number(database, id);
    if (!number) {
      return;
    }
    for (const char* sql :
         {"DELETE FROM eval_records WHERE dataset = ?", "DELETE FROM eval_dataset_tags WHERE dataset = ?",
          "DELETE FROM eval_dataset_experiments WHERE dataset = ?", "DELETE FROM eval_datasets WHERE number = ?"}) {
      database.prepare(sql).bind(*number).run();
    }
  });
}

record::Page<EvalDataset> SqlEvalDatasets::search(const record::Query& query) {
  SqlText sql;
  sql << "SELECT d.number FROM eval_datasets d WHERE 1";
  if (!query.experiment_ids.empty()) {
    sql << " AND d.number IN (SELECT x.dataset FROM eval_dataset_experiments x WHERE ";
    match_experiments(sql, "x.experiment", query.experiment_ids);
    sql << ")";
  }
  for (const Condition& condition : query.conditions) {
    sql << " AND ";
    match(sql, condition);
  }
  sql << " ORDER BY ";
  for (const record::Ordering& ordering : query.order) {
    sql << attribute_of(kAttributes, ordering.key).expression << (ordering.ascending ? ", " : " DESC, ");
  }
  sql << (query.order.empty() ? "d.created_ms DESC, d.id DESC" : "d.id DESC");
  page_of(sql, query.limit, query.offset);
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  record::Page<EvalDataset> page;
  Statement numbers = sql.prepare(*database);
  while (numbers.step()) {
    if (static_cast<int64_t>(page.items.size()) == query.limit) {
      page.more = true;
      break;
    }
    page.items.push_back(read_dataset(*database, numbers.integer(0)));
  }
  return page;
}

record::EvalWrite SqlEvalDatasets::put_records(const std::string& id, std::span<const EvalRecord> records,
                                               const std::string& updated_by) {
  const int64_t now = core_.now();
  record::EvalWrite result;
  core_.write([&](Database& database) {
    result = {};
    const int64_t number = number_of(database, id);
    Statement old_schema = database.prepare("SELECT schema FROM eval_datasets WHERE number = ?");
    old_schema.bind(number).step();
    Json schema = old_schema.text(0).empty() ? Json::object() : to_value(old_schema.text(0));
    for (const EvalRecord& record : records) {
      const std::string inputs = digest_of(record.content);
      widen_schema(schema, record.content);
      Statement there = database.prepare("SELECT number, content FROM eval_records WHERE dataset = ? AND inputs = ?");
      if (there.bind(number, inputs).step()) {
        Json content = to_value(there.text(1));
        unite(content, record.content);
        database.prepare("UPDATE eval_records SET content = ?, updated_ms = ? WHERE number = ?")
            .bind(to_text(content), now, there.integer(0))
            .run();
        ++result.updated;
        continue;
      }
      database
          .prepare(
              "INSERT INTO eval_records(id, dataset, inputs, content, created_ms, updated_ms) "
              "VALUES(?1,?2,?3,?4,?5,?5)")
          .bind(record.id, number, inputs, to_text(record.content), now)
          .run();
      ++result.inserted;
    }
    database.prepare("UPDATE eval_datasets SET schema = ? WHERE number = ?").bind(to_text(schema), number).run();
    touch(database, number, updated_by, now);
    profile(database, number);
  });
  return result;
}

record::Page<EvalRecord> SqlEvalDatasets::records(const std::string& id, int64_t offset, int64_t limit) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  record::Page<EvalRecord> page;
  Statement query = database->prepare(
      "SELECT id, content, created_ms, updated_ms FROM eval_records WHERE dataset = ? ORDER BY number LIMIT ? OFFSET "
      "?");
  query.bind(number_of(*database, id), limit + 1, offset);
  while (query.step()) {
    page.items.push_back({query.text(0), to_value(query.text(1)), query.integer(2), query.integer(3)});
  }
  page.more = static_cast<int64_t>(page.items.size()) > limit;
  page.items.resize(std::min(page.items.size(), static_cast<size_t>(limit)));
  return page;
}

int64_t SqlEvalDatasets::remove_records(const std::string& id, std::span<const std::string> record_ids) {
  const int64_t now = core_.now();
  int64_t removed = 0;
  core_.write([&](Database& database) {
    removed = 0;
    const int64_t number = number_of(database, id);
    for (const std::string& record : record_ids) {
      database.prepare("DELETE FROM eval_records WHERE dataset = ? AND id = ?").bind(number, record).run();
      removed += database.changes();
    }
    touch(database, number, {}, now);
    profile(database, number);
  });
  return removed;
}

}  // namespace slipway::store
