// Requests that this server makes at the wish of its users (webhooks, models that suggest): how an address is taken apart, and which
// machines may be asked. Pure; any thread.
#pragma once

#include <string>

#include "net/client.h"

namespace slipway::api {

// "https://host:8443/path?query" as what the client takes.
struct OutgoingAddress {
  std::string server;  // "https://host:8443"
  std::string host;
  std::string target = "/";
};
// `url` has a scheme and an authority.
OutgoingAddress outgoing_address(const std::string& url);

// Only addresses of the Internet are connected to, unless others are allowed.
void keep_public(net::ClientOptions& options, bool allow_private);

}  // namespace slipway::api
