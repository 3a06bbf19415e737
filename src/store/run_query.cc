#include "store/run_query.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "store/query_parts.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Comparator;
using record::Condition;
using record::Entity;
using record::Lifecycle;
using record::Ordering;
using record::Query;

// Ordering so many runs by a metric takes some tens of milliseconds; only for more is its index walked, for which the runs
// of other experiments are in the way.
constexpr int64_t kManyRuns = 20'000;
constexpr std::array<Attribute, 7> kRunAttributes = {{
    {"run_id", "r.id"},
    {"run_name", "r.name"},
    {"status", "CASE r.status WHEN 'awaiting_approval' THEN 'SCHEDULED' ELSE upper(r.status) END"},
    {"artifact_uri",
     "(SELECT rtrim(e.artifact_location, '/') FROM experiments e WHERE e.number = r.experiment) || '/' || r.id || "
     "'/artifacts'"},
    {"user_id", "r.user"},
    {"start_time", "r.started_ms"},
    {"end_time", "nullif(r.ended_ms, 0)", true},
}};

constexpr std::array<Attribute, 4> kExperimentAttributes = {{
    {"name", "x.name"},
    {"experiment_id", "x.number"},
    {"creation_time", "x.created_ms"},
    {"last_update_time", "x.updated_ms"},
}};

constexpr std::array<Attribute, 3> kModelAttributes = {
    {{"name", "x.name"}, {"creation_timestamp", "x.created_ms"}, {"last_updated_timestamp", "x.updated_ms"}}};

constexpr std::array<Attribute, 7> kVersionAttributes = {{{"name", "x.model"},
                                                          {"version_number", "x.version"},
                                                          {"run_id", "x.run_id"},
                                                          {"source_path", "x.source"},
                                                          {"stage", "x.stage"},
                                                          {"creation_timestamp", "x.created_ms"},
                                                          {"last_updated_timestamp", "x.updated_ms"}}};

constexpr std::array<Attribute, 3> kDatasetAttributes = {
    {{"name", "d.name"}, {"digest", "d.digest"}, {"context", "u.context"}}};

const char* table_of(Entity entity) {
  switch (entity) {
    case Entity::kMetric: return "latest_metrics";
    case Entity::kParam: return "params";
    default: return "run_tags";
  }
}

bool is_name_tag(const Condition& condition) {
  return condition.entity == Entity::kTag && condition.key == record::kRunNameTag;
}

// "key = ? AND value … ?" of a metric, parameter or tag; `indexed`: so that the index by value serves.
void match_value(SqlText& sql, const Condition& condition, bool indexed) {
  sql << "k.key = ";
  sql.bind(condition.key) << " AND ";
  if (condition.entity == Entity::kMetric) {
    if (condition.comparator == Comparator::kNotEqual) {  // NaN differs from everything
      sql << "(k.nan = 1 OR ";
      compare(sql, "k.value", condition);
      sql << ")";
    } else {
      compare(sql, indexed ? "k.value" : "+k.value", condition);  // the sign: no index by value, which is walked anew for each run
      sql << " AND k.nan = 0";
    }
    return;
  }
  compare(sql, "k.value", condition);
  if (indexed) {
    sql << " AND length(k.value) <= 200";
  }
}

void match_run(SqlText& sql, const Condition& condition) {
  const bool missing = condition.comparator == Comparator::kIsNull;
  const bool presence = missing || condition.comparator == Comparator::kIsNotNull;
  if (condition.entity == Entity::kAttribute) {
    compare(sql, attribute_of(kRunAttributes, condition.key).expression, condition);
  } else if (is_name_tag(condition)) {
    if (presence) {
      sql << (missing ? "r.name = ''" : "r.name <> ''");
    } else {
      sql << "r.name <> '' AND ";
      compare(sql, "r.name", condition);
    }
  } else if (condition.entity == Entity::kDataset) {
    sql << "EXISTS(SELECT 1 FROM run_datasets u JOIN datasets d ON d.number = u.dataset WHERE u.run = r.number AND ";
    compare(sql, attribute_of(kDatasetAttributes, condition.key).expression, condition);
    sql << ")";
  } else {
    sql << (missing ? "NOT EXISTS(SELECT 1 FROM " : "EXISTS(SELECT 1 FROM ") << table_of(condition.entity)
        << " k WHERE k.run = r.number AND ";
    if (presence) {
      sql << "k.key = ";
      sql.bind(condition.key);
    } else {
      match_value(sql, condition, false);
    }
    sql << ")";
  }
}

