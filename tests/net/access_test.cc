#include "net/access.h"

#include <gtest/gtest.h>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "net/client.h"
#include "net/server.h"
#include "net/token_bucket.h"

namespace slipway::net {
namespace {

// The message of the error, which must be there.
std::string refusal_of(const std::string& yaml) {
  try {
    parse_api_keys(yaml, "keys.yaml");
  } catch (const base::Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << yaml;
  return {};
}

TEST(TokenBucket, KeepsTheNominalRateOverTime) {
  TokenBucket bucket(600, 0);  // ten a second
  int passed = 0;
  // An hour of attempts every 7 ms, far more than allowed.
  for (double now = 0; now < 3600; now += 0.007) {
    if (bucket.level(now) >= 1) {
      bucket.take(1, now);
      ++passed;
    }
  }
  EXPECT_NEAR(passed, 600 + 36'000, 2);  // the burst, then the rate
}

TEST(TokenBucket, ADebtIsPaidBackBeforeAnythingPasses) {
  TokenBucket bucket(60, 0);
  bucket.take(90, 0);
  EXPECT_DOUBLE_EQ(bucket.level(0), -30);
  EXPECT_DOUBLE_EQ(bucket.seconds_until(1, 0), 31);
  EXPECT_DOUBLE_EQ(bucket.level(31), 1);
  EXPECT_DOUBLE_EQ(bucket.level(1000), 60);  // no more than a minute's worth
  EXPECT_DOUBLE_EQ(bucket.level(10), 60);    // a clock that goes back gives nothing
  bucket.set_rate(30, 1000);
  EXPECT_DOUBLE_EQ(bucket.level(1000), 30);
}

TEST(ApiKeys, ReadsNamesDigestsAndLimits) {
  const std::string digest = base::sha256_hex("another-key");
  const auto keys = parse_api_keys(
      "- {name: team-a, key: sk-1234, requests_per_minute: 60, max_concurrent: 2, admin: true}\n"
      "- name: team.b\n  sha256: " +
          digest + "\n  tokens_per_minute: 1000\n",
      "keys.yaml");
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].name, "team-a");
  EXPECT_EQ(keys[0].sha256, base::sha256_hex("sk-1234"));
  EXPECT_EQ(keys[0].limits.requests_per_minute, 60);
  EXPECT_EQ(keys[0].limits.max_concurrent, 2);
  EXPECT_TRUE(keys[0].admin);
  EXPECT_EQ(keys[0].limits.tokens_per_minute, 0);
  EXPECT_EQ(keys[1].sha256, digest);
  EXPECT_EQ(keys[1].limits.tokens_per_minute, 1000);
  EXPECT_EQ(parse_api_keys("keys: [{name: x, key: abc}]", "keys.yaml").size(), 1U);
}

TEST(ApiKeys, RefusesWhatIsBrokenNamingTheLineAndNeverTheKey) {
  EXPECT_EQ(refusal_of("- {name: a, key: s1}\n- {name: a, key: s2}\n"), "keys.yaml:2: the name 'a' is there twice");
  EXPECT_EQ(refusal_of("- {name: a, key: secret1}\n- {name: b, key: secret1}\n"),
            "keys.yaml:2: the key of 'b' is another name's too");
  for (const std::string yaml :
       {"", "[]", "text", "keys: {}", "- 5", "- {name: a}", "- {key: secret1}", "- {name: a, key: secret1, sha256: aa}",
        "- {name: a, sha256: secret1}", "- {name: 'a b', key: secret1}", "- {name: a, key: 'secret1 x'}",
        "- {name: a, key: ''}", "- {name: a, key: secret1, max_concurrent: 0}", "- {name: a, key: secret1, admin: 1}",
        "- {name: a, key: secret1, tokens_per_minute: 1.5}", "- {name: a, key: secret1, requests_per_minute: many}",
        "- {name: a, key: secret1, limit: 4}", "- {name: a, key: 12345}"}) {
    const std::string message = refusal_of(yaml);
    EXPECT_TRUE(message.starts_with("keys.yaml:")) << message;
    EXPECT_EQ(message.find("secret1"), std::string::npos) << message;
  }
}

class AccessTest : public ::testing::Test {
 protected:
  void use(std::vector<ApiKey> keys) {
    AccessControl::Hooks hooks;
    hooks.refuse = [](const Request&, int status, const std::string& message, const std::string&) {
      return error_response(status, message);
    };
    hooks.open = [](const Request& request) { return request.route == "/health"; };
    hooks.now = [this] { return now_; };
    access_ = std::make_unique<AccessControl>(std::move(keys), metrics_, std::move(hooks));
  }
  Admission ask(const std::string& key, const std::string& header = "Authorization", const std::string& route = "/x") {
    Request request;
    request.route = route;
    if (!key.empty()) {
      request.headers.add(header, key);
    }
    return access_->admit(request);
  }

