// slipway audit list | verify: who changed what, and whether the chain of changes is whole.
#include <charconv>
#include <fmt/format.h>
#include <ostream>

#include "base/clock.h"
#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

class ListCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"audit list", "the newest changes of the record, or those after one",
            "A server writes them while accounts are asked for, or with --audit; changes of accounts are always there.",
            "slipway audit list --limit 20\nslipway --json audit list --after 0 --limit 1000000 > changes.jsonl"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("limit", limit_, "at most this many", {1, 1e9});
    parameters.flags.add("after", after_, "those after this entry, oldest first; -1: the newest", {-1, 1e18});
  }
  int run(App& app) override {
    record::AuditLog& audit = app.store().audit();
    Table table({"ENTRY", "WHEN", "WHO", "FROM", "WHAT", "OF", "OUTCOME"});
    for (const record::AuditEntry& entry : after_ < 0 ? audit.newest(limit_) : audit.list(after_, limit_)) {
      if (app.json()) {
        app.print_json(record::to_json(entry));
        continue;
      }
      table.row({std::to_string(entry.id), base::iso8601(entry.time_ms), entry.actor, entry.peer.empty() ? "-" : entry.peer,
                 entry.action, entry.subject, entry.outcome});
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  int limit_ = 50;
  int64_t after_ = -1;
};

// "12:9f86…", as `verify` tells the head.
std::optional<std::pair<int64_t, std::string>> kept_head(const std::string& text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const size_t colon = text.find(':');
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || colon == std::string::npos || end != text.data() + colon ||
      text.size() != colon + 1 + 64) {
    throw base::Error(base::Code::kInvalid, "--expect is ENTRY:HASH, as `slipway audit verify` told it");
  }
  return std::pair{id, text.substr(colon + 1)};
}

class VerifyCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"audit verify", "every entry of the audit log checked against the chain of hashes",
            "Exit code 8 when an entry was altered, removed or inserted; each is a line. It tells the head: keep it where\n"
            "nobody who may write to the record can, and give it to --expect later.",
            "slipway audit verify\nslipway audit verify --expect 12:9f86d081…"};
  }
  void describe(Parameters& parameters) override {
    parameters.flags.add("expect", expect_, "ENTRY:HASH that was kept; the chain must still hold it");
  }
  int run(App& app) override {
    const record::AuditReport report = app.store().audit().verify(kept_head(expect_));
    const std::string head = fmt::format("{}:{}", report.entries, report.head);
    if (app.json()) {
      app.print_json({{"entries", report.entries}, {"head", head}, {"problems", report.problems}});
    } else {
      for (const std::string& problem : report.problems) {
        app.out() << problem << '\n';
      }
      app.out() << fmt::format("{} entries: {}\n", report.entries,
                               report.problems.empty() ? "whole; head " + head
                                                       : fmt::format("{} problems", report.problems.size()));
    }
    return report.problems.empty() ? 0 : base::exit_code(base::Code::kIntegrity);
  }

 private:
  std::string expect_;
};

}  // namespace

std::unique_ptr<Command> make_audit_list() { return std::make_unique<ListCommand>(); }
std::unique_ptr<Command> make_audit_verify() { return std::make_unique<VerifyCommand>(); }

}  // namespace slipway::cli
