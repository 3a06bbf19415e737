// Route x method x role, and route x method x project: every cell. A route that is new has no row in the table and fails.
#include <algorithm>
#include <set>

#include "api/secured.h"
#include "base/file.h"
#include "base/hash.h"

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
      {"GET /api/ui/annotation", Role::kViewer},
      {"POST /api/ui/annotation", Role::kApprover},
      {"GET /api/ui/annotation/{name}", Role::kViewer},
      {"PUT /api/ui/annotation/{name}", Role::kApprover},
      {"DELETE /api/ui/annotation/{name}", Role::kAdmin},
      {"POST /api/ui/annotation/{name}/next", Role::kEditor},
      {"POST /api/ui/annotation/{name}/undo", Role::kEditor},
      {"GET /api/ui/annotation/{name}/tasks", Role::kViewer},
      {"GET /api/ui/annotation/{name}/tasks/{task}", Role::kViewer},
      {"PUT /api/ui/annotation/{name}/tasks/{task}/answer", Role::kEditor},
      {"PUT /api/ui/annotation/{name}/tasks/{task}/review", Role::kApprover},
      {"GET /api/ui/annotation/{name}/tasks/{task}/suggestions", Role::kViewer},
      {"GET /api/ui/annotation/{name}/tasks/{task}/history", Role::kViewer},
      {"GET /api/ui/annotation/{name}/review", Role::kViewer},
      {"GET /api/ui/annotation/{name}/progress", Role::kViewer},
      {"GET /api/ui/annotation/{name}/agreement", Role::kViewer},
      {"POST /api/ui/annotation/{name}/import", Role::kApprover},
      {"GET /api/ui/annotation/{name}/export", Role::kViewer},
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

// What is about every project: these routes need the role everywhere.
bool names_no_project(const std::string& row) {
  static const std::vector<std::string> kBeginnings = {
      "/api/2.0/mlflow/get-online-trace-details", "/api/2.0/mlflow/unified-traces", "/api/3.0/mlflow/gateway", "/api/3.0/mlflow/issues",
      "/api/3.0/mlflow/label-schemas", "/api/3.0/mlflow/prompt-optimization", "/api/3.0/mlflow/review-queues",
      "/api/3.0/mlflow/workspaces", "/api/2.0/mlflow/webhooks", "/api/ui/deployments", "/api/ui/lineage"};
  const std::string address = row.substr(row.find(' ') + 1);
  return std::any_of(kBeginnings.begin(), kBeginnings.end(), [&](const std::string& one) { return address.starts_with(one); });
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
    static const std::map<std::string, const char*> kNamed = {
        {"{path...}", "path"},         {"{run_id}", "run_id"},     {"{trace_id}", "trace_id"}, {"{request_id}", "trace_id"},
        {"{model_id}", "model_id"},    {"{digest}", "digest"},     {"{upload_id}", "upload_id"}, {"{folder...}", "experiment_id"},
        {"{version}", "version"},      {"{number}", "version"},   {"{task}", "version"}};
    const auto named = kNamed.find(place);
    out += place == "{repo}" ? "r" : names.at(named == kNamed.end() ? "name" : named->second).get<std::string>();
  }
  return out;
}

// One of everything that is a project's.
struct Project {
  std::string name;
  std::string experiment_id;
  std::string run_id;
  std::string trace_id;
  std::string model_id;
  std::string digest;
  std::string upload_id;
};

