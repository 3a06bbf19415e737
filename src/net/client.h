// A small blocking HTTP/1.1 client: for the CLI, tests and health checks. Keeps its connection. One thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/http.h"

namespace slipway::net {

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{2'000};
  std::chrono::milliseconds timeout{30'000};  // for one whole exchange
  size_t max_body_bytes = size_t{256} << 20;
  std::string ca_file = {};  // https: PEM file of the authorities to trust; empty: the system's
  // Which addresses of the host may be connected to; empty: all. Asked of the very address that is then used, so that a
  // name cannot mean another one meanwhile. When none may: Error(kNotAllowed).
  std::function<bool(const std::string& address)> admit = {};
};

// There is no answer. Whether the request may be sent again without being done twice depends on sent().
class NoAnswer : public base::Error {
 public:
  NoAnswer(const std::string& message, bool sent) : Error(base::Code::kUnavailable, message), sent_(sent) {}
  // False: no byte of the request left, for there was no connection (unknown host, refused, never accepted in time).
  // True: the server may have got it and acted on it, though the connection was then reset, closed or silent.
  bool sent() const noexcept { return sent_; }

 private:
  bool sent_;
};

class HttpClient {
 public:
  // `url` is "http://HOST:PORT" or "https://HOST:PORT", whose certificate must be good and the host's; throws
  // Error(kInvalid) for another form, kNotFound for a ca_file that is not there.
  explicit HttpClient(const std::string& url, ClientOptions options = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // Sends and waits. Any status is a Response; throws NoAnswer (kUnavailable) when there is none, naming the address. A
  // kept connection that the server had closed is opened again once; when that fails, sent() is true: the first attempt
  // may have come through.
  Response request(const std::string& method, const std::string& target, std::string_view body = {},
                   const Headers& headers = {});
  Response get(const std::string& target) { return request("GET", target); }
  // GET of what may be larger than memory: `begin` gets the head of a 2xx answer, then `take` its body as it arrives (the
  // Response that is returned has none); of another answer the body is in the Response. ClientOptions::timeout is for
  // each piece of a 2xx answer, and for the whole body of another. What the two throw closes the connection and travels on; so does NoAnswer when the body ends early.
  Response fetch(const std::string& target, const Headers& headers, const std::function<void(const Response&)>& begin,
                 const std::function<void(std::string_view)>& take);
  // Sends a part of a file as the body, read as it goes; `sent` gets the bytes sent so far. The timeout is for each piece.
  // Throws as request, and base::Error when the file cannot be read.
  Response send_file(const std::string& method, const std::string& target, const FileBody& body, const Headers& headers,
                     const std::function<void(uint64_t)>& sent = {});
  Response post_json(const std::string& target, const Json& body, Headers headers = {});
  // The address that the last exchange was with, "" before the first.
  const std::string& peer() const noexcept;
  // Closes the connection; the next request opens one.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::net
