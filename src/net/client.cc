#include "net/client.h"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "net/encoding.h"
#include "net/tls.h"

namespace slipway::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::uint32_t kMaxHeader = 1 << 20;  // bytes of an answer's headers
constexpr size_t kPiece = size_t{256} << 10;   // of a body that is streamed

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct HttpClient::Impl {
  std::string host;
  std::string port;
  std::string authority;  // as the header Host has it: without a port that goes without saying
  std::string url;
  std::string peer;  // the address of the last connection
  ClientOptions options;
  asio::io_context io{1};
  std::optional<beast::tcp_stream> stream;
  std::shared_ptr<asio::ssl::context> tls_context;                  // null: http
  std::optional<asio::ssl::stream<beast::tcp_stream&>> tls_stream;  // over `stream`
  beast::flat_buffer buffer;

  void drop() {
    tls_stream.reset();
    stream.reset();
  }

  // Runs what was started until it is done; every operation has a deadline, so this ends.
  void run() {
    io.restart();
    io.run();
  }

  [[noreturn]] void fail(const char* what, const error_code& error, bool sent) {
    drop();
    throw NoAnswer(fmt::format("{} {}: {}", what, url, error == beast::error::timeout ? "timed out" : error.message()),
                   sent);
  }

  // `sent`: the request went out on an earlier connection.
  void connect(bool sent) {
    error_code error;
    tcp::resolver resolver(io);
    std::vector<tcp::endpoint> endpoints;
    for (const auto& found : resolver.resolve(host, port, error)) {
      if (!options.admit || options.admit(found.endpoint().address().to_string())) {
        endpoints.push_back(found.endpoint());
      }
    }
    if (error) {
      fail("cannot find", error, sent);
    }
    if (endpoints.empty()) {
      throw base::Error(base::Code::kNotAllowed, fmt::format("{} has no address that may be connected to", url));
    }
    stream.emplace(io);
    buffer.clear();
    stream->expires_after(options.connect_timeout);
    stream->async_connect(endpoints, [&](const error_code& result, const tcp::endpoint&) { error = result; });
    run();
    if (error) {
      fail("cannot connect to", error, sent);
    }
    stream->socket().set_option(tcp::no_delay(true), error);
    const tcp::endpoint other = stream->socket().remote_endpoint(error);
    peer = error ? std::string{} : other.address().to_string();
    if (tls_context) {
      begin_tls(sent);
    }
  }

  // The handshake, which checks that the certificate is good and names the host.
  void begin_tls(bool sent) {
    error_code error;
    tls_stream.emplace(*stream, *tls_context);
    tls_stream->set_verify_callback(asio::ssl::host_name_verification(host));
    asio::ip::make_address(host, error);
    if (error) {  // a name, not an address: what a server of many names chooses its certificate by (RFC 6066, 3)
      SSL_set_tlsext_host_name(tls_stream->native_handle(), host.c_str());
    }
    error = {};
    stream->expires_after(options.connect_timeout);
    tls_stream->async_handshake(asio::ssl::stream_base::client, [&](const error_code& result) { error = result; });
    run();
    if (error) {
      const long verdict = SSL_get_verify_result(tls_stream->native_handle());
      if (verdict != X509_V_OK) {
        drop();
        throw NoAnswer(
            fmt::format("the certificate of {} is not trusted: {}", url, X509_verify_cert_error_string(verdict)), sent);
      }
      fail("no TLS with", error, sent);
    }
  }

  template <class Use>
  void with_stream(Use use) {
    if (tls_stream) {
      use(*tls_stream);
    } else {
      use(*stream);
    }
    run();
  }

  // The answer; `error` and `began` (some bytes of it came) tell why there is none.
  std::optional<Response> exchange(const std::string& head, std::string_view body, bool head_only, error_code& error,
                                   bool& began) {
    stream->expires_after(options.timeout);
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(head), asio::buffer(body.data(), body.size())};
    error_code write_error;
    with_stream([&](auto& way) {
      asio::async_write(way, parts, [&](const error_code& result, size_t) { write_error = result; });
    });
    if (write_error == beast::error::timeout) {
      error = write_error;
      return std::nullopt;
    }
    // A failed write is no reason not to read: the server may have refused the body in words.
    return read_answer(head_only, error, began);
  }

  std::optional<Response> read_answer(bool head_only, error_code& error, bool& began) {
    std::optional<http::response_parser<http::string_body>> parser;
    do {  // 100 Continue and the like are not the answer
      parser.emplace();
      parser->body_limit(static_cast<std::uint64_t>(options.max_body_bytes));
      parser->header_limit(kMaxHeader);
      parser->skip(head_only);
      with_stream([&](auto& way) {
        http::async_read(way, buffer, *parser, [&](const error_code& result, size_t) { error = result; });
      });
    } while (!error && parser->get().result_int() / 100 == 1);
    began = parser->got_some();
    if (error) {
      return std::nullopt;
    }
    Response response = head_of(parser->get());
    response.body = std::move(parser->get().body());
    if (!parser->get().keep_alive()) {
      drop();
    }
    return response;
  }

  template <class Message>
  static Response head_of(const Message& message) {
    Response response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
      response.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
    }
    return response;
  }

  std::string head_of(const std::string& method, const std::string& target, uint64_t body_size, const Headers& headers) const {
    std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", method, target, authority);
    for (const auto& [name, value] : headers) {
      head += fmt::format("{}: {}\r\n", name, value);
    }
    if (body_size > 0 || method == "POST" || method == "PUT" || method == "PATCH") {
      head += fmt::format("Content-Length: {}\r\n", body_size);
    }
    return head + "\r\n";
  }

  // Runs `exchange`; once more when a kept connection turns out to be closed.
  template <class Exchange>
  Response attempt(const Exchange& exchange) {
    const bool kept = stream.has_value();
    for (const bool reused : {true, false}) {
      if (reused && !kept) {
        continue;
      }
      if (!reused) {
        connect(kept);
      }
      error_code error;
      bool began = false;
      try {
        if (auto response = exchange(error, began)) {
          return std::move(*response);
        }
      } catch (...) {
        drop();  // some of the answer may still come
        throw;
      }
      drop();
      // A kept connection that ended before the first byte of an answer: the server had closed it meanwhile.
      if (!reused || began || error == beast::error::timeout) {
        fail("no answer from", error, true);
      }
    }
    throw std::logic_error("unreachable");
  }

  error_code write(std::string_view bytes) {
    error_code error;
    stream->expires_after(options.timeout);
    with_stream([&](auto& way) {
      asio::async_write(way, asio::buffer(bytes.data(), bytes.size()), [&](const error_code& result, size_t) { error = result; });
    });
    return error;
  }

  std::optional<Response> stream_up(const std::string& head, std::string_view body,
                                    const std::function<void(uint64_t)>& sent, error_code& error, bool& began) {
    error_code write_error = write(head);
    uint64_t done = 0;
    while (!write_error && done < body.size()) {
      const std::string_view piece = body.substr(done, kPiece);
      write_error = write(piece);
      done += piece.size();
      if (!write_error && sent) {
        sent(done);
      }
    }
    if (write_error == beast::error::timeout) {
      error = write_error;
      return std::nullopt;
    }
    stream->expires_after(options.timeout);
    return read_answer(false, error, began);
  }

  std::optional<Response> stream_down(const std::string& head, const std::function<void(const Response&)>& begin,
                                      const std::function<void(std::string_view)>& take, error_code& error, bool& began) {
    if (error = write(head); error) {
      return std::nullopt;
    }
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    parser.header_limit(kMaxHeader);
    with_stream([&](auto& way) {
      http::async_read_header(way, buffer, parser, [&](const error_code& result, size_t) { error = result; });
    });
    began = parser.got_some();
    if (error) {
      return std::nullopt;
    }
    Response response = head_of(parser.get());
    const bool good = response.status / 100 == 2;
    if (good) {
      begin(response);
    }
    std::string piece(kPiece, '\0');
    stream->expires_after(options.timeout);
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      if (good) {
        stream->expires_after(options.timeout);
      }
      with_stream([&](auto& way) {
        http::async_read_some(way, buffer, parser, [&](const error_code& result, size_t) { error = result; });
      });
      if (error == http::error::need_buffer) {
        error = {};
      }
      const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
      if (good) {
        take(got);
      } else if (response.body.size() + got.size() <= options.max_body_bytes) {
        response.body += got;
      } else {
        drop();  // words enough
        return response;
      }
      if (error) {
        return std::nullopt;
      }
    }
    if (!parser.get().keep_alive()) {
      drop();
    }
    return response;
  }
};

