#include "api/approvals.h"

#include <fmt/format.h>

namespace slipway::api {

std::string author_of(Backend& backend, const net::Request& request, const std::string& run_id) {
  if (const Caller* caller = caller_of(request)) {
    return caller->account;
  }
  const auto run = run_id.empty() ? std::nullopt : backend.store.tracking().runs().find(run_id);
  if (run) {
    for (const record::KeyValue& tag : run->tags) {
      if (tag.key == "mlflow.user") {
        return tag.value;
      }
    }
    return run->user;
  }
  return "";
}

std::string decider_of(const net::Request& request, const std::string& said) {
  const Caller* caller = caller_of(request);
  if (caller == nullptr) {
    return said.empty() ? "local" : said;
  }
  if (!said.empty() && said != caller->account) {
    invalid(fmt::format("'who' is '{}', but the account that asks is '{}': leave it out", said, caller->account));
  }
  return caller->account;
}

void check_may_override(const net::Request& request, const std::string& model) {
  const Caller* caller = caller_of(request);
  if (caller != nullptr && caller->role_for(model) < Role::kAdmin) {
    throw ApiError("PERMISSION_DENIED", fmt::format("Permission denied: to override the policy of model '{}' needs the role 'admin' in its project", model));
  }
}

}  // namespace slipway::api
