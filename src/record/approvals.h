// Who lets a version of a registered model be served, and by what evidence: the policy of a model, decisions of people, gates.
// Plain values with their JSON, and the interface that `store` implements: safe from any thread, a write that returned is
// durable. docs/guide/approvals.md.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace slipway::record {

constexpr int kMaxRequiredApprovals = 5;
constexpr const char* kProduction = "Production";  // the stage that is protected as an alias is

struct ModelPolicy {
  int required_approvals = 0;                                // of different people
  std::vector<std::string> protected_aliases = {"champion"};  // that only an approved version may have
  bool separate_author = true;                               // who made a version does not count as one who approves it
  bool gates_must_pass = false;                              // and a version without gates has passed none
  bool operator==(const ModelPolicy&) const = default;
};
base::Json to_json(const ModelPolicy& policy);
// What is left out has its default. Throws Error(kInvalid) for unknown keys, other types, more than kMaxRequiredApprovals, more
// than 100 aliases. `source` names the text in messages.
ModelPolicy policy_from_json(const base::Json& json, std::string_view source);

enum class Verdict { kApprove, kReject, kWithdraw };  // the first two stored, by name; the last takes back what there was
std::string_view name_of(Verdict verdict) noexcept;
Verdict verdict_named(std::string_view name);  // throws Error(kInvalid) naming the three

struct Decision {
  std::string who;  // an account; "local:NAME" of a user at this machine's command line; a name of no account's, or "local"
  Verdict verdict = Verdict::kApprove;
  std::string comment;
  int64_t time_ms = 0;
};

enum class ApprovalState { kNotRequired, kPending, kApproved, kRejected };
std::string_view name_of(ApprovalState state) noexcept;  // "not_required"

struct Approval {
  ApprovalState state = ApprovalState::kNotRequired;
  int required = 0;
  std::vector<Decision> decisions;  // one of each person, the newest; oldest first
};
base::Json to_json(const Approval& approval);

enum class GateStatus { kPassed, kFailed, kUnknown };  // unknown: what it needs was not measured
std::string_view name_of(GateStatus status) noexcept;

struct VersionGate {
  std::string gate;  // as written: "f1 >= 0.8"
  GateStatus status = GateStatus::kUnknown;
  double measured = std::nan("");   // NaN: not told
  double threshold = std::nan("");
  std::string reason;
};
base::Json to_json(const VersionGate& gate);
// Those of an evaluation as `slipway run` keeps it (its "gates", docs/formats/report.md); none when it has none. What is not a
// gate is told as an unknown one: evidence that cannot be read is no evidence.
std::vector<VersionGate> gates_of(const base::Json& evaluation);

// A move that the policy of a model forbids: kGate when a gate did not pass, else kNotAllowed.
class PolicyRefusal final : public base::Error {
 public:
  using Error::Error;
};

class ApprovalStore {
 public:
  virtual ~ApprovalStore() = default;
  virtual ModelPolicy policy(const std::string& model) = 0;                            // the default where nobody set one
  virtual void set_policy(const std::string& model, const ModelPolicy& policy) = 0;  // throws kNotFound
  // Replaces what that person decided before; the event "approved", "rejected" or "decision_withdrawn" is written with it. Throws
  // kNotFound, and kNotAllowed where the author would approve the own version against the policy.
  virtual Approval decide(const std::string& model, int version, const Decision& decision) = 0;
  virtual Approval approval(const std::string& model, int version) = 0;  // throws kNotFound
  // Those that were kept with the version, in its artifact "evaluation". Reads a file.
  virtual std::vector<VersionGate> gates(const std::string& model, int version) = 0;
  // Throws PolicyRefusal if the alias, or the stage kProduction, may not be that version's now: before work that would be in vain.
  // Whoever moves it is held to the same again.
  virtual void check_move(const std::string& model, const std::string& alias, int version) = 0;
};

}  // namespace slipway::record
