// Keeps all records and artifacts of a project in one folder (usually `.slipway/`): SQLite for rows, content-addressed
// files for blobs. The rows may lie in a PostgreSQL instead, which several servers share. docs/formats/store.md specifies the
// layout.
//
// Several processes may open the same folder at once, and every interface of the returned Store is safe from any
// thread. Writes go through one thread that commits what has gathered together, so that many writers share one fsync;
// reads use connections of their own and never wait for a writer. Failures throw base::Error: kNotFound, kConflict,
// kIntegrity (damaged file), kUnavailable (disk full, locked too long), kNotAllowed (no permission), kFailure
// (read-only disk).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fields.h"
#include "record/stores.h"
#include "store/object_store.h"

namespace slipway::store {

struct StoreOptions {
  std::string database_url;            // postgresql://…: the rows are there, not in the folder's file
  bool create = true;                  // make the folder and an empty database when there is none
  std::shared_ptr<ObjectStore> objects = nullptr;       // blobs are there, not in the folder; null = in the folder
  int64_t blob_cache_bytes = int64_t{10} << 30;      // what the folder may hold of blobs that are there
  std::filesystem::path secrets_key = {};  // the file of the key that seals webhooks' secrets; empty = secrets.key in the folder
  int busy_timeout_ms = 10000;         // how long a write waits for other processes
  int64_t max_database_bytes = 0;      // refuse to grow past it (kUnavailable); 0 = no limit
  const base::Clock* clock = nullptr;  // for times the store gives itself; null = system clock. Borrowed.
  void describe(base::FieldTable& table);
};

// Opens the store in `folder`. Costs a few milliseconds, whatever it holds. Throws kNotFound when there is none and
// `create` is false, kIntegrity with advice when the database is damaged or not one, kInvalid when it was written by a
// newer version of Slipway. An older schema is migrated in one transaction after a copy was put beside it.
std::unique_ptr<record::Store> open_store(const std::filesystem::path& folder, const StoreOptions& options = {});

struct VerifyReport {
  int64_t artifacts = 0;
  int64_t blobs = 0;
  uint64_t bytes = 0;
  std::vector<std::string> problems;  // one sentence each; empty = whole
};

// Checks the database's structure, that every blob that a record names is there, and, reading all of them, that each
// has the digest of its name. Reports rather than throws. May run while the store is in use.
VerifyReport verify_store(const std::filesystem::path& folder, const StoreOptions& options = {});

struct StoreStats {
  int64_t contents = 0;        // different ones that records name
  uint64_t content_bytes = 0;  // each as it is read
  uint64_t kept_bytes = 0;     // what files (or objects) for them take
  uint64_t shared_bytes = 0;   // what they would take more, each kept whole
  int64_t recipes = 0;         // contents that are kept as ranges of others
  int64_t packs = 0;           // blobs that nothing but recipes needs
  int64_t bundled = 0;         // small contents that lie together with others
  int64_t bundles = 0;         // the blobs in which these do
  uint64_t garbage_bytes = 0;  // of blobs that nothing needs: `gc` removes them
};

// What is kept, and what sharing saves. Reads names and sizes, listings and recipes: no contents. May run while the store is in use.
StoreStats store_stats(const std::filesystem::path& folder, const StoreOptions& options = {});

struct GarbageOptions {
  // Runs and experiments that were deleted at least so long ago are removed for good; none: rows are left alone.
  std::optional<int64_t> retention_ms = std::nullopt;
  bool dry_run = false;  // only count
  bool every_byte = false;  // of blobs that only recipes need, whatever they do not need goes, too: for what must be forgotten
};

struct GarbageReport {
  int64_t experiments = 0;
  int64_t runs = 0;
  int64_t kept_runs = 0;  // deleted, but a model version came from them
  int64_t blobs = 0;      // that no record names and no recipe of a named one needs
  uint64_t bytes = 0;     // of these blobs' files
  int64_t sparse = 0;     // that only recipes need, or bundles, and less than a half of: the rest goes
  uint64_t sparse_bytes = 0;  // of that rest
  int64_t leftovers = 0;  // temporary files of writers that were killed
  uint64_t leftover_bytes = 0;
};

// Removes what was deleted long enough ago, then blobs that no record names and leftovers of killed writers: rows first, in
// transactions, so that a crash in between leaves only blobs for the next time. May run while the store is in use: it waits for
// writes of artifacts that are under way, and these wait while blobs go.
GarbageReport collect_garbage(const std::filesystem::path& folder, const GarbageOptions& garbage,
                              const StoreOptions& options = {});

// Whether `text` is an address of a database for StoreOptions::database_url rather than a folder; and how it is shown, without
// the password.
bool is_database_url(std::string_view text) noexcept;
std::string shown_database(const std::string& url);

}  // namespace slipway::store
