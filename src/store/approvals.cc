#include "store/approvals.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "base/file.h"
#include "store/audit.h"
#include "store/catalog.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Approval;
using record::ApprovalState;
using record::Decision;
using record::Json;
using record::ModelPolicy;
using record::Verdict;
using record::VersionGate;

constexpr size_t kMaxComment = 10'000;
constexpr size_t kMaxEvaluation = size_t{64} << 20;
constexpr std::string_view kLocal = "local:";  // of a person at this machine's command line

ModelPolicy read_policy(Database& database, const std::string& model) {
  Statement query = database.prepare(
      "SELECT required_approvals, protected_aliases, separate_author, gates_must_pass FROM model_policies WHERE model = ?");
  if (!query.bind(model).step()) {
    return {};
  }
  return {static_cast<int>(query.integer(0)), to_value(query.text(1)).get<std::vector<std::string>>(), query.integer(2) != 0,
          query.integer(3) != 0};
}

std::vector<Decision> read_decisions(Database& database, const std::string& model, int version) {
  Statement query = database.prepare(
      "SELECT who, decision, comment, time_ms FROM version_decisions WHERE model = ? AND version = ? ORDER BY time_ms, who");
  query.bind(model, version);
  std::vector<Decision> decisions;
  while (query.step()) {
    decisions.push_back({query.text(0), record::verdict_named(query.text(1)), query.text(2), query.integer(3)});
  }
  return decisions;
}

std::string read_author(Database& database, const std::string& model, int version) {
  Statement query = database.prepare("SELECT author FROM model_versions WHERE model = ? AND version = ?");
  if (!query.bind(model, version).step()) {
    check_version(database, model, version);  // says so
  }
  return query.text(0);
}

// Whoever is "ann" to the server and "local:ann" at its machine is one person.
std::string_view person(std::string_view who) { return who.starts_with(kLocal) ? who.substr(kLocal.size()) : who; }
bool same_person(std::string_view a, std::string_view b) { return !a.empty() && person(a) == person(b); }

// The different people who approve, the author left out where the policy wants that.
std::set<std::string_view> approvers(const ModelPolicy& policy, const std::string& author, const std::vector<Decision>& decisions) {
  std::set<std::string_view> people;
  for (const Decision& decision : decisions) {
    if (decision.verdict == Verdict::kApprove && !(policy.separate_author && same_person(author, decision.who))) {
      people.insert(person(decision.who));
    }
  }
  return people;
}

Approval approval_of(const ModelPolicy& policy, const std::string& author, std::vector<Decision> decisions) {
  Approval approval;
  approval.required = policy.required_approvals;
  const size_t count = approvers(policy, author, decisions).size();
  const bool rejected =
      std::any_of(decisions.begin(), decisions.end(), [](const Decision& one) { return one.verdict == Verdict::kReject; });
  approval.state = rejected                                                  ? ApprovalState::kRejected
                   : policy.required_approvals == 0                           ? ApprovalState::kNotRequired
                   : count >= static_cast<size_t>(policy.required_approvals) ? ApprovalState::kApproved
                                                                              : ApprovalState::kPending;
  approval.decisions = std::move(decisions);
  return approval;
}

Approval read_approval(Database& database, const std::string& model, int version) {
  const std::string author = read_author(database, model, version);
  return approval_of(read_policy(database, model), author, read_decisions(database, model, version));
}

// What people have yet to say; "" when nothing.
std::string missing_approvals(const ModelPolicy& policy, const std::string& author, const Approval& approval) {
  if (approval.state == ApprovalState::kRejected) {
    std::vector<std::string> who;
    for (const Decision& decision : approval.decisions) {
      if (decision.verdict == Verdict::kReject) {
        who.push_back(decision.comment.empty() ? decision.who : fmt::format("{} (\"{}\")", decision.who, decision.comment.substr(0, 200)));
      }
    }
    return fmt::format("it was rejected by {}", fmt::join(who, ", "));
  }
  if (approval.state != ApprovalState::kPending) {
    return "";
  }
  const auto people = approvers(policy, author, approval.decisions);
  return fmt::format("it has {} of {} approvals{}{}", people.size(), approval.required,
                     people.empty() ? "" : fmt::format(", of {}", fmt::join(people, ", ")),
                     policy.separate_author && !author.empty() ? fmt::format("; {} made it and does not count", author) : "");
}

