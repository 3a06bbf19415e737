#include "collect/fetch.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fmt/format.h>

#include "net/address.h"

namespace slipway::collect {
namespace {

constexpr size_t kIdleConnections = 128;

// What ends a body before its end.
struct Cut {
  const char* why;
};
struct Unwanted {};

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

}  // namespace

std::string media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const size_t begin = std::min(content_type.find_first_not_of(" \t"), content_type.size());
  return lowered(content_type.substr(begin, content_type.find_last_not_of(" \t") + 1 - begin));
}

double retry_after(std::string_view value, double now) {
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc() && end == value.data() + value.size()) {
    return seconds < 0 ? -1 : static_cast<double>(seconds);
  }
  std::tm date{};
  const std::string text(value);
  if (strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr) {
    return -1;
  }
  return std::max(0.0, static_cast<double>(timegm(&date)) - now);
}

std::string Fetched::response() const {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, net::reason_phrase(status));
  bool length = false;
  for (const auto& [name, value] : headers) {
    const bool coding = net::equal_ignoring_case(name, "Transfer-Encoding");
    const bool size = net::equal_ignoring_case(name, "Content-Length");
    const bool lies = coding || (size && value != std::to_string(body.size()));
    length = length || (size && !lies);
    head += fmt::format("{}{}: {}\r\n", lies ? "X-Crawler-" : "", name, value);
  }
  if (!length) {
    head += fmt::format("Content-Length: {}\r\n", body.size());
  }
  return head + "\r\n" + body;
}

std::unique_ptr<net::HttpClient> Fetcher::take(const std::string& origin) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = std::find_if(idle_.begin(), idle_.end(), [&](const auto& one) { return one.first == origin; });
    if (it != idle_.end()) {
      std::unique_ptr<net::HttpClient> client = std::move(it->second);
      idle_.erase(it);
      return client;
    }
  }
  net::ClientOptions options;
  options.connect_timeout = std::chrono::seconds(10);
  options.timeout = options_.piece_timeout;
  options.max_body_bytes = size_t{64} << 10;  // of answers that are no success
  options.ca_file = options_.ca_file;
  if (!options_.allow_private) {
    options.admit = [](const std::string& address) { return net::is_public_address(address); };
  }
  return std::make_unique<net::HttpClient>(origin, std::move(options));
}

void Fetcher::give(const std::string& origin, std::unique_ptr<net::HttpClient> client) {
  const std::lock_guard lock(mutex_);
  idle_.emplace_front(origin, std::move(client));
  if (idle_.size() > kIdleConnections) {
    idle_.pop_back();
  }
}

Fetched Fetcher::get(const Url& url, const net::Headers& more, const std::function<bool(std::string_view type)>& wanted) {
  net::Headers headers{{"User-Agent", options_.user_agent},
                       {"Accept", "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.1"},
                       {"Accept-Encoding", "gzip, deflate"}};
  for (const auto& [name, value] : more) {
    headers.add(name, value);
  }
  Fetched out;
  out.request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n", url.target(), url.authority());
  for (const auto& [name, value] : headers) {
    out.request += fmt::format("{}: {}\r\n", name, value);
  }
  out.request += "\r\n";
  const auto deadline = std::chrono::steady_clock::now() + options_.page_timeout;
  try {
    std::unique_ptr<net::HttpClient> client = take(url.origin());
    net::Response head;
    try {
      const net::Response response = client->fetch(
          url.target(), headers,
          [&](const net::Response& begun) {
            head = begun;
            if (!wanted(media_type(begun.headers.get("Content-Type")))) {
              throw Unwanted{};
            }
          },
          [&](std::string_view piece) {
            const size_t room = options_.max_body_bytes - out.body.size();
            out.body += piece.substr(0, room);
            if (piece.size() > room) {
              throw Cut{"length"};
            }
            if (std::chrono::steady_clock::now() > deadline) {
              throw Cut{"time"};
            }
          });
      out.status = response.status;
      out.headers = response.headers;
      out.body += response.body;
    } catch (const Cut& cut) {
      out.cut = cut.why;
    } catch (const Unwanted&) {
      out.unwanted = true;
    }
    if (out.status == 0) {
      out.status = head.status;
      out.headers = head.headers;
    }
    out.address = client->peer();
    give(url.origin(), std::move(client));
  } catch (const base::Error& error) {
    out.status = 0;
    out.body.clear();
    out.error = error.what();
    out.is_private = error.code() == base::Code::kNotAllowed;
  }
  return out;
}

}  // namespace slipway::collect
