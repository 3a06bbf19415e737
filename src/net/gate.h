// What is decided about a request before its handler is asked: whether it may pass, and for whom it counts. Values.
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
};

// Asked on the connection's network thread, once the route is known (request.route, "" for none): it must not block.
using Gate = std::function<Admission(const Request&)>;

}  // namespace slipway::net
