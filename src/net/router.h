// Which handler a request goes to. Patterns are "/v2/models/{model}/infer": a {name} takes exactly one segment, never
// an empty one. Literal segments win over {names}. Filled before the server starts, then only read: any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"
#include "net/responder.h"

namespace slipway::net {

// Runs on the connection's network thread: it must not block nor compute longer than a millisecond; it keeps the
// Responder and completes it later from any thread. What it throws before that becomes error_response(exception).
using Handler = std::function<void(Request, Responder)>;

class Router {
 public:
  // Throws std::logic_error (our bug) when the pattern is malformed or taken for that method.
  void add(std::string_view method, std::string_view pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;  // null: see status
    int status = 404;                  // 404, 405 or, for an undecodable path, 400
    std::string allow;                 // for 405: "GET, POST"
  };
  // Fills request.route and request.params. HEAD finds GET's handler. O(routes).
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
  };
  std::vector<Route> routes_;
};

}  // namespace slipway::net
