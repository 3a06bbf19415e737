// What MLflow's server has and this one leaves to others: calls to it are told so (501, which clients do not repeat),
// where an unknown address would be told nothing.
#include <array>
#include <fmt/format.h>

#include "api/routes.h"

namespace slipway::api {
namespace {

struct Absent {
  std::string_view path;
  const char* what;
};
constexpr std::array<Absent, 8> kAbsent = {
    {{"/3.0/mlflow/gateway",
      "a gateway to other providers' models; `slipway serve` serves several models behind one port"},
     {"/3.0/mlflow/prompt-optimization", "jobs that rewrite prompts"},
     {"/3.0/mlflow/review-queues", "queues of traces to be reviewed"},
     {"/3.0/mlflow/label-schemas", "schemas of labels for reviews"},
     {"/3.0/mlflow/issues", "issues found in traces"},
     {"/3.0/mlflow/workspaces", "workspaces; give each team a server or experiments of its own"},
     {"/2.0/mlflow/unified-traces", "traces of a data warehouse"},
     {"/2.0/mlflow/get-online-trace-details", "traces of a data warehouse"}}};

}  // namespace

void add_absent_routes(Routes& routes) {
  for (const Absent& absent : kAbsent) {
    const auto tell = [what = absent.what](const net::Request&) -> net::Response {
      throw ApiError("NOT_IMPLEMENTED", fmt::format("This server does not keep {}.", what));
    };
    for (const char* method : {"GET", "POST", "PATCH", "DELETE"}) {
      routes.add_raw(method, absent.path, tell);
      routes.add_raw(method, fmt::format("{}/{{rest...}}", absent.path), tell);
    }
  }
}

}  // namespace slipway::api