std::string missing_gates(const std::vector<VersionGate>& gates) {
  if (gates.empty()) {
    return "no gates were kept with it, and the policy says they must pass; `slipway run` checks and keeps them";
  }
  std::vector<std::string> bad;
  for (const VersionGate& gate : gates) {
    if (gate.status != record::GateStatus::kPassed) {
      bad.push_back(fmt::format("gate '{}' {} ({})", gate.gate, gate.status == record::GateStatus::kFailed ? "failed" : "is unknown", gate.reason));
    }
  }
  return fmt::format("{}", fmt::join(bad, "; "));
}

const char* event_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kApprove: return "approved";
    case Verdict::kReject: return "rejected";
    case Verdict::kWithdraw: break;
  }
  return "decision_withdrawn";
}

void write_event(Database& database, const std::string& kind, const std::string& subject, int64_t now_ms, const Json& data) {
  database.prepare("INSERT INTO events(time_ms, kind, subject, data) VALUES(?,?,?,?)").bind(now_ms, kind, subject, to_text(data)).run();
}

}  // namespace

std::vector<VersionGate> kept_gates(Core& core, const std::string& model, int version) {
  std::string digest;
  {
    const auto database = core.read();
    Statement query = database->prepare("SELECT artifacts FROM model_versions WHERE model = ? AND version = ?");
    if (!query.bind(model, version).step()) {
      return {};
    }
    const auto artifacts = to_map(query.text(0));
    const auto found = artifacts.find("evaluation");
    if (found == artifacts.end()) {
      return {};
    }
    digest = found->second;
  }
  try {
    return record::gates_of(base::parse_json(base::read_file(core.blobs.fetch(digest), kMaxEvaluation), "evaluation", {kMaxEvaluation, 128}));
  } catch (const Error& error) {
    VersionGate gate;
    gate.gate = "evaluation";
    gate.reason = fmt::format("the evaluation {} cannot be read: {}", digest.substr(0, 19), error.what());
    return {std::move(gate)};
  }
}

void check_promotion(Database& database, const Promotion& promotion, const std::vector<VersionGate>& gates) {
  const ModelPolicy policy = read_policy(database, promotion.model);
  const auto& aliases = policy.protected_aliases;
  if (!promotion.stage && std::find(aliases.begin(), aliases.end(), promotion.target) == aliases.end()) {
    return;
  }
  const std::string author = read_author(database, promotion.model, promotion.version);
  const Approval approval = approval_of(policy, author, read_decisions(database, promotion.model, promotion.version));
  const std::string people = missing_approvals(policy, author, approval);
  const bool closed = policy.gates_must_pass &&
                      (gates.empty() || std::any_of(gates.begin(), gates.end(), [](const VersionGate& gate) {
                         return gate.status != record::GateStatus::kPassed;
                       }));
  if (people.empty() && !closed) {
    return;
  }
  const std::string evidence = closed ? missing_gates(gates) : "";
  throw record::PolicyRefusal(
      closed ? Code::kGate : Code::kNotAllowed,
      fmt::format("version {0} of model '{1}' may not become {2} '{3}': {4}{5}{6}. Approvals are given with `slipway models approve {1} {0}` or "
                  "POST /api/ui/models/{1}/versions/{0}/decisions; an admin may override with a reason",
                  promotion.version, promotion.model, promotion.stage ? "stage" : "alias", promotion.target, people,
                  people.empty() || evidence.empty() ? "" : "; ", evidence));
}

std::string current_actor(const Core& core) {
  const PendingChange* change = pending_change();
  return change != nullptr && change->core == &core ? change->entry.actor : "";
}

