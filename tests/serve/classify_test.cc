#include <future>

#include "serve/fixture.h"

namespace slipway::serve {
namespace {

using base::Json;

TEST_F(ServeTest, ClassifiesAsTheEngineDoes) {
  start_champion();
  const Json answer = post("/v1/classify", {{"inputs", Json::array({"a good movie", "not good"})}});
  EXPECT_EQ(answer["model"], "tiny");
  EXPECT_EQ(answer["version"], 1);
  ASSERT_EQ(answer["predictions"].size(), 2U);
  const auto engine = engine::Engine::load(folder(1), {}, context_.pool);
  const std::vector<std::string> texts = {"a good movie", "not good"};
  const model::Matrix expected = model::probabilities(*engine, texts);
  for (int i = 0; i < 2; ++i) {
    const Json& one = answer["predictions"][static_cast<size_t>(i)];
    EXPECT_NEAR(one["scores"]["positive"].get<double>(), expected.row(i)[1], 1e-6);
    EXPECT_EQ(one["label"], engine->labels()[static_cast<size_t>(model::argmax(expected.row(i)))]);
    EXPECT_EQ(one["id"].get<std::string>().substr(0, 2), "p-");
  }
}

TEST_F(ServeTest, TakesOneTextAndTopK) {
  start_champion();
  const Json answer = post("/v1/classify", {{"inputs", "i love it"}, {"top_k", 1}});
  ASSERT_EQ(answer["predictions"].size(), 1U);
  const Json& one = answer["predictions"][0];
  ASSERT_EQ(one["scores"].size(), 1U);
  EXPECT_EQ(one["scores"].begin().key(), one["label"].get<std::string>());
  EXPECT_FALSE(one.contains("truncated"));
  const Json cut = post("/v1/classify", {{"inputs", std::string(500, '!')}});
  EXPECT_EQ(cut["predictions"][0]["truncated"], true);
}

TEST_F(ServeTest, AnAnsweredPredictionIsInTheStore) {
  EncoderServer& server = start_champion();
  const Json answer = post("/v1/classify", {{"inputs", Json::array({"a good film", "bad plot"})}});
  for (size_t i = 0; i < 2; ++i) {
    const auto kept = store_->predictions().find(answer["predictions"][i]["id"].get<std::string>());
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->text, i == 0 ? "a good film" : "bad plot");
    EXPECT_EQ(kept->model, "tiny/1");
    EXPECT_EQ(kept->deployment, server.deployment_id());
    EXPECT_EQ(kept->label, answer["predictions"][i]["label"].get<std::string>());
    EXPECT_EQ(kept->scores.size(), 2U);
    EXPECT_GT(kept->tokens, 2);
    EXPECT_GT(kept->latency_us, 0);
  }
}

TEST_F(ServeTest, AsyncLoggingCommitsByTheEndOfTheDrain) {
  ServeOptions options;
  options.log_predictions = "async";
  EncoderServer& server = start_champion(options);
  for (int i = 0; i < 20; ++i) {
    post("/v1/classify", {{"inputs", "a film"}});
  }
  EXPECT_EQ(server.drain(), 0);
  EXPECT_EQ(store_->predictions().count(server.deployment_id()), 20);
}

TEST_F(ServeTest, LoggingCanBeOff) {
  ServeOptions options;
  options.log_predictions = "off";
  EncoderServer& server = start_champion(options);
  post("/v1/classify", {{"inputs", "a film"}});
  EXPECT_EQ(server.drain(), 0);
  EXPECT_EQ(store_->predictions().count(""), 0);
}

TEST_F(ServeTest, MalformedBodiesAreClearErrors) {
  ServeOptions options;
  options.max_inputs = 4;
  options.max_text_bytes = 20'000;
  start_champion(options);
  const std::pair<std::string, int> cases[] = {
      {"", 400},
      {"{", 400},
      {"[1]", 400},
      {"{}", 400},
      {R"({"inputs": 7})", 400},
      {R"({"inputs": ["a", 7]})", 400},
      {R"({"inputs": []})", 400},
      {R"({"inputs": ["a","b","c","d","e"]})", 413},
      {R"({"inputs": "a", "top_k": 0})", 400},
      {R"({"inputs": "a", "top_k": "many"})", 400},
      {R"({"inputs": "a", "explain": 3})", 400},
      {R"({"inputs": "a", "explain": true})", 501},
      {R"({"inputs": ")" + std::string(30'000, 'x') + "\"}", 413},
      {std::string(200'000, '['), 400},
      {"{\"inputs\": \"\xFF\xFE\"}", 400},
  };
  net::HttpClient http = client();
  for (const auto& [body, status] : cases) {
    const net::Response response = http.request("POST", "/v1/classify", body);
    EXPECT_EQ(response.status, status) << body.substr(0, 60) << " -> " << response.body;
    EXPECT_TRUE(base::parse_json(response.body, "error")["error"].is_string()) << body.substr(0, 60);
  }
  EXPECT_EQ(http.post_json("/v1/classify", {{"inputs", "still fine"}}).status, 200);
}

TEST_F(ServeTest, AFullQueueIs429) {
  ServeOptions options;
  options.log_predictions = "off";
  FakeBackend& fake = start_fake(2, options);
  auto first = std::async(std::launch::async, [&] {
    return client().post_json("/v1/classify", {{"inputs", Json::array({"a", "b"})}}).status;
  });
  fake.wait_for(2);
  const net::Response refused = client().post_json("/v1/classify", {{"inputs", "c"}});
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.get("Retry-After"), "1");
  fake.release();
  EXPECT_EQ(first.get(), 200);
}

TEST_F(ServeTest, AFailedBatchIs500AndCounted) {
  FakeBackend& fake = start_fake(8);
  auto answer = std::async(std::launch::async, [&] { return client().post_json("/v1/classify", {{"inputs", "a"}}); });
  fake.wait_for(1);
  fake.release(std::make_exception_ptr(std::runtime_error("out of luck")));
  const net::Response response = answer.get();
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("luck"), std::string::npos);
  EXPECT_EQ(get("/v1/deployment")["traffic"][0]["errors"], 1);
}

TEST_F(ServeTest, ALogThatCannotKeepUpIs429) {
  ServeOptions options;
  options.log_queue = 1;
  FakeBackend& fake = start_fake(8, options);
  auto answer = std::async(std::launch::async, [&] {
    return client().post_json("/v1/classify", {{"inputs", Json::array({"a", "b"})}}).status;
  });
  fake.wait_for(2);
  fake.release();
  EXPECT_EQ(answer.get(), 429);
}

TEST_F(ServeTest, ExplainsThroughTheHook) {
  ServeHooks hooks;
  hooks.explain = [](model::Predictor& predictor, const ExplainRequest& request) {
    const std::vector<std::string> texts(40, request.text);
    const model::Matrix logits = predictor.logits(texts);
    return Json{{"method", request.method}, {"seed", request.seed}, {"rows", logits.rows}, {"first", logits.values[0]}};
  };
  start_champion({}, hooks);
  const Json answer = post("/v1/explain", {{"text", "a great film"}, {"method", "shap"}, {"seed", 9}});
  EXPECT_EQ(answer["method"], "shap");
  EXPECT_EQ(answer["seed"], 9);
  EXPECT_EQ(answer["rows"], 40);
  const auto engine = engine::Engine::load(folder(1), {}, context_.pool);
  const std::vector<std::string> text = {"a great film"};
  EXPECT_NEAR(answer["first"].get<double>(), engine->logits(text).values[0], 1e-5);
  const Json both = post("/v1/classify", {{"inputs", "a great film"}, {"explain", {{"method", "lime"}}}});
  EXPECT_EQ(both["predictions"][0]["explanation"]["method"], "lime");
  post("/v1/explain", {{"text", "x"}, {"method", "guess"}}, 400);
  post("/v1/explain", {{"text", "x"}, {"label", "nonsense"}}, 400);
  post("/v1/explain", {{"no", "text"}}, 400);
}

TEST_F(ServeTest, TheMonitorSeesWhatWasServed) {
  std::mutex mutex;
  std::vector<ServedPrediction> seen;
  ServeHooks hooks;
  hooks.monitor = [&](std::span<const ServedPrediction> predictions) {
    const std::lock_guard lock(mutex);
    seen.insert(seen.end(), predictions.begin(), predictions.end());
  };
  hooks.monitor_flush = [&] {
    const std::lock_guard lock(mutex);
    return Json{{"seen", seen.size()}};
  };
  start_champion({}, hooks);
  for (int i = 0; i < 5; ++i) {
    post("/v1/classify", {{"inputs", "text " + std::string(1, static_cast<char>('a' + i))}});
  }
  EXPECT_EQ(post("/v1/monitor/flush", Json::object())["seen"], 5);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(seen[4].prediction.text, "text e");
  EXPECT_EQ(seen[0].embedding.size(), 32U);
  EXPECT_EQ(static_cast<int>(seen[0].token_ids.size()), seen[0].prediction.tokens);
  get("/v1/monitor", 501);
}

TEST_F(ServeTest, ShowsMetrics) {
  start_champion();
  post("/v1/classify", {{"inputs", "a film"}});
  net::HttpClient http = client();
  http.get("/nothing");
  const std::string text = http.get("/metrics").body;
  for (const char* line : {"slipway_requests_total{route=\"/v1/classify\",status=\"200\"} 1\n",
                           "slipway_requests_total{route=\"none\",status=\"404\"} 1\n",
                           "slipway_predictions_logged_total 1\n", "slipway_tokens_total{kind=\"input\"} 4\n",
                           "slipway_request_duration_seconds_count{route=\"/v1/classify\"} 1\n",
                           "slipway_queue_seconds_count 1\n", "slipway_queued_texts 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST_F(ServeTest, RefusesWhatCannotBeServed) {
  EXPECT_THROW(start("models:/absent@champion"), base::Error);
  EXPECT_THROW(start((dir_.path() / "absent").string()), base::Error);
  EXPECT_THROW(start("models:/tiny"), base::Error);
  ServeOptions options;
  options.log_predictions = "sometimes";
  EXPECT_THROW(start(folder(1).string(), options), base::Error);
  EncoderServer& server = start(folder(1).string());
  options = {};
  options.model = folder(1).string();
  options.http.port = server.port();
  EncoderServer second(options, store_.get(), context_.context);
  EXPECT_THROW(second.start(), base::Error);
  EXPECT_EQ(get("/health")["status"], "ok");
}

}  // namespace
}  // namespace slipway::serve
