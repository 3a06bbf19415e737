#include "deploy/rollout.h"

#include "serve/fixture.h"

namespace slipway::deploy {
namespace {

using serve::ServeTest;

Traffic traffic(int64_t requests, int64_t errors, double median_ms) {
  Traffic made;
  made.requests = requests;
  made.errors = errors;
  for (int64_t i = 0; i < requests - errors; ++i) {
    made.latencies_ms.push_back(median_ms * (0.8 + 0.4 * static_cast<double>(i % 11) / 10));
  }
  return made;
}

TEST(Judge, FindsEqualVersionsGood) {
  const Verdict verdict = judge(traffic(1000, 2, 10), traffic(100, 0, 10.5), {});
  EXPECT_EQ(verdict.kind, Verdict::Kind::kGood) << verdict.reason;
  EXPECT_NE(verdict.reason.find("n = 1000 and 100"), std::string::npos);
}

TEST(Judge, FindsMoreErrorsWorse) {
  const Verdict verdict = judge(traffic(1000, 2, 10), traffic(200, 20, 10), {});
  EXPECT_EQ(verdict.kind, Verdict::Kind::kWorse);
  EXPECT_GT(verdict.error_low, 0.01);
  // One error in a hundred may be chance: its interval reaches below the tolerance.
  EXPECT_EQ(judge(traffic(1000, 2, 10), traffic(100, 1, 10), {}).kind, Verdict::Kind::kGood);
}

TEST(Judge, FindsSlowerWorseOnlyBeyondTheTolerance) {
  EXPECT_EQ(judge(traffic(1000, 0, 10), traffic(100, 0, 14), {}).kind, Verdict::Kind::kWorse);
  EXPECT_EQ(judge(traffic(1000, 0, 10), traffic(100, 0, 12), {}).kind, Verdict::Kind::kGood);
  EXPECT_EQ(judge(traffic(1000, 0, 10), traffic(100, 0, 5), {}).kind, Verdict::Kind::kGood);
}

TEST(Judge, SlowerMustBeSureAndMatter) {
  // Ratio 1.4, but of fractions of a millisecond: nobody waits longer.
  EXPECT_EQ(judge(traffic(1000, 0, 1), traffic(100, 0, 1.4), {}).kind, Verdict::Kind::kGood);
  RolloutOptions strict;
  strict.max_latency_increase_ms = 0;
  EXPECT_EQ(judge(traffic(1000, 0, 1), traffic(100, 0, 1.4), strict).kind, Verdict::Kind::kWorse);
  // A median just beyond the tolerance is surely not equal, and not surely beyond the tolerance.
  const Verdict unsure = judge(traffic(1000, 0, 10), traffic(100, 0, 12.6), {});
  EXPECT_GT(unsure.latency_ratio, 1.25);
  EXPECT_GT(unsure.latency_p, 0.01);
  EXPECT_EQ(unsure.kind, Verdict::Kind::kGood) << unsure.reason;
}

TEST(Judge, SaysWhenThereIsTooLittle) {
  EXPECT_EQ(judge(traffic(1000, 0, 10), traffic(99, 50, 10), {}).kind, Verdict::Kind::kTooLittle);
  EXPECT_EQ(judge(traffic(0, 0, 10), traffic(100, 0, 10), {}).kind, Verdict::Kind::kTooLittle);
}

TEST(Judge, LatenciesOfAHandfulSayNothing) {
  Traffic few = traffic(100, 0, 50);
  few.latencies_ms.resize(3);
  const Verdict verdict = judge(traffic(1000, 0, 10), few, {});
  EXPECT_EQ(verdict.kind, Verdict::Kind::kGood);
  EXPECT_EQ(verdict.latency_ratio, 1);
}

TEST(Judge, ToleratesTheErrorsItIsTold) {
  RolloutOptions lenient;
  lenient.max_error_increase = 0.2;
  EXPECT_EQ(judge(traffic(1000, 2, 10), traffic(200, 20, 10), lenient).kind, Verdict::Kind::kGood);
  // Fewer errors than before are never worse.
  EXPECT_EQ(judge(traffic(1000, 500, 10), traffic(200, 0, 10), {}).kind, Verdict::Kind::kGood);
}

TEST(Rollout, OptionsHaveRanges) {
  RolloutOptions options;
  base::FieldTable table;
  options.describe(table);
  for (const base::Json& bad : {base::Json{{"strategy", "blue"}}, base::Json{{"max_error_increase", 2}},
                                base::Json{{"max_latency_ratio", 0.5}}, base::Json{{"min_request", 5}}}) {
    EXPECT_THROW(table.apply(bad, "t"), base::Error) << bad;
  }
  table.apply({{"strategy", "replace"}, {"min_requests", 7}}, "t");
  EXPECT_EQ(options.min_requests, 7);
}

class RolloutTest : public ServeTest {
 protected:
  RolloutTest() {
    first_ = add_version(1);
    second_ = add_version(2);
    point_alias(first_);
    options_.min_requests = 20;
    options_.max_latency_ratio = 1000;  // the machine is shared: latencies are not what this is about
  }
  RolloutResult roll(const std::function<void()>& idle) {
    return roll_out(*store_, *store_->events().find_deployment("tiny"), "tiny", "champion", second_, options_,
                    context_.context, idle);
  }
  int champion() { return store_->registry().find_alias("tiny", "champion")->version; }