class Matrix : public SecuredTest {
 protected:
  Project project(const std::string& name, const std::string& who = "admin") {
    Project made{name, experiment(name, who), "", "tr-" + name, "m-" + record::new_id(), "", record::new_id()};
    made.run_id = run_in(made.experiment_id, who);
    record::LoggedModel model;
    model.id = made.model_id;
    model.experiment_id = made.experiment_id;
    model.name = name;
    store_->tracking().logged_models().create(model);
    record::ModelVersion version;
    version.model = name;
    made.digest = store_->artifacts().put_bytes(name, "card", name, {}).digest;
    version.artifacts = {{"card", made.digest}};
    store_->registry().create_version(version);
    complete(made);
    return made;
  }
  // Makes again what a route removed for good.
  void complete(const Project& made) {
    auto& traces = store_->tracking().traces().traces();
    if (!traces.find(made.trace_id, false)) {
      record::Trace trace;
      trace.id = made.trace_id;
      trace.experiment_id = made.experiment_id;
      trace.request_preview = made.name;
      traces.start(trace, true);
    }
    auto& uploads = store_->tracking().server().uploads();
    if (!uploads.find(made.upload_id)) {
      uploads.begin({made.upload_id, made.experiment_id + "/x", 0});
    }
  }
  static Json location(const std::string& experiment_id) {
    return {{"type", "MLFLOW_EXPERIMENT"}, {"mlflow_experiment", {{"experiment_id", experiment_id}}}};
  }
  // Names everything that a message may name, as of one project.
  static Json names(const Project& of) {
    return {{"experiment_id", of.experiment_id},
            {"experiment_ids", {of.experiment_id}},
            {"experiment_name", of.name},
            {"run_id", of.run_id},
            {"run_uuid", of.run_id},
            {"run_ids", {of.run_id}},
            {"trace_id", of.trace_id},
            {"request_id", of.trace_id},
            {"trace_ids", {of.trace_id}},
            {"trace", {{"trace_info", {{"trace_id", of.trace_id}, {"trace_location", location(of.experiment_id)}}}}},
            {"locations", Json::array({location(of.experiment_id)})},
            {"model_id", of.model_id},
            {"upload_id", of.upload_id},
            {"folder", of.experiment_id},
            {"digest", of.digest},
            {"from", of.digest},
            {"name", of.name},
            {"new_name", of.name},
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
            {"organization", of.name},
            {"fromRepo", of.name + "/r"},
            {"toRepo", of.name + "/s"},
            {"path", of.experiment_id + "/x"}};
  }
  static std::string query_of(const Json& names) {
    std::string query;
    for (const auto& [key, value] : names.items()) {
      for (const Json& one : value.is_array() ? value : Json::array({value})) {
        if (one.is_object()) {
          continue;
        }
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
    net::Headers headers;
    if (pattern == "/v1/traces") {
      headers.set("x-mlflow-experiment-id", names.at("experiment_id").get<std::string>());
    }
    const bool by_query = pattern.ends_with("/upload-artifact");
    return as(who, method, path + (by_query ? query_of(names) : ""), method == "PUT" ? "bytes" : names.dump(), std::move(headers));
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
  const Json all = names(project("exp"));
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
  const Project others = project(hidden);
  const std::string theirs = others.experiment_id;
  EXPECT_EQ(as("admin", "PUT", "/api/2.0/mlflow-artifacts/artifacts/" + theirs + "/x", hidden).status, 200);
  for (const char* name : {"others-secret-thing", "mine"}) {
    EXPECT_EQ(as("admin", "POST", "/api/repos/create", Json{{"organization", name}, {"name", "r"}}.dump()).status, 200);
  }
  const Project own_project = project("mine", "ann");
  const std::string mine = own_project.experiment_id;
  const auto entries = store_->audit().newest(1'000'000).size();
  for (const auto& [method, pattern, rule] : server_->routes()) {
    const std::string cell = method + " " + pattern;
    const Answer their_answer = call("ann", method, pattern, names(others));
    const bool session = pattern.starts_with("/api/slipway/");
    if (rule->role == Role::kNone || rule->filtered) {
      EXPECT_TRUE(session || their_answer.status == 404 || their_answer.text.find(hidden) == std::string::npos) << cell << ": " << their_answer.text;
    } else {
      // A message that lacks something may be refused for that; nothing is told either way.
      EXPECT_TRUE(their_answer.status == 403 || their_answer.status == 400) << cell << ": " << their_answer.text;
      EXPECT_EQ(their_answer.text.find(hidden), std::string::npos) << cell << ": " << their_answer.text;
    }
    complete(own_project);
    const int own = call("ann", method, pattern, names(own_project)).status;
    EXPECT_TRUE(session || own != 403 || names_no_project(row_of(method, pattern))) << cell << ": " << own;
    // What names no record at all is about every project.
    if (rule->role != Role::kNone && !rule->filtered && method == "GET") {
      const int nameless = as("ann", method, address_of(pattern, names({"nothing-of-hers", "999999", "none", "tr-none", "m-none", "sha256:" + std::string(64, '0'), "none"}))).status;
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

// What is another's and what is not there are told alike; what is hers is hers beside it.
TEST_F(Matrix, NothingTellsWhetherItIsThere) {
  const Project theirs = project("theirs");
  const Project mine = project("mine", "ann");
  const auto alike = [&](const std::string& method, const std::string& there, const std::string& not_there) {
    const Answer a = as("ann", method, there, method == "GET" ? "" : "{}");
    const Answer b = as("ann", method, not_there, method == "GET" ? "" : "{}");
    EXPECT_EQ(a.status, 403) << there;
    EXPECT_EQ(a.text, b.text) << there << " and " << not_there;
  };
  const std::string none(64, '0');
  alike("GET", "/api/3.0/mlflow/traces/" + theirs.trace_id, "/api/3.0/mlflow/traces/tr-none");
  alike("GET", "/api/2.0/mlflow/traces/" + theirs.trace_id + "/info", "/api/2.0/mlflow/traces/tr-none/info");
  alike("GET", "/api/2.0/mlflow/logged-models/" + theirs.model_id, "/api/2.0/mlflow/logged-models/m-none");
  alike("DELETE", "/api/2.0/mlflow/logged-models/" + theirs.model_id, "/api/2.0/mlflow/logged-models/m-none");
  alike("GET", "/api/ui/blobs/" + theirs.digest, "/api/ui/blobs/sha256:" + none);
  alike("GET", "/api/ui/datasets/" + theirs.digest, "/api/ui/datasets/sha256:" + none);
  alike("GET", "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=" + theirs.trace_id, "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=tr-none");
  alike("PUT", "/api/2.0/mlflow-artifacts/mpu/part/" + theirs.upload_id + "/1", "/api/2.0/mlflow-artifacts/mpu/part/none/1");
  EXPECT_EQ(as("ann", "GET", "/api/3.0/mlflow/traces/" + mine.trace_id).status, 200);
  EXPECT_EQ(as("ann", "GET", "/api/2.0/mlflow/logged-models/" + mine.model_id).status, 200);
  EXPECT_EQ(as("ann", "GET", "/api/ui/blobs/" + mine.digest).text, "mine");
  // The same content in both projects is hers too.
  record::ModelVersion version;
  version.model = "mine";
  version.artifacts = {{"card", theirs.digest}};
  store_->registry().create_version(version);
  EXPECT_EQ(as("ann", "GET", "/api/ui/blobs/" + theirs.digest).text, "theirs");
}

TEST_F(Matrix, AMessageOfOnesOwnDoesNotCarryAnothersAlong) {
  const Project theirs = project("theirs");
  const Project mine = project("mine", "ann");
  const auto status = [&](const std::string& path, const Json& body, net::Headers headers = {}) {
    return as("ann", "POST", path, body.dump(), std::move(headers)).status;
  };
  const std::string v2 = "/api/2.0/mlflow/";
  const std::string v3 = "/api/3.0/mlflow/";
  EXPECT_EQ(status(v3 + "traces/batchGetInfos", {{"trace_ids", {mine.trace_id, theirs.trace_id}}}), 403);
  EXPECT_EQ(status(v3 + "traces/link-to-run", {{"trace_ids", {theirs.trace_id}}, {"run_id", mine.run_id}}), 403);
  EXPECT_EQ(status(v3 + "traces/link-to-run", {{"trace_ids", {mine.trace_id}}, {"run_id", mine.run_id}}), 200);
  // A trace may be linked before its client has sent it.
  EXPECT_EQ(status(v3 + "traces/link-to-run", {{"trace_ids", {"tr-later"}}, {"run_id", mine.run_id}}), 200);
  EXPECT_EQ(status(v3 + "traces/search", {{"locations", {location(mine.experiment_id), location(theirs.experiment_id)}}}), 403);
  EXPECT_EQ(status(v3 + "traces/search", {{"locations", Json::array({location(mine.experiment_id)})}}), 200);
  // Not by the id of a trace that is another's already, told as one of her experiment.
  const auto told = [&](const std::string& id) {
    return Json{{"trace", {{"trace_info", {{"trace_id", id}, {"trace_location", location(mine.experiment_id)}, {"state", "OK"},
                                           {"request_time", "2025-01-02T03:04:05.678Z"}}}}}};
  };
  EXPECT_EQ(status(v3 + "traces", told(theirs.trace_id)), 403);
  EXPECT_EQ(status(v3 + "traces", told("tr-new")), 200);
  EXPECT_EQ(store_->tracking().traces().traces().find(theirs.trace_id, false)->experiment_id, theirs.experiment_id);
  EXPECT_EQ(status(v3 + "traces", {{"trace", {{"trace_info", {{"trace_id", "tr-nowhere"}}}}}}), 400);  // the default experiment is not hers
  const Json point = {{"key", "k"}, {"value", 1}, {"timestamp", 1}, {"model_id", theirs.model_id}};
  EXPECT_EQ(status(v2 + "runs/log-batch", {{"run_id", mine.run_id}, {"metrics", Json::array({point})}}), 403);
  EXPECT_EQ(status(v2 + "runs/outputs", {{"run_id", mine.run_id}, {"models", {{{"model_id", theirs.model_id}, {"step", 0}}}}}), 403);
  const Json model = {{"name", "m"}, {"experiment_id", mine.experiment_id}, {"source_run_id", theirs.run_id}};
  EXPECT_EQ(status(v2 + "logged-models", model), 403);
  // Numbers over traces, and what GraphQL's calls are about.
  const auto measured = [&](const std::vector<std::string>& experiments) {
    return status(v3 + "traces/metrics", {{"experiment_ids", experiments}, {"view_type", "TRACES"}, {"metric_name", "trace_count"},
                                          {"aggregations", Json::array({{{"aggregation_type", "COUNT"}}})}});
  };
  EXPECT_EQ(measured({mine.experiment_id}), 200);
  EXPECT_EQ(measured({mine.experiment_id, theirs.experiment_id}), 403);
  EXPECT_EQ(status(v3 + "traces/calculate-filter-correlation",
                   {{"experiment_ids", {theirs.experiment_id}}, {"filter_string1", "status = 'OK'"}, {"filter_string2", "status = 'OK'"}}), 403);
  const auto run_by_graphql = [&](const std::string& id) {
    const std::string query = "{ mlflowGetRun(input: {runId: \"" + id + "\"}) { run { experiment { name } } } }";
    return as("ann", "POST", "/graphql", Json{{"query", query}}.dump()).text;
  };
  EXPECT_NE(run_by_graphql(mine.run_id).find("\"mine\""), std::string::npos) << run_by_graphql(mine.run_id);
  EXPECT_EQ(run_by_graphql(theirs.run_id).find("\"theirs\""), std::string::npos) << run_by_graphql(theirs.run_id);
  // A file's place is a tag that its client may set.
  EXPECT_EQ(as("admin", "PUT", "/api/2.0/mlflow-artifacts/artifacts/" + theirs.experiment_id + "/traces.json", "theirs").status, 200);
  const Json tag = {{"key", "mlflow.artifactLocation"}, {"value", "mlflow-artifacts:/" + theirs.experiment_id}};
  EXPECT_EQ(as("ann", "PATCH", v3 + "traces/" + mine.trace_id + "/tags", tag.dump()).status, 200);
  const Answer file = as("ann", "GET", "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=" + mine.trace_id);
  EXPECT_EQ(file.status, 403) << file.text;
  EXPECT_EQ(file.text.find("theirs"), std::string::npos) << file.text;
  // Uploads in parts: into her folder, by body and by address; not into another's, whatever the other one says.
  const std::string mpu = "/api/2.0/mlflow-artifacts/mpu/create";
  EXPECT_EQ(status(mpu + "/" + mine.experiment_id, {{"path", "x"}, {"num_parts", 1}}), 200);
  EXPECT_EQ(status(mpu, {{"folder", mine.experiment_id}, {"path", "x"}, {"num_parts", 1}}), 200);
  EXPECT_EQ(status(mpu + "/" + theirs.experiment_id, {{"folder", mine.experiment_id}, {"path", "x"}, {"num_parts", 1}}), 403);
  EXPECT_EQ(status(mpu, {{"folder", mine.experiment_id + "/../" + theirs.experiment_id}, {"path", "x"}, {"num_parts", 1}}) / 100, 4);
  EXPECT_EQ(status(mpu, {{"path", mine.experiment_id}, {"num_parts", 1}}), 403);  // at the root
  // Lists of repositories and datasets tell hers alone.
  for (const char* name : {"theirs", "mine"}) {
    EXPECT_EQ(as("admin", "POST", "/api/repos/create", Json{{"organization", name}, {"name", "r"}}.dump()).status, 200);
  }
  const Json repositories = good(as("ann", "GET", "/api/models"));
  ASSERT_EQ(repositories.size(), 1U) << repositories.dump();
  EXPECT_EQ(repositories[0]["id"], "mine/r");
  EXPECT_EQ(status("/api/repos/move", {{"fromRepo", "theirs/r"}, {"toRepo", "mine/s"}}), 403);
  EXPECT_EQ(status("/api/repos/move", {{"fromRepo", "mine/r"}, {"toRepo", "theirs/s"}}), 403);
  EXPECT_EQ(status("/api/repos/move", {{"fromRepo", "mine/r"}, {"toRepo", "mine/s"}}), 200);
  EXPECT_EQ(status("/api/repos/create", {{"organization", "theirs"}, {"name", "s"}}), 403);
  EXPECT_EQ(status("/api/repos/create", {{"name", "theirs/s"}}), 403);
}

TEST_F(Matrix, ADatasetIsKnownByBothItsDigests) {
  const Project mine = project("mine", "ann");
  const Project theirs = project("theirs");
  const auto dataset = [&](const Project& of) {
    base::TempDir dir;
    base::write_file_atomic(dir.path() / "manifest.json", base::dump_json({{"name", of.name}, {"rows", 0}, {"labels", Json::array()},
                                                                           {"splits", Json::object()}, {"sources", Json::array()}}));
    const record::Artifact folder = store_->artifacts().put_folder(dir.path(), "dataset", of.name, {});
    const std::string manifest = base::digest_of(base::read_file(dir.path() / "manifest.json"));
    store_->lineage().add_edges(std::vector<record::Edge>{{"run:" + of.run_id, "dataset:" + folder.digest, "produced"},
                                                          {"dataset:" + manifest, "artifact:" + folder.digest, "version_of"}});
    return std::pair{folder.digest, manifest};
  };
  const auto [my_folder, my_manifest] = dataset(mine);
  const auto [their_folder, their_manifest] = dataset(theirs);
  for (const std::string& digest : {my_folder, my_manifest}) {
    EXPECT_EQ(good(as("ann", "GET", "/api/ui/datasets/" + digest))["name"], "mine");
  }
  for (const std::string& digest : {their_folder, their_manifest}) {
    EXPECT_EQ(as("ann", "GET", "/api/ui/datasets/" + digest).status, 403);
    EXPECT_EQ(as("ann", "GET", "/api/ui/datasets/" + my_folder + "/diff?from=" + digest).status, 403);
  }
  EXPECT_EQ(good(as("ann", "GET", "/api/ui/datasets"))["datasets"].size(), 1U);
  EXPECT_EQ(good(as("viewer", "GET", "/api/ui/datasets"))["datasets"].size(), 2U);
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
