#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "net/client.h"
#include "net/raw_socket.h"
#include "net/server.h"
#include "support/support.h"

namespace slipway::net {
namespace {

class TlsTest : public ::testing::Test {
 protected:
  // A self-signed certificate for 127.0.0.1 and its key, made by the openssl program.
  void make_certificate(const std::string& name, const std::string& more = "-days 2") {
    const std::string command = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {} -out {} "
        "-subj /CN={} -addext subjectAltName=IP:127.0.0.1 {} 2>/dev/null",
        file(name + ".key"), file(name + ".pem"), name, more);
    ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe): no thread yet
  }
  std::string file(const std::string& name) const { return (dir_.path() / name).string(); }
  ServerOptions options(const std::string& name) const {
    ServerOptions options;
    options.tls_cert = file(name + ".pem");
    options.tls_key = file(name + ".key");
    options.header_timeout_ms = 200;
    return options;
  }
  HttpServer& start(const ServerOptions& options) {
    Router router;
    router.add("POST", "/echo", [](Request request, const Responder& responder) {
      responder.send(text_response(std::move(request.body)));
    });
    router.add("GET", "/stream", [](const Request&, const Responder& responder) {
      StreamWriter writer = responder.stream({200, {}, ""});
      for (int i = 0; i < 3; ++i) {
        writer.write_event(std::to_string(i));
      }
      writer.finish();
    });
    server_ = std::make_unique<HttpServer>(options, std::move(router), log_);
    server_->start();
    return *server_;
  }
  HttpClient client(const std::string& ca) const {
    ClientOptions options;
    options.ca_file = ca.empty() ? "" : file(ca + ".pem");
    return HttpClient(server_->url(), options);
  }

  base::TempDir dir_;
  base::Log log_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(TlsTest, ServesWhoTrustsItsCertificate) {
  make_certificate("one");
  HttpServer& server = start(options("one"));
  EXPECT_TRUE(server.url().starts_with("https://127.0.0.1:"));
  HttpClient https = client("one");
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(https.request("POST", "/echo", large).body, large);
  EXPECT_EQ(https.request("POST", "/echo", "again").body, "again");
  EXPECT_EQ(https.get("/stream").body, "data: 0\n\ndata: 1\n\ndata: 2\n\n");
  EXPECT_EQ(https.request("POST", "/echo", "last", {{"Connection", "close"}}).body, "last");
  EXPECT_EQ(https.request("POST", "/echo", "new").body, "new");
}

TEST_F(TlsTest, AClientRefusesACertificateItDoesNotTrust) {
  make_certificate("one");
  make_certificate("two");
  start(options("one"));
  for (const std::string ca : {"", "two"}) {
    try {
      client(ca).get("/stream");
      FAIL() << "trusted with " << ca;
    } catch (const NoAnswer& error) {
      EXPECT_FALSE(error.sent());
      EXPECT_NE(std::string(error.what()).find("is not trusted: self"), std::string::npos) << error.what();
    }
  }
  // The right certificate under another name.
  ClientOptions trusting;
  trusting.ca_file = file("one.pem");
  HttpClient elsewhere(fmt::format("https://localhost:{}", server_->port()), trusting);
  EXPECT_THROW(elsewhere.get("/stream"), NoAnswer);
  EXPECT_THROW(client("three"), base::Error);
  ClientOptions no_pem;
  no_pem.ca_file = file("one.key");
  EXPECT_THROW(HttpClient(server_->url(), no_pem), base::Error);
}

TEST_F(TlsTest, PlainHttpIsToldInWords) {
  make_certificate("one");
  HttpServer& server = start(options("one"));
  tests::RawSocket plain(server.port());
  plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string answer = plain.read_all();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400");
  EXPECT_NE(answer.find("this port speaks HTTPS"), std::string::npos);
  // Half a handshake, none at all, and rubbish in one end the connection and nothing else.
  tests::RawSocket half(server.port());
  half.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8));
  EXPECT_EQ(half.read_all(), "");
  tests::RawSocket silent(server.port());
  EXPECT_EQ(silent.read_all(), "");
  tests::RawSocket rubbish(server.port());
  rubbish.send("\x16" + std::string(2000, 'r'));
  rubbish.read_all();
  EXPECT_EQ(client("one").get("/stream").status, 200);
}

TEST_F(TlsTest, ACertificateIsReplacedWhileConnectionsStayOpen) {
  make_certificate("one");
  make_certificate("two");
  std::filesystem::copy_file(file("one.pem"), file("live.pem"));
  std::filesystem::copy_file(file("one.key"), file("live.key"));
  HttpServer& server = start(options("live"));
  HttpClient before = client("one");
  EXPECT_EQ(before.get("/stream").status, 200);
  base::write_file_atomic(file("live.pem"), base::read_file(file("two.pem")));
  EXPECT_THROW(server.reload_tls(), base::Error);  // the key is the old one's: what was there stays
  EXPECT_EQ(client("one").get("/stream").status, 200);
  base::write_file_atomic(file("live.key"), base::read_file(file("two.key")));
  server.reload_tls();
  EXPECT_EQ(client("two").get("/stream").status, 200);
  EXPECT_EQ(before.get("/stream").status, 200);
  EXPECT_THROW(client("one").get("/stream"), NoAnswer);
}

TEST_F(TlsTest, SpeaksTls12AndNewerAndHttp11ByAlpn) {
  make_certificate("one");
  HttpServer& server = start(options("one"));
  const auto handshake = [&](const std::string& flags) {
    const std::string out = file("out");
    const std::string command = fmt::format("openssl s_client -connect 127.0.0.1:{} -CAfile {} {} >{} 2>&1 </dev/null",
                                            server.port(), file("one.pem"), flags, out);
    const bool good = std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe): only this one
    return std::pair{good, base::read_file(out)};
  };
  const auto [tls12, text12] = handshake("-tls1_2 -alpn h2,http/1.1 -verify_return_error");
  EXPECT_TRUE(tls12) << text12;
  EXPECT_NE(text12.find("ALPN protocol: http/1.1"), std::string::npos) << text12;
  EXPECT_TRUE(handshake("-tls1_3 -verify_return_error").first);
  EXPECT_FALSE(handshake("-tls1_1 -cipher DEFAULT@SECLEVEL=0").first);
}

TEST_F(TlsTest, ABrokenCertificateIsSaidAtTheStart) {
  make_certificate("one");
  make_certificate("two");
  const auto message = [&](const std::string& cert, const std::string& key) {
    ServerOptions broken;
    broken.tls_cert = cert.empty() ? "" : file(cert);
    broken.tls_key = key.empty() ? "" : file(key);
    try {
      start(broken);
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
    return std::string("started");
  };
  EXPECT_NE(message("one.pem", "").find("needs both"), std::string::npos);
  EXPECT_NE(message("none.pem", "one.key").find("there is no certificate"), std::string::npos);
  EXPECT_NE(message("one.key", "one.key").find("is not a certificate in PEM form"), std::string::npos);
  EXPECT_NE(message("one.pem", "two.key").find("is not the private key of"), std::string::npos);
}

}  // namespace
}  // namespace slipway::net
