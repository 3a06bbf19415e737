// SQLite databases, read-only. The file is not trusted: its schema may not call functions with effects, and values have a limit.
#include <fmt/format.h>
#include <sqlite3.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "data/sql_database.h"
#include "data/table_values.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr int kMaxValueBytes = 256 << 20;  // longer ones end the reading; what takes fewer rows is the caller's choice

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

[[noreturn]] void fail(Code code, const std::string& name, sqlite3* database, const std::string& what) {
  throw Error(code, fmt::format("'{}': {}: {}", name, what, sqlite3_errmsg(database)));
}

class Rows final : public SqlRows {
 public:
  Rows(const std::string& name, sqlite3* database, Statement statement)
      : name_(name), database_(database), statement_(std::move(statement)) {
    for (int i = 0; i < sqlite3_column_count(get()); ++i) {
      columns_.emplace_back(sqlite3_column_name(get(), i));
    }
  }
  bool next() override {
    const int result = sqlite3_step(get());
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
      fail(Code::kInvalid, name_, database_, fmt::format("reading stopped after row {}", rows_));
    }
    ++rows_;
    return result == SQLITE_ROW;
  }
  const std::vector<std::string>& columns() const override { return columns_; }
  bool is_null(size_t column) const override { return type(column) == SQLITE_NULL; }
  std::string_view text(size_t column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(get(), at(column)));  // NOLINT: SQLite's type for texts
    return text == nullptr ? std::string_view() : std::string_view(text, static_cast<size_t>(sqlite3_column_bytes(get(), at(column))));
  }
  void append_json(size_t column, std::string& out) const override {
    switch (type(column)) {
      case SQLITE_NULL: out += "null"; break;
      case SQLITE_INTEGER: out += std::to_string(sqlite3_column_int64(get(), at(column))); break;
      case SQLITE_FLOAT: append_real(sqlite3_column_double(get(), at(column)), out); break;
      default: append_text_or_bytes(bytes_of(column), out); break;
    }
  }
  Json value(size_t column) const override {
    switch (type(column)) {
      case SQLITE_NULL: return nullptr;
      case SQLITE_INTEGER: return sqlite3_column_int64(get(), at(column));
      case SQLITE_FLOAT: return sqlite3_column_double(get(), at(column));
      default: break;
    }
    const std::string_view bytes = bytes_of(column);
    const bool blob = type(column) == SQLITE_BLOB;
    if (blob || !text::is_valid_utf8(bytes)) {
      return {{blob ? "blob" : "text", base::base64_encode(bytes)}};
    }
    return bytes;
  }
  size_t bytes() const override {
    size_t sum = 0;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const int kind = type(i);
      sum += kind == SQLITE_TEXT || kind == SQLITE_BLOB ? static_cast<size_t>(sqlite3_column_bytes(get(), at(i))) : sizeof(int64_t);
    }
    return sum;
  }

 private:
  static int at(size_t column) noexcept { return static_cast<int>(column); }
  sqlite3_stmt* get() const noexcept { return statement_.get(); }
  int type(size_t column) const { return sqlite3_column_type(get(), at(column)); }
  std::string_view bytes_of(size_t column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(get(), at(column)));
    return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<size_t>(sqlite3_column_bytes(get(), at(column))));
  }

  const std::string& name_;
  sqlite3* database_;
  Statement statement_;
  std::vector<std::string> columns_;
  uint64_t rows_ = 0;
};

class Sqlite final : public SqlDatabase {
 public:
  Sqlite(const std::string& path, std::string shown) : name_(shown.empty() ? path : std::move(shown)) {
    if (!base::is_file(path)) {
      throw Error(Code::kNotFound, fmt::format("there is no database '{}'", name_));
    }
    sqlite3* raw = nullptr;
    const int result = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    database_.reset(raw);
    if (result != SQLITE_OK) {
      fail(Code::kFailure, name_, raw, "cannot open the SQLite database");
    }
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
    sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_busy_timeout(raw, 5000);
  }

  std::unique_ptr<SqlRows> select(const std::string& sql, const std::vector<Json>& values) override {
    Statement statement = prepare(sql);
    for (size_t i = 0; i < values.size(); ++i) {
      bind(statement.get(), static_cast<int>(i) + 1, values[i]);
    }
    return std::make_unique<Rows>(name_, database_.get(), std::move(statement));
  }

  std::vector<std::string> tables() override {
    std::vector<std::string> names;
    const auto rows = select("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name", {});
    while (rows->next()) {
      names.emplace_back(rows->text(0));
    }
    return names;
  }
  const std::string& name() const noexcept override { return name_; }

 private:
  Statement prepare(const std::string& sql) const {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    const int result = sqlite3_prepare_v2(database_.get(), sql.c_str(), static_cast<int>(sql.size()), &raw, &tail);
    Statement statement(raw);
    if (result == SQLITE_NOTADB || result == SQLITE_CORRUPT) {
      fail(Code::kInvalid, name_, database_.get(), "not a sound SQLite database");
    }
    if (result != SQLITE_OK) {
      fail(Code::kInvalid, name_, database_.get(), "the query does not work");
    }
    const bool one = raw != nullptr && std::string_view(tail).find_first_not_of(" \t\r\n;") == std::string_view::npos;
    if (!one || sqlite3_stmt_readonly(raw) == 0 || sqlite3_column_count(raw) == 0) {
      throw Error(Code::kInvalid, fmt::format("'{}': 'query' must be one SELECT", name_));
    }
    return statement;
  }

  static void bind(sqlite3_stmt* statement, int index, const Json& value) {
    const auto bytes = [&](const std::string& text, bool blob) {
      blob ? sqlite3_bind_blob(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT)
           : sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    };
    if (value.is_number_integer()) {
      sqlite3_bind_int64(statement, index, value.get<int64_t>());
    } else if (value.is_number()) {
      sqlite3_bind_double(statement, index, value.get<double>());
    } else if (value.is_string()) {
      bytes(value.get<std::string>(), false);
    } else if (value.is_object() && !value.empty() && value.begin()->is_string()) {
      bytes(base::base64_decode(value.begin()->get<std::string>()).value_or(""), value.begin().key() == "blob");
    }
  }

  std::string name_;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
};

}  // namespace

std::unique_ptr<SqlDatabase> open_sqlite(const std::string& path, std::string shown) {
  return std::make_unique<Sqlite>(path, std::move(shown));
}

}  // namespace slipway::data
