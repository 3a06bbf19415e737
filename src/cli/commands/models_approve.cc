// slipway models approve | reject | withdraw | policy: who lets a version be served. The rules are the store's.
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/local_change.h"

namespace slipway::cli {
namespace {

using record::Verdict;

class DecisionCommand final : public Command {
 public:
  explicit DecisionCommand(Verdict verdict) : verdict_(verdict) {}
  CommandInfo info() const override {
    switch (verdict_) {
      case Verdict::kApprove:
        return {"models approve", "let a version be served: one of the approvals that the model's policy asks for",
                "You decide as the user of this machine (local:NAME); on a server, as your account. A later decision replaces yours.",
                "slipway models approve movie-sentiment 3 --comment 'read the report'"};
      case Verdict::kReject:
        return {"models reject", "keep a version from being served, whoever approved it",
                "It holds until you approve it or take it back with `slipway models withdraw`.",
                "slipway models reject movie-sentiment 3 --comment 'worse for short texts'"};
      case Verdict::kWithdraw: break;
    }
    return {"models withdraw", "take back your decision on a version", "", "slipway models withdraw movie-sentiment 3"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "registered model");
    parameters.positional("VERSION", version_, "version number");
    parameters.flags.add("comment", comment_, "why; kept with the decision");
  }
  int run(App& app) override {
    const auto reference = record::parse_model_reference(fmt::format("models:/{}/{}", name_, version_));
    record::Decision decision;
    decision.who = local_person();
    decision.verdict = verdict_;
    decision.comment = comment_;
    record::Approval approval;
    change_locally(app.store(), info().path, fmt::format("{}/{}", name_, version_),
                   [&] { approval = app.store().approvals().decide(name_, reference.version, decision); });
    if (app.json()) {
      app.print_json(record::to_json(approval));
      return 0;
    }
    app.out() << fmt::format("{} version {}: {}\n", name_, reference.version, record::name_of(approval.state));
    for (const record::Decision& one : approval.decisions) {
      app.out() << fmt::format("  {} by {}{}\n", record::name_of(one.verdict), one.who, one.comment.empty() ? "" : ": " + one.comment);
    }
    return 0;
  }

 private:
  const Verdict verdict_;
  std::string name_;
  std::string version_;
  std::string comment_;
};

// "unchanged", "true", "false": a flag that may be left out.
void set_if_told(const std::string& text, bool& value) {
  if (!text.empty()) {
    value = text == "true";
  }
}

class PolicyCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"models policy", "what must hold before a version of a model may have a protected alias",
            "Without flags it tells the policy. What is left out stays as it is.",
            "slipway models policy movie-sentiment --require 2\nslipway models policy movie-sentiment --gates-must-pass true"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "registered model");
    parameters.flags.add("require", require_, "approvals by different people, 0 to 5; -1: as it is", {-1, record::kMaxRequiredApprovals});
    parameters.flags.add("protect", protect_, "aliases that only an approved version may have, in place of those there are");
    parameters.flags.add("separate_author", separate_author_, "who made a version does not approve it", {"", "true", "false"});
    parameters.flags.add("gates_must_pass", gates_must_pass_, "its gates passed, and it has some", {"", "true", "false"});
  }
  int run(App& app) override {
    record::ApprovalStore& approvals = app.store().approvals();
    record::ModelPolicy policy = approvals.policy(name_);
    const record::ModelPolicy before = policy;
    if (require_ >= 0) {
      policy.required_approvals = require_;
    }
    if (!protect_.empty()) {
      policy.protected_aliases = protect_;
    }
    set_if_told(separate_author_, policy.separate_author);
    set_if_told(gates_must_pass_, policy.gates_must_pass);
    if (!(policy == before)) {
      change_locally(app.store(), "models policy", name_, [&] { approvals.set_policy(name_, policy); });
    } else if (!app.store().tracking().models().find(name_)) {
      throw base::Error(base::Code::kNotFound, fmt::format("there is no model '{}'; `slipway models` lists them", name_));
    }
    if (app.json()) {
      app.print_json(record::to_json(policy));
    } else {
      app.out() << fmt::format("approvals required: {}\nprotected aliases: {}\nseparate author: {}\ngates must pass: {}\n", policy.required_approvals,
                               policy.protected_aliases.empty() ? "-" : fmt::format("{}", fmt::join(policy.protected_aliases, ", ")),
                               policy.separate_author, policy.gates_must_pass);
    }
    return 0;
  }

 private:
  std::string name_;
  int require_ = -1;
  std::vector<std::string> protect_;
  std::string separate_author_;
  std::string gates_must_pass_;
};

}  // namespace

std::unique_ptr<Command> make_models_approve() { return std::make_unique<DecisionCommand>(Verdict::kApprove); }
std::unique_ptr<Command> make_models_reject() { return std::make_unique<DecisionCommand>(Verdict::kReject); }
std::unique_ptr<Command> make_models_withdraw() { return std::make_unique<DecisionCommand>(Verdict::kWithdraw); }
std::unique_ptr<Command> make_models_policy() { return std::make_unique<PolicyCommand>(); }

}  // namespace slipway::cli
