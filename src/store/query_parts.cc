#include "store/query_parts.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/error.h"
#include "store/pattern.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Comparator;
using record::Condition;

// GLOB tries every place for each wildcard; ten of them on 8,000 characters stay below a second.
constexpr std::ptrdiff_t kMaxWildcards = 10;

const char* operator_of(Comparator comparator) {
  switch (comparator) {
    case Comparator::kEqual: return " = ";
    case Comparator::kNotEqual: return " <> ";
    case Comparator::kGreater: return " > ";
    case Comparator::kGreaterEqual: return " >= ";
    case Comparator::kLess: return " < ";
    case Comparator::kLessEqual: return " <= ";
    case Comparator::kLike: return " GLOB ";
    case Comparator::kILike: return " LIKE ";
    case Comparator::kRLike: return " REGEXP ";
    case Comparator::kIn: return " IN (";
    case Comparator::kNotIn: return " NOT IN (";
    case Comparator::kIsNull: return " IS NULL";
    case Comparator::kIsNotNull: return " IS NOT NULL";
  }
  return " = ";
}

// LIKE's pattern as GLOB's, which minds the case.
std::string glob_of(const std::string& pattern) {
  std::string glob;
  for (const char c : pattern) {
    switch (c) {
      case '%': glob += '*'; break;
      case '_': glob += '?'; break;
      default: glob += glob_literal({&c, 1});
    }
  }
  return glob;
}

}  // namespace

SqlText& SqlText::bind(Value value) {
  values_.push_back(std::move(value));
  sql_ += fmt::format("?{}", values_.size());
  return *this;
}

Statement SqlText::prepare(Database& database) const {
  Statement statement = database.prepare_recent(sql_);
  statement.bind_all(values_);
  return statement;
}

const Attribute& attribute_of(std::span<const Attribute> known, const std::string& key) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const Attribute& a) { return a.key == key; });
  if (found == known.end()) {
    throw Error(Code::kInvalid, fmt::format("Invalid attribute key '{}' specified.", key.substr(0, 100)));
  }
  return *found;
}

void check_like(const std::string& pattern) {
  if (std::count(pattern.begin(), pattern.end(), '%') > kMaxWildcards) {
    throw Error(Code::kInvalid, fmt::format("a pattern may have {} times '%', not more", kMaxWildcards));
  }
}

void compare(SqlText& sql, std::string_view expression, const Condition& condition) {
  sql << expression << operator_of(condition.comparator);
  if (condition.comparator == Comparator::kIsNull || condition.comparator == Comparator::kIsNotNull) {
    return;
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&condition.value)) {
    for (size_t i = 0; i < list->size(); ++i) {
      (i == 0 ? sql : sql << ", ").bind((*list)[i]);
    }
    sql << ")";
  } else if (const auto* text = std::get_if<std::string>(&condition.value)) {
    const bool pattern = condition.comparator == Comparator::kLike || condition.comparator == Comparator::kILike;
    if (pattern) {
      check_like(*text);
    }
    if (condition.comparator == Comparator::kRLike) {
      check_pattern(*text);
    }
    sql.bind(condition.comparator == Comparator::kLike ? glob_of(*text) : *text);
  } else if (const auto* number = std::get_if<int64_t>(&condition.value)) {
    sql.bind(*number);
  } else if (const auto* real = std::get_if<double>(&condition.value)) {
    sql.bind(*real);
  } else {
    sql << "NULL";
  }
}

std::string glob_literal(std::string_view text) {
  std::string glob;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[') {
      glob.append("[").append(1, c).append("]");
    } else {
      glob += c;
    }
  }
  return glob;
}

const Condition* rarest(Database& database, const std::vector<Condition>& conditions,
                        const std::function<bool(SqlText&, const Condition&)>& select) {
  const Condition* best = nullptr;
  int64_t fewest = kFewRows + 1;
  for (const Condition& condition : conditions) {
    SqlText probe;
    probe << "SELECT count(*) FROM (SELECT 1 FROM (";
    if (!select(probe, condition)) {
      continue;
    }
    probe << ") LIMIT ";
    probe.bind(fewest) << ")";
    Statement statement = probe.prepare(database);
    const int64_t rows = statement.step() ? statement.integer(0) : 0;
    if (rows < fewest) {
      fewest = rows;
      best = &condition;
    }
  }
  return best;
}

void match_experiments(SqlText& sql, std::string_view column, const std::vector<std::string>& ids) {
  std::set<int64_t> numbers;
  for (const std::string& id : ids) {
    numbers.insert(experiment_number(id));
  }
  sql << column;
  if (numbers.size() == 1) {  // "= ?" lets the index give the order
    sql << " = ";
    sql.bind(*numbers.begin());
    return;
  }
  sql << " IN (";
  bool first = true;
  for (const int64_t number : numbers) {
    (first ? sql : sql << ", ").bind(number);
    first = false;
  }
  sql << ")";
}

void page_of(SqlText& sql, int64_t limit, int64_t offset) {
  sql << " LIMIT ";
  sql.bind(limit + 1) << " OFFSET ";
  sql.bind(offset);
}

}  // namespace slipway::store
