// The server's path from bytes to requests without a socket: for tests and the fuzzer. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "net/server.h"

namespace slipway::net {

struct ParsedRequest {
  int status = 200;  // or that of the refusal
  std::string message;
  Request request;
};

// What the server would make of these bytes on one connection: pipelined requests until the first refusal that closes
// it. A request whose end is missing is left out.
std::vector<ParsedRequest> parse_requests(std::string_view bytes, const ServerOptions& options);

}  // namespace slipway::net
