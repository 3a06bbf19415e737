#include "record/record.h"

#include <cmath>
#include <gtest/gtest.h>
#include <set>

#include "base/error.h"

namespace slipway::record {
namespace {

using base::Code;
using base::Error;

Code code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Code::kFailure;
}

std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> result;
  for (const auto& [key, value] : json.items()) {
    result.push_back(key);
  }
  return result;
}

TEST(Status, NamesGoBothWays) {
  for (const auto status : {RunStatus::kRunning, RunStatus::kFinished, RunStatus::kFailed, RunStatus::kKilled,
                            RunStatus::kAwaitingApproval}) {
    EXPECT_EQ(run_status(name_of(status)), status);
  }
  for (const auto status : {DeploymentStatus::kStarting, DeploymentStatus::kReady, DeploymentStatus::kDraining,
                            DeploymentStatus::kStopped}) {
    EXPECT_EQ(deployment_status(name_of(status)), status);
  }
  EXPECT_STREQ(name_of(RunStatus::kAwaitingApproval), "awaiting_approval");
  EXPECT_EQ(code_of([] { run_status("Running"); }), Code::kInvalid);
  EXPECT_EQ(code_of([] { deployment_status(""); }), Code::kInvalid);
}

TEST(ToJson, HasEveryFieldUnderItsName) {
  record::Run run;
  run.id = "r";
  run.tags = {{"a", "b"}};
  run.config = {{"epochs", 2}};
  EXPECT_EQ(keys(to_json(run)),
            (std::vector<std::string>{"id", "project", "name", "status", "started_ms", "ended_ms", "tags", "config"}));
  EXPECT_EQ(to_json(run)["status"], "running");
  EXPECT_EQ(to_json(run)["tags"]["a"], "b");
  EXPECT_EQ(keys(to_json(MetricPoint{"loss", 0.5, 1, 2})),
            (std::vector<std::string>{"key", "value", "step", "time_ms"}));
  EXPECT_EQ(keys(to_json(Artifact{})),
            (std::vector<std::string>{"digest", "kind", "name", "size", "folder", "created_ms", "meta"}));
  EXPECT_EQ(keys(to_json(Alias{"m", "champion", 3, 4, "ann", ""})),
            (std::vector<std::string>{"model", "alias", "version", "changed_ms", "who", "override_reason"}));
  EXPECT_EQ(keys(to_json(Deployment{})), (std::vector<std::string>{"id", "endpoint", "model", "status", "address",
                                                                   "pid", "started_ms", "ended_ms", "meta"}));
  EXPECT_EQ(keys(to_json(Event{1, 2, "k", "s", {}})),
            (std::vector<std::string>{"id", "time_ms", "kind", "subject", "data"}));
  EXPECT_EQ(to_json(Edge{"a", "b", "used"}), (Json{{"from", "a"}, {"to", "b"}, {"kind", "used"}}));
}

TEST(ToJson, ANumberThatIsNoneBecomesNull) {
  EXPECT_EQ(base::dump_json(to_json(MetricPoint{"loss", std::nan(""), 1, 2})),
            R"({"key":"loss","value":null,"step":1,"time_ms":2})");
}

TEST(ModelVersionJson, GoesBothWays) {
  ModelVersion version;
  version.model = "m";
  version.version = 3;
  version.run_id = "r";
  version.dataset = "sha256:d";
  version.artifacts = {{"model", "sha256:1"}, {"int8", "sha256:2"}};
  version.metrics = {{"accuracy", {{"value", 0.9}, {"low", 0.8}, {"high", 0.95}, {"n", 100}}}};
  version.meta = {{"labels", {"a", "b"}}};
  version.created_ms = 12;
  EXPECT_EQ(to_json(model_version_from_json(to_json(version))), to_json(version));
  const ModelVersion least = model_version_from_json({{"model", "m"}});
  EXPECT_EQ(least.version, 0);
  EXPECT_TRUE(least.metrics.is_object());
}

TEST(ModelVersionJson, RefusesWhatIsNotOne) {
  for (const Json& json : {Json::object(), Json::array(), Json(nullptr), Json(1), Json{{"model", 1}},
                           Json{{"model", "m"}, {"version", "1"}}, Json{{"model", "m"}, {"artifacts", {1, 2}}}}) {
    EXPECT_EQ(code_of([&] { model_version_from_json(json); }), Code::kInvalid) << json;
  }
}

TEST(PredictionJson, GoesBothWays) {
  Prediction p;
  p.id = "p-1";
  p.time_ms = 1;
  p.deployment = "d";
  p.model = "m/3";
  p.text = "\xE4\xBD\xA0\xE5\xA5\xBD";
  p.label = "positive";
  p.score = 0.75;
  p.scores = {0.25F, 0.75F};
  p.tokens = 4;
  p.latency_us = 900;
  EXPECT_EQ(to_json(prediction_from_json(to_json(p))), to_json(p));
  EXPECT_EQ(code_of([] { prediction_from_json({{"id", "p"}}); }), Code::kInvalid);
  EXPECT_EQ(code_of([] { prediction_from_json({{"id", "p"}, {"time_ms", 1}, {"scores", "x"}}); }), Code::kInvalid);
}

TEST(Id, IsRandomHex) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = new_id();
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(ModelReference, HasTwoForms) {
  const ModelReference by_alias = parse_model_reference("models:/movie-sentiment@champion");
  EXPECT_EQ(by_alias.model, "movie-sentiment");
  EXPECT_EQ(by_alias.alias, "champion");
  EXPECT_EQ(by_alias.version, 0);
  const ModelReference by_version = parse_model_reference("models:/m/12");
  EXPECT_EQ(by_version.model, "m");
  EXPECT_EQ(by_version.version, 12);
  EXPECT_TRUE(by_version.alias.empty());
}

TEST(ModelReference, RefusesEverythingElseSayingTheForms) {
  for (const char* text :
       {"", "m@champion", "models:/", "models:/m", "models:/m@", "models:/m/", "models:/@a", "models:/m/0",
        "models:/m/-1", "models:/m/1x", "models:/m/99999999999", "models:/m/1/2", "MODELS:/m/1"}) {
    EXPECT_EQ(code_of([&] { parse_model_reference(text); }), Code::kInvalid) << text;
  }
  EXPECT_TRUE(is_model_reference("models:/x"));
  EXPECT_FALSE(is_model_reference("models"));
  try {
    parse_model_reference("x");
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("models:/NAME@ALIAS"), std::string::npos);
  }
}

}  // namespace
}  // namespace slipway::record
