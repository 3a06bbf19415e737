#include "store/trace_query.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <re2/re2.h>

#include "base/error.h"
#include "base/json.h"
#include "record/traces.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Comparator;
using record::Condition;
using record::Entity;
using record::Ordering;
using record::Query;

constexpr std::array<Attribute, 7> kAttributes = {{{"trace_id", "t.id"},
                                                   {"experiment_id", "t.experiment"},
                                                   {"timestamp_ms", "t.time_ms"},
                                                   {"execution_time_ms", "t.duration_ms", true},
                                                   {"end_time_ms", "(t.time_ms + coalesce(t.duration_ms, 0))"},
                                                   {"status", "t.state"},
                                                   {"client_request_id", "t.client_id", true}}};

constexpr std::array<Attribute, 4> kSpanAttributes = {
    {{"name", "s.name"}, {"type", "s.type"}, {"status", "s.status"}, {"content", "s.content"}}};
constexpr std::string_view kSpanPrefix = "attributes.";

const char* table_of(Entity entity) { return entity == Entity::kMetadata ? "trace_metadata" : "trace_tags"; }

bool is_presence(const Condition& condition) {
  return condition.comparator == Comparator::kIsNull || condition.comparator == Comparator::kIsNotNull;
}

// A run's traces: those it began, and those that were linked to it.
bool is_run(const Condition& condition) {
  return condition.entity == Entity::kMetadata && condition.key == record::kSourceRunKey &&
         condition.comparator == Comparator::kEqual;
}

bool is_prompt(const Condition& condition) {
  return condition.entity == Entity::kAttribute && condition.key == "prompt";
}

// Values that the indices by value hold.
bool has_index(const Condition& condition) {
  const auto* text = std::get_if<std::string>(&condition.value);
  return (condition.entity == Entity::kTag || condition.entity == Entity::kMetadata) &&
         condition.comparator == Comparator::kEqual && text != nullptr && text->size() <= kIndexedValue;
}

// "SELECT trace FROM …" of all traces that satisfy an indexed condition.
void select_traces(SqlText& sql, const Condition& condition) {
  const std::string& value = std::get<std::string>(condition.value);
  if (is_prompt(condition)) {
    sql << "SELECT trace FROM trace_links WHERE kind = 'prompt' AND target = ";
    sql.bind(value);
    return;
  }
  if (is_run(condition)) {
    sql << "SELECT trace FROM trace_links WHERE kind = 'run' AND target = ";
    sql.bind(value) << " UNION ";
  }
  sql << "SELECT trace FROM " << table_of(condition.entity) << " WHERE key = ";
  sql.bind(condition.key) << " AND value = ";
  sql.bind(value) << " AND length(value) <= 200";
}

bool select_indexed(SqlText& sql, const Condition& condition) {
  if (!is_prompt(condition) && !has_index(condition)) {
    return false;
  }
  select_traces(sql, condition);
  return true;
}

void match_pair(SqlText& sql, const Condition& condition) {
  const bool missing = condition.comparator == Comparator::kIsNull;
  sql << (missing ? "NOT EXISTS" : "EXISTS") << "(SELECT 1 FROM " << table_of(condition.entity)
      << " k WHERE k.trace = t.number AND k.key = ";
  sql.bind(condition.key);
  if (!is_presence(condition)) {
    sql << " AND ";
    compare(sql, "k.value", condition);
  }
  sql << ")";
}

std::string quoted(const std::string& text) { return base::dump_json(text); }
std::string inside(const std::string& text) { return text.substr(1, text.size() - 2); }

struct Pattern {
  bool wildcards = false;    // % and _ stand for others
  bool ignore_case = false;  // likewise
};

// Attributes lie in the content as `"KEY": "VALUE"`, a value being JSON in a text; so a text has quotes of its own.
// Either form may match.
void match_text(SqlText& sql, const std::string& key, const std::string& value, const Pattern& kind) {
  if (kind.wildcards || kind.ignore_case) {
    check_like(value);
  }
  const std::string head = quoted(key) + ": \"";
  bool first = true;
  for (const std::string& form : {inside(quoted(quoted(value))), inside(quoted(value))}) {
    sql << (first ? "(" : " OR ") << "s.content" << (kind.ignore_case ? " LIKE " : " GLOB ");
    first = false;
    if (kind.ignore_case) {
      sql.bind("%" + head + form + "\"%");
      continue;
    }
    std::string pattern = glob_literal(form);
    if (kind.wildcards) {
      std::replace(pattern.begin(), pattern.end(), '%', '*');
      std::replace(pattern.begin(), pattern.end(), '_', '?');
    }
    sql.bind("*" + glob_literal(head) + pattern + "\"*");
  }
  sql << ")";
}

// The same by a regular expression.
void match_expression(SqlText& sql, const std::string& key, Condition condition) {
  std::string pattern = std::get<std::string>(condition.value);
  const bool begins = pattern.starts_with('^');
  const bool ends = pattern.ends_with('$') && !pattern.ends_with("\\$");
  pattern = pattern.substr(begins ? 1 : 0, pattern.size() - (begins ? 1 : 0) - (ends ? 1 : 0));
  std::string expression = re2::RE2::QuoteMeta(quoted(key)) + R"(: ")";
  expression += begins ? R"((\\")?)" : R"((\\")?.*)";
  expression += "(?:" + pattern + ")";
  expression += ends ? R"((\\")?")" : "";
  condition.value = expression;
  compare(sql, "s.content", condition);
}

