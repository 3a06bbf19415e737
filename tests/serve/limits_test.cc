// What a client may not do to either server: too much, too deep, too slow.
#include "net/raw_socket.h"
#include "serve/generator_fixture.h"

namespace slipway::serve {
namespace {

using tests::RawSocket;

net::ServerOptions tight() {
  net::ServerOptions http;
  http.max_body_bytes = 4000;
  http.max_header_bytes = 2000;
  http.max_headers = 20;
  http.header_timeout_ms = 60;
  http.body_timeout_ms = 60;
  http.idle_timeout_ms = 60'000;
  return http;
}

std::string post_head(const std::string& path, size_t length) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(length) +
         "\r\n\r\n";
}

std::string status_of(RawSocket& socket) { return socket.read_until("\r\n").substr(0, 12); }

// The same trials for a server at `url`, whose route `path` takes JSON; `good` is a body it answers.
void expect_limits(const std::string& url, int port, const std::string& path, const std::string& good) {
  net::HttpClient client(url);
  const net::Headers json = {{"Content-Type", "application/json"}};
  EXPECT_EQ(client.request("POST", path, good, json).status, 200);
  EXPECT_EQ(client.request("POST", path, std::string(5000, ' '), json).status, 413);
  const std::string deep = "{\"x\":" + std::string(500, '[') + std::string(500, ']') + "}";
  EXPECT_EQ(client.request("POST", path, deep, json).status, 400);
  EXPECT_EQ(client.request("POST", path, good, {{"X-Long", std::string(3000, 'h')}}).status, 431);
  net::Headers many;
  for (int i = 0; i < 30; ++i) {
    many.add("X-" + std::to_string(i), "v");
  }
  EXPECT_EQ(client.request("POST", path, good, many).status, 431);

  RawSocket slow_headers(port);
  slow_headers.send("POST " + path + " HTTP/1.1\r\nHost: h\r\nX-");
  RawSocket slow_body(port);
  slow_body.send(post_head(path, good.size()) + good.substr(0, good.size() - 1));
  EXPECT_EQ(client.request("POST", path, good, json).status, 200);  // beside them
  EXPECT_EQ(status_of(slow_headers), "HTTP/1.1 408");
  EXPECT_EQ(status_of(slow_body), "HTTP/1.1 408");
  // A client that promises a body and leaves.
  {
    RawSocket gone(port);
    gone.send(post_head(path, good.size()));
  }
  EXPECT_EQ(client.request("POST", path, good, json).status, 200);
}

TEST_F(ServeTest, LimitsHoldForTheModelServer) {
  ServeOptions options;
  options.http = tight();
  EncoderServer& server = start_champion(options);
  expect_limits(server.url(), server.port(), "/v1/classify", R"({"inputs": "good"})");
}

TEST_F(GeneratorServerTest, LimitsHoldForTheGeneratorServer) {
  ServeOptions options;
  options.http = tight();
  start(options);
  expect_limits(server_->url(), server_->port(), "/v1/chat/completions",
                R"({"messages": [{"role": "user", "content": "good"}]})");
}

// A stream that nobody reads: the buffer fills, the connection is closed, the answer is cancelled.
TEST_F(GeneratorServerTest, AStreamThatNobodyReadsIsCancelled) {
  ServeOptions options;
  options.http.max_stream_buffer = 10'000;
  options.http.write_timeout_ms = 100;
  start(options);
  fake_->endless = true;
  const std::string body = R"({"stream": true, "messages": [{"role": "user", "content": "good"}]})";
  RawSocket reader(server_->port());
  reader.send(post_head("/v1/chat/completions", body.size()) + body);
  fake_->wait_cancelled();
  fake_->endless = false;
  EXPECT_EQ(send("/v1/chat/completions", base::parse_json(body, "body")).status, 200);
}

TEST_F(GeneratorServerTest, AnAnswerThatTakesTooLongIs504) {
  ServeOptions options;
  options.http.handler_timeout_ms = 50;
  start(options);
  fake_->endless = true;
  EXPECT_EQ(send("/v1/chat/completions", {{"messages", {{{"role", "user"}, {"content", "good"}}}}}).status, 504);
}

}  // namespace
}  // namespace slipway::serve