HttpClient::HttpClient(const std::string& url, ClientOptions options) : impl_(std::make_unique<Impl>()) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kTls = "https://";
  const auto refuse = [&] {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' is not an address of the form http://HOST:PORT or https://HOST:PORT", url));
  };
  const bool tls = url.starts_with(kTls);
  if (!tls && !url.starts_with(kPlain)) {
    refuse();
  }
  std::string_view rest = std::string_view(url).substr(tls ? kTls.size() : kPlain.size());
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  const size_t bracket = rest.rfind(']');
  const size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? (tls ? "443" : "80") : rest.substr(colon + 1);
  int number = 0;
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || rest.find('/') != std::string_view::npos || problem != std::errc() ||
      end != port.data() + port.size() || number < 1 || number > 65'535) {
    refuse();
  }
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  impl_->host = host;
  impl_->port = port;
  impl_->authority = rest.substr(0, port == (tls ? "443" : "80") ? colon : std::string_view::npos);
  impl_->url = url;
  if (tls) {
    impl_->tls_context = tls_client_context(options.ca_file);
  }
  impl_->options = std::move(options);
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Response HttpClient::request(const std::string& method, const std::string& target, std::string_view body,
                             const Headers& headers) {
  const std::string head = impl_->head_of(method, target, body.size(), headers);
  return impl_->attempt([&](error_code& error, bool& began) {
    return impl_->exchange(head, body, method == "HEAD", error, began);
  });
}

Response HttpClient::fetch(const std::string& target, const Headers& headers,
                           const std::function<void(const Response&)>& begin,
                           const std::function<void(std::string_view)>& take) {
  const std::string head = impl_->head_of("GET", target, 0, headers);
  return impl_->attempt([&](error_code& error, bool& began) { return impl_->stream_down(head, begin, take, error, began); });
}

Response HttpClient::send_file(const std::string& method, const std::string& target, const FileBody& body,
                               const Headers& headers, const std::function<void(uint64_t)>& sent) {
  const base::MappedFile file(body.path);
  if (body.offset > file.bytes().size() || body.size > file.bytes().size() - body.offset) {
    throw base::Error(base::Code::kInvalid, fmt::format("'{}' is shorter than it was", body.path.string()));
  }
  const std::string head = impl_->head_of(method, target, body.size, headers);
  return impl_->attempt([&](error_code& error, bool& began) {
    return impl_->stream_up(head, file.bytes().substr(body.offset, body.size), sent, error, began);
  });
}

Response HttpClient::post_json(const std::string& target, const Json& body, Headers headers) {
  headers.set("Content-Type", "application/json");
  return request("POST", target, base::dump_json(body), headers);
}

const std::string& HttpClient::peer() const noexcept { return impl_->peer; }

void HttpClient::close() { impl_->drop(); }

}  // namespace slipway::net
