#include "net/server.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <future>
#include <optional>
#include <thread>

#include "net/client.h"
#include "net/encoding.h"
#include "net/http_exchange.h"
#include "net/raw_socket.h"
#include "support/support.h"

namespace slipway::net {
namespace {

using tests::RawSocket;

class ServerTest : public ::testing::Test {
 protected:
  // Handlers that the cases share; `kept_` holds what /wait did not answer.
  Router router() {
    Router router;
    router.add("GET", "/hello/{name}", [](const Request& request, const Responder& responder) {
      responder.send(json_response({{"hello", std::string(request.param("name"))}, {"peer", request.peer}}));
    });
    router.add("POST", "/echo", [](Request request, const Responder& responder) {
      responder.send(text_response(std::move(request.body)));
    });
    router.add("GET", "/throw",
               [](const Request&, const Responder&) { throw base::Error(base::Code::kNotFound, "no such thing"); });
    router.add("GET", "/drop", [](const Request&, const Responder&) {});
    router.add("GET", "/big", [](const Request&, const Responder& responder) {
      responder.send([] { return text_response(std::string(100'000, 'x')); });
    });
    router.add("GET", "/wait", [this](const Request&, const Responder& responder) {
      const std::lock_guard lock(mutex_);
      kept_.push_back(responder);
      changed_.notify_all();
    });
    router.add("GET", "/block", [this](const Request&, const Responder& responder) {
      std::unique_lock lock(mutex_);  // holds up the event loop, as no handler should
      blocked_ = true;
      changed_.notify_all();
      changed_.wait_for(lock, std::chrono::seconds(10), [&] { return !blocked_; });
      responder.send(text_response("done"));
    });
    router.add("GET", "/stream", [](const Request&, const Responder& responder) {
      StreamWriter writer = responder.stream({200, {{"Content-Type", "text/event-stream"}}, ""});
      for (int i = 0; i < 3; ++i) {
        writer.write_event("part " + std::to_string(i));
      }
      writer.finish();
    });
    router.add("GET", "/cut", [](const Request&, const Responder& responder) {
      StreamWriter writer = responder.stream({200, {}, ""});
      writer.write("half");
    });
    return router;
  }

  HttpServer& start(const ServerOptions& options = {}, Observer observer = {}) {
    server_ = std::make_unique<HttpServer>(options, router(), log_, std::move(observer));
    server_->start();
    return *server_;
  }
  void wait_for_kept(size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), [&] { return kept_.size() >= count; }));
  }
  void answer_kept() {
    const std::lock_guard lock(mutex_);
    for (const Responder& responder : kept_) {
      responder.send(text_response("done"));
    }
    kept_.clear();
  }

  base::Log log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Responder> kept_;
  bool blocked_ = false;
  std::unique_ptr<HttpServer> server_;
};

std::string get(const std::string& path, const std::string& headers = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

TEST_F(ServerTest, AnswersOverAKeptConnection) {
  HttpServer& server = start();
  HttpClient client(server.url());
  for (int i = 0; i < 3; ++i) {
    const Response response = client.get("/hello/J%C3%BCrgen");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(base::parse_json(response.body, "body")["hello"], "Jürgen");
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
    EXPECT_EQ(response.headers.get("x-content-type-options"), "nosniff");
    EXPECT_EQ(response.headers.get("x-request-id").size(), 32U);
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(client.request("GET", "/hello/x", "", {{"X-Request-Id", "mine"}}).headers.get("x-request-id"), "mine");
}

TEST_F(ServerTest, SaysWhatIsWrong) {
  HttpServer& server = start();
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/nothing").status, 404);
  const Response wrong = client.request("PUT", "/echo", "x");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.get("Allow"), "POST");
  EXPECT_EQ(client.get("/throw").status, 404);
  EXPECT_NE(client.get("/throw").body.find("no such thing"), std::string::npos);
  const Response dropped = client.get("/drop");
  EXPECT_EQ(dropped.status, 500);
}

TEST_F(ServerTest, CompressesBothWays) {
  HttpServer& server = start();
  HttpClient client(server.url());
  const std::string text(50'000, 'y');
  EXPECT_EQ(client.request("POST", "/echo", encode_body("gzip", text), {{"Content-Encoding", "gzip"}}).body, text);
  const Response packed = client.request("GET", "/big", "", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(packed.headers.get("Content-Encoding"), "gzip");
  std::string out;
  EXPECT_EQ(decode_body("gzip", packed.body, 1 << 20, out), Decode::kOk);
  EXPECT_EQ(out.size(), 100'000U);
  EXPECT_FALSE(client.get("/big").headers.has("Content-Encoding"));
}

TEST_F(ServerTest, RefusesLargeBodiesBeforeAndAfterDecompression) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  HttpServer& server = start(options);
  HttpClient client(server.url());
  EXPECT_EQ(client.request("POST", "/echo", std::string(1000, 'a')).status, 200);
  EXPECT_EQ(client.request("POST", "/echo", std::string(100'000, 'a')).status, 413);
  const std::string bomb = encode_body("gzip", std::string(10'000, 'a'));
  EXPECT_EQ(client.request("POST", "/echo", bomb, {{"Content-Encoding", "gzip"}}).status, 413);
  EXPECT_EQ(client.get("/hello/x").status, 200);
}

TEST_F(ServerTest, AnswersHeadWithoutBodyAndPipelinedInOrder) {
  HttpServer& server = start();
  RawSocket socket(server.port());
  socket.send("HEAD /big HTTP/1.1\r\nHost: h\r\n\r\n" + get("/hello/a") + get("/hello/b", "Connection: close\r\n"));
  const std::string all = socket.read_all();
  EXPECT_NE(all.find("Content-Length: 100000"), std::string::npos);
  EXPECT_EQ(all.find("xxx"), std::string::npos);
  EXPECT_LT(all.find("{\"hello\":\"a\""), all.find("{\"hello\":\"b\""));
  EXPECT_NE(all.find("{\"hello\":\"b\""), std::string::npos);
}

TEST_F(ServerTest, SpeaksHttp10) {
  HttpServer& server = start();
  RawSocket socket(server.port());
  socket.send("GET /stream HTTP/1.0\r\n\r\n");
  const std::string all = socket.read_all();
  EXPECT_NE(all.find("data: part 2\n\n"), std::string::npos);
  EXPECT_EQ(all.find("chunked"), std::string::npos);
}

TEST_F(ServerTest, ContinuesWhenAsked) {
  HttpServer& server = start();
  RawSocket socket(server.port());
  socket.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_NE(socket.read_until("\r\n\r\n").find("100 Continue"), std::string::npos);
  socket.send("ok");
  EXPECT_NE(socket.read_until("ok").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, BrokenRequestsGetAnAnswerAndAClosedConnection) {
  HttpServer& server = start();
  const std::pair<std::string, std::string> cases[] = {
      {"complete garbage\r\n\r\n", "400"},
      {std::string("\0\1\2\3\r\n\r\n", 8), "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", "431"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\n", "400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n" + std::string(200'000, 'a'), "413"},
      {"GET / HTTP/1.1\r\nNo colon here\r\n\r\n", "400"},
  };
  for (const auto& [bytes, status] : cases) {
    RawSocket socket(server.port());
    socket.send(bytes);
    socket.finish_sending();
    const std::string answer = socket.read_all();
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 " + status) << bytes.substr(0, 60);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    EXPECT_NE(answer.find("{\"error\":"), std::string::npos);
  }
  EXPECT_EQ(HttpClient(server.url()).get("/hello/x").status, 200);
}

TEST_F(ServerTest, SlowRequestsAreCutOff) {
  ServerOptions options;
  options.header_timeout_ms = 30;
  options.body_timeout_ms = 30;
  options.idle_timeout_ms = 30;
  HttpServer& server = start(options);
  RawSocket slow_header(server.port());
  slow_header.send("GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(slow_header.read_all().substr(0, 12), "HTTP/1.1 408");
  RawSocket slow_body(server.port());
  slow_body.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(slow_body.read_all().substr(0, 12), "HTTP/1.1 408");
  RawSocket idle(server.port());
  EXPECT_EQ(idle.read_all(), "");
}

TEST_F(ServerTest, AHandlerThatNeverAnswersIsTimedOut) {
  ServerOptions options;
  options.handler_timeout_ms = 20;
  HttpServer& server = start(options);
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/wait").status, 504);
  wait_for_kept(1);
  EXPECT_FALSE(kept_[0].send(text_response("too late")));
}

TEST_F(ServerTest, RefusesMoreConnectionsThanAllowed) {
  ServerOptions options;
  options.max_connections = 2;
  HttpServer& server = start(options);
  HttpClient a(server.url());
  HttpClient b(server.url());
  a.get("/hello/a");
  b.get("/hello/b");
  RawSocket third(server.port());
  const std::string answer = third.read_until("\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503");
  EXPECT_NE(answer.find("Retry-After"), std::string::npos);
  EXPECT_EQ(a.get("/hello/a").status, 200);
}

TEST_F(ServerTest, StreamsPieces) {
  HttpServer& server = start();
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/stream").body, "data: part 0\n\ndata: part 1\n\ndata: part 2\n\n");
  EXPECT_EQ(client.get("/hello/x").status, 200);
  RawSocket socket(server.port());
  socket.send(get("/cut"));
  const std::string cut = socket.read_all();
  EXPECT_EQ(cut.find("0\r\n\r\n"), std::string::npos);
}

TEST_F(ServerTest, AStreamToASlowReaderEnds) {
  ServerOptions options;
  options.max_stream_buffer = 1000;
  HttpServer& server = start(options);
  RawSocket socket(server.port());
  socket.send(get("/wait"));
  wait_for_kept(1);
  StreamWriter writer = kept_[0].stream({200, {}, ""});
  const std::string piece(900, 'z');
  bool open = true;
  for (int i = 0; i < 200'000 && open; ++i) {
    open = writer.write(piece);
  }
  EXPECT_FALSE(open);
}

TEST_F(ServerTest, ManyClientsAtOnce) {
  ServerOptions options;
  options.threads = 2;
  std::atomic<int> finished{0};
  HttpServer& server = start(
      options, [&](const Finished& done) { finished += done.status == 200 && done.route == "/hello/{name}" ? 1 : 0; });
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      HttpClient client(server.url());
      for (int i = 0; i < 50; ++i) {
        const std::string name = std::to_string(t) + "-" + std::to_string(i);
        good += client.get("/hello/" + name).body.find(name) != std::string::npos ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, 400);
  server.drain(std::chrono::seconds(10));  // a request is in flight until its observer was told
  EXPECT_EQ(finished, 400);
}

TEST_F(ServerTest, DrainFinishesWhatIsInFlightAndRefusesTheRest) {
  HttpServer& server = start();
  RawSocket waiting(server.port());
  waiting.send(get("/wait"));
  RawSocket kept_open(server.port());
  kept_open.send(get("/hello/x"));
  kept_open.read_until("\"}");
  kept_open.send("GET /hello/y HT");
  RawSocket quiet(server.port());
  quiet.send(get("/hello/x"));
  quiet.read_until("\"}");
  wait_for_kept(1);
  while (server.in_flight() != 2) {
    std::this_thread::yield();
  }
  auto drained = std::async(std::launch::async, [&] { return server.drain(std::chrono::seconds(10)); });
  while (!server.draining()) {
    std::this_thread::yield();
  }
  EXPECT_EQ(quiet.read_all(), "");  // closed while others are still served
  kept_open.send("TP/1.1\r\nHost: h\r\n\r\n");
  const std::string refused = kept_open.read_all();
  EXPECT_EQ(refused.substr(0, 12), "HTTP/1.1 503");
  EXPECT_NE(refused.find("Connection: close"), std::string::npos);
  EXPECT_NE(refused.find("Retry-After"), std::string::npos);
  answer_kept();
  const std::string answer = waiting.read_all();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(drained.get(), 0);
  EXPECT_THROW(RawSocket(server.port()), std::runtime_error);
}

TEST_F(ServerTest, DrainAnswersWhatTheKernelHadQueued) {
  HttpServer& server = start();
  RawSocket blocking(server.port());
  blocking.send(get("/block"));
  {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), [&] { return blocked_; }));
  }
  // The event loop stands still: the kernel makes these connections, and nobody has accepted them when the drain comes.
  std::deque<RawSocket> queued;
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(queued.emplace_back(server.port()).send(get("/hello/x")));
  }
  auto drained = std::async(std::launch::async, [&] { return server.drain(std::chrono::seconds(10)); });
  while (!server.draining()) {
    std::this_thread::yield();
  }
  {
    const std::lock_guard lock(mutex_);
    blocked_ = false;
    changed_.notify_all();
  }
  for (RawSocket& socket : queued) {
    const std::string refused = socket.read_all();
    EXPECT_EQ(refused.substr(0, 12), "HTTP/1.1 503");
    EXPECT_NE(refused.find("Connection: close"), std::string::npos);
  }
  EXPECT_EQ(blocking.read_all().substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(drained.get(), 0);
}

TEST_F(ServerTest, DrainResetsNoneOfTheConnectionsThatKeepComing) {
  ServerOptions options;
  options.threads = 2;
  HttpServer& server = start(options);
  std::atomic<int> answered{0};
  std::atomic<int> cut{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&] {
      HttpClient client(server.url());
      try {
        while (client.get("/hello/x").status == 200) {
          ++answered;
          client.close();  // the next request comes on a connection of its own
        }
      } catch (const NoAnswer& refused) {
        cut += refused.sent() ? 1 : 0;
      }
    });
  }
  while (answered < 40 && cut == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server.drain(std::chrono::seconds(10)), 0);
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(cut, 0);
}

TEST_F(ServerTest, ClientsKnowWhetherTheirRequestWasSent) {
  HttpServer& server = start();
  const auto failure = [](HttpClient& client) -> std::optional<bool> {
    try {
      client.get("/wait");
    } catch (const NoAnswer& error) {
      EXPECT_EQ(error.code(), base::Code::kUnavailable);
      return error.sent();
    }
    return std::nullopt;
  };
  HttpClient fresh(server.url());
  HttpClient kept(server.url());
  EXPECT_EQ(kept.get("/hello/x").status, 200);
  auto cut = std::async(std::launch::async, [&] { return failure(fresh); });
  wait_for_kept(1);
  EXPECT_EQ(server.drain(std::chrono::milliseconds(0)), 1);
  EXPECT_EQ(cut.get(), true);
  EXPECT_EQ(failure(fresh), false);  // refused
  EXPECT_EQ(failure(kept), true);    // written to the connection that it had, before it was refused another
}

TEST_F(ServerTest, DrainCutsOffAtItsDeadline) {
  HttpServer& server = start();
  RawSocket waiting(server.port());
  waiting.send(get("/wait"));
  wait_for_kept(1);
  EXPECT_EQ(server.drain(std::chrono::milliseconds(20)), 1);
  EXPECT_EQ(waiting.read_all(), "");
  EXPECT_FALSE(kept_[0].send(text_response("too late")));
}

TEST_F(ServerTest, AResponderMayOutliveItsServer) {
  start();
  {
    RawSocket waiting(server_->port());
    waiting.send(get("/wait"));
    wait_for_kept(1);
    server_.reset();
  }
  EXPECT_FALSE(kept_[0].send(text_response("too late")));
  kept_.clear();
}

TEST_F(ServerTest, ABusyPortIsNamed) {
  HttpServer& server = start();
  ServerOptions options;
  options.port = server.port();
  HttpServer second(options, Router(), log_);
  try {
    second.start();
    FAIL() << "the port was taken twice";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnavailable);
    EXPECT_NE(std::string(error.what()).find("port " + std::to_string(server.port()) + " is busy"), std::string::npos);
  }
  options.reuse_port = true;
  options.address = "nowhere";
  EXPECT_THROW(HttpServer(options, Router(), log_).start(), base::Error);
  options.threads = 0;
  EXPECT_THROW(HttpServer(options, Router(), log_), base::Error);
}

TEST(HttpClientTest, SaysWhoDidNotAnswer) {
  base::Log log;
  auto server = std::make_unique<HttpServer>(ServerOptions{}, Router(), log);
  server->start();
  const std::string url = server->url();
  HttpClient client(url);
  EXPECT_EQ(client.get("/").status, 404);
  server.reset();
  try {
    client.get("/");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnavailable);
    EXPECT_NE(std::string(error.what()).find(url), std::string::npos);
  }
  for (const char* bad : {"127.0.0.1:80", "http://", "http://h:0", "http://h:99999", "http://h:80/x", "ftp://h"}) {
    EXPECT_THROW(HttpClient{bad}, base::Error) << bad;
  }
}

TEST_F(ServerTest, AResponderKeepsALeaseUntilItsLastCopyGoes) {
  std::promise<void> gone;
  std::future<void> released = gone.get_future();
  std::shared_ptr<void> lease(nullptr, [&](void*) { gone.set_value(); });
  Router routes;
  std::optional<Responder> copy;
  routes.add("GET", "/", [&](const Request&, const Responder& responder) {
    responder.keep(std::move(lease));
    copy = responder;
    responder.send(text_response("answered"));
  });
  server_ = std::make_unique<HttpServer>(ServerOptions{}, std::move(routes), log_);
  server_->start();
  EXPECT_EQ(HttpClient(server_->url()).get("/").body, "answered");
  EXPECT_EQ(released.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  copy.reset();
  EXPECT_EQ(released.wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

// An answer that holds its own responder, and a connection that ends before it is made.
TEST(ExchangeTest, AnAnswerThatNobodyTakesHoldsNothing) {
  boost::asio::io_context io;
  boost::asio::steady_timer timer(io);
  auto exchange = std::make_shared<HttpExchange>(timer, 100);
  const std::weak_ptr<HttpExchange> watched = exchange;
  {
    const Responder responder(exchange);
    EXPECT_TRUE(responder.send([responder] { return text_response(responder.client()); }));
  }
  exchange->detach();
  exchange.reset();
  EXPECT_TRUE(watched.expired());
}

TEST_F(ServerTest, AnAnswerMayBeGivenMoreTime) {
  Router routes;
  routes.add("GET", "/slow", [&](const Request&, const Responder& responder) {
    responder.allow(std::chrono::minutes(5));
    const std::lock_guard lock(mutex_);
    kept_.push_back(responder);
    changed_.notify_all();
  });
  routes.add("GET", "/strict", [&](const Request&, const Responder& responder) {
    const std::lock_guard lock(mutex_);
    kept_.push_back(responder);
  });
  ServerOptions options;
  options.handler_timeout_ms = 20;
  server_ = std::make_unique<HttpServer>(options, std::move(routes), log_);
  server_->start();
  std::future<int> slow =
      std::async(std::launch::async, [this] { return HttpClient(server_->url()).get("/slow").status; });
  wait_for_kept(1);
  EXPECT_EQ(HttpClient(server_->url()).get("/strict").status, 504);  // later than /slow
  answer_kept();
  EXPECT_EQ(slow.get(), 200);
}

TEST_F(ServerTest, RoutesAreReplacedWhileARequestIsUnderWay) {
  HttpServer& server = start();
  std::future<Response> old =
      std::async(std::launch::async, [&server] { return HttpClient(server.url()).get("/wait"); });
  wait_for_kept(1);
  Router next;
  next.add("GET", "/new", [](const Request&, const Responder& responder) { responder.send(text_response("new")); });
  server.replace_router(std::move(next));
  EXPECT_EQ(HttpClient(server.url()).get("/new").body, "new");
  EXPECT_EQ(HttpClient(server.url()).get("/wait").status, 404);
  answer_kept();
  EXPECT_EQ(old.get().body, "done");
}

TEST(RouterTest, TellsItsRoutesAndFindsThemByPattern) {
  Router router;
  router.add("GET", "/a/{x}", [](const Request&, const Responder&) {});
  router.add("POST", "/a/{x}", [](const Request&, const Responder&) {});
  EXPECT_EQ(router.routes(), (std::vector<std::pair<std::string, std::string>>{{"GET", "/a/{x}"}, {"POST", "/a/{x}"}}));
  EXPECT_NE(router.handler("POST", "/a/{x}"), nullptr);
  EXPECT_EQ(router.handler("POST", "/a/b"), nullptr);
  EXPECT_THROW(router.add("GET", "/a/{x}", [](const Request&, const Responder&) {}), std::logic_error);
}

TEST(HttpClientTest, OpensAKeptConnectionAgain) {
  base::Log log;
  ServerOptions options;
  HttpServer first(options, Router(), log);
  first.start();
  HttpClient client(first.url());
  EXPECT_EQ(client.get("/").status, 404);
  const int port = first.port();
  first.stop();
  options.port = port;
  HttpServer second(options, Router(), log);
  second.start();
  EXPECT_EQ(client.get("/").status, 404);
}

}  // namespace
}  // namespace slipway::net
