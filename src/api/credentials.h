// What a request shows to say who sent it: an Authorization header or the cookie of a session. Pure; any thread; for bytes
// of strangers.
#pragma once

#include <string>
#include <string_view>

#include "net/http.h"

namespace slipway::api {

constexpr const char* kSessionCookie = "slipway_session";

struct Credentials {
  enum class Kind {
    kNone,
    kBroken,    // something, but nothing that is understood
    kToken,     // Bearer, or Basic with a token in place of the password
    kPassword,  // Basic
    kSession,   // the cookie
    kTicket,    // Authority::ticket, as Bearer or as the parameter `ticket` of the address
  };
  Kind kind = Kind::kNone;
  std::string account;  // of kPassword
  std::string secret;
};

// Authorization wins over a ticket in the address, and that over the cookie: a page cannot set it without the owner's
// script.
Credentials credentials_of(const net::Request& request);

constexpr std::string_view kTicketStart = "slt_";
constexpr const char* kTicketParameter = "ticket";

// The value of a cookie in a Cookie header (RFC 6265, 4.2.1); "" without it.
std::string_view cookie_value(std::string_view header, std::string_view name) noexcept;

}  // namespace slipway::api
