// PostgreSQL as a back end of database.h, through libpq. Statements are prepared once on a connection; those without rows are
// sent one behind the other inside a transaction of the writer, and their results read together (libpq's pipeline).
//
// Several servers may share one database: a transaction of a writer holds an advisory lock of the schema from its begin to its
// end, so that there is one writer at a time among all of them, as with SQLite's file. Numbers rise in the order of commits.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/database.h"

namespace slipway::store {

bool is_postgres_url(std::string_view text) noexcept;  // postgresql://… or postgres://…

struct PostgresOptions {
  std::string url;
  int lock_timeout_ms = 10'000;         // how long a writer waits for others
  int statement_timeout_ms = 60'000;    // a statement that takes longer is stopped
  int idle_transaction_ms = 30'000;     // a writer that says nothing for so long loses its transaction, and its lock
};

// Connects when it is first used; connects again when the connection was lost, save inside a transaction. Throws
// Error(kInvalid) for an address that is none, or a database whose texts are not UTF-8; kUnavailable when nobody answers;
// kNotAllowed. No message holds the password.
std::unique_ptr<Database> open_postgres(const PostgresOptions& options);

// "postgresql://USER@HOST:PORT/DATABASE", without a password. Throws Error(kInvalid).
std::string postgres_name(const std::string& url);

// Held from before a blob is put until the row that names it is committed (`shared`), or while garbage is collected. Given back
// when `database`, which is in no transaction, goes or unlock_blobs() is called.
void lock_blobs(Database& database, bool shared);
void unlock_blobs(Database& database, bool shared) noexcept;

// The version of the schema, 0 when it is empty; nullopt when there are tables of another program.
std::optional<int> postgres_version(Database& database);
// What steps and statements need that PostgreSQL has not; from version 1 on, also the tables copied to the schema SCHEMA_vN_backup. Inside a
// transaction.
void prepare_postgres(Database& database, int version);
// After the last step: numbers go on behind those that steps copied.
void finish_postgres(Database& database);

}  // namespace slipway::store
