// SQLite's C interface, wrapped for this room only: connections, cached prepared statements, errors with our codes.
// A Database and its Statements belong to one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace slipway::store {

// What is bound to a statement whose text was put together.
using Value = std::variant<int64_t, double, std::string>;

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
    reset();
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  // The same, when their number is known only now.
  Statement& bind_all(std::span<const Value> values);
  // The next row; false at the end. Throws base::Error.
  bool step();
  // For statements without rows, bound or not.
  void run();

  bool is_null(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  // also blobs

 private:
  friend class Database;
  Statement(class Database* database, sqlite3_stmt* statement, bool* busy)
      : database_(database), statement_(statement), busy_(busy) {}
  void reset() noexcept;
  void bind_one(int index, int64_t value);
  void bind_one(int index, uint64_t value) { bind_one(index, static_cast<int64_t>(value)); }
  void bind_one(int index, int value) { bind_one(index, int64_t{value}); }
  void bind_one(int index, double value);  // NaN becomes NULL
  void bind_one(int index, std::string_view value);
  void bind_one(int index, const std::string& value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, const std::optional<std::string>& value);  // nullopt becomes NULL
  void bind_one(int index, const char* value) { bind_one(index, std::string_view(value)); }

  Database* database_;
  sqlite3_stmt* statement_;
  bool* busy_;  // of the cache's entry; null = not cached, finalized by the destructor
};

class Database {
 public:
  // Opens (and with `create` makes) the file. Throws base::Error.
  Database(std::filesystem::path path, bool create, int busy_timeout_ms);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One or more statements without results.
  void exec(const char* sql);
  // Statements are cached by their text and never dropped: values are bound, not written into it.
  Statement prepare(std::string_view sql);
  // One that is not kept: for texts that are put together, of which there is no end.
  Statement prepare_once(std::string_view sql);
  // The first column of the first row, e.g. of a PRAGMA; empty without a row.
  std::string scalar(const char* sql);

  int64_t changes() const;
  int64_t last_insert_id() const;
  bool in_transaction() const;
  // Copies the whole database, as committed, into the new file `target`.
  void backup_to(const std::filesystem::path& target);

  // Throws base::Error with the code that suits SQLite's `result`, naming the file.
  [[noreturn]] void fail(int result, std::string_view what) const;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  struct Entry {
    sqlite3_stmt* statement = nullptr;
    bool busy = false;
  };
  sqlite3_stmt* compile(std::string_view sql);

  std::filesystem::path path_;
  int busy_timeout_ms_;
  sqlite3* db_ = nullptr;
  std::map<std::string, Entry, std::less<>> statements_;
};

// BEGIN IMMEDIATE … COMMIT; rolled back by the destructor unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
};

// Several reads of one state, until it goes. On a connection that is in no transaction.
class ReadSnapshot {
 public:
  explicit ReadSnapshot(Database& database) : database_(database) { database_.exec("BEGIN"); }
  ~ReadSnapshot();
  ReadSnapshot(const ReadSnapshot&) = delete;
  ReadSnapshot& operator=(const ReadSnapshot&) = delete;

 private:
  Database& database_;
};

}  // namespace slipway::store
