// Answers GraphQL requests of the few calls that MLflow's pages make so (graphql_schema.h), from the REST calls' answers.
// Pure but for what `ask` does; any thread.
#pragma once

#include <functional>

#include "api/graphql_document.h"
#include "api/graphql_schema.h"

namespace slipway::api::graphql {

// The answer of a call to a message with names in snake case, as that call's REST route gives it. Throws what failed.
using Ask = std::function<Json(const Call& call, const Json& message)>;

// `request`: {"query", "variables", "operationName"}. {"data", "errors"}: errors are texts, null when there are none; data is
// null when the request is not sound, and a call that failed is null in it. Throws ApiError for a text that is no GraphQL.
// A request asks at most 1,000 times.
Json answer(const Json& request, const Ask& ask);

}  // namespace slipway::api::graphql
