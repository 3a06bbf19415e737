// One request of a crawler and what came of it, as bytes for a web archive. Any thread; one at a time an origin.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "collect/url.h"
#include "net/client.h"

namespace slipway::collect {

struct FetchOptions {
  std::string user_agent;
  std::string ca_file;         // PEM; empty: the system's authorities
  bool allow_private = false;  // addresses that are not on the public Internet
  size_t max_body_bytes = size_t{32} << 20;
  std::chrono::seconds page_timeout{60};  // for all of a page
  std::chrono::seconds piece_timeout{20};
};

struct Fetched {
  int status = 0;         // 0: no answer, and `error` says why
  net::Headers headers;
  std::string body;       // transfer coding undone, content coding not
  std::string request;    // the head that was sent
  std::string address;    // whose
  std::string cut;        // "length" or "time": the body is not whole
  bool unwanted = false;  // its type was not wanted, and the body was not taken
  bool is_private = false;
  std::string error;

  // As a web archive keeps it: what was undone of the transfer is named X-Crawler-….
  std::string response() const;
};

class Fetcher {
 public:
  explicit Fetcher(FetchOptions options) : options_(std::move(options)) {}
  // GET. `wanted` is asked with the type of a 2xx answer ("text/html", lower case, "" when none is told). Never throws for what another
  // host does.
  Fetched get(const Url& url, const net::Headers& more, const std::function<bool(std::string_view type)>& wanted);

 private:
  std::unique_ptr<net::HttpClient> take(const std::string& origin);
  void give(const std::string& origin, std::unique_ptr<net::HttpClient> client);

  const FetchOptions options_;
  std::mutex mutex_;  // guards idle_
  std::list<std::pair<std::string, std::unique_ptr<net::HttpClient>>> idle_;  // connections that may be used again, the latest first
};

// The type of a Content-Type value: "text/html" of "Text/HTML; charset=x".
std::string media_type(std::string_view content_type);

// Seconds that a Retry-After value asks for from `now` (seconds since 1970): a number or a date (RFC 9110, 10.2.3); -1 for neither.
double retry_after(std::string_view value, double now);

}  // namespace slipway::collect
