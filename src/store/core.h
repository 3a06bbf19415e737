// What all the tables of a store share: where it is, its writer, its connections for reading, its blobs.
#pragma once

#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/blobs.h"
#include "store/database.h"
#include "store/secrets.h"
#include "store/store.h"
#include "store/writer.h"

namespace slipway::store {

// Where the rows are: a file of SQLite, or a server. Any thread.
struct DatabasePlace {
  std::filesystem::path path;
  std::string url;  // not empty: PostgreSQL's
  int busy_timeout_ms = 0;
  // Throws Error; the server's is connected to by its first use.
  std::unique_ptr<Database> open(bool create) const;
};

// A few connections kept for reading. Any thread.
class Readers {
 public:
  // A connection lent for one read, given back by the destructor.
  class Lease {
   public:
    Lease(Readers& owner, std::unique_ptr<Database> database) : owner_(owner), database_(std::move(database)) {}
    ~Lease() {
      if (database_) {
        owner_.give_back(std::move(database_));
      }
    }
    Lease(Lease&& other) noexcept = default;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lease& operator=(Lease&&) = delete;
    Database* operator->() const noexcept { return database_.get(); }
    Database& operator*() const noexcept { return *database_; }

   private:
    Readers& owner_;
    std::unique_ptr<Database> database_;
  };

  explicit Readers(DatabasePlace place) : place_(std::move(place)) {}
  Lease take();

 private:
  void give_back(std::unique_ptr<Database> database);

  const DatabasePlace place_;
  std::mutex mutex_;  // guards idle_
  std::vector<std::unique_ptr<Database>> idle_;
};

// Those of a store's folder, or of the objects that the options name.
Blobs blobs_of(const std::filesystem::path& folder, const StoreOptions& options);

// Holds off the collection of garbage, of this folder and by other servers of the same database, until it goes.
class PutLock {
 public:
  PutLock(FileLock file, std::optional<Readers::Lease> server) : file_(std::move(file)), server_(std::move(server)) {}
  ~PutLock();
  PutLock(PutLock&& other) noexcept : file_(std::move(other.file_)), server_(std::move(other.server_)) {
    other.server_.reset();
  }
  PutLock(const PutLock&) = delete;
  PutLock& operator=(const PutLock&) = delete;

 private:
  FileLock file_;
  std::optional<Readers::Lease> server_;
};

struct Core {
  Core(std::filesystem::path folder_in, const StoreOptions& options, DatabasePlace place, std::unique_ptr<Database> database);

  int64_t now() const { return clock->unix_ms(); }
  Readers::Lease read() { return readers.take(); }
  // With the change that this thread makes, if any (audit.h).
  void write(const Writer::Work& work);
  // From before a blob is put until the row that names it is committed.
  PutLock putting();

  const std::filesystem::path folder;
  const base::SystemClock system_clock;
  const base::Clock* clock;
  Blobs blobs;  // with an index of their chunks in the rows
  Secrets secrets;
  const bool on_server;  // other machines may share the rows
  Readers readers;
  Writer writer;
};

// Columns that hold JSON: at most 32 MiB, 100 levels (kInvalid). A text that does not read back throws kIntegrity.
std::string to_text(const record::Json& json);
record::Json to_value(const std::string& text);
std::map<std::string, std::string> to_map(const std::string& text);

// Checks a name given by users (model, alias, project, …): not empty, at most 250 bytes, no control characters, none of
// `forbidden`. Throws kInvalid naming `what`.
void check_name(std::string_view name, std::string_view what, std::string_view forbidden = "");

// SQL's LIMIT: negative means no limit there, but never here.
int64_t sql_limit(int limit);

// The row of `select` ("SELECT … FROM …") whose `column` is `value`, as `read` makes it of the statement.
template <class Read>
auto find_row(Database& database, std::string_view select, std::string_view column, const std::string& value, Read read)
    -> std::optional<decltype(read(std::declval<const Statement&>()))> {
  Statement query = database.prepare(fmt::format("{} WHERE {} = ?", select, column));
  if (!query.bind(value).step()) {
    return std::nullopt;
  }
  return read(query);
}

// Only rows whose `column` is `value`; an empty value means all rows.
struct RowFilter {
  std::string_view column;
  const std::string& value;
};

// The first `limit` rows of `select` that pass, in the given order.
template <class Read>
auto list_rows(Database& database, std::string_view select, const RowFilter& filter, std::string_view order, int limit,
               Read read) {
  const std::string where = filter.value.empty() ? "" : fmt::format(" WHERE {} = ?", filter.column);
  Statement query = database.prepare(fmt::format("{}{} {} LIMIT ?", select, where, order));
  filter.value.empty() ? query.bind(sql_limit(limit)) : query.bind(filter.value, sql_limit(limit));
  std::vector<decltype(read(std::as_const(query)))> rows;
  while (query.step()) {
    rows.push_back(read(query));
  }
  return rows;
}

}  // namespace slipway::store
