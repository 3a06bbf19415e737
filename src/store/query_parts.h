// What the searches of this room share: SQL put together piece by piece, comparisons, pages. Texts of users are bound,
// never written into it. Pure.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/tracking.h"
#include "store/database.h"

namespace slipway::store {

// A condition with at most so many rows is where a search begins: looking them all up costs about a millisecond.
constexpr int64_t kFewRows = 2000;
// What the indices of tags, parameters and metadata by value hold.
constexpr size_t kIndexedValue = 200;

// Put together piece by piece; values become numbered parameters.
class SqlText {
 public:
  SqlText& operator<<(std::string_view literal) {
    sql_ += literal;
    return *this;
  }
  SqlText& bind(Value value);
  const std::string& sql() const noexcept { return sql_; }
  const std::vector<Value>& values() const noexcept { return values_; }
  Statement prepare(Database& database) const;

 private:
  std::string sql_;
  std::vector<Value> values_;
};

// An attribute that may be asked for, and the SQL that gives it.
struct Attribute {
  std::string_view key;
  std::string_view expression;
  bool nullable = false;
};
// Throws Error(kInvalid) for one that there is not.
const Attribute& attribute_of(std::span<const Attribute> known, const std::string& key);

// Throws Error(kInvalid) for a pattern of LIKE that would take long.
void check_like(const std::string& pattern);
// "expression op value". Throws Error(kInvalid) for a pattern that would take long.
void compare(SqlText& sql, std::string_view expression, const record::Condition& condition);
// What is special to GLOB, as it is.
std::string glob_literal(std::string_view text);
// The condition that the fewest rows satisfy, if these are few; else null. `select(sql, condition)` writes a SELECT of the rows of
// one that an index finds, and says false for others.
const record::Condition* rarest(Database& database, const std::vector<record::Condition>& conditions,
                                const std::function<bool(SqlText&, const record::Condition&)>& select);
// "column = ?" or "column IN (…)". Throws Error(kInvalid) for an id that is not a number.
void match_experiments(SqlText& sql, std::string_view column, const std::vector<std::string>& ids);
// " LIMIT … OFFSET …" of a page and one row more.
void page_of(SqlText& sql, int64_t limit, int64_t offset);

}  // namespace slipway::store
