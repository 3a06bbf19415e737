#include "store/sqlite.h"

#include <cerrno>
#include <cmath>
#include <fmt/format.h>
#include <sqlite3.h>
#include <utility>

#include "base/error.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;

bool is_full(int result, int number) {
  return result == SQLITE_FULL || (result == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT || number == EFBIG));
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      busy_(std::exchange(other.busy_, nullptr)) {}

Statement::~Statement() {
  if (statement_ == nullptr) {
    return;
  }
  if (busy_ == nullptr) {
    sqlite3_finalize(statement_);
    return;
  }
  reset();
  sqlite3_clear_bindings(statement_);  // no large texts kept alive
  *busy_ = false;
}

void Statement::reset() noexcept { sqlite3_reset(statement_); }

void Statement::bind_one(int index, int64_t value) { sqlite3_bind_int64(statement_, index, value); }

void Statement::bind_one(int index, double value) {
  if (std::isnan(value)) {
    sqlite3_bind_null(statement_, index);
  } else {
    sqlite3_bind_double(statement_, index, value);
  }
}

void Statement::bind_one(int index, std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";  // a null pointer would bind NULL
  const int result = sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (result != SQLITE_OK) {
    database_->fail(result, "bind a value");
  }
}

void Statement::bind_one(int index, const std::optional<std::string>& value) {
  if (value) {
    bind_one(index, std::string_view(*value));
  } else {
    sqlite3_bind_null(statement_, index);
  }
}

Statement& Statement::bind_all(std::span<const Value> values) {
  reset();
  int index = 0;
  for (const Value& value : values) {
    std::visit([&](const auto& known) { bind_one(++index, known); }, value);
  }
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) {
    return true;
  }
  if (result != SQLITE_DONE) {
    database_->fail(result, "use");
  }
  return false;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::text(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data != nullptr ? std::string(static_cast<const char*>(data), static_cast<size_t>(size)) : std::string();
}

Database::Database(std::filesystem::path path, bool create, int busy_timeout_ms)
    : path_(std::move(path)), busy_timeout_ms_(busy_timeout_ms) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
  const int result = sqlite3_open_v2(path_.c_str(), &db_, flags, nullptr);
  try {
    if (result != SQLITE_OK) {
      fail(result, "open");
    }
    sqlite3_extended_result_codes(db_, 0);
    sqlite3_busy_timeout(db_, busy_timeout_ms_);
    // The file may come from elsewhere: its schema may run nothing, and cells are checked while they are read.
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    exec("PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; PRAGMA synchronous=FULL");
  } catch (...) {
    sqlite3_close(db_);
    throw;
  }
}

Database::~Database() {
  for (auto& [sql, entry] : statements_) {
    sqlite3_finalize(entry.statement);
  }
  sqlite3_close(db_);
}

void Database::exec(const char* sql) {
  const int result = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) {
    fail(result, "use");
  }
}

sqlite3_stmt* Database::compile(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) {
    fail(result, "use");
  }
  return statement;
}

Statement Database::prepare(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    found = statements_.emplace(sql, Entry{}).first;
  }
  Entry& entry = found->second;
  if (entry.statement == nullptr) {
    entry.statement = compile(sql);
  } else if (entry.busy) {
    return Statement(this, compile(sql), nullptr);
  }
  entry.busy = true;
  return Statement(this, entry.statement, &entry.busy);
}

Statement Database::prepare_once(std::string_view sql) { return {this, compile(sql), nullptr}; }

std::string Database::scalar(const char* sql) {
  Statement statement(this, compile(sql), nullptr);
  return statement.step() ? statement.text(0) : std::string();
}

int64_t Database::changes() const { return sqlite3_changes(db_); }
int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(db_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

void Database::backup_to(const std::filesystem::path& target) {
  Database copy(target, true, busy_timeout_ms_);
  sqlite3_backup* backup = sqlite3_backup_init(copy.db_, "main", db_, "main");
  if (backup == nullptr) {
    copy.fail(SQLITE_ERROR, "copy to");
  }
  sqlite3_backup_step(backup, -1);
  const int result = sqlite3_backup_finish(backup);
  if (result != SQLITE_OK) {
    copy.fail(result, "copy to");
  }
}

void Database::fail(int result, std::string_view what) const {
  result &= 0xff;  // the primary code
  const int number = db_ != nullptr ? sqlite3_system_errno(db_) : 0;
  const char* detail = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(result);
  const std::string name = path_.string();
  if (is_full(result, number)) {
    throw Error(Code::kUnavailable,
                fmt::format("no space left for the store's database '{}'; free some space (or raise "
                            "its limit) and run the same command again, nothing was lost",
                            name));
  }
  switch (result) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(Code::kUnavailable,
                  fmt::format("the store's database '{}' was locked by another process for {} s; try again "
                              "when that has finished",
                              name, busy_timeout_ms_ / 1000.0));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw Error(
          Code::kIntegrity,
          fmt::format("the store's database '{}' is damaged ({}); copy the folder, then put a backup in its place "
                      "or save what can be read with: sqlite3 '{}' .recover",
                      name, detail, name));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN: {
      const bool denied = number == EACCES || number == EPERM;
      const std::string reason = number != 0 ? base::errno_text(number) : std::string(detail);
      throw Error(denied ? Code::kNotAllowed : Code::kFailure,
                  fmt::format("cannot {} the store's database '{}': {}; it and its folder must be writable", what, name,
                              result == SQLITE_READONLY && number == 0 ? "it is read-only" : reason));
    }
    case SQLITE_CONSTRAINT:
      throw Error(Code::kConflict, fmt::format("the store's database '{}' refuses the record: {}", name, detail));
    default: {
      const std::string reason =
          number != 0 ? fmt::format("{} ({})", detail, base::errno_text(number)) : std::string(detail);
      throw Error(Code::kFailure, fmt::format("cannot {} the store's database '{}': {}", what, name, reason));
    }
  }
}

Transaction::Transaction(Database& database) : database_(database) { database_.exec("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (database_.in_transaction()) {
    try {
      database_.exec("ROLLBACK");
    } catch (const std::exception&) {
      // Nothing was committed: what a failed ROLLBACK leaves is rolled back when the connection closes.
    }
  }
}

ReadSnapshot::~ReadSnapshot() {
  try {
    database_.exec("COMMIT");
  } catch (const std::exception&) {
    // Nothing was written; a connection in trouble is told so by its next use.
  }
}

void Transaction::commit() { database_.exec("COMMIT"); }

}  // namespace slipway::store
