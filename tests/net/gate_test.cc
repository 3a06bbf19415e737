// What the gate refuses is refused on the head of a request: nothing of its body is taken.
#include <atomic>
#include <fmt/format.h>
#include <thread>

#include "net/client.h"
#include "net/raw_socket.h"
#include "net/server.h"
#include "net/workers.h"
#include "support/support.h"

namespace slipway::net {
namespace {

using tests::RawSocket;

struct Name final : Identity {
  explicit Name(std::string text_in) : text(std::move(text_in)) {}
  const std::string text;
};

class Gates : public ::testing::Test {
 protected:
  struct Counted final : BodySink {
    explicit Counted(std::atomic<size_t>& bytes_in) : bytes(bytes_in) {}
    void write(std::string_view piece) noexcept override { bytes += piece.size(); }
    std::atomic<size_t>& bytes;
  };

  Gates() {
    Router router;
    router.add_upload(
        "PUT", "/up/{path...}", uint64_t{8} << 20,
        [this](const Request& request) {
          ++sinks_;
          EXPECT_NE(request.identity, nullptr);
          return std::make_shared<Counted>(bytes_);
        },
        [](const Request&, const Responder& responder) { responder.send(text_response("kept")); });
    router.add("POST", "/who", [this](const Request& request, const Responder& responder) {
      ++handled_;
      const auto* name = dynamic_cast<const Name*>(request.identity.get());
      responder.send(text_response(name == nullptr ? "" : name->text + " " + request.body));
    });
    options_.max_body_bytes = 1000;
    server_ = std::make_unique<HttpServer>(options_, router, log_, Observer(),
                                           [this](const Request& request) { return decide(request); });
    server_->start();
  }

  Admission decide(const Request& request) {
    EXPECT_TRUE(request.body.empty());
    EXPECT_EQ(request.sink, nullptr);
    EXPECT_EQ(request.peer, "127.0.0.1");
    const std::string who(request.headers.get("Authorization"));
    Admission decision;
    decision.headers = {{"X-Gate", "asked"}};
    if (who.empty()) {
      decision.refusal = error_response(401, "who are you?");
    } else if (who == "busy") {
      decision.refusal = too_many_requests("later", 3);
    } else {
      decision.identity = std::make_shared<Name>(who);
    }
    if (who.starts_with("slow") || who == "never") {
      Admission later;
      later.later = [this, who, decision](std::function<void(Admission)> done) {
        if (who != "never") {
          workers_.post([done = std::move(done), decision] {
            done(decision);
            done({});  // too late
          });
        }
      };
      return later;
    }
    return decision;
  }

  static std::string head(std::string_view line, std::string_view more) {
    return fmt::format("{} HTTP/1.1\r\nHost: h\r\n{}\r\n", line, more);
  }

  std::atomic<int> sinks_{0};
  std::atomic<int> handled_{0};
  std::atomic<size_t> bytes_{0};
  base::Log log_;
  Workers workers_{1, 16};
  ServerOptions options_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Gates, RefuseAnUploadBeforeItsBody) {
  for (const std::string& framing : {std::string("Content-Length: 5000000\r\n"), std::string("Transfer-Encoding: chunked\r\n"),
                                     std::string("Content-Length: 5000000\r\nExpect: 100-continue\r\n"),
                                     std::string("Content-Length: 5\r\nExpect: 100-continue\r\n")}) {
    RawSocket socket(server_->port());
    socket.send(head("PUT /up/x", framing));  // and not a byte of the body
    const std::string answer = socket.read_until("\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 401 ")) << framing << answer;
    EXPECT_NE(answer.find("X-Gate: asked"), std::string::npos) << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  }
  RawSocket busy(server_->port());
  busy.send(head("PUT /up/x", "Authorization: busy\r\nTransfer-Encoding: chunked\r\n") + "3\r\nabc\r\n");
  EXPECT_TRUE(busy.read_until("\r\n\r\n").starts_with("HTTP/1.1 429 "));
  EXPECT_EQ(sinks_, 0);
  EXPECT_EQ(bytes_, 0U);
}

TEST_F(Gates, AreAskedBeforeALimitOfTheBodyIsTold) {
  RawSocket stranger(server_->port());
  stranger.send(head("POST /who", "Content-Length: 100000000\r\n"));
  EXPECT_TRUE(stranger.read_all().starts_with("HTTP/1.1 401 "));
  RawSocket known(server_->port());
  known.send(head("POST /who", "Authorization: ann\r\nContent-Length: 100000000\r\n"));
  EXPECT_TRUE(known.read_all().starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(handled_, 0);
}

TEST_F(Gates, KeepTheConnectionOfAShortRefusedBody) {
  HttpClient client(server_->url());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.request("POST", "/who", std::string(60'000, 'x')).status, 401);  // past max_body_bytes: only dropped
  }
  EXPECT_EQ(client.request("POST", "/who", "here", {{"Authorization", "ann"}}).body, "ann here");
  EXPECT_EQ(server_->connections(), 1);
  EXPECT_EQ(handled_, 1);
  // What follows a refused body on the same connection is a request of its own.
  RawSocket socket(server_->port());
  socket.send(head("POST /who", "Content-Length: 4\r\n") + "GET " +
              head("POST /who", "Authorization: bob\r\nContent-Length: 2\r\nConnection: close\r\n") + "hi");
  const std::string all = socket.read_all();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 401 ")) << all;
  EXPECT_TRUE(all.ends_with("bob hi")) << all;
}

TEST_F(Gates, LetAdmittedBodiesThrough) {
  RawSocket socket(server_->port());
  socket.send(head("PUT /up/x",
                   "Authorization: ann\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n"));
  EXPECT_TRUE(socket.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
  socket.send("abc");
  EXPECT_TRUE(socket.read_all().ends_with("kept"));
  EXPECT_EQ(sinks_, 1);
  EXPECT_EQ(bytes_, 3U);
}

TEST_F(Gates, MayDecideLater) {
  HttpClient client(server_->url());
  EXPECT_EQ(client.request("POST", "/who", "a", {{"Authorization", "slow ann"}}).body, "slow ann a");
  EXPECT_EQ(client.request("PUT", "/up/x", std::string(100'000, 'x'), {{"Authorization", "slow ann"}}).body, "kept");
  EXPECT_EQ(bytes_, 100'000U);
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(Gates, ThatNeverDecideEndWithTheServer) {
  RawSocket socket(server_->port());
  socket.send(head("POST /who", "Authorization: never\r\nContent-Length: 1\r\n") + "x");
  while (server_->in_flight() == 0) {
    std::this_thread::yield();
  }
  server_.reset();
  EXPECT_EQ(handled_, 0);
}

TEST(Gate, ThatIsTooSlowIsAnswered504) {
  base::Log log;
  ServerOptions options;
  options.handler_timeout_ms = 20;
  Router router;
  router.add("GET", "/", [](const Request&, const Responder& responder) { responder.send(text_response("in")); });
  std::function<void(Admission)> kept;
  HttpServer server(options, router, log, Observer(), [&kept](const Request&) {
    Admission later;
    later.later = [&kept](std::function<void(Admission)> done) { kept = std::move(done); };
    return later;
  });
  server.start();
  EXPECT_EQ(HttpClient(server.url()).get("/").status, 504);
  kept({});  // nobody waits any more
}

}  // namespace
}  // namespace slipway::net
