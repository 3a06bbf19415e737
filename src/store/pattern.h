// RLIKE: regular expressions of clients, by RE2, whose time is linear in the text. Private to this room.
#pragma once

#include <string>

struct sqlite3;

namespace slipway::store {

// Throws Error(kInvalid) for one that is malformed or too large.
void check_pattern(const std::string& pattern);
// Makes "text REGEXP pattern" known to a connection: the pattern matches somewhere in the text.
void add_regexp(sqlite3* database);

}  // namespace slipway::store
