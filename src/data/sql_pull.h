// The rows of a query into a folder of JSON Lines that grows: each run adds what is new since the last one, as further shards, and one that
// was killed goes on behind its last shard. On disk: OUT/part-NNNNN.jsonl.zst, OUT/quarantine/, OUT/.state.json (docs/guide/data.md). One
// thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/context.h"
#include "base/json.h"

namespace slipway::data {

struct SqlPullOptions {
  std::string address;  // sqlite://PATH, a path, postgres://…
  std::string table;    // of these two one
  std::string query;
  std::string key;
  std::string cursor;
  std::filesystem::path out;
  std::string licence;
  bool compress = true;
  uint64_t shard_bytes = uint64_t{32} << 20U;
  uint64_t max_row_bytes = uint64_t{16} << 20U;  // longer rows are told in OUT/quarantine
  int64_t page_rows = 10'000;
};

struct SqlPullSummary {
  int64_t rows = 0;       // read by this run
  int64_t bad = 0;        // of them not written
  int64_t unordered = 0;  // not read, for their key or cursor is NULL; counted by the first run
  int64_t shards = 0;     // written by this run
  int64_t rows_before = 0;
  base::Json position;  // [cursor, key] of the last row of all runs
  base::Json to_json() const;
};

// Throws Error: kNotFound, kInvalid, kNotAllowed, kUnavailable of the database (start again, it goes on); kConflict when `out` holds rows
// of another query.
SqlPullSummary pull_sql(const SqlPullOptions& options, base::Context& context);

// When a row is of: its cursor, when that is a date, else `now`.
std::string row_time(std::string_view cursor, std::string_view now);

}  // namespace slipway::data
