// What a tracking server refuses before a handler is asked and before a body is taken: requests that a foreign web page
// sends through a browser on this machine (by another Host, DNS rebinding; by another Origin), whoever may not call the
// route, and addresses that are nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/authority.h"
#include "net/gate.h"
#include "net/router.h"

namespace slipway::api {

struct GuardOptions {
  // Host names, without ports, that requests may be for. Empty: those of this machine while no accounts are asked for,
  // else any: there a page of another name has no credential to send.
  std::vector<std::string> allowed_hosts;
};

// For net::HttpServer. `router` and `rules` as they are when the server starts; `authority` is borrowed.
net::Gate make_guard(std::shared_ptr<const net::Router> router, std::shared_ptr<const Rules> rules, Authority& authority,
                     GuardOptions options);

// "localhost", "127.0.0.1:5000", "[::1]:5000": a name of this machine that no DNS server can point elsewhere.
bool is_loopback_host(std::string_view host) noexcept;

}  // namespace slipway::api
