#include "store/sqlite.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>
#include <utility>

#include "base/error.h"
#include "store/pattern.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;

bool is_full(int result, int number) {
  return result == SQLITE_FULL || (result == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT || number == EFBIG));
}

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(std::filesystem::path path, bool create, int busy_timeout_ms);
  ~SqliteConnection() override { sqlite3_close(db_); }
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  std::unique_ptr<Cursor> compile(std::string_view sql, bool once) override;
  void exec(const char* sql) override;
  int64_t changes() override { return sqlite3_changes(db_); }
  int64_t last_insert_id() override { return sqlite3_last_insert_rowid(db_); }
  void begin(Access access) override;
  void commit() override { exec("COMMIT"); }
  bool in_transaction() const override { return sqlite3_get_autocommit(db_) == 0; }
  void settle() override {}
  void sync() noexcept override;
  bool usable() noexcept override { return true; }

  // Throws base::Error with the code that suits SQLite's `result`, naming the file.
  [[noreturn]] void fail(int result, std::string_view what) const;
  void copy_to(SqliteConnection& copy);

 private:
  std::filesystem::path path_;
  int busy_timeout_ms_;
  bool full_sync_ = true;  // PRAGMA synchronous now
  // After a failed fsync the system may have dropped what it had not written, and a later fsync succeeds nevertheless:
  // nothing more is acknowledged on this connection.
  mutable std::atomic<bool> sync_failed_ = false;
  sqlite3* db_ = nullptr;
};

class SqliteCursor final : public Cursor {
 public:
  SqliteCursor(const SqliteConnection& connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}
  ~SqliteCursor() override { sqlite3_finalize(statement_); }
  SqliteCursor(const SqliteCursor&) = delete;
  SqliteCursor& operator=(const SqliteCursor&) = delete;

  void reset() noexcept override {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  void bind(int index, const Bound& value) override;
  bool step() override;
  void run() override {
    while (step()) {
    }
    sqlite3_reset(statement_);
  }
  bool is_null(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  int64_t integer(int column) const override { return sqlite3_column_int64(statement_, column); }
  double real(int column) const override { return sqlite3_column_double(statement_, column); }
  std::string text(int column) const override {
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return data != nullptr ? std::string(static_cast<const char*>(data), static_cast<size_t>(size)) : std::string();
  }

 private:
  const SqliteConnection& connection_;
  sqlite3_stmt* statement_;
};

void SqliteCursor::bind(int index, const Bound& value) {
  int result = SQLITE_OK;
  if (const auto* number = std::get_if<int64_t>(&value)) {
    result = sqlite3_bind_int64(statement_, index, *number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    result = sqlite3_bind_double(statement_, index, *real);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    const char* data = text->data() != nullptr ? text->data() : "";  // a null pointer would bind NULL
    result = sqlite3_bind_text64(statement_, index, data, text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  } else {
    result = sqlite3_bind_null(statement_, index);
  }
  if (result != SQLITE_OK) {
    connection_.fail(result, "bind a value");
  }
}

bool SqliteCursor::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) {
    return true;
  }
  if (result != SQLITE_DONE) {
    connection_.fail(result, "use");
  }
  return false;
}

SqliteConnection::SqliteConnection(std::filesystem::path path, bool create, int busy_timeout_ms)
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
    add_regexp(db_);
    exec("PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; PRAGMA synchronous=FULL");
  } catch (...) {
    sqlite3_close(db_);
    throw;
  }
}

std::unique_ptr<Cursor> SqliteConnection::compile(std::string_view sql, bool) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) {
    fail(result, "use");
  }
  return std::make_unique<SqliteCursor>(*this, statement);
}

void SqliteConnection::exec(const char* sql) {
  const int result = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) {
    fail(result, "use");
  }
}

void SqliteConnection::begin(Access access) {
  if (access == Access::kRead) {
    exec("BEGIN");
    return;
  }
  if (sync_failed_) {
    fail(SQLITE_IOERR_FSYNC, "use");
  }
  const bool durable = access == Access::kWrite;
  if (durable != full_sync_) {
    exec(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    full_sync_ = durable;
  }
  exec("BEGIN IMMEDIATE");
}

void SqliteConnection::sync() noexcept {
  // Through a descriptor of our own: SQLite holds no locks on the log itself, so closing it releases none.
  const std::string log = path_.string() + "-wal";
  const int fd = ::open(log.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    if (::fdatasync(fd) != 0) {
      sync_failed_ = true;
    }
    ::close(fd);
  }
}

void SqliteConnection::copy_to(SqliteConnection& copy) {
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

void SqliteConnection::fail(int result, std::string_view what) const {
  const int extended = result != SQLITE_IOERR || db_ == nullptr ? result : sqlite3_extended_errcode(db_);
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
  if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC) {
    sync_failed_ = true;
    throw Error(Code::kUnavailable,
                fmt::format("the disk failed to keep the store's database '{}' ({}); nothing more is written until it is "
                            "opened again: check the disk, then restart; what was acknowledged before is there",
                            name, number != 0 ? base::errno_text(number) : "fsync"));
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

}  // namespace

std::unique_ptr<Connection> open_sqlite(const std::filesystem::path& path, bool create, int busy_timeout_ms) {
  return std::make_unique<SqliteConnection>(path, create, busy_timeout_ms);
}

void copy_sqlite(const std::filesystem::path& from, const std::filesystem::path& target, int busy_timeout_ms) {
  SqliteConnection source(from, false, busy_timeout_ms);
  SqliteConnection copy(target, true, busy_timeout_ms);
  source.copy_to(copy);
}

}  // namespace slipway::store