bool has_index(const Condition& condition) {
  if (condition.entity == Entity::kMetric) {
    return condition.comparator != Comparator::kNotEqual;
  }
  const auto* text = std::get_if<std::string>(&condition.value);
  return (condition.entity == Entity::kParam || condition.entity == Entity::kTag) && !is_name_tag(condition) &&
         condition.comparator == Comparator::kEqual && text != nullptr && text->size() <= kIndexedValue;
}

// A run for each row that satisfies an indexed condition; false for others.
bool select_runs(SqlText& sql, const Condition& condition) {
  if (!has_index(condition)) {
    return false;
  }
  sql << "SELECT k.run FROM " << table_of(condition.entity) << " k WHERE ";
  match_value(sql, condition, true);
  return true;
}

void match_lifecycle(SqlText& sql, std::string_view column, Lifecycle lifecycle) {
  if (lifecycle != Lifecycle::kAll) {
    sql << " AND " << column << (lifecycle == Lifecycle::kDeleted ? " = 1" : " = 0");
  }
}

bool is_joined(const Ordering& ordering) {
  return ordering.entity != Entity::kAttribute &&
         !(ordering.entity == Entity::kTag && ordering.key == record::kRunNameTag);
}

void join_orderings(SqlText& sql, const std::vector<Ordering>& order) {
  for (size_t i = 0; i < order.size(); ++i) {
    if (is_joined(order[i])) {
      sql << fmt::format(" LEFT JOIN {0} o{1} ON o{1}.run = r.number AND o{1}.key = ", table_of(order[i].entity), i);
      sql.bind(order[i].key);
    }
  }
}

void order_runs(SqlText& sql, const std::vector<Ordering>& order) {
  sql << " ORDER BY ";
  bool by_start = false;
  for (size_t i = 0; i < order.size(); ++i) {
    const Ordering& ordering = order[i];
    const char* direction = ordering.ascending ? ", " : " DESC, ";
    if (is_joined(ordering)) {
      sql << (ordering.entity == Entity::kMetric
                  ? fmt::format("CASE WHEN o{0}.nan = 1 THEN 1 WHEN o{0}.run IS NULL THEN 2 ELSE 0 END, o{0}.value", i)
                  : fmt::format("o{0}.run IS NULL, o{0}.value", i))
          << direction;
      continue;
    }
    const Attribute& attribute =
        attribute_of(kRunAttributes, ordering.entity == Entity::kTag ? "run_name" : ordering.key);
    by_start = by_start || attribute.key == "start_time";
    if (attribute.nullable) {
      sql << attribute.expression << " IS NULL, ";
    }
    sql << attribute.expression << direction;
  }
  sql << (by_start ? "r.id" : "r.started_ms DESC, r.id");
}

// Whether the page begins after a run that is named, in the order of an index.
bool resumes(const Query& query) {
  const bool by_start = query.order.size() == 1 && query.order.front().entity == Entity::kAttribute &&
                        query.order.front().key == "start_time" && !query.order.front().ascending;
  return query.after && (query.order.empty() || by_start);
}

