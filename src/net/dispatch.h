// Private to net: from a request to its handler, the same for every transport.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "net/exchange.h"
#include "net/gate.h"
#include "net/router.h"
#include "net/server.h"
#include "net/trace.h"

namespace slipway::net {

struct Dispatched {
  std::string route = {};                    // the pattern that matched; "" for none
  Admission admission = {};                  // its lease is to last as long as the exchange
  std::shared_ptr<RequestTrace> trace = {};  // null when nobody traces the request
  std::optional<TraceContext> parent = {};
  int64_t start_unix_ns = 0;
};

// Calls the handler that the router found for this request with a Responder of the exchange, unless the gate has refused
// it; the router outlives the call. What cannot be handled is answered: 404, 405, 400, the gate's refusal, or what the
// handler threw. `traced`: spans are wanted, unless the request's traceparent says that its trace is not
// recorded.
Dispatched dispatch(const Router::Match& match, Admission admission, base::Log& log, bool traced, Request request,
                    const std::shared_ptr<Exchange>& exchange);

// The exchange has ended: hands its span, if it has a trace, to the sink. Its name is "METHOD ROUTE", or
// "OPERATION MODEL" where a handler noted gen_ai.operation.name. `protocol` has the attributes that are the
// transport's.
void end_trace(const SpanSink& sink, const Dispatched& dispatched, const Finished& finished,
               std::vector<Attribute> protocol);

}  // namespace slipway::net
