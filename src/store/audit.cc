#include "store/audit.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/secret.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using record::AuditEntry;

constexpr std::string_view kSelectEntries =
    "SELECT id, time_ms, actor, credential, peer, action, subject, outcome, request, previous, hash FROM audit";
constexpr size_t kMaxText = 500;       // of a field: a client's text is not to fill the log
constexpr size_t kMaxProblems = 100;
constexpr const char* kGood = "ok";

const std::string& no_hash() {
  static const std::string kZeros(64, '0');
  return kZeros;
}

// The one thing that cannot be passed: who makes the change that a thread is about to write. The layers between a request
// and its transaction know nothing of requests, and shall not.
thread_local PendingChange* current_change = nullptr;

AuditEntry read_entry(const Statement& row) {
  return {row.integer(0), row.integer(1), row.text(2), row.text(3), row.text(4), row.text(5),
          row.text(6),    row.text(7),    row.text(8), row.text(9), row.text(10)};
}

std::string span_of(int64_t first, int64_t last) {
  return first == last ? fmt::format("entry {} was", first) : fmt::format("entries {} to {} were", first, last);
}

// Walks the chain in order of ids.
class ChainCheck {
 public:
  void take(const AuditEntry& entry) {
    ++report_.entries;
    if (entry.id <= last_) {
      tell(fmt::format("entry {} was inserted: ids begin at 1", entry.id));
      return;
    }
    const bool gap = entry.id != last_ + 1;
    if (gap) {
      tell(fmt::format("{} removed", span_of(last_ + 1, entry.id - 1)));
    }
    if (!base::equal_in_constant_time(record::audit_hash(entry), entry.hash)) {
      tell(fmt::format("entry {} was altered: its hash is not that of what it says", entry.id));
    } else if (!gap && entry.previous != report_.head) {
      tell(fmt::format("entry {} does not follow entry {}: one of them was altered or inserted", entry.id, last_));
    }
    last_ = entry.id;
    report_.head = entry.hash;
  }
  // What the head said when it was written last.
  void compare_head(int64_t id, const std::string& hash) {
    if (id > last_) {
      tell(fmt::format("{} removed from the end", span_of(last_ + 1, id)));
    } else if (id < last_) {
      tell(fmt::format("{} inserted at the end", span_of(id + 1, last_)));
    } else if (hash != report_.head) {
      tell(fmt::format("entry {} is not the one that was written last", id));
    }
  }
  void tell(std::string problem) {
    if (report_.problems.size() < kMaxProblems) {
      report_.problems.push_back(std::move(problem));
    }
  }
  record::AuditReport take_report() { return std::move(report_); }

 private:
  record::AuditReport report_{0, no_hash(), {}};
  int64_t last_ = 0;
};

class ChangeScope final : public record::AuditLog::Scope {
 public:
  ChangeScope(Core& core, AuditEntry entry) : core_(core), outer_(current_change) {
    change_.core = &core;
    change_.entry = std::move(entry);
    change_.entry.outcome = kGood;
    current_change = &change_;
  }
  ~ChangeScope() override { current_change = outer_; }
  ChangeScope(const ChangeScope&) = delete;
  ChangeScope& operator=(const ChangeScope&) = delete;
  void end(std::string outcome) override {
    current_change = outer_;
    if (change_.written && outcome == kGood) {
      return;
    }
    AuditEntry entry = change_.entry;
    entry.outcome = std::move(outcome);
    core_.writer.write(true, [&](Database& database) { append_audit(database, entry); });
  }

 private:
  Core& core_;
  PendingChange* outer_;
  PendingChange change_;
};

}  // namespace

std::string audit_text(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxText)) {
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F ? '?' : c;
  }
  return out;
}

PendingChange* pending_change() noexcept { return current_change; }

void append_audit(Database& database, AuditEntry entry) {
  Statement head = database.prepare("SELECT entry, hash FROM audit_head WHERE id = 1");
  head.step();
  entry.id = head.integer(0) + 1;
  entry.previous = head.text(1);
  entry.hash = record::audit_hash(entry);
  database
      .prepare("INSERT INTO audit(id, time_ms, actor, credential, peer, action, subject, outcome, request, previous, hash) "
               "VALUES(?,?,?,?,?,?,?,?,?,?,?)")
      .bind(entry.id, entry.time_ms, entry.actor, entry.credential, entry.peer, entry.action, entry.subject,
            entry.outcome, entry.request, entry.previous, entry.hash)
      .run();
  database.prepare("UPDATE audit_head SET entry = ?, hash = ? WHERE id = 1").bind(entry.id, entry.hash).run();
}

std::unique_ptr<record::AuditLog::Scope> SqlAudit::begin(AuditEntry entry) {
  entry.time_ms = core_.now();
  for (std::string* text : {&entry.actor, &entry.credential, &entry.peer, &entry.action, &entry.subject, &entry.request}) {
    *text = audit_text(*text);
  }
  return std::make_unique<ChangeScope>(core_, std::move(entry));
}

std::vector<AuditEntry> SqlAudit::list(int64_t after_id, int limit) {
  const auto database = core_.read();
  Statement query = database->prepare(fmt::format("{} WHERE id > ? ORDER BY id LIMIT ?", kSelectEntries));
  query.bind(after_id, sql_limit(limit));
  std::vector<AuditEntry> entries;
  while (query.step()) {
    entries.push_back(read_entry(query));
  }
  return entries;
}

std::vector<AuditEntry> SqlAudit::newest(int limit) {
  const auto database = core_.read();
  Statement query = database->prepare(fmt::format("{} ORDER BY id DESC LIMIT ?", kSelectEntries));
  query.bind(sql_limit(limit));
  std::vector<AuditEntry> entries;
  while (query.step()) {
    entries.push_back(read_entry(query));
  }
  std::reverse(entries.begin(), entries.end());
  return entries;
}

record::AuditReport SqlAudit::verify(const std::optional<std::pair<int64_t, std::string>>& until) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  ChainCheck check;
  bool found = !until || until->first == 0;
  {
    Statement query = database->prepare(fmt::format("{} ORDER BY id", kSelectEntries));

    while (query.step()) {
      const AuditEntry entry = read_entry(query);
      check.take(entry);
      if (until && entry.id == until->first) {
        found = true;
        if (entry.hash != until->second) {
          check.tell(fmt::format("entry {} is not the one whose hash was kept", entry.id));
        }
      }
    }
  }
  if (!found) {
    check.tell(fmt::format("entry {}, whose hash was kept, was removed", until->first));
  }
  Statement head = database->prepare("SELECT entry, hash FROM audit_head WHERE id = 1");

  if (head.step()) {
    check.compare_head(head.integer(0), head.text(1));
  } else {
    check.tell("the head of the chain was removed");
  }
  return check.take_report();
}

}  // namespace slipway::store