void match_experiment(SqlText& sql, const Condition& condition) {
  const bool missing = condition.comparator == Comparator::kIsNull;
  if (condition.entity == Entity::kAttribute) {
    // A list holds texts, and only SQLite would compare them with numbers.
    const bool texts = std::holds_alternative<std::vector<std::string>>(condition.value) && condition.key == "experiment_id";
    compare(sql, texts ? "CAST(x.number AS TEXT)" : attribute_of(kExperimentAttributes, condition.key).expression, condition);
    return;
  }
  sql << (missing ? "NOT EXISTS" : "EXISTS")
      << "(SELECT 1 FROM experiment_tags t WHERE t.experiment = x.number AND t.key = ";
  sql.bind(condition.key);
  if (!missing && condition.comparator != Comparator::kIsNotNull) {
    sql << " AND ";
    compare(sql, "t.value", condition);
  }
  sql << ")";
}

// What differs between searches in the registry.
template <size_t N>
struct Catalog {
  const std::array<Attribute, N>& attributes;
  std::string_view tags;  // the tags of a row: "FROM … WHERE …"
};

template <size_t N>
SqlText catalog_query(const Query& query, const Catalog<N>& catalog, std::string_view select, std::string_view order) {
  SqlText sql;
  sql << select << " WHERE 1";
  for (const Condition& condition : query.conditions) {
    sql << " AND ";
    if (condition.entity == Entity::kAttribute) {
      compare(sql, attribute_of(catalog.attributes, condition.key).expression, condition);
      continue;
    }
    // "Differs" and "is missing": there is no tag that is the same, or none at all.
    const bool differs = condition.comparator == Comparator::kNotEqual;
    const bool missing = condition.comparator == Comparator::kIsNull;
    sql << (differs || missing ? "NOT EXISTS(SELECT 1 " : "EXISTS(SELECT 1 ") << catalog.tags << " AND t.key = ";
    sql.bind(condition.key);
    if (!missing && condition.comparator != Comparator::kIsNotNull) {
      Condition same = condition;
      same.comparator = differs ? Comparator::kEqual : condition.comparator;
      sql << " AND ";
      compare(sql, "t.value", same);
    }
    sql << ")";
  }
  sql << " ORDER BY ";
  for (const Ordering& ordering : query.order) {
    sql << attribute_of(catalog.attributes, ordering.key).expression << (ordering.ascending ? ", " : " DESC, ");
  }
  sql << order;
  page_of(sql, query.limit, query.offset);
  return sql;
}

// " FROM runs r …  WHERE …": the runs that the query asks for, joined with what `join` adds.
template <class Join>
void from_matching(SqlText& sql, Database& database, const Query& query, const Join& join) {
  const Condition* first = rarest(database, query.conditions, select_runs);
  sql << " FROM ";
  if (first != nullptr) {
    // CROSS JOIN keeps this order.
    sql << "(";
    select_runs(sql, *first);
    sql << ") f CROSS JOIN runs r ON r.number = f.run";
  } else {
    sql << "runs r";
  }
  join(sql);
  sql << " WHERE ";
  match_experiments(sql, "r.experiment", query.experiment_ids);
  match_lifecycle(sql, "r.deleted", query.lifecycle);
  for (const Condition& condition : query.conditions) {
    if (&condition != first) {
      sql << " AND ";
      match_run(sql, condition);
    }
  }
}

}  // namespace

SqlText runs_query(Database& database, const Query& query) {
  SqlText sql;
  sql << "SELECT r.number";
  from_matching(sql, database, query, [&](SqlText& text) { join_orderings(text, query.order); });
  if (resumes(query)) {
    sql << " AND r.started_ms <= ";
    sql.bind(query.after->started_ms) << " AND (r.started_ms < ";
    sql.bind(query.after->started_ms) << " OR r.id > ";
    sql.bind(query.after->id) << ")";
  }
  order_runs(sql, query.order);
  page_of(sql, query.limit, resumes(query) ? 0 : query.offset);
  return sql;
}

SqlText count_query(Database& database, const Query& query) {
  SqlText sql;
  sql << "SELECT count(*)";
  from_matching(sql, database, query, [](SqlText&) {});
  return sql;
}

