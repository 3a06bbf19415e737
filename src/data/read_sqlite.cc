// SQLite tables and queries, read-only.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include "base/error.h"
#include "data/rows.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

[[noreturn]] void fail(Code code, const RowSink& sink, sqlite3* database, const char* what) {
  throw Error(code, fmt::format("'{}': {}: {}", sink.file(), what, sqlite3_errmsg(database)));
}

Database open(const std::filesystem::path& file, const RowSink& sink) {
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (result != SQLITE_OK) {
    fail(Code::kFailure, sink, raw, "cannot open the SQLite database");
  }
  // The file is not trusted: its schema may not call functions with effects, and rows have a limit.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, static_cast<int>(kMaxRowBytes));
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(raw, 5000);
  return database;
}

Statement prepare(sqlite3* database, const std::string& sql, const RowSink& sink) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int result = sqlite3_prepare_v2(database, sql.c_str(), static_cast<int>(sql.size()), &raw, &tail);
  Statement statement(raw);
  if (result == SQLITE_NOTADB || result == SQLITE_CORRUPT) {
    fail(Code::kInvalid, sink, database, "not a sound SQLite database");
  }
  if (result != SQLITE_OK) {
    fail(Code::kInvalid, sink, database, "the query does not work");
  }
  const bool one = raw != nullptr && std::string_view(tail).find_first_not_of(" \t\r\n;") == std::string_view::npos;
  if (!one || sqlite3_stmt_readonly(raw) == 0 || sqlite3_column_count(raw) == 0) {
    throw Error(Code::kInvalid, fmt::format("'{}': 'query' must be one SELECT", sink.file()));
  }
  return statement;
}

std::vector<std::string> tables_of(sqlite3* database, const RowSink& sink) {
  const Statement statement = prepare(
      database,
      "SELECT name FROM sqlite_master WHERE type IN ('table','view') AND name NOT LIKE 'sqlite_%' ORDER BY name", sink);
  std::vector<std::string> tables;
  while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    tables.emplace_back(
        reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0)));  // NOLINT: SQLite's text type
  }
  return tables;
}

std::string query_of(const SourceOptions& options, sqlite3* database, const RowSink& sink) {
  if (!options.query.empty()) {
    return options.query;
  }
  const std::vector<std::string> tables = tables_of(database, sink);
  std::string table = options.table;
  if (table.empty() && tables.size() == 1) {
    table = tables[0];
  }
  if (table.empty() || std::find(tables.begin(), tables.end(), table) == tables.end()) {
    throw Error(Code::kNotFound,
                fmt::format("'{}': {}; its tables: {}", sink.file(),
                            table.empty() ? "say 'table' or 'query'" : fmt::format("no table '{}'", table),
                            fmt::join(tables, ", ")));
  }
  std::string quoted;
  for (const char c : table) {
    quoted.append(c == '"' ? 2 : 1, c);
  }
  return fmt::format("SELECT * FROM \"{}\"", quoted);
}

std::string_view column_text(sqlite3_stmt* statement, size_t column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, static_cast<int>(column)));  // NOLINT
  return text == nullptr
             ? std::string_view()
             : std::string_view(text, static_cast<size_t>(sqlite3_column_bytes(statement, static_cast<int>(column))));
}

}  // namespace

void read_sqlite(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  const Database database = open(file, sink);
  const Statement statement = prepare(database.get(), query_of(options, database.get(), sink), sink);
  std::vector<std::string> names;
  for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
    names.emplace_back(sqlite3_column_name(statement.get(), i));
  }
  const size_t text = options.text.empty() && names.size() == 1
                          ? 0
                          : find_column(options.text.empty() ? "text" : options.text, names, sink.file(), "text");
  const std::string& label_name = options.label_column.empty() ? options.label : options.label_column;
  // SIZE_MAX: no label.
  const size_t label = label_name.empty() ? SIZE_MAX : find_column(label_name, names, sink.file(), "label");
  std::vector<size_t> keep;
  for (const std::string& name : options.keep) {
    keep.push_back(find_column(name, names, sink.file(), "kept value"));
  }
  uint64_t n = 0;
  int result = SQLITE_DONE;
  while (!sink.full() && (result = sqlite3_step(statement.get())) == SQLITE_ROW) {
    if (++n % 1024 == 0) {
      sink.progress(0);
    }
    if (sqlite3_column_type(statement.get(), static_cast<int>(text)) == SQLITE_NULL) {
      sink.bad("missing_text", n);
      continue;
    }
    RawRow row{column_text(statement.get(), text), {}, Json::object(), n};
    if (label != SIZE_MAX) {
      row.label = column_text(statement.get(), label);
    }
    for (const size_t column : keep) {
      row.kept[names[column]] = std::string(column_text(statement.get(), column));
    }
    sink.add(std::move(row));
  }
  if (!sink.full() && result != SQLITE_DONE) {
    fail(Code::kInvalid, sink, database.get(), fmt::format("reading stopped after row {}", n).c_str());
  }
}

}  // namespace slipway::data
