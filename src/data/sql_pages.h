// The rows of a query in the order of a key, page by page: WHERE key > the last one's LIMIT n, so that a reader may stop and go on, and
// neither side holds more than it must. With a cursor (the time of the last change, a counter) the order is (cursor, key), and going on
// later reads what is new or was changed. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/sql_database.h"

namespace slipway::data {

struct SqlQuery {
  std::string select;  // one SELECT
  std::string key;     // a column whose values are unique
  std::string cursor;  // a column that only grows as rows are added or changed; empty: the key
  int64_t page_rows = 10'000;
};

// SELECT * FROM table; of `table` and `query` one is given. Throws Error(kNotFound) naming the tables there are.
std::string select_of(SqlDatabase& database, const std::string& table, const std::string& query);

class SqlPages {
 public:
  // `after`: a position, or null for the beginning. `database` is borrowed.
  SqlPages(SqlDatabase& database, SqlQuery query, base::Json after);
  // False at the end. Throws Error: kInvalid when two rows have one key, or a column is twice in the query; kNotFound for a column.
  bool next();
  const SqlRows& row() const { return *rows_; }
  const base::Json& position() const noexcept { return last_; }  // of the row, or of the last one: [cursor, key]
  // Rows that have no place in the order, for their key or cursor is NULL. Reads the whole query.
  int64_t unordered();

 private:
  void open_page();
  void find_columns();

  SqlDatabase& database_;
  const SqlQuery query_;
  base::Json last_;
  std::unique_ptr<SqlRows> rows_;
  size_t key_ = SIZE_MAX;
  size_t cursor_ = SIZE_MAX;
  int64_t in_page_ = 0;
  bool done_ = false;
};

}  // namespace slipway::data
