// Databases as sources: one SELECT at a time over SQLite or PostgreSQL, read-only, a row in memory at a time. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::data {

// The rows of a statement; what is told of a row holds until the next call of next().
class SqlRows {
 public:
  virtual ~SqlRows() = default;
  virtual bool next() = 0;  // false at the end. Throws Error
  virtual const std::vector<std::string>& columns() const = 0;
  virtual bool is_null(size_t column) const = 0;
  virtual std::string_view text(size_t column) const = 0;  // "" of NULL
  // As JSON, in the form of tables (docs/guide/data.md): numbers, truth values and documents as such, dates and decimals as text, bytes as
  // base64.
  virtual void append_json(size_t column, std::string& out) const = 0;
  // What select() takes as a parameter again.
  virtual base::Json value(size_t column) const = 0;
  virtual size_t bytes() const = 0;  // of all values
};

class SqlDatabase {
 public:
  virtual ~SqlDatabase() = default;
  // `sql` is one SELECT with parameters $1, $2, …. Rows borrow the database; one statement at a time. Throws Error: kInvalid (the
  // statement), kUnavailable (the connection).
  virtual std::unique_ptr<SqlRows> select(const std::string& sql, const std::vector<base::Json>& values) = 0;
  virtual std::vector<std::string> tables() = 0;  // by name
  virtual const std::string& name() const noexcept = 0;  // for messages and documents: without a password
};

// "sqlite://…" as SQLAlchemy writes it (sqlite:///relative.db, sqlite:////absolute.db): the path; of other texts: themselves.
std::string sqlite_path(const std::string& address);
// "sqlite://…", "postgres://…", "postgresql://…".
bool is_sql_address(std::string_view text) noexcept;

// `shown` is the name; empty: the path. Throws Error(kNotFound | kInvalid | kFailure).
std::unique_ptr<SqlDatabase> open_sqlite(const std::string& path, std::string shown = {});
std::unique_ptr<SqlDatabase> open_postgres(const std::string& url);
// By the address; what is none is the path of an SQLite database.
std::unique_ptr<SqlDatabase> open_sql(const std::string& address);

// "name" for statements, in double quotes.
std::string sql_name(std::string_view name);

// {"column":value,…} of the row.
void append_row(const SqlRows& row, std::string& out);

}  // namespace slipway::data
