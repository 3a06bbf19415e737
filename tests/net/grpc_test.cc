#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <future>
#include <map>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "net/grpc_server.h"
#include "net/responder.h"
#include "support/grpc_client.h"
#include "support/support.h"

namespace slipway::net {
namespace {

using tests::GrpcClient;

class GrpcServerTest : public ::testing::Test {
 protected:
  ~GrpcServerTest() override {
    answer_kept();
    server_.reset();
  }

  // /test.Test/Keep is answered by answer_kept().
  Router router() {
    Router router;
    const auto add = [&](const char* name, Handler handler) {
      router.add("POST", std::string("/test.Test/") + name, std::move(handler));
    };
    add("Echo", [](Request request, const Responder& responder) { responder.send(text_response(request.body)); });
    add("Peer", [](const Request& request, const Responder& responder) {
      responder.send([request] {
        return text_response(
            fmt::format("{} {} {} {}", request.peer, request.from_loopback, request.id, request.headers.get("X-Word")));
      });
    });
    add("Fail", [](const Request& request, const Responder& responder) {
      responder.send(error_response(std::stoi(request.body), "words of " + request.body));
    });
    add("Busy", [](const Request&, const Responder& responder) { responder.send(too_many_requests("full", 2)); });
    router.add_upload(
        "POST", "/test.Test/Upload", 1000, [](const Request&) -> std::shared_ptr<BodySink> { return nullptr; },
        [](const Request&, const Responder& responder) { responder.send(text_response("no message comes here")); });
    add("Throw", [](const Request&, const Responder&) { throw base::Error(base::Code::kNotFound, "no such thing"); });
    add("ThrowLate", [](const Request&, const Responder& responder) {
      responder.send([]() -> Response { throw base::Error(base::Code::kConflict, "late"); });
    });
    add("Drop", [](const Request&, const Responder&) {});
    add("Keep", [this](const Request&, const Responder& responder) {
      const std::lock_guard lock(mutex_);
      kept_.push_back(responder);
      changed_.notify_all();
    });
    add("Three", [](const Request& request, const Responder& responder) {
      StreamWriter writer = responder.stream({200, {}, ""});
      for (int i = 0; i < 3; ++i) {
        writer.write(request.body + std::to_string(i));
      }
      writer.finish();
    });
    add("Half", [](const Request&, const Responder& responder) { responder.stream({200, {}, ""}).write("half"); });
    add("Flood", [](const Request&, const Responder& responder) {
      StreamWriter writer = responder.stream({200, {}, ""});
      while (writer.write(std::string(1000, 'f'))) {
      }
    });
    add("Through", [](Request request, const Responder& responder) {
      responder.through([](Response response) { return text_response("<" + response.body + ">"); })
          .send(text_response(request.body));
    });
    return router;
  }
  GrpcServer& start(const ServerOptions& options = {}, Gate gate = {}) {
    server_ = std::make_unique<GrpcServer>(
        options, router(), log_,
        [this](const Finished& finished) {
          const std::lock_guard lock(mutex_);
          finished_.push_back(fmt::format("{} {} {}", finished.route, finished.client, finished.status));
          changed_.notify_all();
        },
        std::move(gate));
    server_->start();
    return *server_;
  }
  void answer_kept() {
    std::vector<Responder> kept;
    {
      const std::lock_guard lock(mutex_);
      kept.swap(kept_);
    }
    for (const Responder& responder : kept) {
      responder.send(text_response("kept"));
    }
  }
  template <class Condition>
  void wait_until(const Condition& condition) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), condition));
  }
  void wait_for_kept(size_t count) {
    wait_until([&] { return kept_.size() >= count; });
  }
  GrpcClient::Reply ask(const std::string& method, const std::string& body = "",
                        const GrpcClient::Metadata& metadata = {}) {
    return GrpcClient(server_->url()).call("/test.Test/" + method, {body}, metadata);
  }

  base::Log log_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<Responder> kept_;
  std::vector<std::string> finished_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcServerTest, AMessageIsTheBodyAndMetadataAreHeaders) {
  start();
  const std::string bytes("bytes\0bytes", 11);
  EXPECT_EQ(ask("Echo", bytes).body(), bytes);
  EXPECT_EQ(ask("Echo", "").body(), "");
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(ask("Echo", large).body(), large);
  EXPECT_EQ(ask("Peer", "", {{"x-request-id", "r-7"}, {"x-word", "hello"}}).body(), "127.0.0.1 true r-7 hello");
  EXPECT_EQ(ask("Through", "inside").body(), "<inside>");
}

