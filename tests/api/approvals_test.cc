// Approvals over REST: who may give them, what they let happen, what is remembered of it.
#include "api/secured.h"

namespace slipway::api {
namespace {

class Approvals : public SecuredTest {
 protected:
  Approvals() {
    add("bob", {{"mine", Role::kApprover}});
    add("eve", {{"mine", Role::kEditor}});
    add("zoe", {{"mine", Role::kApprover}});
    serve({});
    good(post_as("ann", "registered-models/create", {{"name", "mine"}}));
    version_by("eve");
  }
  void version_by(const std::string& who) {
    good(post_as(who, "model-versions/create", {{"name", "mine"}, {"source", "s3://models/m"}}));
  }
  Answer set_policy(const Json& policy, const std::string& who = "ann") {
    return as(who, "PUT", "/api/ui/models/mine/policy", policy.dump());
  }
  Answer decide(const std::string& who, const std::string& decision, const Json& more = Json::object()) {
    Json body = {{"decision", decision}};
    body.update(more);
    return as(who, "POST", "/api/ui/models/mine/versions/1/decisions", body.dump());
  }
  Answer promote(const std::string& who, const Json& more = Json::object()) {
    Json body = {{"name", "mine"}, {"alias", "champion"}, {"version", "1"}};
    body.update(more);
    return post_as(who, "registered-models/alias", body);
  }
  Json page() { return good(as("viewer", "GET", "/api/ui/models/mine")); }
};

TEST_F(Approvals, TwoAccountsLetAVersionBeServed) {
  EXPECT_EQ(page()["policy"], Json({{"required_approvals", 0},
                                    {"protected_aliases", {"champion"}},
                                    {"separate_author", true},
                                    {"gates_must_pass", false}}));
  EXPECT_EQ(page()["versions"][0]["approval"], Json({{"state", "not_required"}, {"required", 0}, {"decisions", Json::array()}}));
  EXPECT_EQ(page()["versions"][0]["gates"], Json::array());
  EXPECT_EQ(page()["versions"][0]["author"], "eve");
  for (const char* unknown : {"datasets", "code_commit", "config", "signature", "card"}) {
    EXPECT_EQ(page()["versions"][0][unknown], nullptr) << unknown;
  }
  EXPECT_EQ(set_policy({{"required_approvals", 2}}, "bob").status, 403);
  EXPECT_EQ(set_policy({{"required_approvals", 9}}).status, 400);
  EXPECT_EQ(set_policy({{"protected_aliases", {"no spaces"}}}).status, 400);
  EXPECT_EQ(good(set_policy({{"required_approvals", 2}}))["protected_aliases"], Json::array({"champion"}));
  EXPECT_EQ(good(as("viewer", "GET", "/api/ui/models/mine/policy"))["required_approvals"], 2);
  EXPECT_EQ(as("viewer", "GET", "/api/ui/models/none/policy").status, 404);

  EXPECT_EQ(decide("eve", "approve").status, 403);  // an editor
  EXPECT_EQ(decide("bob", "maybe").status, 400);
  EXPECT_EQ(decide("bob", "approve", {{"who", "zoe"}}).status, 400);
  EXPECT_EQ(good(decide("bob", "approve", {{"comment", "fine"}}))["state"], "pending");
  EXPECT_EQ(good(decide("bob", "approve", {{"comment", "still fine"}}))["decisions"].size(), 1U);
  EXPECT_EQ(fault(promote("bob")).substr(0, 21), "409 RESOURCE_CONFLICT");
  EXPECT_NE(promote("bob").text.find("1 of 2 approvals"), std::string::npos);
  EXPECT_EQ(post_as("bob", "model-versions/transition-stage",
                    {{"name", "mine"}, {"version", "1"}, {"stage", "production"}, {"archive_existing_versions", false}})
                .status,
            409);
  EXPECT_EQ(good(decide("zoe", "approve"))["state"], "approved");
  serve({});
  good(promote("bob"));
  EXPECT_EQ(page()["aliases"][0]["history"][0]["who"], "bob");
  const Json approval = page()["versions"][0]["approval"];
  EXPECT_EQ(approval["decisions"][0]["who"], "bob");
  EXPECT_EQ(approval["decisions"][0]["decision"], "approve");
  EXPECT_EQ(approval["decisions"][0]["comment"], "still fine");
  EXPECT_EQ(good(decide("zoe", "withdraw"))["state"], "pending");
  EXPECT_EQ(good(decide("zoe", "reject", {{"comment", "no"}}))["state"], "rejected");
}

TEST_F(Approvals, WhoMadeItDoesNotApproveIt) {
  version_by("bob");
  set_policy({{"required_approvals", 1}});
  const Answer answer = as("bob", "POST", "/api/ui/models/mine/versions/2/decisions", R"({"decision": "approve"})");
  EXPECT_EQ(fault(answer).substr(0, 21), "403 PERMISSION_DENIED");
  EXPECT_NE(answer.text.find("separate_author"), std::string::npos);
}

TEST_F(Approvals, AnAdminOverridesWithAReason) {
  set_policy({{"required_approvals", 2}});
  EXPECT_EQ(promote("bob", {{"override", "I am in a hurry"}}).status, 403);
  good(promote("ann", {{"override", "the old one is down"}}));
  const Json step = page()["aliases"][0]["history"][0];
  EXPECT_EQ(step["override"], "the old one is down");
  EXPECT_EQ(step["who"], "ann");
  const record::AuditEntry entry = store_->audit().newest(1).at(0);
  EXPECT_EQ(entry.actor, "ann");
  EXPECT_NE(entry.subject.find("override: version 1 of 'mine' is alias 'champion': the old one is down"), std::string::npos) << entry.subject;
  EXPECT_EQ(store_->audit().newest(2).at(0).outcome, "PERMISSION_DENIED");
}

TEST_F(Approvals, EveryDecisionIsAudited) {
  set_policy({{"required_approvals", 1}});
  good(decide("bob", "reject", {{"comment", "no"}}));
  promote("bob");
  const auto entries = store_->audit().newest(3);
  EXPECT_EQ(entries[0].action, "PUT /api/ui/models/{name}/policy");
  EXPECT_EQ(entries[1].action, "POST /api/ui/models/{name}/versions/{version}/decisions");
  EXPECT_EQ(entries[1].actor, "bob");
  EXPECT_EQ(entries[2].outcome, "RESOURCE_CONFLICT");
  EXPECT_TRUE(store_->audit().verify(std::nullopt).problems.empty());
}

using ApprovalsByNobody = ServerTest;

TEST_F(ApprovalsByNobody, PeopleSayWhoTheyAreWhereNobodyIsAsked) {
  const std::string run = new_run();
  good(post("runs/set-tag", {{"run_id", run}, {"key", "mlflow.user"}, {"value", "ann"}}));
  good(post("runs/set-tag", {{"run_id", run}, {"key", "mlflow.source.git.commit"}, {"value", "c0ffee"}}));
  good(post("registered-models/create", {{"name", "m"}}));
  good(post("model-versions/create", {{"name", "m"}, {"source", "runs:/" + run + "/model"}, {"run_id", run}}));
  EXPECT_EQ(ask("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/" + run + "/artifacts/model/MLmodel",
                "signature:\n  inputs: '[{\"type\": \"string\", \"name\": \"text\"}]'\n  outputs: null\n")
                .status,
            200);
  const Json version = good(ask("GET", "/api/ui/models/m"))["versions"][0];
  EXPECT_EQ(version["author"], "ann");
  EXPECT_EQ(version["code_commit"], "c0ffee");
  EXPECT_EQ(version["signature"]["inputs"][0]["name"], "text") << version.dump();
  good(ask("PUT", "/api/ui/models/m/policy", R"({"required_approvals": 2})"));
  const auto decide = [&](const Json& body) { return ask("POST", "/api/ui/models/m/versions/1/decisions", body.dump()); };
  EXPECT_EQ(decide({{"decision", "approve"}, {"who", "ann"}}).status, 403);
  EXPECT_EQ(good(decide({{"decision", "approve"}, {"who", "bob"}}))["state"], "pending");
  const Json both = good(decide({{"decision", "approve"}}));
  EXPECT_EQ(both["state"], "approved");
  EXPECT_EQ(both["decisions"].size(), 2U);
}

}  // namespace
}  // namespace slipway::api
