#include "api/credentials.h"

#include <algorithm>

#include "base/base64.h"
#include "record/accounts.h"

namespace slipway::api {
namespace {

constexpr size_t kMaxAuthorization = 4096;
constexpr size_t kMaxCookies = 8192;

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// RFC 7617.
Credentials basic(std::string_view encoded) {
  const auto pair = base::base64_decode(encoded);
  const size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos || pair->find('\0') != std::string::npos) {
    return {Credentials::Kind::kBroken, {}, {}};
  }
  Credentials credentials{Credentials::Kind::kPassword, pair->substr(0, colon), pair->substr(colon + 1)};
  if (record::is_token(credentials.secret)) {
    credentials.kind = Credentials::Kind::kToken;
  }
  return credentials;
}

Credentials authorization(std::string_view value) {
  const size_t space = value.find(' ');
  const std::string_view scheme = value.substr(0, space);
  const std::string_view rest = space == std::string_view::npos ? "" : trim(value.substr(space));
  if (value.size() <= kMaxAuthorization && net::equal_ignoring_case(scheme, "Bearer") && record::is_token(rest)) {
    return {Credentials::Kind::kToken, {}, std::string(rest)};
  }
  if (value.size() <= kMaxAuthorization && net::equal_ignoring_case(scheme, "Bearer") &&
      rest.starts_with(kTicketStart)) {
    return {Credentials::Kind::kTicket, {}, std::string(rest)};
  }
  if (value.size() <= kMaxAuthorization && net::equal_ignoring_case(scheme, "Basic")) {
    return basic(rest);
  }
  return {Credentials::Kind::kBroken, {}, {}};
}

}  // namespace

std::string_view cookie_value(std::string_view header, std::string_view name) noexcept {
  if (header.size() > kMaxCookies) {
    return {};
  }
  while (!header.empty()) {
    const size_t end = std::min(header.find(';'), header.size());
    const std::string_view pair = trim(header.substr(0, end));
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return pair.substr(equals + 1);
    }
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  return {};
}

Credentials credentials_of(const net::Request& request) {
  if (const std::string_view value = request.headers.get("Authorization"); !value.empty()) {
    return authorization(value);
  }
  if (const std::string_view ticket = request.query_value(kTicketParameter);
      ticket.starts_with(kTicketStart) && ticket.size() <= kMaxAuthorization) {
    return {Credentials::Kind::kTicket, {}, std::string(ticket)};
  }
  const std::string_view cookie = cookie_value(request.headers.get("Cookie"), kSessionCookie);
  if (cookie.empty()) {
    return {};
  }
  if (!record::is_token(cookie)) {
    return {Credentials::Kind::kBroken, {}, {}};
  }
  return {Credentials::Kind::kSession, {}, std::string(cookie)};
}

}  // namespace slipway::api
