#include "net/http.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <fmt/format.h>
#include <random>

#include "base/random.h"

namespace slipway::net {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

std::string_view find_in(const std::vector<std::pair<std::string, std::string>>& pairs,
                         std::string_view name) noexcept {
  for (const auto& [key, value] : pairs) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::set(std::string_view name, std::string value) {
  std::erase_if(entries_, [&](const Entry& entry) { return equal_ignoring_case(entry.first, name); });
  entries_.emplace_back(std::string(name), std::move(value));
}

std::string_view Headers::get(std::string_view name) const noexcept {
  for (const auto& [key, value] : entries_) {
    if (equal_ignoring_case(key, name)) {
      return value;
    }
  }
  return {};
}

bool Headers::has(std::string_view name) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return equal_ignoring_case(entry.first, name); });
}

std::string_view Request::param(std::string_view name) const noexcept { return find_in(params, name); }
std::string_view Request::query_value(std::string_view name) const noexcept { return find_in(query, name); }

Response json_response(const Json& body, int status) {
  return {status, {{"Content-Type", "application/json"}}, base::dump_json(body)};
}

Response text_response(std::string body, int status) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

Response error_response(int status, std::string_view message) {
  return json_response(Json{{"error", std::string(message)}}, status);
}

int status_of(base::Code code) noexcept {
  switch (code) {
    case base::Code::kInvalid: return 400;
    case base::Code::kNotAllowed: return 403;
    case base::Code::kNotFound: return 404;
    case base::Code::kConflict: return 409;
    case base::Code::kGate: return 422;
    case base::Code::kUnavailable:
    case base::Code::kInterrupted: return 503;
    case base::Code::kFailure:
    case base::Code::kIntegrity: return 500;
  }
  return 500;
}

Response error_response(const std::exception& error) {
  const auto* known = dynamic_cast<const base::Error*>(&error);
  if (known == nullptr) {
    return error_response(500, "the server failed on this request; its log says why");
  }
  return error_response(status_of(known->code()), known->what());
}

Response too_many_requests(std::string_view message, int retry_after_seconds) {
  Response response = error_response(429, message);
  response.headers.set("Retry-After", std::to_string(std::max(1, retry_after_seconds)));
  return response;
}

std::string http_date(int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[static_cast<size_t>(parts.tm_wday)], parts.tm_mday,
                     kMonths[static_cast<size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

const char* reason_phrase(int status) noexcept {
  static constexpr std::array<std::pair<int, const char*>, 28> kReasons = {{
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {424, "Failed Dependency"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  }};
  for (const auto& [code, text] : kReasons) {
    if (code == status) {
      return text;
    }
  }
  return "Status";
}

double header_quality(std::string_view value, std::string_view token) noexcept {
  while (!value.empty()) {
    const size_t comma = value.find(',');
    std::string_view item = value.substr(0, comma);
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    const size_t semicolon = item.find(';');
    if (!equal_ignoring_case(trim(item.substr(0, semicolon)), token)) {
      continue;
    }
    std::string_view parameters = semicolon == std::string_view::npos ? "" : item.substr(semicolon);
    while (!parameters.empty()) {
      parameters.remove_prefix(1);
      const size_t end = std::min(parameters.find(';'), parameters.size());
      const std::string_view one = trim(parameters.substr(0, end));
      parameters.remove_prefix(end);
      if (one.size() > 2 && lower(one[0]) == 'q' && one[1] == '=') {
        double quality = 0;  // what is no number counts as "not wanted"
        std::from_chars(one.data() + 2, one.data() + one.size(), quality);
        return std::isfinite(quality) ? std::clamp(quality, 0.0, 1.0) : 0;
      }
    }
    return 1;
  }
  return 0;
}

bool header_lists(std::string_view value, std::string_view token) noexcept { return header_quality(value, token) > 0; }

bool percent_decode(std::string_view text, bool plus_is_space, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0 || (high == 0 && low == 0)) {
        return false;
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return true;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const char l = lower(c);
    if ((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

bool parse_query(std::string_view text, std::vector<std::pair<std::string, std::string>>& out) {
  out.clear();
  while (!text.empty()) {
    const size_t end = text.find('&');
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (item.empty()) {
      continue;
    }
    const size_t equals = item.find('=');
    auto& [key, value] = out.emplace_back();
    if (!percent_decode(item.substr(0, equals), true, key) ||
        (equals != std::string_view::npos && !percent_decode(item.substr(equals + 1), true, value))) {
      return false;
    }
  }
  return true;
}

std::string new_request_id() {
  thread_local base::Rng rng = [] {
    std::random_device device;
    return base::Rng((uint64_t{device()} << 32) | device());
  }();
  return fmt::format("{:016x}{:016x}", rng.next(), rng.next());
}

std::string request_id_of(const Headers& headers) {
  constexpr size_t kMaxRequestId = 128;
  const std::string_view id = headers.get("x-request-id");
  const bool sane = !id.empty() && id.size() <= kMaxRequestId && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  });
  return sane ? std::string(id) : new_request_id();
}

}  // namespace slipway::net
