// The one place where it is decided whether a version may be served: every change of an alias or a stage asks here, inside its
// transaction.
#pragma once

#include <string>
#include <vector>

#include "record/approvals.h"
#include "store/core.h"

namespace slipway::store {

// What was kept with a version by whoever evaluated it: its artifact "evaluation" cannot change, so it is read before a transaction.
// Empty for a version that is not there. Throws what the database does; a file that cannot be read is an unknown gate.
std::vector<record::VersionGate> kept_gates(Core& core, const std::string& model, int version);

// What is moved: an alias, or the stage record::kProduction.
struct Promotion {
  const std::string& model;
  const std::string& target;
  bool stage = false;
  int version = 0;
};

// Throws record::PolicyRefusal unless the model's policy lets the version have the target, saying what is missing and where to
// give it. Inside the transaction that moves it.
void check_promotion(Database& database, const Promotion& promotion, const std::vector<record::VersionGate>& gates);

// Notes in the audit log that a policy was overridden: in the entry of the change under way, or, where changes are not audited, in
// one of its own. To be called before the transaction; gives the name of who does it.
class OverrideNote {
 public:
  OverrideNote(Core& core, const Promotion& promotion, const std::string& reason);
  void write(Database& database) const;  // inside the transaction

 private:
  record::AuditEntry own_;  // its action "" when the entry of the change says it
};

// Who makes the change that this thread is about to write; "" when nobody said.
std::string current_actor(const Core& core);

// A model's rows of this part follow its name; they go with it (version 0: of all versions).
void rename_approvals(Database& database, const std::string& from, const std::string& to);
void remove_approvals(Database& database, const std::string& model, int version);

}  // namespace slipway::store
