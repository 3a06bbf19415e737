// The tables, and how a database of an older version becomes one of this. In SQLite, PRAGMA user_version
// holds the version; the table `migrations` tells when each was reached, and in PostgreSQL which is the last.
#pragma once

#include <filesystem>
#include <span>

#include "store/database.h"

namespace slipway::store {

// Element i brings version i to version i + 1; statements separated by ';'.
std::span<const char* const> migrations();

// The version of the database, after checking that it is one of ours (or empty: 0). Throws kIntegrity for a damaged
// one, kInvalid for one that another program made or a newer Slipway wrote.
int checked_version(Database& database, std::span<const char* const> steps);

// Brings the database to the newest version in one transaction. One that holds something is first copied to
// `PATH.vN.backup`; PostgreSQL's tables to the schema `SCHEMA_vN_backup`. Processes that do it at once wait for each other,
// through a lock file beside or a lock of the server. `now_ms` is recorded.
void migrate(Database& database, std::span<const char* const> steps, int64_t now_ms);

}  // namespace slipway::store
