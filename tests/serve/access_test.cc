// API keys of both servers: who may, in whose words a refusal comes, what is counted.
#include <csignal>

#include "serve/generator_fixture.h"

namespace slipway::serve {
namespace {

using base::Json;

const Json kChat = Json::parse(R"({"messages": [{"role": "user", "content": "good movie"}]})");

AccessOptions keys_in(const base::TempDir& dir, const std::string& yaml) {
  AccessOptions access;
  access.api_keys = (dir.path() / "keys.yaml").string();
  base::write_file_atomic(access.api_keys, yaml);
  return access;
}

net::Response ask(const std::string& url, const std::string& method, const std::string& path, const std::string& key,
                  const std::string& body = "{}") {
  net::Headers headers;
  if (!key.empty()) {
    headers.add("Authorization", "Bearer " + key);
  }
  return net::HttpClient(url).request(method, path, method == "GET" ? "" : body, headers);
}

Json json_of(const net::Response& response) { return base::parse_json(response.body, "the answer"); }

TEST_F(GeneratorServerTest, AKeyIsWantedInTheWordsOfEachProtocol) {
  ServeOptions options;
  options.access.api_key = "sesame-open";
  start(options);
  const std::string url = server_->url();
  const net::Response openai = ask(url, "POST", "/v1/chat/completions", "wrong", base::dump_json(kChat));
  EXPECT_EQ(openai.status, 401);
  EXPECT_EQ(json_of(openai)["error"]["code"], "invalid_api_key");
  EXPECT_EQ(json_of(openai)["error"]["type"], "authentication_error");
  EXPECT_EQ(openai.headers.get("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
  const net::Response tgi = ask(url, "POST", "/generate", "");
  EXPECT_EQ(tgi.status, 401);
  EXPECT_EQ(json_of(tgi)["error_type"], "unauthorized");
  const net::Response ollama = ask(url, "POST", "/api/chat", "");
  EXPECT_EQ(ollama.status, 401);
  EXPECT_TRUE(json_of(ollama)["error"].is_string());
  EXPECT_EQ(ask(url, "GET", "/nothing", "").status, 401);
  EXPECT_EQ(ask(url, "GET", "/metrics", "").status, 401);
  EXPECT_EQ(ask(url, "POST", "/", "").status, 401);  // Text Generation Inference's route, not the page
  EXPECT_EQ(ask(url, "GET", "/", "").status, 200);
  EXPECT_EQ(ask(url, "GET", "/health", "").status, 200);
  EXPECT_EQ(ask(url, "GET", "/metrics", "sesame-open").status, 200);
  EXPECT_EQ(ask(url, "POST", "/v1/chat/completions", "sesame-open", base::dump_json(kChat)).status, 200);
  EXPECT_EQ(fake_->requests.size(), 1U);
}

TEST_F(GeneratorServerTest, KeysCountTokensAndAreTheSchedulersClients) {
  ServeOptions options;
  options.access = keys_in(dir_, "- {name: team-a, key: key-a, tokens_per_minute: 12}\n- {name: team-b, key: key-b}\n");
  options.access.public_metrics = true;
  start(options);
  const std::string url = server_->url();
  const net::Response first = ask(url, "POST", "/v1/chat/completions", "key-a", base::dump_json(kChat));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.headers.get("x-ratelimit-remaining-tokens"), "12");
  EXPECT_EQ(fake_->requests[0].client, "team-a");
  const int64_t prompt = json_of(first)["usage"]["prompt_tokens"].get<int64_t>();
  const int64_t output = json_of(first)["usage"]["completion_tokens"].get<int64_t>();
  Json streamed = kChat;
  streamed["stream"] = true;
  streamed["user"] = "someone-else";  // with keys it is the key that counts
  while (true) {
    const net::Response next = ask(url, "POST", "/v1/chat/completions", "key-a", base::dump_json(streamed));
    if (next.status == 429) {
      EXPECT_EQ(json_of(next)["error"]["code"], "rate_limit_exceeded");
      EXPECT_GE(std::stoi(std::string(next.headers.get("Retry-After"))), 1);
      break;
    }
    ASSERT_EQ(next.status, 200);
    ASSERT_LT(fake_->requests.size(), 20U);
    EXPECT_TRUE(next.headers.has("x-ratelimit-remaining-tokens"));
  }
  for (const engine::GenerateRequest& request : fake_->requests) {
    EXPECT_EQ(request.client, "team-a");
  }
  const auto count = static_cast<int64_t>(fake_->requests.size());
  const std::string metrics = get("/metrics").body;
  EXPECT_NE(metrics.find("slipway_client_input_tokens_total{client=\"team-a\"} " + std::to_string(prompt * count)),
            std::string::npos);
  EXPECT_NE(metrics.find("slipway_client_output_tokens_total{client=\"team-a\"} " + std::to_string(output * count)),
            std::string::npos);
  EXPECT_NE(metrics.find("slipway_client_refused_total{client=\"team-a\"} 1"), std::string::npos);
  EXPECT_EQ(metrics.find("key-a"), std::string::npos);
  EXPECT_EQ(ask(url, "POST", "/generate", "key-b", R"({"inputs": "good"})").status, 200);
  EXPECT_EQ(fake_->requests.back().client, "team-b");
  EXPECT_EQ(ask(url, "POST", "/api/generate", "key-b", R"({"prompt": "good", "stream": false})").status, 200);
  EXPECT_EQ(fake_->requests.back().client, "team-b");
  // Choices of one prompt share it.
  Json two = kChat;
  two["n"] = 2;
  ask(url, "POST", "/v1/chat/completions", "key-b", base::dump_json(two));
  EXPECT_EQ(fake_->requests[fake_->requests.size() - 2].ids, fake_->requests.back().ids);
}

TEST_F(GeneratorServerTest, WithoutKeysTheUserFieldIsTheClient) {
  Json body = kChat;
  body["user"] = "alice";
  post("/v1/chat/completions", body);
  EXPECT_EQ(fake_->requests[0].client, "alice");
}

TEST_F(ServeTest, AKeyIsWantedByTheModelServerToo) {
  ServeOptions options;
  options.access = keys_in(dir_, "- {name: team-a, key: key-a, tokens_per_minute: 20, requests_per_minute: 100}\n");
  options.log_predictions = "off";
  start_champion(options);
  const std::string url = server_->url();
  EXPECT_EQ(ask(url, "POST", "/v1/classify", "", R"({"inputs": "good"})").status, 401);
  EXPECT_EQ(json_of(ask(url, "POST", "/v1/embeddings", ""))["error"]["code"], "invalid_api_key");
  EXPECT_EQ(json_of(ask(url, "POST", "/predict", ""))["error_type"], "Unauthorized");
  EXPECT_TRUE(json_of(ask(url, "POST", "/v2/models/tiny/infer", ""))["error"].is_string());
  EXPECT_EQ(ask(url, "GET", "/v2/health/ready", "").status, 200);
  // The deployment's administration is for programs on this machine, which need no key.
  EXPECT_EQ(ask(url, "GET", "/v1/deployment", "").status, 200);
  EXPECT_EQ(net::HttpClient(url).request("GET", "/v1/deployment", "", {{"Origin", "http://evil"}}).status, 401);
  EXPECT_EQ(net::HttpClient(url).request("GET", "/v1/deployment", "", {{"X-Forwarded-For", "1.2.3.4"}}).status, 401);
  int answered = 0;
  net::Response last;
  while ((last = ask(url, "POST", "/v1/classify", "key-a", R"({"inputs": ["good movie", "bad plot"]})")).status ==
         200) {
    ASSERT_LT(++answered, 10);
  }
  EXPECT_EQ(last.status, 429);  // eight tokens a request
  EXPECT_EQ(answered, 3);
  EXPECT_TRUE(last.headers.has("Retry-After"));
  EXPECT_EQ(last.headers.get("x-ratelimit-remaining-tokens"), "0");
  EXPECT_EQ(ask(url, "GET", "/metrics", "").status, 401);
}

TEST_F(ServeTest, HangupReadsTheKeysAgain) {
  ServeOptions options;
  options.access = keys_in(dir_, "[{name: team-a, key: first-key}]");
  start_champion(options);
  const std::string url = server_->url();
  EXPECT_EQ(ask(url, "GET", "/v1/models", "first-key").status, 200);
  std::thread waiting([this] { server_->wait_until_signal(); });
  const auto until = [&](const std::string& key, int status) {
    for (int i = 0; i < 2000 && ask(url, "GET", "/v1/models", key).status != status; ++i) {
      std::this_thread::yield();
    }
    return ask(url, "GET", "/v1/models", key).status;
  };
  base::write_file_atomic(options.access.api_keys, "[{name: team-a, key: second-key}]");
  kill(getpid(), SIGHUP);
  EXPECT_EQ(until("second-key", 200), 200);
  EXPECT_EQ(ask(url, "GET", "/v1/models", "first-key").status, 401);
  base::write_file_atomic(options.access.api_keys, "[{name: team-a}]");  // broken: nothing changes
  kill(getpid(), SIGHUP);
  kill(getpid(), SIGTERM);
  waiting.join();
  EXPECT_EQ(ask(url, "GET", "/v1/models", "second-key").status, 200);
}

TEST_F(ServeTest, BrokenKeysAreSaidAtTheStart) {
  ServeOptions options;
  options.access.api_keys = (dir_.path() / "none.yaml").string();
  EXPECT_THROW(start_champion(options), base::Error);
  options.access = keys_in(dir_, "[{name: default, key: one-key}]");
  options.access.api_key = "other-key";
  EXPECT_THROW(start_champion(options), base::Error);
}

}  // namespace
}  // namespace slipway::serve
