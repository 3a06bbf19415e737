#include "api/routes.h"

namespace slipway::api {
namespace {

// What clients take the server for: the trace exporter wants at least 3.4.
constexpr const char* kMlflowVersion = "3.17.2";

}  // namespace

void add_server_routes(Routes& routes, Backend& backend) {
  routes.add_at("GET", "/health", [](const net::Request&) { return net::text_response("OK"); }, for_everybody());
  routes.add_at("GET", "/version", [](const net::Request&) { return net::text_response(kMlflowVersion); },
                for_everybody());
  routes.add_raw("GET", "/3.0/mlflow/server-info", [&backend](const net::Request& request) {
    // For parts, clients ask addresses without the certificates they were given for this server: over TLS they send and
    // fetch files whole.
    const bool parts = !came_over_tls(backend, request);
    return net::json_response({{"store_type", "SqlStore"},
                               {"workspaces_enabled", false},
                               {"trace_archival_enabled", false},
                               {"multipart_uploads_enabled", parts},
                               {"multipart_downloads_enabled", parts},
                               {"presigned_upload_run_id_supported", false},
                               {"presigned_upload_model_id_supported", false},
                               {"features_enabled", Json::object()}});
  }, filtered_by_handler());  // of no record
}

}  // namespace slipway::api
