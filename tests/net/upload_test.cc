// Bodies that go to a sink as they arrive, and answers that are sent from a file.
#include <atomic>
#include <fmt/format.h>
#include <mutex>

#include "base/file.h"
#include "net/client.h"
#include "net/raw_socket.h"
#include "net/server.h"
#include "support/support.h"

namespace slipway::net {
namespace {

using tests::RawSocket;

constexpr uint64_t kMaxUpload = uint64_t{8} << 20;

class Uploads : public ::testing::Test {
 protected:
  struct Kept final : BodySink {
    Kept(std::atomic<int>& alive_in, std::atomic<size_t>& received_in) : alive(alive_in), received(received_in) {
      ++alive;
    }
    ~Kept() override {
      --alive;
      alive.notify_all();
    }
    void write(std::string_view bytes) noexcept override {
      text.append(bytes);
      largest = std::max(largest, bytes.size());
      received += bytes.size();
      received.notify_all();
    }
    std::string text;
    size_t largest = 0;
    std::atomic<int>& alive;
    std::atomic<size_t>& received;
  };

  Uploads() {
    Router router;
    router.add_upload(
        "PUT", "/up/{path...}", kMaxUpload,
        [this](const Request& request) -> std::shared_ptr<BodySink> {
          return request.param("path") == "none" ? nullptr : std::make_shared<Kept>(alive_, received_);
        },
        [](const Request& request, const Responder& responder) {
          const auto* kept = dynamic_cast<const Kept*>(request.sink.get());
          EXPECT_TRUE(request.body.empty());
          responder.send(kept == nullptr
                             ? error_response(400, "no place")
                             : text_response(fmt::format("{} {} {}", request.param("path"), kept->text.size(),
                                                         std::hash<std::string>()(kept->text))));
          if (kept != nullptr) {
            EXPECT_LE(kept->largest, size_t{64} << 10);
          }
        });
    router.add("POST", "/echo", [](Request request, const Responder& responder) {
      responder.send(text_response(std::move(request.body)));
    });
    router.add("GET", "/file/{first}/{size}", [this](const Request& request, const Responder& responder) {
      Response response{200, {{"Content-Type", "application/octet-stream"}}, ""};
      response.file = FileBody{file_, std::stoull(std::string(request.param("first"))),
                               std::stoull(std::string(request.param("size")))};
      responder.send(std::move(response));
    });
    options_.max_body_bytes = 1000;
    server_ = std::make_unique<HttpServer>(options_, router, log_);
    server_->start();
  }
  std::string expected(const std::string& path, const std::string& bytes) {
    return fmt::format("{} {} {}", path, bytes.size(), std::hash<std::string>()(bytes));
  }
  void wait_until_gone() {
    for (int now = alive_; now > 0; now = alive_) {
      alive_.wait(now);
    }
  }

  base::TempDir dir_;
  std::filesystem::path file_ = dir_.path() / "file";
  std::atomic<int> alive_{0};
  std::atomic<size_t> received_{0};
  base::Log log_;
  ServerOptions options_;
  std::unique_ptr<HttpServer> server_;
};

std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(i * 31 + i / 251);
  }
  return bytes;
}

TEST_F(Uploads, TakeBodiesOfAnySizeInPieces) {
  HttpClient client(server_->url());
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{65'535}, size_t{65'536}, size_t{65'537}, size_t{5'000'000}, size_t{kMaxUpload}}) {
    const std::string bytes = pattern(size);
    EXPECT_EQ(client.request("PUT", "/up/a/b%20c//d", bytes).body, expected("a/b c//d", bytes));
  }
  EXPECT_EQ(server_->connections(), 1);  // kept all the while
  EXPECT_EQ(client.request("PUT", "/up/none", pattern(100'000)).status, 400);
  EXPECT_EQ(client.request("POST", "/echo", "as ever").body, "as ever");
  wait_until_gone();
}

TEST_F(Uploads, HaveALimitOfTheirOwn) {
  HttpClient client(server_->url());
  EXPECT_EQ(client.request("PUT", "/up/a", pattern(kMaxUpload + 1)).status, 413);
  EXPECT_EQ(client.request("POST", "/echo", pattern(1001)).status, 413);
  EXPECT_EQ(client.request("POST", "/echo", pattern(1000)).body, pattern(1000));
  EXPECT_EQ(client.request("PUT", "/up/a", "x").status, 200);
}

TEST_F(Uploads, ComeChunkedAndPipelined) {
  RawSocket socket(server_->port());
  socket.send(
      "PUT /up/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n"
      "PUT /up/y HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast");
  const std::string all = socket.read_all();
  EXPECT_NE(all.find(expected("x", "abcdefgh")), std::string::npos) << all;
  EXPECT_NE(all.find(expected("y", "hi")), std::string::npos) << all;
  EXPECT_TRUE(all.ends_with("last")) << all;
}

TEST_F(Uploads, ABodyThatBreaksOffIsForgotten) {
  {
    RawSocket socket(server_->port());
    socket.send("PUT /up/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + pattern(200'000));
    constexpr size_t kThreePieces = size_t{3} * 65'536;  // the fourth is not full: the sink has not seen it
    for (size_t now = received_; now < kThreePieces; now = received_) {
      received_.wait(now);
    }
    EXPECT_EQ(alive_, 1);
  }
  wait_until_gone();
}

TEST_F(Uploads, FilesAreSentInParts) {
  const std::string bytes = pattern(3'000'000);
  base::write_file_atomic(file_, bytes);
  HttpClient client(server_->url());
  EXPECT_EQ(client.get("/file/0/3000000").body, bytes);
  EXPECT_EQ(client.get("/file/1000/1000000").body, bytes.substr(1000, 1'000'000));
  EXPECT_EQ(client.get("/file/5/0").body, "");
  const Response head = client.request("HEAD", "/file/0/3000000");
  EXPECT_EQ(head.headers.get("Content-Length"), "3000000");
  EXPECT_EQ(head.body, "");
  // A file that is shorter than was promised: the client sees that the body broke off.
  EXPECT_THROW(client.get("/file/0/3000001"), base::Error);
  EXPECT_EQ(client.get("/file/0/10").body, bytes.substr(0, 10));
}

}  // namespace
}  // namespace slipway::net
