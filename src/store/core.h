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
#include "store/sqlite.h"
#include "store/store.h"
#include "store/writer.h"

namespace slipway::store {

// A few connections kept for reading. Any thread.
class Readers {
 public:
  // A connection lent for one read, given back by the destructor.
  class Lease {
   public:
    Lease(Readers& owner, std::unique_ptr<Database> database) : owner_(owner), database_(std::move(database)) {}
    ~Lease() { owner_.give_back(std::move(database_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Database* operator->() const noexcept { return database_.get(); }
    Database& operator*() const noexcept { return *database_; }

   private:
    Readers& owner_;
    std::unique_ptr<Database> database_;
  };

  Readers(std::filesystem::path path, int busy_timeout_ms)
      : path_(std::move(path)), busy_timeout_ms_(busy_timeout_ms) {}
  Lease take();

 private:
  void give_back(std::unique_ptr<Database> database);

  const std::filesystem::path path_;
  const int busy_timeout_ms_;
  std::mutex mutex_;  // guards idle_
  std::vector<std::unique_ptr<Database>> idle_;
};

struct Core {
  Core(std::filesystem::path folder_in, const StoreOptions& options, std::unique_ptr<Database> database);

  int64_t now() const { return clock->unix_ms(); }
  Readers::Lease read() { return readers.take(); }
  // With the change that this thread makes, if any (audit.h).
  void write(const Writer::Work& work);

  const std::filesystem::path folder;
  const base::SystemClock system_clock;
  const base::Clock* clock;
  Blobs blobs;
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
