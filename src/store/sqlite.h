// SQLite's C interface as a back end of database.h.
#pragma once

#include <filesystem>
#include <memory>

#include "store/database.h"

namespace slipway::store {

// Opens (and with `create` makes) the file. Writers of all processes wait for each other up to `busy_timeout_ms`. Throws
// base::Error.
std::unique_ptr<Connection> open_sqlite(const std::filesystem::path& path, bool create, int busy_timeout_ms);

// Copies the whole database `from`, as committed, into the new file `target`.
void copy_sqlite(const std::filesystem::path& from, const std::filesystem::path& target, int busy_timeout_ms);

}  // namespace slipway::store
