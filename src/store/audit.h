// The chain of changes, as the tables of a store see it: a change is appended in the transaction of what it changes.
#pragma once

#include <string>
#include <string_view>

#include "record/accounts.h"
#include "store/sqlite.h"

namespace slipway::store {

struct Core;

// The change that a thread makes, while a scope of SqlAudit::begin lasts on it.
struct PendingChange {
  const Core* core = nullptr;  // of which store; not dereferenced
  record::AuditEntry entry;
  bool written = false;  // committed with the change
};
// Of the calling thread; null when it makes none.
PendingChange* pending_change() noexcept;

// A text as an entry has it: ASCII without control characters, at most 500 bytes.
std::string audit_text(std::string_view text);

// Inside a transaction: gives it its id, its time being set, and chains it to the newest.
void append_audit(Database& database, record::AuditEntry entry);

}  // namespace slipway::store