  int first_ = 0;
  int second_ = 0;
  RolloutOptions options_;
};

TEST_F(RolloutTest, GoesThroughItsStepsAndMovesTheAlias) {
  serve::ServeOptions serving;
  serving.follow_alias_ms = 5;
  serve::EncoderServer& server = start("models:/tiny@champion", serving);
  net::HttpClient http = client();
  const RolloutResult result = roll([&] { EXPECT_EQ(http.post_json("/v1/classify", {{"inputs", "a"}}).status, 200); });
  EXPECT_TRUE(result.promoted) << result.reason;
  ASSERT_EQ(result.steps.size(), 2U);
  EXPECT_EQ(result.steps[0].percent, 10);
  EXPECT_EQ(champion(), second_);
  EXPECT_EQ(server.serving(), "tiny/2");
  EXPECT_EQ(server.deployment()["traffic"].size(), 1U);
  EXPECT_EQ(result.to_json()["steps"][1]["verdict"], "good");
  EXPECT_TRUE(roll({}).promoted);  // again: nothing to do
}

TEST_F(RolloutTest, AProgramThatIsNoModelServerIsNamed) {
  start("models:/tiny@champion", {});
  record::Deployment elsewhere = *store_->events().find_deployment("tiny");
  net::Router router;
  router.add("GET", "/v1/deployment", [](const net::Request&, const net::Responder& responder) {
    responder.send(net::json_response({{"traffic", {{{"role", "primary"}}}}}));
  });
  router.add("POST", "/v1/deployment/canary", [](const net::Request&, const net::Responder& responder) {
    responder.send(net::json_response(base::Json::object()));
  });
  net::HttpServer other({}, std::move(router), context_.log);
  other.start();
  elsewhere.address = other.url();
  try {
    roll_out(*store_, elsewhere, "tiny", "champion", second_, options_, context_.context, {});
    FAIL() << "a rollout over a program that is no model server";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnavailable) << error.what();
    EXPECT_NE(std::string(error.what()).find("is not a deployment of slipway serve"), std::string::npos)
        << error.what();
  }
  other.stop();
  EXPECT_EQ(champion(), first_);
}

TEST_F(RolloutTest, AWorseVersionIsTakenBack) {
  serve::ServeOptions serving;
  serving.follow_alias_ms = 5;
  serve::ServeHooks hooks;
  // The first model loaded is the real one; the next fails on everything.
  auto loads = std::make_shared<int>(0);
  hooks.loader = [loads](const std::filesystem::path& folder, const serve::BackendOptions& how,
                         base::Pool& pool) -> std::unique_ptr<serve::Backend> {
    if ((*loads)++ == 0) {
      return serve::load_backend(folder, how, pool);
    }
    class Failing final : public serve::Backend {
     public:
      explicit Failing(std::unique_ptr<serve::Backend> real) : real_(std::move(real)) {}
      const serve::BackendInfo& info() const override { return real_->info(); }
      const std::vector<std::string>& labels() const override { return real_->labels(); }
      const text::Tokenizer& tokenizer() const override { return real_->tokenizer(); }
      std::vector<int32_t> encode(const std::string& text) const override { return real_->encode(text); }
      void submit(engine::Input input, engine::Batcher::Done done) override {
        real_->submit(std::move(input), [done = std::move(done)](engine::BatchResult) {
          engine::BatchResult failed;
          failed.error = std::make_exception_ptr(std::runtime_error("broken"));
          done(std::move(failed));
        });
      }
      int queued() const override { return real_->queued(); }

     private:
      std::unique_ptr<serve::Backend> real_;
    };
    return std::make_unique<Failing>(serve::load_backend(folder, how, pool));
  };
  serve::EncoderServer& server = start("models:/tiny@champion", serving, hooks);
  net::HttpClient http = client();
  const RolloutResult result = roll([&] { http.post_json("/v1/classify", {{"inputs", "a"}}); });
  EXPECT_FALSE(result.promoted);
  ASSERT_EQ(result.steps.size(), 1U);
  EXPECT_EQ(result.steps[0].verdict.kind, Verdict::Kind::kWorse) << result.reason;
  EXPECT_EQ(champion(), first_);
  EXPECT_EQ(server.deployment()["traffic"].size(), 1U);
  EXPECT_EQ(http.post_json("/v1/classify", {{"inputs", "a"}}).status, 200);
}

TEST_F(RolloutTest, WithoutTrafficItSaysSo) {
  serve::ServeOptions serving;
  serving.follow_alias_ms = 5;
  start("models:/tiny@champion", serving);
  options_.step_timeout_ms = 5;
  options_.proceed_without_traffic = false;
  const RolloutResult kept = roll({});
  EXPECT_FALSE(kept.promoted);
  EXPECT_EQ(champion(), first_);
  options_.proceed_without_traffic = true;
  const RolloutResult result = roll({});
  EXPECT_TRUE(result.promoted);
  EXPECT_NE(result.reason.find("without a judgement"), std::string::npos);
  EXPECT_EQ(champion(), second_);
}

TEST_F(RolloutTest, AServerThatHasGoneIsUnavailable) {
  serve::EncoderServer& server = start("models:/tiny@champion");
  server.drain();
  try {
    roll({});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnavailable);
  }
  EXPECT_EQ(champion(), first_);
}

TEST_F(RolloutTest, WhatStopsItTakesTheCanaryAway) {
  serve::EncoderServer& server = start("models:/tiny@champion");
  EXPECT_THROW(roll([] { throw std::runtime_error("the line is cut"); }), std::runtime_error);
  EXPECT_EQ(server.deployment()["traffic"].size(), 1U);
  EXPECT_EQ(champion(), first_);
}

TEST_F(RolloutTest, DirectGivesEverythingAtOnce) {
  serve::ServeOptions serving;
  serving.follow_alias_ms = 5;
  serve::EncoderServer& server = start("models:/tiny@champion", serving);
  options_.strategy = "replace";
  EXPECT_TRUE(roll({}).promoted);
  EXPECT_EQ(server.serving(), "tiny/2");
}

}  // namespace
}  // namespace slipway::deploy