SqlText groups_query(Database& database, const Query& query, const record::Grouping& by) {
  SqlText sql;
  const bool joined = by.entity == Entity::kParam || (by.entity == Entity::kTag && by.key != record::kRunNameTag);
  if (!joined && by.entity != Entity::kAttribute && by.entity != Entity::kTag) {
    throw Error(Code::kInvalid, "runs are grouped by a parameter, a tag or an attribute");
  }
  const std::string_view value =
      joined ? "g.value"
             : attribute_of(kRunAttributes, by.entity == Entity::kTag ? "run_name" : by.key).expression;
  sql << "SELECT " << value << " AS v, count(*) AS n, max(r.started_ms)";
  from_matching(sql, database, query, [&](SqlText& text) {
    if (joined) {
      text << fmt::format(" LEFT JOIN {} g ON g.run = r.number AND g.key = ", table_of(by.entity));
      text.bind(by.key);
    }
  });
  sql << " GROUP BY v ORDER BY n DESC, v LIMIT ";
  sql.bind(query.limit + 1);
  return sql;
}

std::optional<SqlText> metric_walk(Database& database, const Query& query) {
  if (query.order.size() != 1 || query.order.front().entity != Entity::kMetric ||
      rarest(database, query.conditions, select_runs) != nullptr) {
    return std::nullopt;
  }
  SqlText probe;
  probe << "SELECT count(*) FROM (SELECT 1 FROM runs r WHERE ";
  match_experiments(probe, "r.experiment", query.experiment_ids);
  match_lifecycle(probe, "r.deleted", query.lifecycle);
  probe << " LIMIT ";
  probe.bind(kManyRuns) << ")";
  Statement count = probe.prepare(database);
  if (!count.step() || count.integer(0) < kManyRuns) {
    return std::nullopt;
  }
  SqlText sql;
  sql << "SELECT r.number FROM latest_metrics o CROSS JOIN runs r ON r.number = o.run WHERE o.nan = 0 AND o.key = ";
  sql.bind(query.order.front().key) << " AND ";
  match_experiments(sql, "r.experiment", query.experiment_ids);
  match_lifecycle(sql, "r.deleted", query.lifecycle);
  for (const Condition& condition : query.conditions) {
    sql << " AND ";
    match_run(sql, condition);
  }
  sql << " ORDER BY o.value" << (query.order.front().ascending ? "" : " DESC") << ", r.started_ms DESC, r.id";
  page_of(sql, query.limit, query.offset);
  return sql;
}

SqlText experiments_query(const Query& query) {
  SqlText sql;
  sql << "SELECT x.number FROM experiments x WHERE 1";
  match_lifecycle(sql, "x.deleted", query.lifecycle);
  for (const Condition& condition : query.conditions) {
    sql << " AND ";
    match_experiment(sql, condition);
  }
  sql << " ORDER BY ";
  bool by_id = false;
  for (const Ordering& ordering : query.order) {
    const Attribute& attribute = attribute_of(kExperimentAttributes, ordering.key);
    by_id = by_id || attribute.key == "experiment_id";
    sql << attribute.expression << (ordering.ascending ? ", " : " DESC, ");
  }
  sql << (by_id ? "1" : "x.number DESC");
  page_of(sql, query.limit, query.offset);
  return sql;
}

SqlText models_query(const Query& query) {
  return catalog_query(query, Catalog<kModelAttributes.size()>{kModelAttributes, "FROM model_tags t WHERE t.model = x.name"},
                       "SELECT x.name FROM models x", "x.name");
}

SqlText versions_query(const Query& query) {
  return catalog_query(query,
                       Catalog<kVersionAttributes.size()>{
                           kVersionAttributes, "FROM version_tags t WHERE t.model = x.model AND t.version = x.version"},
                       "SELECT x.model, x.version FROM model_versions x", "x.model, x.version DESC");
}

}  // namespace slipway::store
