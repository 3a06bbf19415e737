// SQL for this room: connections, cached prepared statements, errors with our codes, over one of two back ends: SQLite
// (sqlite.h) and PostgreSQL (postgres.h). Statements are written in SQLite's dialect; dialect.h tells what of it PostgreSQL
// is given instead. A Database and its Statements belong to one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace slipway::store {

// What is bound to a statement whose text was put together.
using Value = std::variant<int64_t, double, std::string, std::monostate>;  // the last: NULL
// What a back end is given: NULL, or a value; a text is borrowed for the call.
using Bound = std::variant<std::monostate, int64_t, double, std::string_view>;

// One prepared statement of a back end.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // Forgets its rows and what was bound.
  virtual void reset() noexcept = 0;
  virtual void bind(int index, const Bound& value) = 0;  // counted from 1
  virtual bool step() = 0;
  // Without rows. PostgreSQL's may tell an error later: with the next statement whose result is looked at, at the latest
  // with settle() or commit().
  virtual void run() = 0;
  virtual bool is_null(int column) const = 0;
  virtual int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string text(int column) const = 0;
};

// The connection was lost while a transaction was being committed, and the server can no longer say whether it was.
class CommitUnknown : public base::Error {
 public:
  explicit CommitUnknown(const std::string& message) : Error(base::Code::kUnavailable, message) {}
};

enum class Access {
  kRead,       // several reads of one state
  kWrite,      // the only writer of the store; on the disk once committed
  kWriteSoon,  // likewise, on the disk within a second
};

// One connection of a back end.
class Connection {
 public:
  virtual ~Connection() = default;
  // `once`: the statement's text will not come again.
  virtual std::unique_ptr<Cursor> compile(std::string_view sql, bool once) = 0;
  virtual void exec(const char* sql) = 0;
  virtual int64_t changes() = 0;
  virtual int64_t last_insert_id() = 0;
  virtual void begin(Access access) = 0;
  // Throws when nothing was kept; CommitUnknown when that cannot be told.
  virtual void commit() = 0;
  virtual bool in_transaction() const = 0;
  // Waits for what run() left under way; throws its first error.
  virtual void settle() = 0;
  // Puts on the disk what kWriteSoon left to be put there. Also beside another thread that uses the connection.
  virtual void sync() noexcept = 0;
  // False: the connection is lost, and the next begin() or read opens another.
  virtual bool usable() noexcept = 0;
};

// A prepared statement lent by Database::prepare, given back by the destructor. Columns are counted from 0; texts and
// blobs are copied out.
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  // Binds all parameters in order, after a reset.
  template <class... Values>
  Statement& bind(const Values&... values) {
    cursor_->reset();
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  // The same, when their number is known only now.
  Statement& bind_all(std::span<const Value> values);
  // The next row; false at the end. Throws base::Error.
  bool step() { return cursor_->step(); }
  // For statements without rows, bound or not.
  void run() { cursor_->run(); }

  bool is_null(int column) const { return cursor_->is_null(column); }
  int64_t integer(int column) const { return cursor_->integer(column); }
  double real(int column) const { return cursor_->real(column); }
  std::string text(int column) const { return cursor_->text(column); }  // also blobs

 private:
  friend class Database;
  Statement(Cursor* lent, bool* busy) : cursor_(lent), busy_(busy) {}
  explicit Statement(std::unique_ptr<Cursor> own) : own_(std::move(own)), cursor_(own_.get()) {}
  void bind_one(int index, int64_t value) { cursor_->bind(index, value); }
  void bind_one(int index, uint64_t value) { cursor_->bind(index, static_cast<int64_t>(value)); }
  void bind_one(int index, int value) { cursor_->bind(index, int64_t{value}); }
  void bind_one(int index, double value);  // NaN becomes NULL
  void bind_one(int index, std::string_view value) { cursor_->bind(index, value); }
  void bind_one(int index, const std::string& value) { cursor_->bind(index, std::string_view(value)); }
  void bind_one(int index, const std::optional<std::string>& value);  // nullopt becomes NULL
  void bind_one(int index, std::monostate) { bind_one(index, std::optional<std::string>()); }
  void bind_one(int index, const char* value) { cursor_->bind(index, std::string_view(value)); }

  std::unique_ptr<Cursor> own_;  // null: lent by the cache
  Cursor* cursor_;
  bool* busy_ = nullptr;  // of the cache's entry
};

class Database {
 public:
  // SQLite's: opens (and with `create` makes) the file. Throws base::Error.
  Database(const std::filesystem::path& path, bool create, int busy_timeout_ms);
  // Of any back end; `name` is for messages. `path` is empty unless it is a file.
  Database(std::unique_ptr<Connection> connection, std::string name, std::filesystem::path path = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One or more statements without results.
  void exec(const char* sql) { connection_->exec(sql); }
  // Statements are cached by their text and never dropped: values are bound, not written into it.
  Statement prepare(std::string_view sql);
  // One that is kept while it is among the last so many used: for the texts of searches, of which a program has a few.
  Statement prepare_recent(std::string_view sql);
  // One that is not kept: for texts that are put together, of which there is no end.
  Statement prepare_once(std::string_view sql) { return Statement(connection_->compile(sql, true)); }
  // The first column of the first row, e.g. of a PRAGMA; empty without a row.
  std::string scalar(const char* sql);

  int64_t changes() const { return connection_->changes(); }
  int64_t last_insert_id() const { return connection_->last_insert_id(); }
  bool in_transaction() const { return connection_->in_transaction(); }
  void begin(Access access) { connection_->begin(access); }
  void commit() { connection_->commit(); }
  void roll_back() noexcept;
  void settle() { connection_->settle(); }
  void sync() noexcept { connection_->sync(); }
  bool usable() noexcept { return connection_->usable(); }

  bool is_file() const noexcept { return !path_.empty(); }  // SQLite
  const std::string& name() const noexcept { return name_; }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  struct Entry {
    std::unique_ptr<Cursor> cursor;
    bool busy = false;
  };

  std::unique_ptr<Connection> connection_;
  std::string name_;
  std::filesystem::path path_;
  std::map<std::string, Entry, std::less<>> statements_;  // goes before the connection
  std::list<std::pair<std::string, Entry>> recent_;       // likewise; the last used one first
};

// A transaction of the only writer; rolled back by the destructor unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.begin(Access::kWrite); }
  ~Transaction() { database_.roll_back(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() { database_.commit(); }

 private:
  Database& database_;
};

// Several reads of one state, until it goes. On a connection that is in no transaction.
class ReadSnapshot {
 public:
  explicit ReadSnapshot(Database& database) : database_(database) { database_.begin(Access::kRead); }
  ~ReadSnapshot();
  ReadSnapshot(const ReadSnapshot&) = delete;
  ReadSnapshot& operator=(const ReadSnapshot&) = delete;

 private:
  Database& database_;
};

}  // namespace slipway::store