  double now_ = 1000;
  MetricRegistry metrics_;
  std::unique_ptr<AccessControl> access_;
};

TEST_F(AccessTest, AKeyIsShownAsBearerOrXApiKey) {
  use({api_key("a", "key-of-a"), api_key("b", "key-of-b")});
  EXPECT_EQ(ask("Bearer key-of-a").client, "a");
  EXPECT_EQ(ask("bearer  key-of-b").client, "b");
  EXPECT_EQ(ask("key-of-b", "X-API-Key").client, "b");
  for (const std::string wrong :
       {"", "Bearer", "Bearer ", "Bearer key-of-c", "Bearer key-of-a ", "Basic key-of-a", "key-of-a"}) {
    const Admission refused = ask(wrong);
    ASSERT_TRUE(refused.refusal) << wrong;
    EXPECT_EQ(refused.refusal->status, 401);
    EXPECT_TRUE(refused.refusal->headers.get("WWW-Authenticate").starts_with("Bearer"));
    EXPECT_EQ(refused.refusal->body.find("key-of"), std::string::npos);
  }
  EXPECT_EQ(ask("Bearer " + std::string(100'000, 'k')).refusal->status, 401);
  EXPECT_FALSE(ask("", "", "/health").refusal);
  EXPECT_FALSE(ask("Bearer wrong", "Authorization", "/health").refusal);
}

TEST_F(AccessTest, RequestsAMinuteAreLimitedForEachKey) {
  use({api_key("a", "ka", {.requests_per_minute = 3}), api_key("b", "kb")});
  const Admission first = ask("Bearer ka");
  EXPECT_EQ(first.headers.get("x-ratelimit-limit-requests"), "3");
  EXPECT_EQ(first.headers.get("x-ratelimit-remaining-requests"), "2");
  EXPECT_EQ(first.headers.get("x-ratelimit-reset-requests"), "20s");
  EXPECT_FALSE(first.headers.has("x-ratelimit-limit-tokens"));
  ask("Bearer ka");
  ask("Bearer ka");
  now_ += 0.5;
  const Admission refused = ask("Bearer ka");
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->status, 429);
  EXPECT_EQ(refused.refusal->headers.get("Retry-After"), "20");  // 19.5 s, in whole seconds
  EXPECT_EQ(refused.refusal->headers.get("retry-after-ms"), "19500");
  EXPECT_EQ(refused.headers.get("x-ratelimit-remaining-requests"), "0");
  EXPECT_EQ(refused.client, "a");
  EXPECT_FALSE(ask("Bearer kb").refusal);
  EXPECT_EQ(ask("Bearer kb").headers.size(), 0U);
  now_ += 20;
  EXPECT_FALSE(ask("Bearer ka").refusal);
  EXPECT_TRUE(ask("Bearer ka").refusal);
  const std::string metrics = metrics_.expose(Exposition::kText);
  EXPECT_NE(metrics.find("slipway_client_requests_total{client=\"a\"} 4\n"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("slipway_client_refused_total{client=\"a\"} 2\n"), std::string::npos);
}

TEST_F(AccessTest, TokensAreChargedAfterwardsAndPaidBack) {
  use({api_key("a", "ka", {.tokens_per_minute = 600})});
  EXPECT_EQ(ask("Bearer ka").headers.get("x-ratelimit-remaining-tokens"), "600");
  access_->charge("a", 500, 400);
  access_->charge("nobody", 500, 400);
  const Admission refused = ask("Bearer ka");
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->headers.get("Retry-After"), "31");  // 300 in debt, ten a second, and one more
  EXPECT_EQ(refused.headers.get("x-ratelimit-reset-tokens"), "1m30s");
  now_ += 30.2;
  EXPECT_FALSE(ask("Bearer ka").refusal);
  EXPECT_NE(metrics_.expose(Exposition::kText).find("slipway_client_output_tokens_total{client=\"a\"} 400\n"),
            std::string::npos);
}

TEST_F(AccessTest, AsManyAtATimeAsTheKeyAllows) {
  use({api_key("a", "ka", {.requests_per_minute = 100, .max_concurrent = 2})});
  Admission one = ask("Bearer ka");
  const Admission two = ask("Bearer ka");
  const Admission refused = ask("Bearer ka");
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.headers.get("x-ratelimit-remaining-requests"), "98");  // a refusal uses nothing up
  one.lease.reset();
  EXPECT_FALSE(ask("Bearer ka").refusal);
}

TEST_F(AccessTest, OtherKeysKeepWhatTheirNamesHaveUsed) {
  use({api_key("a", "old", {.requests_per_minute = 2}), api_key("gone", "gone")});
  ask("Bearer old");
  ask("Bearer old");
  const Admission held = ask("Bearer gone");
  access_->replace({api_key("a", "new", {.requests_per_minute = 3})});
  EXPECT_EQ(ask("Bearer old").refusal->status, 401);
  EXPECT_EQ(ask("Bearer gone").refusal->status, 401);
  EXPECT_FALSE(ask("Bearer new").refusal);
  EXPECT_EQ(ask("Bearer new").refusal->status, 429);
}

// A hundred keys from four threads: each gets its burst and its rate, none of another's.
TEST_F(AccessTest, ManyKeysAtOnceStayWithinOnePerCent) {
  std::vector<ApiKey> keys;
  for (int k = 0; k < 100; ++k) {
    keys.push_back(api_key("k" + std::to_string(k), "secret-" + std::to_string(k), {.requests_per_minute = 500}));
  }
  use(std::move(keys));
  std::vector<std::atomic<int>> passed(100);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        for (int k = 0; k < 100; ++k) {
          passed[static_cast<size_t>(k)] += ask("Bearer secret-" + std::to_string(k)).refusal ? 0 : 1;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& count : passed) {
    EXPECT_EQ(count.load(), 500);
  }
}

TEST(Gate, DecidesBeforeTheHandlerAndTellsItsClient) {
  base::Log log;
  Router router;
  router.add("GET", "/who",
             [](const Request&, const Responder& responder) { responder.send(text_response(responder.client())); });
  router.add("GET", "/stream", [](const Request&, const Responder& responder) {
    StreamWriter writer = responder.stream({200, {}, ""});
    writer.write("x");
    writer.finish();
  });
  std::atomic<int> leases{0};
  HttpServer server({}, std::move(router), log, {}, [&](const Request& request) {
    Admission admission;
    if (request.route.empty()) {
      admission.refusal = error_response(401, "no");
      return admission;
    }
    admission.client = "team";
    admission.headers.set("x-left", "7");
    ++leases;
    admission.lease = std::shared_ptr<void>(nullptr, [&](void*) { --leases; });
    return admission;
  });
  server.start();
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/nothing").status, 401);
  EXPECT_EQ(client.get("/who").body, "team");
  EXPECT_EQ(client.get("/who").headers.get("x-left"), "7");
  EXPECT_EQ(client.get("/stream").headers.get("x-left"), "7");
  EXPECT_EQ(server.drain(std::chrono::seconds(5)), 0);
  EXPECT_EQ(leases.load(), 0);
}

}  // namespace
}  // namespace slipway::net
