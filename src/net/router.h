// Which handler a request goes to. Patterns are "/v2/models/{model}/infer": a {name} takes exactly one segment, never
// an empty one; a last {name...} takes all that follow, joined by '/', of which the first is not empty. Literal
// segments win over {names}, these over {name...}. Filled before the server starts, then only read: any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/http.h"
#include "net/responder.h"

namespace slipway::net {

// Runs on the connection's network thread: it must not block nor compute longer than a millisecond; it keeps the
// Responder and completes it later from any thread. What it throws before that becomes error_response(exception).
using Handler = std::function<void(Request, Responder)>;

// The sink for the body of a request, of which all but the body is there. On the network thread; must not throw. Null:
// the body is read and dropped, and the handler says why.
using SinkMaker = std::function<std::shared_ptr<BodySink>(const Request&)>;

class Router {
 public:
  // Throws std::logic_error (our bug) when the pattern is malformed or taken for that method.
  void add(std::string_view method, std::string_view pattern, Handler handler);

  // The same, with a sink that takes the body, of `max_bytes` at most; Content-Encoding is not undone.
  void add_upload(std::string_view method, std::string_view pattern, uint64_t max_bytes, SinkMaker sink,
                  Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // null: see status
    const SinkMaker* sink = nullptr;   // null: the body goes to Request::body
    uint64_t max_bytes = 0;            // of the sink
    int status = 404;                  // 404, 405 or, for an undecodable path, 400
    std::string allow;                 // for 405: "GET, POST"
  };
  // Fills request.route and request.params, anew. HEAD finds GET's handler. O(1) for a pattern without {names}, else
  // O(routes).
  Match find(Request& request) const;
  // The handler of exactly that pattern; null without one. O(routes).
  const Handler* handler(std::string_view method, std::string_view pattern) const noexcept;
  // Method and pattern of every route, in the order they were added.
  std::vector<std::pair<std::string, std::string>> routes() const;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;
    Handler handler;
    SinkMaker sink;
    uint64_t max_bytes = 0;
  };
  void add_route(Route route);
  std::vector<Route> routes_;
  std::unordered_map<std::string, size_t>
      literal_;  // "GET /health": patterns without {names}, which win over all others
};

}  // namespace slipway::net
