// Policies of models and decisions on their versions: what moves an alias and what does not.
#include "record/approvals.h"

#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;
using record::ApprovalState;
using record::Json;
using record::Verdict;

class Approvals : public StoreTest {
 protected:
  record::ApprovalStore& approvals() { return store_->approvals(); }
  record::Registry& registry() { return store_->registry(); }
  // A version of "m" by `author`, with these gates kept with it.
  int made(const std::string& author = "", const Json& gates = nullptr) {
    record::ModelVersion wanted = version("m");
    wanted.author = author;
    if (!gates.is_null()) {
      wanted.artifacts["evaluation"] =
          store_->artifacts().put_bytes(base::dump_json({{"gates", gates}}), "report", "evaluation.json", {}).digest;
    }
    return registry().create_version(wanted).version;
  }
  void require(int approvals_wanted, bool separate_author = true, bool gates = false) {
    record::ModelPolicy policy;
    policy.required_approvals = approvals_wanted;
    policy.separate_author = separate_author;
    policy.gates_must_pass = gates;
    approvals().set_policy("m", policy);
  }
  ApprovalState decide(const std::string& who, Verdict verdict, int version = 1, const std::string& comment = "") {
    return approvals().decide("m", version, {who, verdict, comment, 0}).state;
  }
  base::Error refused(int version = 1) {
    return error_of([&] { registry().set_alias("m", "champion", version, -1); });
  }
};

