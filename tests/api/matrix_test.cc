// Route x method x role, and route x method x project: every cell. A route that is new has no row in the table and fails.
#include <algorithm>
#include <set>

#include "api/secured.h"

namespace slipway::api {
namespace {

// What each route needs. "/ajax-api/…" is as "/api/…".
const std::map<std::string, Role>& table() {
  static const std::map<std::string, Role> kTable = {
      {"GET /health", Role::kNone},
      {"GET /version", Role::kNone},
      {"GET /api/slipway/session", Role::kNone},
      {"POST /api/slipway/login", Role::kNone},
      {"POST /api/slipway/logout", Role::kNone},
      {"GET /api/slipway/oidc/login", Role::kNone},
      {"GET /api/slipway/oidc/callback", Role::kNone},
      {"GET /api/3.0/mlflow/server-info", Role::kViewer},

      {"POST /api/3.0/mlflow/traces/metrics", Role::kViewer},
      {"POST /api/3.0/mlflow/traces/calculate-filter-correlation", Role::kViewer},
      {"POST /graphql", Role::kViewer},  // each call in it asks for what its REST route does
      {"GET /api/2.0/mlflow/experiments/get", Role::kViewer},
      {"GET /api/2.0/mlflow/experiments/get-by-name", Role::kViewer},
      {"GET /api/2.0/mlflow/experiments/search", Role::kViewer},
      {"POST /api/2.0/mlflow/experiments/search", Role::kViewer},
      {"POST /api/2.0/mlflow/experiments/search-datasets", Role::kViewer},
      {"POST /api/2.0/mlflow/experiments/create", Role::kEditor},
      {"POST /api/2.0/mlflow/experiments/delete", Role::kEditor},  // can be restored
      {"POST /api/2.0/mlflow/experiments/restore", Role::kEditor},
      {"POST /api/2.0/mlflow/experiments/update", Role::kEditor},
      {"POST /api/2.0/mlflow/experiments/set-experiment-tag", Role::kEditor},
      {"POST /api/2.0/mlflow/experiments/delete-experiment-tag", Role::kEditor},

      {"GET /api/2.0/mlflow/runs/get", Role::kViewer},
      {"POST /api/2.0/mlflow/runs/search", Role::kViewer},
      {"GET /api/2.0/mlflow/artifacts/list", Role::kViewer},
      {"GET /api/2.0/mlflow/metrics/get-history", Role::kViewer},
      {"GET /api/2.0/mlflow/metrics/get-history-bulk", Role::kViewer},
      {"GET /api/2.0/mlflow/metrics/get-history-bulk-interval", Role::kViewer},
      {"POST /api/2.0/mlflow/runs/create", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/update", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/delete", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/restore", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/log-metric", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/log-parameter", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/log-batch", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/log-inputs", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/outputs", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/set-tag", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/delete-tag", Role::kEditor},
      {"POST /api/2.0/mlflow/logged-models/search", Role::kViewer},

      {"GET /api/2.0/mlflow-artifacts/artifacts", Role::kViewer},
      {"GET /api/2.0/mlflow-artifacts/artifacts/{path...}", Role::kViewer},
      {"PUT /api/2.0/mlflow-artifacts/artifacts/{path...}", Role::kEditor},
      {"DELETE /api/2.0/mlflow-artifacts/artifacts/{path...}", Role::kAdmin},
      {"GET /get-artifact", Role::kViewer},
      {"GET /api/2.0/mlflow/get-artifact", Role::kViewer},

      {"GET /api/2.0/mlflow/registered-models/get", Role::kViewer},
      {"GET /api/2.0/mlflow/registered-models/search", Role::kViewer},
      {"GET /api/2.0/mlflow/registered-models/get-latest-versions", Role::kViewer},
      {"POST /api/2.0/mlflow/registered-models/get-latest-versions", Role::kViewer},
      {"GET /api/2.0/mlflow/registered-models/alias", Role::kViewer},
      {"POST /api/2.0/mlflow/registered-models/create", Role::kEditor},
      {"PATCH /api/2.0/mlflow/registered-models/update", Role::kEditor},
      {"POST /api/2.0/mlflow/registered-models/rename", Role::kEditor},
      {"POST /api/2.0/mlflow/registered-models/set-tag", Role::kEditor},
      {"DELETE /api/2.0/mlflow/registered-models/delete-tag", Role::kEditor},
      {"POST /api/2.0/mlflow/registered-models/alias", Role::kApprover},
      {"DELETE /api/2.0/mlflow/registered-models/alias", Role::kApprover},
      {"DELETE /api/2.0/mlflow/registered-models/delete", Role::kAdmin},
      {"GET /api/2.0/mlflow/model-versions/get", Role::kViewer},
      {"GET /api/2.0/mlflow/model-versions/search", Role::kViewer},
      {"GET /api/2.0/mlflow/model-versions/get-download-uri", Role::kViewer},
      {"POST /api/2.0/mlflow/model-versions/create", Role::kEditor},
      {"PATCH /api/2.0/mlflow/model-versions/update", Role::kEditor},
      {"POST /api/2.0/mlflow/model-versions/set-tag", Role::kEditor},
      {"DELETE /api/2.0/mlflow/model-versions/delete-tag", Role::kEditor},
      {"POST /api/2.0/mlflow/model-versions/transition-stage", Role::kApprover},
      {"DELETE /api/2.0/mlflow/model-versions/delete", Role::kAdmin},

      // Repositories, for models and datasets.
      {"GET /api/whoami-v2", Role::kViewer},
      {"POST /api/validate-yaml", Role::kViewer},
      {"POST /api/repos/create", Role::kEditor},
      {"POST /api/repos/move", Role::kEditor},
      {"DELETE /api/repos/delete", Role::kAdmin},
      {"POST /xet/{epoch}/v1/xorbs/{prefix}/{hash}", Role::kEditor},
      {"POST /xet/{epoch}/v1/shards", Role::kEditor},
      {"GET /api/models", Role::kViewer},
      {"GET /api/models/{ns}/{repo}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/revision/{rev}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/auth-check", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/auth-check/write", Role::kEditor},
      {"GET /api/models/{repo}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/refs", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/commits/{rev}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/tree/{rev}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/tree/{rev}/{path...}", Role::kViewer},
      {"POST /api/models/{ns}/{repo}/paths-info/{rev}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/resolve/{rev}/{path...}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/xet-write-token/{rev}", Role::kEditor},
      {"GET /api/models/{ns}/{repo}/xet-read-token/{rev}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/xet/v1/reconstructions/{hash}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/xet/v2/reconstructions/{hash}", Role::kViewer},
      {"GET /api/models/{ns}/{repo}/xet/xorbs/{hash}/{index}", Role::kViewer},
      {"GET /{repo}/resolve/{rev}/{path...}", Role::kViewer},
      {"GET /{ns}/{repo}/resolve/{rev}/{path...}", Role::kViewer},
      {"GET /{ns}/{repo}/raw/{rev}/{path...}", Role::kViewer},
      {"PUT /api/models/{ns}/{repo}/settings", Role::kEditor},
      {"POST /api/models/{ns}/{repo}/branch/{name}", Role::kEditor},
      {"DELETE /api/models/{ns}/{repo}/branch/{name}", Role::kAdmin},
      {"POST /api/models/{ns}/{repo}/tag/{name}", Role::kEditor},
      {"DELETE /api/models/{ns}/{repo}/tag/{name}", Role::kAdmin},
      {"POST /api/models/{ns}/{repo}/preupload/{rev}", Role::kEditor},
      {"POST /api/models/{ns}/{repo}/commit/{rev}", Role::kEditor},
      {"POST /{ns}/{repo}/info/lfs/objects/batch", Role::kEditor},
      {"PUT /{ns}/{repo}/info/lfs/objects/{oid}", Role::kEditor},
      {"PUT /{ns}/{repo}/info/lfs/parts/{oid}/{number}", Role::kEditor},
      {"POST /{ns}/{repo}/info/lfs/complete/{oid}", Role::kEditor},
      {"POST /{ns}/{repo}/info/lfs/verify", Role::kEditor},
      {"GET /api/datasets", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/revision/{rev}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/auth-check", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/auth-check/write", Role::kEditor},
      {"GET /api/datasets/{repo}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/refs", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/commits/{rev}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/tree/{rev}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/tree/{rev}/{path...}", Role::kViewer},
      {"POST /api/datasets/{ns}/{repo}/paths-info/{rev}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/resolve/{rev}/{path...}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/xet-write-token/{rev}", Role::kEditor},
      {"GET /api/datasets/{ns}/{repo}/xet-read-token/{rev}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/xet/v1/reconstructions/{hash}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/xet/v2/reconstructions/{hash}", Role::kViewer},
      {"GET /api/datasets/{ns}/{repo}/xet/xorbs/{hash}/{index}", Role::kViewer},
      {"GET /datasets/{repo}/resolve/{rev}/{path...}", Role::kViewer},
      {"GET /datasets/{ns}/{repo}/resolve/{rev}/{path...}", Role::kViewer},
      {"GET /datasets/{ns}/{repo}/raw/{rev}/{path...}", Role::kViewer},
      {"PUT /api/datasets/{ns}/{repo}/settings", Role::kEditor},
      {"POST /api/datasets/{ns}/{repo}/branch/{name}", Role::kEditor},
      {"DELETE /api/datasets/{ns}/{repo}/branch/{name}", Role::kAdmin},
      {"POST /api/datasets/{ns}/{repo}/tag/{name}", Role::kEditor},
      {"DELETE /api/datasets/{ns}/{repo}/tag/{name}", Role::kAdmin},
      {"POST /api/datasets/{ns}/{repo}/preupload/{rev}", Role::kEditor},
      {"POST /api/datasets/{ns}/{repo}/commit/{rev}", Role::kEditor},
      {"POST /datasets/{ns}/{repo}/info/lfs/objects/batch", Role::kEditor},
      {"PUT /datasets/{ns}/{repo}/info/lfs/objects/{oid}", Role::kEditor},
      {"PUT /datasets/{ns}/{repo}/info/lfs/parts/{oid}/{number}", Role::kEditor},
      {"POST /datasets/{ns}/{repo}/info/lfs/complete/{oid}", Role::kEditor},
      {"POST /datasets/{ns}/{repo}/info/lfs/verify", Role::kEditor},

      // The pages and what they ask.
      {"GET /", Role::kNone},
      {"GET /ui", Role::kNone},
      {"GET /ui/{path...}", Role::kNone},
      {"GET /ui/assets/{name}", Role::kNone},
      {"GET /login", Role::kNone},
      {"POST /api/ui/runs/count", Role::kViewer},
      {"POST /api/ui/runs/window", Role::kViewer},
      {"POST /api/ui/runs/groups", Role::kViewer},
      {"POST /api/ui/curves", Role::kViewer},
      {"GET /api/ui/lineage", Role::kViewer},
      {"GET /api/ui/runs/{run_id}/products", Role::kViewer},
      {"GET /api/ui/preview", Role::kViewer},
      {"GET /api/ui/blobs/{digest}", Role::kViewer},
      {"GET /api/ui/datasets", Role::kViewer},
      {"GET /api/ui/datasets/{digest}", Role::kViewer},
      {"GET /api/ui/datasets/{digest}/rows", Role::kViewer},
      {"GET /api/ui/datasets/{digest}/diff", Role::kViewer},
      {"GET /api/ui/models/{name}", Role::kViewer},
      {"GET /api/ui/models/{name}/policy", Role::kViewer},
      {"PUT /api/ui/models/{name}/policy", Role::kAdmin},
      {"POST /api/ui/models/{name}/versions/{version}/decisions", Role::kApprover},
      {"GET /api/ui/deployments", Role::kViewer},
      {"GET /api/ui/deployments/{id}", Role::kViewer},
      {"POST /api/ui/deployments/{id}/explain", Role::kViewer},

      {"DELETE /api/2.0/mlflow/logged-models/{model_id}", Role::kEditor},
      {"DELETE /api/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}", Role::kEditor},
      {"DELETE /api/2.0/mlflow/traces/{trace_id}/tags", Role::kEditor},
      {"DELETE /api/2.0/mlflow/webhooks/{webhook_id}", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/datasets/{dataset_id}", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/datasets/{dataset_id}/records", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/datasets/{dataset_id}/tags/{key}", Role::kEditor},
      {"DELETE /api/3.0/mlflow/scorers/delete", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Role::kEditor},
      {"DELETE /api/3.0/mlflow/traces/{trace_id}/tags", Role::kEditor},
      {"GET /api/2.0/mlflow-artifacts/presigned/{path...}", Role::kViewer},
      {"GET /api/2.0/mlflow/get-trace-artifact", Role::kViewer},
      {"GET /api/2.0/mlflow/logged-models/{model_id}", Role::kViewer},
      {"GET /api/2.0/mlflow/logged-models/{model_id}/artifacts/directories", Role::kViewer},
      {"GET /api/2.0/mlflow/logged-models/{model_id}/artifacts/files", Role::kViewer},
      {"GET /api/2.0/mlflow/traces", Role::kViewer},
      {"GET /api/2.0/mlflow/traces/{request_id}/info", Role::kViewer},
      {"GET /api/2.0/mlflow/webhooks", Role::kAdmin},
      {"GET /api/2.0/mlflow/webhooks/{webhook_id}", Role::kAdmin},
      {"GET /api/3.0/mlflow/datasets/search", Role::kViewer},
      {"GET /api/3.0/mlflow/datasets/{dataset_id}", Role::kViewer},
      {"GET /api/3.0/mlflow/datasets/{dataset_id}/experiment-ids", Role::kViewer},
      {"GET /api/3.0/mlflow/datasets/{dataset_id}/records", Role::kViewer},
      {"GET /api/3.0/mlflow/get-trace-artifact", Role::kViewer},
      {"GET /api/3.0/mlflow/scorers/get", Role::kViewer},
      {"GET /api/3.0/mlflow/scorers/list", Role::kViewer},
      {"GET /api/3.0/mlflow/scorers/versions", Role::kViewer},
      {"GET /api/3.0/mlflow/traces/batchGet", Role::kViewer},
      {"GET /api/3.0/mlflow/traces/get", Role::kViewer},
      {"GET /api/3.0/mlflow/traces/{trace_id}", Role::kViewer},
      {"GET /api/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Role::kViewer},
      {"PATCH /api/2.0/mlflow/logged-models/{model_id}", Role::kEditor},
      {"PATCH /api/2.0/mlflow/logged-models/{model_id}/tags", Role::kEditor},
      {"PATCH /api/2.0/mlflow/traces/{request_id}", Role::kEditor},
      {"PATCH /api/2.0/mlflow/traces/{trace_id}/tags", Role::kEditor},
      {"PATCH /api/2.0/mlflow/webhooks/{webhook_id}", Role::kAdmin},
      {"PATCH /api/3.0/mlflow/datasets/{dataset_id}/tags", Role::kEditor},
      {"PATCH /api/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Role::kEditor},
      {"PATCH /api/3.0/mlflow/traces/{trace_id}/tags", Role::kEditor},
      {"POST /api/2.0/mlflow-artifacts/mpu/abort", Role::kEditor},
      {"POST /api/2.0/mlflow-artifacts/mpu/abort/{folder...}", Role::kEditor},
      {"POST /api/2.0/mlflow-artifacts/mpu/complete", Role::kEditor},
      {"POST /api/2.0/mlflow-artifacts/mpu/complete/{folder...}", Role::kEditor},
      {"POST /api/2.0/mlflow-artifacts/mpu/create", Role::kEditor},
      {"POST /api/2.0/mlflow-artifacts/mpu/create/{folder...}", Role::kEditor},
      {"POST /api/2.0/mlflow/artifacts/presigned-download-url", Role::kViewer},
      {"POST /api/2.0/mlflow/artifacts/presigned-upload-url", Role::kEditor},
      {"POST /api/2.0/mlflow/logged-models", Role::kEditor},
      {"POST /api/2.0/mlflow/logged-models/{model_id}/params", Role::kEditor},
      {"POST /api/2.0/mlflow/runs/log-model", Role::kEditor},
      {"POST /api/2.0/mlflow/traces", Role::kEditor},
      {"POST /api/2.0/mlflow/traces/delete-traces", Role::kAdmin},
      {"POST /api/2.0/mlflow/traces/link-prompts", Role::kEditor},
      {"POST /api/2.0/mlflow/traces/link-to-run", Role::kEditor},
      {"POST /api/2.0/mlflow/upload-artifact", Role::kEditor},
      {"POST /api/2.0/mlflow/webhooks", Role::kAdmin},
      {"POST /api/2.0/mlflow/webhooks/{webhook_id}/test", Role::kAdmin},
      {"POST /api/3.0/mlflow/datasets/create", Role::kEditor},
      {"POST /api/3.0/mlflow/datasets/search", Role::kViewer},
      {"POST /api/3.0/mlflow/datasets/{dataset_id}/add-experiments", Role::kEditor},
      {"POST /api/3.0/mlflow/datasets/{dataset_id}/records", Role::kEditor},
      {"POST /api/3.0/mlflow/datasets/{dataset_id}/remove-experiments", Role::kEditor},
      {"POST /api/3.0/mlflow/scorers/register", Role::kEditor},
      {"POST /api/3.0/mlflow/traces", Role::kEditor},
      {"POST /api/3.0/mlflow/traces/batchGetInfos", Role::kViewer},
      {"POST /api/3.0/mlflow/traces/delete-traces", Role::kAdmin},
      {"POST /api/3.0/mlflow/traces/link-prompts", Role::kEditor},
      {"POST /api/3.0/mlflow/traces/link-to-run", Role::kEditor},
      {"POST /api/3.0/mlflow/traces/search", Role::kViewer},
      {"POST /api/3.0/mlflow/traces/{trace_id}/assessments", Role::kEditor},
      {"POST /v1/traces", Role::kEditor},
      {"PUT /api/2.0/mlflow-artifacts/mpu/part/{upload_id}/{number}", Role::kEditor},

      // What MLflow has and this server leaves out.
      {"DELETE /api/2.0/mlflow/get-online-trace-details", Role::kAdmin},
      {"DELETE /api/2.0/mlflow/get-online-trace-details/{rest...}", Role::kAdmin},
      {"DELETE /api/2.0/mlflow/unified-traces", Role::kAdmin},
      {"DELETE /api/2.0/mlflow/unified-traces/{rest...}", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/gateway", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/gateway/{rest...}", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/issues", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/issues/{rest...}", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/label-schemas", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/label-schemas/{rest...}", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/prompt-optimization", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/prompt-optimization/{rest...}", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/review-queues", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/review-queues/{rest...}", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/workspaces", Role::kAdmin},
      {"DELETE /api/3.0/mlflow/workspaces/{rest...}", Role::kAdmin},
      {"GET /api/2.0/mlflow/get-online-trace-details", Role::kViewer},
      {"GET /api/2.0/mlflow/get-online-trace-details/{rest...}", Role::kViewer},
      {"GET /api/2.0/mlflow/unified-traces", Role::kViewer},
      {"GET /api/2.0/mlflow/unified-traces/{rest...}", Role::kViewer},
      {"GET /api/3.0/mlflow/gateway", Role::kViewer},
      {"GET /api/3.0/mlflow/gateway/{rest...}", Role::kViewer},
      {"GET /api/3.0/mlflow/issues", Role::kViewer},
      {"GET /api/3.0/mlflow/issues/{rest...}", Role::kViewer},
      {"GET /api/3.0/mlflow/label-schemas", Role::kViewer},
      {"GET /api/3.0/mlflow/label-schemas/{rest...}", Role::kViewer},
      {"GET /api/3.0/mlflow/prompt-optimization", Role::kViewer},
      {"GET /api/3.0/mlflow/prompt-optimization/{rest...}", Role::kViewer},
      {"GET /api/3.0/mlflow/review-queues", Role::kViewer},
      {"GET /api/3.0/mlflow/review-queues/{rest...}", Role::kViewer},
      {"GET /api/3.0/mlflow/workspaces", Role::kViewer},
      {"GET /api/3.0/mlflow/workspaces/{rest...}", Role::kViewer},
      {"PATCH /api/2.0/mlflow/get-online-trace-details", Role::kEditor},
      {"PATCH /api/2.0/mlflow/get-online-trace-details/{rest...}", Role::kEditor},
      {"PATCH /api/2.0/mlflow/unified-traces", Role::kEditor},
      {"PATCH /api/2.0/mlflow/unified-traces/{rest...}", Role::kEditor},
      {"PATCH /api/3.0/mlflow/gateway", Role::kEditor},
      {"PATCH /api/3.0/mlflow/gateway/{rest...}", Role::kEditor},
      {"PATCH /api/3.0/mlflow/issues", Role::kEditor},
      {"PATCH /api/3.0/mlflow/issues/{rest...}", Role::kEditor},
      {"PATCH /api/3.0/mlflow/label-schemas", Role::kEditor},
      {"PATCH /api/3.0/mlflow/label-schemas/{rest...}", Role::kEditor},
      {"PATCH /api/3.0/mlflow/prompt-optimization", Role::kEditor},
      {"PATCH /api/3.0/mlflow/prompt-optimization/{rest...}", Role::kEditor},
      {"PATCH /api/3.0/mlflow/review-queues", Role::kEditor},
      {"PATCH /api/3.0/mlflow/review-queues/{rest...}", Role::kEditor},
      {"PATCH /api/3.0/mlflow/workspaces", Role::kEditor},
      {"PATCH /api/3.0/mlflow/workspaces/{rest...}", Role::kEditor},
      {"POST /api/2.0/mlflow/get-online-trace-details", Role::kEditor},
      {"POST /api/2.0/mlflow/get-online-trace-details/{rest...}", Role::kEditor},
      {"POST /api/2.0/mlflow/unified-traces", Role::kEditor},
      {"POST /api/2.0/mlflow/unified-traces/{rest...}", Role::kEditor},
      {"POST /api/3.0/mlflow/gateway", Role::kEditor},
      {"POST /api/3.0/mlflow/gateway/{rest...}", Role::kEditor},
      {"POST /api/3.0/mlflow/issues", Role::kEditor},
      {"POST /api/3.0/mlflow/issues/{rest...}", Role::kEditor},
      {"POST /api/3.0/mlflow/label-schemas", Role::kEditor},
      {"POST /api/3.0/mlflow/label-schemas/{rest...}", Role::kEditor},
      {"POST /api/3.0/mlflow/prompt-optimization", Role::kEditor},
      {"POST /api/3.0/mlflow/prompt-optimization/{rest...}", Role::kEditor},
      {"POST /api/3.0/mlflow/review-queues", Role::kEditor},
      {"POST /api/3.0/mlflow/review-queues/{rest...}", Role::kEditor},
      {"POST /api/3.0/mlflow/workspaces", Role::kEditor},
      {"POST /api/3.0/mlflow/workspaces/{rest...}", Role::kEditor},
  };
  return kTable;
}

// Records that no project is known of by the address alone: these routes need the role everywhere.
bool names_no_project(const std::string& row) {
  static const std::vector<std::string> kBeginnings = {
      "/api/2.0/mlflow/get-online-trace-details", "/api/2.0/mlflow/unified-traces", "/api/3.0/mlflow/gateway", "/api/3.0/mlflow/issues",
      "/api/3.0/mlflow/label-schemas", "/api/3.0/mlflow/prompt-optimization", "/api/3.0/mlflow/review-queues",
      "/api/3.0/mlflow/workspaces", "/api/2.0/mlflow/traces/", "/api/3.0/mlflow/traces/", "/v1/traces",
      "/api/2.0/mlflow/get-trace-artifact", "/api/3.0/mlflow/get-trace-artifact", "/api/2.0/mlflow/logged-models/{model_id}",
      "/api/2.0/mlflow/webhooks", "/api/2.0/mlflow-artifacts/mpu/", "/api/2.0/mlflow-artifacts/presigned/",
      "/api/2.0/mlflow/artifacts/presigned-", "/api/2.0/mlflow/upload-artifact", "/api/ui/blobs/", "/api/ui/datasets",
      "/api/ui/deployments", "/api/ui/lineage", "/api/ui/preview"};
  const std::string address = row.substr(row.find(' ') + 1);
  return row == "GET /api/models" || row == "GET /api/datasets" ||
         std::any_of(kBeginnings.begin(), kBeginnings.end(), [&](const std::string& one) { return address.starts_with(one); });
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  if (const size_t at = text.find(what); at != std::string::npos) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string row_of(const std::string& method, const std::string& pattern) {
  return method + " " + (pattern.starts_with("/ajax-api/") ? replaced(pattern, "/ajax-api/", "/api/") : pattern);
}

// An address of the pattern, about what `names` names.
std::string address_of(const std::string& pattern, const Json& names) {
  std::string out;
  for (size_t at = 0; at < pattern.size();) {
    const size_t open = pattern.find('{', at);
    out += pattern.substr(at, open - at);
    if (open == std::string::npos) {
      break;
    }
    at = pattern.find('}', open) + 1;
    const std::string place = pattern.substr(open, at - open);
    out += place == "{path...}" ? names.at("path").get<std::string>()
           : place == "{version}" ? "1"
           : place == "{run_id}" ? names.at("run_id").get<std::string>()
           : place == "{repo}"   ? "r"
                                 : names.at("name").get<std::string>();
  }
  return out;
}

class Matrix : public SecuredTest {
 protected:
  // Names everything that a message may name, as of one project.
  static Json names(const std::string& experiment_id, const std::string& run_id, const std::string& name) {
    return {{"experiment_id", experiment_id},
            {"experiment_ids", {experiment_id}},
            {"experiment_name", name},
            {"run_id", run_id},
            {"run_uuid", run_id},
            {"run_ids", {run_id}},
            {"name", name},
            {"new_name", name},
            {"key", "k"},
            {"value", "1"},
            {"timestamp", 1},
            {"metric_key", "m"},
            {"version", "1"},
            {"alias", "a"},
            {"stage", "Archived"},
            {"archive_existing_versions", false},
            {"source", "s3://models/m"},
            {"models", Json::array()},
            {"tags", Json::array()},
            {"organization", name},
            {"fromRepo", name + "/r"},
            {"toRepo", name + "/s"},
            {"path", experiment_id + "/x"}};
  }
  static std::string query_of(const Json& names) {
    std::string query;
    for (const auto& [key, value] : names.items()) {
      for (const Json& one : value.is_array() ? value : Json::array({value})) {
        query += (query.empty() ? "?" : "&") + key + "=" +
                 net::percent_encode(one.is_string() ? one.get<std::string>() : one.dump());
      }
    }
    return query;
  }
  Answer call(const std::string& who, const std::string& method, const std::string& pattern, const Json& names) {
    const std::string path = address_of(pattern, names);
    if (method == "GET") {
      return as(who, method, path + query_of(names));
    }
    return as(who, method, path, method == "PUT" ? "bytes" : names.dump());
  }
};

TEST_F(Matrix, EveryRouteHasARowAndEveryRowARoute) {
  std::set<std::string> rows;
  for (const auto& [method, pattern, rule] : server_->routes()) {
    const std::string row = row_of(method, pattern);
    rows.insert(row);
    ASSERT_NE(rule, nullptr) << row << " was added to the router without a rule: use Routes";
    const auto found = table().find(row);
    if (found == table().end()) {
      ADD_FAILURE() << row << " needs a row in the table: who may call it?";
    } else {
      EXPECT_EQ(record::name_of(rule->role), record::name_of(found->second)) << row;
    }
  }
  for (const auto& [row, role] : table()) {
    EXPECT_TRUE(rows.contains(row)) << row << " is no route any more";
  }
}

TEST_F(Matrix, EveryRoleIsHeldToEveryRoute) {
  const std::string experiment_id = experiment("exp");
  const std::string run_id = run_in(experiment_id);
  const Json all = names(experiment_id, run_id, "exp");
  const std::map<std::string, Role> callers = {{"", Role::kNone},
                                               {"viewer", Role::kViewer},
                                               {"editor", Role::kEditor},
                                               {"approver", Role::kApprover},
                                               {"admin", Role::kAdmin}};
  int cells = 0;
  for (const auto& [method, pattern, rule] : server_->routes()) {
    for (const auto& [who, role] : callers) {
      ++cells;
      const int status = call(who, method, pattern, all).status;
      const std::string cell = method + " " + pattern + " as '" + who + "'";
      if (rule->role != Role::kNone && who.empty()) {
        EXPECT_EQ(status, 401) << cell;
      } else if (role < rule->role) {
        EXPECT_EQ(status, 403) << cell;
      } else if (row_of(method, pattern) != "POST /api/slipway/logout" && row_of(method, pattern) != "POST /api/slipway/login") {
        EXPECT_TRUE(status != 401 && status != 403) << cell << ": " << status;
      }
    }
  }
  EXPECT_EQ(cells, static_cast<int>(5 * server_->routes().size()));
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH"}) {
    EXPECT_EQ(as("", method, "/api/2.0/mlflow/nothing").status, 401) << method;
    EXPECT_EQ(as("viewer", method, "/api/2.0/mlflow/nothing").status, 404) << method;
  }
}

// Ann is admin of "mine" alone: of what is another project's she changes nothing and reads nothing, on any route.
TEST_F(Matrix, ProjectsAreApart) {
  const std::string hidden = "others-secret-thing";
  const std::string theirs = experiment(hidden);
  const std::string their_run = run_in(theirs);
  good(post_as("admin", "registered-models/create", {{"name", hidden}}));
  good(post_as("admin", "model-versions/create", {{"name", hidden}, {"source", "s3://models/m"}, {"run_id", their_run}}));
  EXPECT_EQ(as("admin", "PUT", "/api/2.0/mlflow-artifacts/artifacts/" + theirs + "/x", hidden).status, 200);
  const std::string mine = experiment("mine", "ann");
  const std::string my_run = run_in(mine, "ann");
  const auto entries = store_->audit().newest(1'000'000).size();
  for (const auto& [method, pattern, rule] : server_->routes()) {
    const std::string cell = method + " " + pattern;
    const Answer their_answer = call("ann", method, pattern, names(theirs, their_run, hidden));
    const bool session = pattern.starts_with("/api/slipway/");
    if (rule->role == Role::kNone || rule->filtered) {
      EXPECT_TRUE(session || their_answer.status == 404 || their_answer.text.find(hidden) == std::string::npos) << cell << ": " << their_answer.text;
    } else {
      // A message that lacks something may be refused for that; nothing is told either way.
      EXPECT_TRUE(their_answer.status == 403 || their_answer.status == 400) << cell << ": " << their_answer.text;
      EXPECT_EQ(their_answer.text.find(hidden), std::string::npos) << cell << ": " << their_answer.text;
    }
    const int own = call("ann", method, pattern, names(mine, my_run, "mine")).status;
    EXPECT_TRUE(session || own != 403 || names_no_project(row_of(method, pattern))) << cell << ": " << own;
    // What names no record at all is about every project.
    if (rule->role != Role::kNone && !rule->filtered && method == "GET") {
      const int nameless = as("ann", method, address_of(pattern, names("999999", "none", "nothing-of-hers"))).status;
      EXPECT_TRUE(nameless == 403 || nameless == 400) << cell << ": " << nameless;
    }
  }
  EXPECT_GT(store_->audit().newest(1'000'000).size(), entries);
  // Nothing of theirs was changed.
  EXPECT_EQ(good(as("admin", "GET", "/api/2.0/mlflow/experiments/get?experiment_id=" + theirs))["experiment"]["name"],
            hidden);
  EXPECT_EQ(as("admin", "GET", "/api/2.0/mlflow-artifacts/artifacts/" + theirs + "/x").text, hidden);
  // Searches tell her own alone.
  const Json found = good(as("ann", "GET", "/api/2.0/mlflow/experiments/search?max_results=100"));
  ASSERT_EQ(found["experiments"].size(), 1U) << found.dump();
  EXPECT_EQ(found["experiments"][0]["experiment_id"], mine);
}

TEST_F(Matrix, NoExperimentLeadsIntoAnothersFolder) {
  const std::string theirs = experiment("theirs");
  EXPECT_EQ(post_as("ann", "experiments/create",
                    {{"name", "mine/too"}, {"artifact_location", "mlflow-artifacts:/" + theirs}})
                .status,
            403);
  const std::string mine = experiment("mine/too", "ann");
  for (const std::string& path : {mine + "/../" + theirs + "/x", mine + "%2F..%2F" + theirs + "/x",
                                  mine + "%252F..%252F" + theirs + "/x", "./" + theirs + "/x", "/" + theirs + "/x"}) {
    for (const char* method : {"GET", "PUT"}) {
      const int status = as("ann", method, "/api/2.0/mlflow-artifacts/artifacts/" + path, method[0] == 'P' ? "x" : "").status;
      EXPECT_TRUE(status == 400 || status == 403 || status == 404) << method << " " << path << " " << status;
    }
  }
  EXPECT_EQ(post_as("ann", "experiments/update", {{"experiment_id", mine}, {"new_name", "theirs/x"}}).status, 403);
  EXPECT_EQ(post_as("ann", "runs/create", {{"start_time", 1}}).status, 403);  // the default experiment is not hers
}

}  // namespace
}  // namespace slipway::api
