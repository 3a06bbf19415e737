// What is decided about a request before its handler is asked and before its body is taken: whether it may pass, who sent
// it, and for whom it counts. Values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http.h"

namespace slipway::net {

struct Admission {
  std::optional<Response> refusal;  // sent in place of the handler's answer
  std::string client;           // whom it counts for: Responder::client(), Finished::client; "" nobody in particular
  Headers headers;              // set in the answer, whichever it is
  std::shared_ptr<void> lease;  // released when the exchange has ended, its last byte sent or its client gone
  std::shared_ptr<const Identity> identity = {};  // becomes Request::identity
  // Set when deciding takes long (a password, the store): all else is empty then. Called once, on the network thread;
  // it calls `done` once, from any thread, with the decision, of which `later` is empty. HTTP only.
  std::function<void(std::function<void(Admission)> done)> later = {};
};

// Asked on the connection's network thread, once the head of a request is there and the route is known (request.route,
// "" for none); the body is not: request.body is empty and there is no sink. It must not block: see `later`.
using Gate = std::function<Admission(const Request&)>;

}  // namespace slipway::net
