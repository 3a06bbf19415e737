// What a tracking server refuses before a handler is asked: requests that a foreign web page sends through a browser on
// this machine (by another Host, DNS rebinding; by another Origin), and addresses that are nothing.
#pragma once

#include <memory>

#include "net/gate.h"
#include "net/router.h"

namespace slipway::api {

// For net::HttpServer. `router` as it is when the server starts.
net::Gate make_guard(std::shared_ptr<const net::Router> router);

// "localhost", "127.0.0.1:5000", "[::1]:5000": a name of this machine that no DNS server can point elsewhere.
bool is_loopback_host(std::string_view host) noexcept;

}  // namespace slipway::api
