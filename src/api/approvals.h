// Who acts on the registry, as the policies of models see it: who made a version, who decides on it, who may override. Any thread.
#pragma once

#include <string>

#include "api/routes.h"

namespace slipway::api {

// The caller's account; where nobody is asked, what the run's client says of its user (`mlflow.user`), or "".
std::string author_of(Backend& backend, const net::Request& request, const std::string& run_id);

// The caller's account. Where nobody is asked: `said`, or "local". Throws ApiError (400) when an account says it is another.
std::string decider_of(const net::Request& request, const std::string& said);

// Throws ApiError (403) unless the caller is an admin of the model's project.
void check_may_override(const net::Request& request, const std::string& model);

}  // namespace slipway::api