TEST_F(Approvals, NothingIsAskedUntilAPolicySaysSo) {
  made();
  EXPECT_EQ(approvals().policy("m"), record::ModelPolicy());
  EXPECT_EQ(approvals().approval("m", 1).state, ApprovalState::kNotRequired);
  EXPECT_EQ(registry().set_alias("m", "champion", 1, -1).version, 1);
  EXPECT_EQ(error_of([&] { approvals().approval("m", 2); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { approvals().set_policy("none", {}); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { approvals().decide("m", 9, {"ann", Verdict::kApprove, "", 0}); }).code(), Code::kNotFound);
}

TEST_F(Approvals, TwoDifferentPeopleApprove) {
  made();
  require(2);
  EXPECT_EQ(refused().code(), Code::kNotAllowed);
  EXPECT_EQ(decide("ann", Verdict::kApprove), ApprovalState::kPending);
  EXPECT_EQ(decide("ann", Verdict::kApprove), ApprovalState::kPending);        // again: still one person
  EXPECT_EQ(decide("local:ann", Verdict::kApprove), ApprovalState::kPending);  // who sits at the machine
  const std::string words = refused().what();
  EXPECT_NE(words.find("1 of 2 approvals, of ann"), std::string::npos) << words;
  EXPECT_NE(words.find("slipway models approve m 1"), std::string::npos) << words;
  EXPECT_FALSE(registry().find_alias("m", "champion"));
  EXPECT_TRUE(registry().alias_history("m", "champion").empty());
  registry().set_alias("m", "candidate", 1, -1);  // not protected
  EXPECT_EQ(decide("bob", Verdict::kApprove), ApprovalState::kApproved);
  reopen();
  EXPECT_EQ(approvals().approval("m", 1).decisions.size(), 3U);
  EXPECT_NO_THROW(registry().set_alias("m", "champion", 1, -1));
  made();
  EXPECT_EQ(refused(2).code(), Code::kNotAllowed);  // each version is approved for itself
}

TEST_F(Approvals, WhoMadeItDoesNotApproveIt) {
  made("local:ann");
  require(1);
  EXPECT_EQ(error_of([&] { decide("ann", Verdict::kApprove); }).code(), Code::kNotAllowed);
  EXPECT_EQ(decide("ann", Verdict::kReject), ApprovalState::kRejected);
  require(1, false);
  EXPECT_EQ(decide("ann", Verdict::kApprove), ApprovalState::kApproved);
  require(1);  // and one from before does not count any more
  EXPECT_EQ(approvals().approval("m", 1).state, ApprovalState::kPending);
  EXPECT_NE(std::string(refused().what()).find("local:ann made it"), std::string::npos);
}

TEST_F(Approvals, OneRejectionHoldsUntilItIsTakenBack) {
  made();
  require(1);
  decide("ann", Verdict::kApprove);
  EXPECT_EQ(decide("bob", Verdict::kReject, 1, "too slow"), ApprovalState::kRejected);
  EXPECT_NE(std::string(refused().what()).find("rejected by bob (\"too slow\")"), std::string::npos) << refused().what();
  require(0);
  EXPECT_EQ(refused().code(), Code::kNotAllowed);  // also where nobody is asked
  require(1);
  EXPECT_EQ(decide("bob", Verdict::kWithdraw), ApprovalState::kApproved);
  EXPECT_NO_THROW(registry().set_alias("m", "champion", 1, -1));
  std::vector<std::string> kinds;
  for (const record::Event& event : store_->events().newest("", 10)) {
    EXPECT_EQ(event.subject, "model:m/1");
    kinds.push_back(event.kind);
  }
  EXPECT_EQ(kinds, (std::vector<std::string>{"approved", "rejected", "decision_withdrawn"}));
}

TEST_F(Approvals, GatesAreHeldAgainstAVersion) {
  const Json good = {{"text", "f1 >= 0.8"}, {"passed", true}, {"left", 0.9}, {"right", 0.8}, {"reason", "0.9 >= 0.8"}};
  const Json bad = {{"text", "ece <= 0.1"}, {"passed", false}, {"left", 0.2}, {"right", 0.1}, {"reason", "0.2 > 0.1"}};
  const Json odd = {{"text", "f2 >= 1"}, {"passed", false}, {"left", nullptr}, {"right", 1}, {"reason", "no metric 'f2'"}};
  made("", Json::array({good}));
  made("", Json::array({good, bad, odd}));
  made();
  const auto gates = approvals().gates("m", 2);
  ASSERT_EQ(gates.size(), 3U);
  EXPECT_EQ(record::to_json(gates[1]),
            Json({{"gate", "ece <= 0.1"}, {"status", "failed"}, {"measured", 0.2}, {"threshold", 0.1}, {"reason", "0.2 > 0.1"}}));
  EXPECT_EQ(record::to_json(gates[2])["status"], "unknown");
  EXPECT_EQ(record::to_json(gates[2])["measured"], nullptr);
  EXPECT_TRUE(approvals().gates("m", 3).empty());
  EXPECT_NO_THROW(registry().set_alias("m", "champion", 2, -1));  // nobody asks
  require(1, true, true);
  EXPECT_EQ(refused(1).code(), Code::kNotAllowed);
  decide("ann", Verdict::kApprove);
  EXPECT_NO_THROW(registry().set_alias("m", "champion", 1, -1));
  EXPECT_EQ(refused(2).code(), Code::kGate);
  EXPECT_NE(std::string(refused(2).what()).find("gate 'ece <= 0.1' failed (0.2 > 0.1)"), std::string::npos) << refused(2).what();
  EXPECT_NE(std::string(refused(2).what()).find("0 of 1 approvals"), std::string::npos);
  EXPECT_NE(std::string(refused(3).what()).find("no gates were kept"), std::string::npos);
}

TEST_F(Approvals, EvidenceThatCannotBeReadIsNone) {
  for (const char* text : {"not JSON", "[]", R"({"gates": 7})", R"({"gates": [7]})", R"({"gates": [{"text": "f1 > 0"}]})"}) {
    record::ModelVersion wanted = version("m");
    wanted.artifacts["evaluation"] = store_->artifacts().put_bytes(text, "report", "evaluation.json", {}).digest;
    const int number = registry().create_version(wanted).version;
    require(0, true, true);
    EXPECT_EQ(refused(number).code(), Code::kGate) << text;
  }
}

TEST_F(Approvals, TheStageProductionIsHeldToTheSame) {
  made();
  require(1);
  auto& versions = store_->tracking().versions();
  EXPECT_EQ(error_of([&] { versions.change("m", 1, {std::nullopt, "Production", false, ""}); }).code(), Code::kNotAllowed);
  EXPECT_EQ(versions.find("m", 1)->stage, "None");
  EXPECT_EQ(versions.change("m", 1, {std::nullopt, "Staging", false, ""}).stage, "Staging");
  EXPECT_EQ(versions.change("m", 1, {std::nullopt, "Production", false, "an outage"}).stage, "Production");
  EXPECT_EQ(store_->audit().newest(1).at(0).action, "policy override");
  made();
  decide("ann", Verdict::kApprove, 2);
  EXPECT_EQ(versions.change("m", 2, {std::nullopt, "Production", true, ""}).stage, "Production");
}

TEST_F(Approvals, AnOverrideIsRemembered) {
  made();
  require(2);
  EXPECT_EQ(error_of([&] { registry().override_alias("m", "champion", 1, ""); }).code(), Code::kInvalid);
  registry().override_alias("m", "champion", 1, "the old one is down");
  {
    record::AuditEntry entry;
    entry.actor = "boss";
    entry.action = "models alias";
    const auto scope = store_->audit().begin(entry);
    registry().override_alias("m", "champion", 1, "again");
    scope->end("ok");
  }
  const auto history = registry().alias_history("m", "champion");
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].who, "boss");
  EXPECT_EQ(history[0].override_reason, "again");
  EXPECT_EQ(history[1].override_reason, "the old one is down");
  const auto entries = store_->audit().newest(10);
  ASSERT_EQ(entries.size(), 2U);  // one each
  EXPECT_NE(entries[0].subject.find("the old one is down"), std::string::npos) << entries[0].subject;
  EXPECT_EQ(entries[1].actor, "boss");
  EXPECT_NE(entries[1].subject.find("again"), std::string::npos) << entries[1].subject;
  EXPECT_TRUE(store_->audit().verify(std::nullopt).problems.empty());
}