OverrideNote::OverrideNote(Core& core, const Promotion& promotion, const std::string& reason) {
  const std::string note = fmt::format("override: version {} of '{}' is {} '{}': {}", promotion.version, promotion.model,
                                       promotion.stage ? "stage" : "alias", promotion.target, reason);
  PendingChange* change = pending_change();
  if (change != nullptr && change->core == &core && !change->written) {
    change->entry.subject = audit_text(note);
    return;
  }
  const std::string actor = current_actor(core);
  own_.time_ms = core.now();
  own_.actor = actor.empty() ? "anonymous" : actor;
  own_.action = "policy override";
  own_.subject = audit_text(note);
  own_.outcome = "ok";
}

void OverrideNote::write(Database& database) const {
  if (!own_.action.empty()) {
    append_audit(database, own_);
  }
}

void rename_approvals(Database& database, const std::string& from, const std::string& to) {
  database.prepare("UPDATE model_policies SET model = ?2 WHERE model = ?1").bind(from, to).run();
  database.prepare("UPDATE version_decisions SET model = ?2 WHERE model = ?1").bind(from, to).run();
}

void remove_approvals(Database& database, const std::string& model, int version) {
  if (version == 0) {
    database.prepare("DELETE FROM model_policies WHERE model = ?").bind(model).run();
    database.prepare("DELETE FROM version_decisions WHERE model = ?").bind(model).run();
  } else {
    database.prepare("DELETE FROM version_decisions WHERE model = ? AND version = ?").bind(model, version).run();
  }
}

ModelPolicy SqlApprovals::policy(const std::string& model) { return read_policy(*core_.read(), model); }

void SqlApprovals::set_policy(const std::string& model, const ModelPolicy& policy) {
  core_.write([&](Database& database) {
    check_model(database, model);
    database
        .prepare(
            "INSERT INTO model_policies(model, required_approvals, protected_aliases, separate_author, gates_must_pass) "
            "VALUES(?,?,?,?,?) ON CONFLICT(model) DO UPDATE SET required_approvals = excluded.required_approvals, "
            "protected_aliases = excluded.protected_aliases, separate_author = excluded.separate_author, "
            "gates_must_pass = excluded.gates_must_pass")
        .bind(model, policy.required_approvals, to_text(policy.protected_aliases), policy.separate_author ? 1 : 0,
              policy.gates_must_pass ? 1 : 0)
        .run();
  });
}

Approval SqlApprovals::decide(const std::string& model, int version, const Decision& decision) {
  check_name(decision.who, "who decides");
  if (decision.comment.size() > kMaxComment) {
    throw Error(Code::kInvalid, fmt::format("a comment may have {} bytes, this has {}", kMaxComment, decision.comment.size()));
  }
  const int64_t now = core_.now();
  Approval result;
  core_.write([&](Database& database) {
    const std::string author = read_author(database, model, version);
    const ModelPolicy policy = read_policy(database, model);
    if (decision.verdict == Verdict::kApprove && policy.separate_author && same_person(author, decision.who)) {
      throw Error(Code::kNotAllowed, fmt::format("'{}' made version {} of model '{}': by its policy (separate_author) somebody else approves it",
                                                 author, version, model));
    }
    database.prepare("DELETE FROM version_decisions WHERE model = ? AND version = ? AND who = ?").bind(model, version, decision.who).run();
    if (decision.verdict != Verdict::kWithdraw) {
      database.prepare("INSERT INTO version_decisions(model, version, who, decision, comment, time_ms) VALUES(?,?,?,?,?,?)")
          .bind(model, version, decision.who, record::name_of(decision.verdict), decision.comment, now)
          .run();
    }
    result = approval_of(policy, author, read_decisions(database, model, version));
    write_event(database, event_of(decision.verdict), fmt::format("model:{}/{}", model, version), now,
                {{"who", decision.who}, {"comment", decision.comment}, {"state", record::name_of(result.state)}});
  });
  return result;
}

Approval SqlApprovals::approval(const std::string& model, int version) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  return read_approval(*database, model, version);
}

std::vector<VersionGate> SqlApprovals::gates(const std::string& model, int version) { return kept_gates(core_, model, version); }

void SqlApprovals::check_move(const std::string& model, const std::string& alias, int version) {
  const auto gates = kept_gates(core_, model, version);
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  check_promotion(*database, {model, alias, false, version}, gates);
}

}  // namespace slipway::store
