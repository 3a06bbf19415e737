// What an HTTP exchange carries: plain values without a line of network code. Header names compare without case; a path
// is already split from its query and percent-decoded by segment. Values; one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace slipway::net {

using base::Json;

// Headers in the order they came.
class Headers {
 public:
  using Entry = std::pair<std::string, std::string>;
  Headers() = default;
  Headers(std::initializer_list<Entry> entries) : entries_(entries) {}

  void add(std::string name, std::string value) { entries_.emplace_back(std::move(name), std::move(value)); }
  // Replaces every header of that name.
  void set(std::string_view name, std::string value);
  // The first value, or "" when absent.
  std::string_view get(std::string_view name) const noexcept;
  bool has(std::string_view name) const noexcept;
  size_t size() const noexcept { return entries_.size(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

 private:
  std::vector<Entry> entries_;
};

// Takes a body that is too large for memory, as it arrives. On the network thread: a piece (64 KiB at most) must be
// done with in a millisecond. Must not throw: what fails is kept for the handler.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void write(std::string_view bytes) noexcept = 0;
};

// Who sent a request, as far as the server's gate (gate.h) found out: a room derives from it what it knows of a client.
struct Identity {
  Identity() = default;
  virtual ~Identity() = default;
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
};

struct Request {
  std::string method;  // "GET"
  std::string path;    // as sent, without the query: "/v2/models/a%20b"
  std::string route;   // the pattern that matched: "/v2/models/{model}"; bounded, so fit for a metric's label
  std::vector<std::pair<std::string, std::string>> query;   // decoded
  std::vector<std::pair<std::string, std::string>> params;  // the {names} of the pattern, decoded
  Headers headers;
  std::string body;                     // after Content-Encoding was undone; empty when the route has a sink
  std::shared_ptr<BodySink> sink = {};  // what took the body, on a route with one; it has all of it
  std::string peer;                     // "127.0.0.1"
  bool from_loopback = false;
  std::string id;  // x-request-id: the client's when it is sane, else 32 random hex digits
  std::shared_ptr<const Identity> identity = {};  // null: the gate does not tell

  std::string_view param(std::string_view name) const noexcept;        // "" when absent
  std::string_view query_value(std::string_view name) const noexcept;  // "" when absent
};

// A part of a file, sent in place of Response::body without being read into memory. The file must stay as it is.
struct FileBody {
  std::filesystem::path path;
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::optional<FileBody> file = {};
};

// 200 (or `status`) with application/json.
Response json_response(const Json& body, int status = 200);
Response text_response(std::string body, int status = 200);
// {"error": message}, the form of the Open Inference Protocol.
Response error_response(int status, std::string_view message);
// The same for an exception: kInvalid 400, kNotAllowed 403, kNotFound 404, kConflict 409, kGate 422, kUnavailable 503,
// anything else 500 with a message that does not leak what is inside.
Response error_response(const std::exception& error);
int status_of(base::Code code) noexcept;
// 429 with Retry-After in whole seconds, at least 1.
Response too_many_requests(std::string_view message, int retry_after_seconds);

const char* reason_phrase(int status) noexcept;  // "Not Found"; "Status" for numbers without a name

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
// The quality of `token` in a comma-separated header value such as Accept: its q, 1 without one, 0 when it is not
// there.
double header_quality(std::string_view value, std::string_view token) noexcept;
// Is `token` an element of the comma-separated header value, with a quality above 0?
bool header_lists(std::string_view value, std::string_view token) noexcept;

// Undoes %XX ('+' stays unless `plus_is_space`). False when an escape is broken or gives a NUL byte.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);
// Keeps RFC 3986 unreserved characters, escapes the rest.
std::string percent_encode(std::string_view text);
// "a=1&b=x%20y"; false when an escape is broken.
bool parse_query(std::string_view text, std::vector<std::pair<std::string, std::string>>& out);

// RFC 9110: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(int64_t unix_seconds);

// 32 random hex digits, from a generator a thread seeded by the operating system.
std::string new_request_id();
// The client's own x-request-id when it is sane (1 to 128 of A-Z a-z 0-9 - _ . :), else a new one.
std::string request_id_of(const Headers& headers);

}  // namespace slipway::net