TEST_F(GrpcServerTest, AFailureIsTheStatusThatSaysItAndItsWords) {
  start();
  const std::pair<int, int> codes[] = {{400, 3}, {401, 16}, {403, 7},  {404, 5},  {409, 10}, {413, 3},
                                       {422, 3}, {429, 8},  {500, 13}, {501, 12}, {503, 14}, {504, 4}};
  for (const auto& [status, code] : codes) {
    const GrpcClient::Reply reply = ask("Fail", std::to_string(status));
    EXPECT_EQ(reply.code, code) << status;
    EXPECT_EQ(reply.message, fmt::format("words of {}", status));
    EXPECT_TRUE(reply.bodies.empty());
  }
  const GrpcClient::Reply busy = ask("Busy");
  EXPECT_EQ(busy.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(busy.trailing.find("grpc-retry-pushback-ms")->second, "2000");
  EXPECT_EQ(ask("Throw").code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ask("Throw").message, "no such thing");
  EXPECT_EQ(ask("ThrowLate").code, grpc::StatusCode::ABORTED);
  EXPECT_EQ(ask("Drop").code, grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ask("Nothing").code, grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(ask("Upload", "x").code, grpc::StatusCode::UNIMPLEMENTED);  // a message cannot go to a sink
  EXPECT_EQ(GrpcClient(server_->url()).call("/test.Test/Echo", {}).code, grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, StreamsGoBothWays) {
  ServerOptions options;
  options.max_stream_buffer = 100'000;
  start(options);
  GrpcClient client(server_->url());
  const std::vector<std::string> words = {"a", "", "b", "c"};
  for (const bool in_turn : {false, true}) {
    const GrpcClient::Reply echoed = client.call("/test.Test/Echo", words, {}, std::chrono::seconds(20), in_turn);
    EXPECT_EQ(echoed.code, 0) << echoed.message;
    EXPECT_EQ(echoed.bodies, words);
  }
  EXPECT_EQ(client.call("/test.Test/Three", {"x", "y"}).bodies,
            (std::vector<std::string>{"x0", "x1", "x2", "y0", "y1", "y2"}));
  const GrpcClient::Reply half = client.call("/test.Test/Half", {""});
  EXPECT_EQ(half.code, grpc::StatusCode::ABORTED);
  const GrpcClient::Reply flood = client.call("/test.Test/Flood", {""});
  EXPECT_EQ(flood.code, grpc::StatusCode::ABORTED);
}

TEST_F(GrpcServerTest, LimitsHold) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  options.max_connections = 2;
  options.handler_timeout_ms = 50;
  start(options);
  EXPECT_EQ(ask("Echo", std::string(1000, 'x')).code, 0);
  EXPECT_EQ(ask("Echo", std::string(1001, 'x')).code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ask("Echo", "x", {{"x-word", std::string(100'000, 'w')}}).code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  const GrpcClient::Reply late = ask("Keep");
  EXPECT_EQ(late.code, grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(late.message, "the request took too long");
  const std::lock_guard lock(mutex_);
  EXPECT_FALSE(kept_.at(0).wanted());
  EXPECT_FALSE(kept_.at(0).send(text_response("too late")));
}

TEST_F(GrpcServerTest, MoreCallsThanAllowedAreRefused) {
  ServerOptions options;
  options.max_connections = 2;
  start(options);
  auto one = std::async(std::launch::async, [&] { return ask("Keep"); });
  auto two = std::async(std::launch::async, [&] { return ask("Keep"); });
  wait_for_kept(2);
  EXPECT_EQ(ask("Echo", "x").code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  answer_kept();
  EXPECT_EQ(one.get().body(), "kept");
  EXPECT_EQ(two.get().body(), "kept");
}

TEST_F(GrpcServerTest, AClientThatLeavesIsNotAnswered) {
  start();
  grpc::ClientContext context;
  auto cancelled =
      std::async(std::launch::async, [&] { return GrpcClient(server_->url()).call(context, "/test.Test/Keep", {""}); });
  wait_for_kept(1);
  EXPECT_TRUE(kept_[0].wanted());
  context.TryCancel();
  EXPECT_EQ(cancelled.get().code, grpc::StatusCode::CANCELLED);
  // A deadline of the client's own is the same on our side, if the call came that far in the time.
  const auto seen = [&] {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  };
  for (std::chrono::milliseconds deadline{30}; seen() < 2; deadline *= 2) {
    EXPECT_EQ(GrpcClient(server_->url()).call("/test.Test/Keep", {""}, {}, deadline).code,
              grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  wait_until([&] {
    return finished_.size() == kept_.size() &&
           std::none_of(kept_.begin(), kept_.end(), [](const Responder& responder) { return responder.wanted(); });
  });
  EXPECT_EQ(finished_[0], "/test.Test/Keep  499");
  EXPECT_FALSE(kept_[0].send(text_response("nobody")));
}

// The answer is kept until the call's thread takes it, and holds its responder: found as a model that was never let go.
TEST_F(GrpcServerTest, AnAnswerThatComesAsItsClientLeavesIsLetGo) {
  start();
  std::vector<std::weak_ptr<int>> held;
  for (int i = 0; i < 100; ++i) {
    grpc::ClientContext context;
    auto client = std::async(std::launch::async,
                             [&] { return GrpcClient(server_->url()).call(context, "/test.Test/Keep", {""}); });
    wait_for_kept(1);
    std::vector<Responder> kept;
    {
      const std::lock_guard lock(mutex_);
      kept.swap(kept_);
    }
    const auto token = std::make_shared<int>(i);
    held.push_back(token);
    auto leaving = std::async(std::launch::async, [&] { context.TryCancel(); });
    kept[0].send([responder = kept[0], token] { return text_response("late"); });
    leaving.get();
    client.get();
  }
  server_->stop();
  for (const auto& one : held) {
    EXPECT_TRUE(one.expired());
  }
}

TEST_F(GrpcServerTest, TheGateIsAskedAndEachMessageIsCounted) {
  std::atomic<int> leases{0};
  const auto gate = [&](const Request& request) {
    Admission admission;
    if (request.headers.get("Authorization") != "Bearer key") {
      admission.refusal = error_response(401, "a key is wanted");
      return admission;
    }
    admission.client = "team";
    admission.headers.add("X-RateLimit-Limit", "7");
    ++leases;
    admission.lease = std::shared_ptr<void>(&leases, [&](void*) { --leases; });
    return admission;
  };
  start({}, gate);
  EXPECT_EQ(ask("Echo", "x").code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ask("Echo", "x").message, "a key is wanted");
  const GrpcClient::Metadata key = {{"authorization", "Bearer key"}};
  const GrpcClient::Reply reply = ask("Echo", "x", key);
  EXPECT_EQ(reply.body(), "x");
  EXPECT_EQ(reply.initial.find("x-ratelimit-limit")->second, "7");
  EXPECT_EQ(GrpcClient(server_->url()).call("/test.Test/Echo", {"a", "b"}, key).bodies.size(), 2U);
  EXPECT_EQ(ask("Nothing", "x", key).code, grpc::StatusCode::UNIMPLEMENTED);
  server_->stop();
  EXPECT_EQ(leases.load(), 0);
  EXPECT_EQ(finished_,
            (std::vector<std::string>{"/test.Test/Echo  401", "/test.Test/Echo  401", "/test.Test/Echo team 200",
                                      "/test.Test/Echo team 200", "/test.Test/Echo team 200", " team 404"}));
}

TEST_F(GrpcServerTest, ACallIsOneSpan) {
  std::vector<Span> spans;
  Router router;
  router.add("POST", "/test.Test/Note", [](const Request& request, const Responder& responder) {
    responder.trace()->note("gen_ai.operation.name", std::string("chat"));
    responder.trace()->note("gen_ai.request.model", std::string("m"));
    responder.send(request.body == "bad" ? error_response(500, "words") : text_response("ok"));
  });
  GrpcServer server({}, std::move(router), log_, {}, {}, [&](Span span) {
    const std::lock_guard lock(mutex_);
    spans.push_back(std::move(span));
    changed_.notify_all();
  });
  server.start();
  GrpcClient client(server.url());
  constexpr const char* kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  client.call("/test.Test/Note", {"good"}, {{"traceparent", kParent}});
  client.call("/test.Test/Note", {"bad"});
  wait_until([&] { return spans.size() == 2; });
  const std::map<std::string, AttributeValue> first(spans[0].attributes.begin(), spans[0].attributes.end());
  const std::map<std::string, AttributeValue> second(spans[1].attributes.begin(), spans[1].attributes.end());
  EXPECT_EQ(spans[0].name, "chat m");
  EXPECT_EQ(spans[0].parent, parse_traceparent(kParent)->span_id);
  EXPECT_EQ(first.at("rpc.system"), AttributeValue("grpc"));
  EXPECT_EQ(first.at("rpc.service"), AttributeValue("test.Test"));
  EXPECT_EQ(first.at("rpc.method"), AttributeValue("Note"));
  EXPECT_EQ(first.at("rpc.grpc.status_code"), AttributeValue(int64_t{0}));
  EXPECT_EQ(second.at("rpc.grpc.status_code"), AttributeValue(int64_t{13}));
  EXPECT_TRUE(spans[1].failed);
}

TEST_F(GrpcServerTest, ADrainAnswersWhatIsUnderWay) {
  start();
  const std::string url = server_->url();
  auto waiting = std::async(std::launch::async, [&] { return ask("Keep"); });
  wait_for_kept(1);
  auto drained = std::async(std::launch::async, [&] { return server_->drain(std::chrono::seconds(20)); });
  // Refused as soon as the drain has begun, whichever way the client notices.
  while (GrpcClient(url).call("/test.Test/Echo", {"x"}, {}, std::chrono::seconds(1)).code == 0) {
  }
  answer_kept();
  EXPECT_EQ(waiting.get().body(), "kept");
  EXPECT_EQ(drained.get(), 0);
  EXPECT_EQ(server_->in_flight(), 0);
}

TEST_F(GrpcServerTest, ADrainCutsOffAtItsDeadlineAndCounts) {
  start();
  auto waiting = std::async(std::launch::async, [&] { return ask("Keep"); });
  wait_for_kept(1);
  EXPECT_EQ(server_->drain(std::chrono::milliseconds(20)), 1);
  EXPECT_NE(waiting.get().code, 0);
}

TEST_F(GrpcServerTest, ManyClientsGetTheirOwnAnswers) {
  ServerOptions options;
  options.threads = 2;
  start(options);
  std::vector<std::future<int>> wrong;
  for (int c = 0; c < 8; ++c) {
    wrong.push_back(std::async(std::launch::async, [this, c] {
      GrpcClient client(server_->url());
      int bad = 0;
      for (int i = 0; i < 25; ++i) {
        const std::string text = fmt::format("{}-{}", c, i);
        const GrpcClient::Reply reply = client.call("/test.Test/Echo", {text});
        bad += reply.code == 0 && reply.body() == text ? 0 : 1;
      }
      return bad;
    }));
  }
  for (auto& one : wrong) {
    EXPECT_EQ(one.get(), 0);
  }
}

TEST_F(GrpcServerTest, APortThatIsTakenIsNamed) {
  start();
  ServerOptions options;
  options.port = server_->port();
  GrpcServer second(options, router(), log_);
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnavailable);
    EXPECT_NE(std::string(error.what()).find(std::to_string(options.port)), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("--grpc-port"), std::string::npos) << error.what();
  }
  options.address = "203.0.113.1";  // of nobody (RFC 5737)
  GrpcServer elsewhere(options, router(), log_);
  EXPECT_THROW(elsewhere.start(), base::Error);
}

class GrpcTlsTest : public GrpcServerTest {
 protected:
  void make_certificate(const std::string& name) {
    const std::string command = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {} -out {} "
        "-subj /CN={} -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null",
        file(name + ".key"), file(name + ".pem"), name);
    ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe): no thread yet
  }
  std::string file(const std::string& name) const { return (dir_.path() / name).string(); }
  int code(const std::string& ca) {
    return GrpcClient(server_->url(), ca.empty() ? "" : base::read_file(file(ca)))
        .call("/test.Test/Echo", {"x"}, {}, std::chrono::seconds(20))
        .code;
  }
  base::TempDir dir_;
};

TEST_F(GrpcTlsTest, ServesWhoTrustsItsCertificateWhichMayBeReplaced) {
  make_certificate("one");
  make_certificate("two");
  const auto copy = [&](const char* from) {
    for (const char* kind : {".pem", ".key"}) {
      std::filesystem::copy_file(file(std::string(from) + kind), file(std::string("live") + kind),
                                 std::filesystem::copy_options::overwrite_existing);
    }
  };
  copy("one");
  ServerOptions options;
  options.tls_cert = file("live.pem");
  options.tls_key = file("live.key");
  start(options);
  EXPECT_EQ(code("one.pem"), 0);
  EXPECT_NE(code("two.pem"), 0);
  EXPECT_NE(code(""), 0);  // without TLS
  copy("two");
  EXPECT_EQ(code("one.pem"), 0);  // not read again yet
  server_->reload_tls();
  EXPECT_EQ(code("two.pem"), 0);
  EXPECT_NE(code("one.pem"), 0);
  base::write_file_atomic(file("live.pem"), "not a certificate");
  EXPECT_THROW(server_->reload_tls(), base::Error);
  EXPECT_EQ(code("two.pem"), 0);
  ServerOptions half;
  half.tls_cert = file("one.pem");
  EXPECT_THROW(GrpcServer(half, router(), log_), base::Error);
}

}  // namespace
}  // namespace slipway::net