TEST_F(Approvals, FollowAModelsNameAndGoWithIt) {
  made();
  require(1);
  decide("ann", Verdict::kApprove);
  store_->tracking().models().change("m", {"n", std::nullopt});
  EXPECT_EQ(approvals().policy("n").required_approvals, 1);
  EXPECT_EQ(approvals().approval("n", 1).state, ApprovalState::kApproved);
  EXPECT_EQ(approvals().policy("m"), record::ModelPolicy());
  store_->tracking().models().remove("n");
  registry().create_version(version("n"));  // another of that name begins anew
  EXPECT_EQ(approvals().policy("n"), record::ModelPolicy());
  EXPECT_TRUE(approvals().approval("n", 1).decisions.empty());
}

TEST(ModelPolicy, IsReadStrictly) {
  const auto read = [](const char* text) { return record::policy_from_json(base::parse_json(text, "test"), "test"); };
  EXPECT_EQ(read("{}"), record::ModelPolicy());
  record::ModelPolicy all{3, {"a", "b"}, false, true};
  EXPECT_EQ(record::policy_from_json(record::to_json(all), "test"), all);
  for (const char* text : {"[]", R"({"required_approvals": 6})", R"({"required_approvals": -1})", R"({"required_approvals": 1.5})",
                           R"({"required_approvals": "1"})", R"({"required_approvals": 18446744073709551615})", R"({"protected_aliases": "a"})",
                           R"({"protected_aliases": [""]})", R"({"separate_author": 1})", R"({"require": 1})"}) {
    EXPECT_EQ(error_of([&] { read(text); }).code(), Code::kInvalid) << text;
  }
}

}  // namespace
}  // namespace slipway::store