void match_attribute(SqlText& sql, const std::string& key, const Condition& condition) {
  const bool differs = condition.comparator == Comparator::kNotEqual || condition.comparator == Comparator::kNotIn;
  sql << (differs ? "NOT (" : "(");
  if (const auto* list = std::get_if<std::vector<std::string>>(&condition.value)) {
    for (size_t i = 0; i < list->size(); ++i) {
      sql << (i == 0 ? "" : " OR ");
      match_text(sql, key, (*list)[i], {});
    }
  } else if (const auto* text = std::get_if<std::string>(&condition.value); text == nullptr) {
    throw Error(Code::kInvalid, fmt::format("the span's attribute '{}' is compared with texts", key.substr(0, 100)));
  } else if (condition.comparator == Comparator::kRLike) {
    match_expression(sql, key, condition);
  } else {
    match_text(sql, key, *text,
               {condition.comparator == Comparator::kLike, condition.comparator == Comparator::kILike});
  }
  sql << ")";
}

void match_span(SqlText& sql, const Condition& condition) {
  if (condition.key.starts_with(kSpanPrefix)) {
    match_attribute(sql, condition.key.substr(kSpanPrefix.size()), condition);
  } else {
    compare(sql, attribute_of(kSpanAttributes, condition.key).expression, condition);
  }
}

void match_assessment(SqlText& sql, const Condition& condition) {
  const bool missing = condition.comparator == Comparator::kIsNull;
  sql << (missing ? "NOT EXISTS" : "EXISTS")
      << "(SELECT 1 FROM assessments a WHERE a.trace = t.number AND a.valid = 1 AND a.kind = "
      << (condition.entity == Entity::kFeedback ? "'feedback'" : "'expectation'") << " AND a.name = ";
  sql.bind(condition.key);
  if (!is_presence(condition)) {
    const bool number = std::holds_alternative<double>(condition.value);
    sql << " AND ";
    compare(sql, number ? "a.amount" : "a.shown", condition);
  }
  sql << ")";
}

void match(SqlText& sql, const Condition& condition) {
  if (is_prompt(condition) || is_run(condition)) {
    sql << "t.number IN (";
    select_traces(sql, condition);
    sql << ")";
    return;
  }
  switch (condition.entity) {
    case Entity::kTag:
    case Entity::kMetadata: match_pair(sql, condition); return;
    case Entity::kFeedback:
    case Entity::kExpectation: match_assessment(sql, condition); return;
    case Entity::kIssue:
      sql << "EXISTS(SELECT 1 FROM assessments a WHERE a.trace = t.number AND a.kind = 'issue' AND ";
      compare(sql, "a.name", condition);
      sql << ")";
      return;
    case Entity::kAttribute: compare(sql, attribute_of(kAttributes, condition.key).expression, condition); return;
    default: throw Error(Code::kInvalid, fmt::format("traces have no field '{}'", condition.key.substr(0, 100)));
  }
}

// Conditions on spans hold for one and the same span.
void match_spans(SqlText& sql, const std::vector<Condition>& conditions) {
  bool any = false;
  for (const Condition& condition : conditions) {
    if (condition.entity == Entity::kSpan) {
      sql << (any ? " AND " : " AND EXISTS(SELECT 1 FROM spans s WHERE s.trace = t.number AND ");
      match_span(sql, condition);
      any = true;
    }
  }
  if (any) {
    sql << ")";
  }
}

void order_by(SqlText& sql, const std::vector<Ordering>& order) {
  sql << " ORDER BY ";
  bool by_time = false;
  bool by_id = false;
  for (size_t i = 0; i < order.size(); ++i) {
    const Ordering& ordering = order[i];
    if (ordering.entity != Entity::kAttribute) {
      sql << fmt::format("o{0}.value IS NULL, o{0}.value{1}", i, ordering.ascending ? ", " : " DESC, ");
      continue;
    }
    const Attribute& attribute = attribute_of(kAttributes, ordering.key);
    by_time = by_time || attribute.key == "timestamp_ms";
    by_id = by_id || attribute.key == "trace_id";
    if (attribute.nullable) {
      sql << attribute.expression << " IS NULL, ";
    }
    sql << attribute.expression << (ordering.ascending ? ", " : " DESC, ");
  }
  sql << (by_time ? "" : "t.time_ms DESC, ") << (by_id ? "1" : "t.id");
}

}  // namespace

SqlText traces_query(Database& database, const Query& query) {
  SqlText sql;
  const Condition* first = rarest(database, query.conditions, select_indexed);
  sql << "SELECT t.number FROM ";
  if (first != nullptr) {
    sql << "(";
    select_traces(sql, *first);
    sql << ") f CROSS JOIN traces t ON t.number = f.trace";  // keeps this order
  } else {
    sql << "traces t";
  }
  for (size_t i = 0; i < query.order.size(); ++i) {
    if (query.order[i].entity != Entity::kAttribute) {
      sql << fmt::format(
          " LEFT JOIN {0} o{1} ON o{1}.trace = t.number AND o{1}.key = ", table_of(query.order[i].entity), i);
      sql.bind(query.order[i].key);
    }
  }
  sql << " WHERE ";
  match_experiments(sql, "t.experiment", query.experiment_ids);
  for (const Condition& condition : query.conditions) {
    if (&condition != first && condition.entity != Entity::kSpan) {
      sql << " AND ";
      match(sql, condition);
    }
  }
  match_spans(sql, query.conditions);
  order_by(sql, query.order);
  page_of(sql, query.limit, query.offset);
  return sql;
}

}  // namespace slipway::store
