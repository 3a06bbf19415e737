#include "pipeline/trigger.h"

#include "pipeline/fixture.h"

namespace slipway::pipeline {
namespace {

using base::Code;
using record::RunStatus;
using Trigger = PipelineTest;

TEST_F(Trigger, AnAlertBecomesARunThatAwaitsApproval) {
  const record::Run asked = request_retrain(*store_, "demo", "7", {{"psi", 0.4}}, 5);
  EXPECT_EQ(asked.status, RunStatus::kAwaitingApproval);
  EXPECT_EQ(store_->runs().find_run(asked.id)->tags.at("alert"), "7");
  EXPECT_EQ(store_->lineage().walk("alert:7", record::Direction::kForward, 9).size(), 1U);
  EXPECT_EQ(store_->events().list("retrain_requested", 0, 9)[0].data["evidence"]["psi"], 0.4);

  EXPECT_EQ(request_retrain(*store_, "demo", "8", {}, 6).id, asked.id);  // further alerts join it
  EXPECT_NE(request_retrain(*store_, "other", "8", {}, 6).id, asked.id);
  EXPECT_EQ(pending_retrains(*store_, "demo").size(), 1U);
  EXPECT_EQ(pending_retrains(*store_, "").size(), 2U);
}

TEST_F(Trigger, AnApprovedRunBeginsUnderItsId) {
  const std::string id = request_retrain(*store_, "demo", "7", {}, 5).id;
  RunnerOptions options;
  options.run_id = id;
  EXPECT_EQ(error_of([&] { run({step("a")}, options); }).code(), Code::kNotAllowed);
  approve(*store_, id, "lea", 6);
  approve(*store_, id, "someone else", 7);  // changes nothing
  EXPECT_TRUE(is_approved(*store_, id));
  EXPECT_EQ(store_->runs().params(id).at("approval.by"), "lea");
  EXPECT_EQ(store_->events().list("retrain_approved", 0, 9).size(), 1U);
  EXPECT_NE(request_retrain(*store_, "demo", "9", {}, 8).id, id);  // an approved one takes no further alerts

  const RunOutcome outcome = run({step("a")}, options);
  EXPECT_EQ(outcome.run_id, id);
  EXPECT_EQ(store_->runs().find_run(id)->status, RunStatus::kFinished);
  EXPECT_EQ(error_of([&] { run({step("a")}, options); }).code(), Code::kConflict);
  EXPECT_EQ(error_of([&] { approve(*store_, id, "lea", 9); }).code(), Code::kConflict);
}

TEST_F(Trigger, ARejectedRequestEnds) {
  const std::string id = request_retrain(*store_, "demo", "7", {}, 5).id;
  reject(*store_, id, "lea", "holiday traffic", 6);
  EXPECT_EQ(store_->runs().find_run(id)->status, RunStatus::kKilled);
  EXPECT_TRUE(pending_retrains(*store_, "demo").empty());
  EXPECT_EQ(store_->events().list("retrain_rejected", 0, 9)[0].data["reason"], "holiday traffic");
  EXPECT_EQ(error_of([&] { approve(*store_, id, "lea", 7); }).code(), Code::kConflict);
  EXPECT_EQ(error_of([&] { approve(*store_, "none", "lea", 7); }).code(), Code::kNotFound);
  RunnerOptions options;
  options.run_id = "none";
  EXPECT_EQ(error_of([&] { run({step("a")}, options); }).code(), Code::kNotFound);
}

}  // namespace
}  // namespace slipway::pipeline
