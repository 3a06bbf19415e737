#include "net/wire.h"

#include <boost/beast/http/error.hpp>
#include <ctime>
#include <fmt/format.h>

#include "net/encoding.h"

namespace slipway::net::wire {

namespace http = boost::beast::http;

namespace {

constexpr size_t kMaxTarget = size_t{32} << 10;     // bytes of path and query: clients name up to a thousand runs there
constexpr size_t kMinCompressed = size_t{1} << 10;  // below it, headers outweigh the gain
constexpr size_t kMaxCompressed = size_t{1} << 20;  // above it, compressing would hold the event loop for > 10 ms

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// Made once a second and thread.
const std::string& date_now() {
  thread_local std::time_t made = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != made) {
    text = http_date(now);
    made = now;
  }
  return text;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) {
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
  }
  out += "\r\n";
}

}  // namespace

void configure(Parser& parser, const ServerOptions& options) {
  parser.header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
  parser.body_limit(static_cast<std::uint64_t>(options.max_body_bytes));
}

Refusal refusal_of(const boost::system::error_code& error, const ServerOptions& options) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return {431, fmt::format("request line and headers are larger than {} bytes", options.max_header_bytes)};
  }
  if (error == http::error::body_limit) {
    return {413, fmt::format("the body is larger than {} bytes", options.max_body_bytes)};
  }
  return {400, "not an HTTP/1.1 request: " + error.message()};
}

std::optional<Refusal> check_head(const Parser& parser, const ServerOptions& options) {
  const auto& message = parser.get();
  if (message.version() != 10 && message.version() != 11) {
    return Refusal{400, "the server speaks HTTP/1.1 and HTTP/1.0"};
  }
  if (message.target().size() > kMaxTarget) {
    return Refusal{414, fmt::format("the address is longer than {} bytes", kMaxTarget)};
  }
  if (std::distance(message.begin(), message.end()) > options.max_headers) {
    return Refusal{431, fmt::format("the request has more than {} headers", options.max_headers)};
  }
  if (message.version() == 11 && message.count(http::field::host) != 1) {
    return Refusal{400, "an HTTP/1.1 request needs exactly one Host header"};
  }
  // Both lengths at once are how requests are smuggled past a proxy (RFC 9112, 6.1).
  if (message.count(http::field::transfer_encoding) != 0 && message.count(http::field::content_length) != 0) {
    return Refusal{400, "Content-Length and Transfer-Encoding exclude each other"};
  }
  if (message.count(http::field::transfer_encoding) != 0 && !message.chunked()) {
    return Refusal{501, "the only Transfer-Encoding is chunked"};
  }
  const std::string_view expect = view(message[http::field::expect]);
  if (!expect.empty() && !equal_ignoring_case(expect, "100-continue")) {
    return Refusal{417, "the only Expect is 100-continue"};
  }
  return std::nullopt;
}

std::optional<Refusal> to_head(const Head& message, Request& out) {
  out.method = view(message.method_string());
  std::string_view target = view(message.target());
  if (const size_t scheme = target.find("://"); scheme != std::string_view::npos && target.front() != '/') {
    // The absolute form that proxies send (RFC 9112, 3.2.2).
    const size_t path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  target = target.substr(0, target.find('#'));
  const size_t question = target.find('?');
  out.path = target.substr(0, question);
  if (question != std::string_view::npos && !parse_query(target.substr(question + 1), out.query)) {
    return Refusal{400, "the query has a broken %-escape", false};
  }
  for (const auto& field : message) {
    out.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
  }
  out.id = request_id_of(out.headers);
  return std::nullopt;
}

std::optional<Refusal> to_request(Parser& parser, const ServerOptions& options, Request& out) {
  auto refusal = to_head(parser.get(), out);
  return refusal ? refusal : to_body(parser, options, out);
}

std::optional<Refusal> to_body(Parser& parser, const ServerOptions& options, Request& out) {
  auto& message = parser.get();
  const std::string_view encoding = out.headers.get("Content-Encoding");
  if (encoding.empty() || equal_ignoring_case(encoding, "identity")) {
    out.body = std::move(message.body());
    return std::nullopt;
  }
  const auto max_bytes = static_cast<size_t>(options.max_body_bytes);
  switch (decode_body(encoding, message.body(), max_bytes, out.body)) {
    case Decode::kOk: return std::nullopt;
    case Decode::kUnknown: return Refusal{415, "Content-Encoding must be gzip, deflate or identity", false};
    case Decode::kDamaged:
      return Refusal{400, fmt::format("the body is not valid {}", encoding == "deflate" ? "deflate" : "gzip"), false};
    case Decode::kTooLarge: break;
  }
  return Refusal{413, fmt::format("the decompressed body is larger than {} bytes", max_bytes), false};
}

std::string render_head(const Response& response, const HeadOptions& options) {
  std::string out;
  out.reserve(256);
  out += fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  for (const auto& [name, value] : response.headers) {
    if (!equal_ignoring_case(name, "Connection") && !equal_ignoring_case(name, "Content-Length") &&
        !equal_ignoring_case(name, "Transfer-Encoding")) {
      append_header(out, name, value);
    }
  }
  append_header(out, "Date", date_now());
  append_header(out, "Server", "slipway");
  append_header(out, "X-Content-Type-Options", "nosniff");
  if (!options.request_id.empty()) {
    append_header(out, "x-request-id", options.request_id);
  }
  if (options.chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (response.status != 204 && response.status != 304) {
    out += fmt::format("Content-Length: {}\r\n", response.file ? response.file->size : response.body.size());
  }
  if (!options.keep_alive) {
    out += "Connection: close\r\n";
  } else if (options.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

void compress(Response& response, std::string_view accept) {
  if (accept.empty() || response.body.size() < kMinCompressed || response.body.size() > kMaxCompressed ||
      response.headers.has("Content-Encoding")) {
    return;
  }
  const std::string_view encoding = choose_encoding(accept);
  if (!encoding.empty()) {
    response.body = encode_body(encoding, response.body);
    response.headers.set("Content-Encoding", std::string(encoding));
    response.headers.set("Vary", "Accept-Encoding");
  }
}

}  // namespace slipway::net::wire
