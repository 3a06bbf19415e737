#include "api/graphql.h"
#include "api/message.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

// What the REST route of the call answers to whoever sent `request`, with that route's permission.
Json ask(const Routes::Ask& routes, const net::Request& request, const graphql::Call& call, const Json& message) {
  const net::Response response = routes(request, call.method, call.address, message);
  Json body = base::parse_json(response.body, call.address);
  if (response.status != 200) {
    throw ApiError(body.value("error_code", "INTERNAL_ERROR"), body.value("message", ""), response.status);
  }
  return body;
}

}  // namespace

void add_graphql_routes(Routes& routes) {
  const Routes::Ask others = routes.ask();
  const auto answer = [others](const net::Request& request) {
    return net::json_response(graphql::answer(body_object(request), [&](const graphql::Call& call, const Json& message) {
      return ask(others, request, call, message);
    }));
  };
  routes.add_at("POST", "/graphql", answer, filtered_by_handler());
}

}  // namespace slipway::api
