// Every address of MLflow 3.17's protocol is answered by a handler: with success, a refusal or "not kept here", never
// with "no such address".
#include <array>

#include "api/fixture.h"

namespace slipway::api {
namespace {

struct Endpoint {
  const char* method;
  const char* path;
};

// Core, traces and what is optional, in the protocol's order; {names} are filled with "x".
constexpr Endpoint kEndpoints[] = {{"GET", "/api/2.0/mlflow/experiments/get-by-name"},
                                   {"POST", "/api/2.0/mlflow/experiments/create"},
                                   {"POST", "/api/2.0/mlflow/experiments/search"},
                                   {"GET", "/api/2.0/mlflow/experiments/search"},
                                   {"GET", "/api/2.0/mlflow/experiments/get"},
                                   {"POST", "/api/2.0/mlflow/experiments/delete"},
                                   {"POST", "/api/2.0/mlflow/experiments/restore"},
                                   {"POST", "/api/2.0/mlflow/experiments/update"},
                                   {"POST", "/api/2.0/mlflow/runs/create"},
                                   {"POST", "/api/2.0/mlflow/runs/update"},
                                   {"POST", "/api/2.0/mlflow/runs/delete"},
                                   {"POST", "/api/2.0/mlflow/runs/restore"},
                                   {"POST", "/api/2.0/mlflow/runs/log-metric"},
                                   {"POST", "/api/2.0/mlflow/runs/log-parameter"},
                                   {"POST", "/api/2.0/mlflow/experiments/set-experiment-tag"},
                                   {"POST", "/api/2.0/mlflow/experiments/delete-experiment-tag"},
                                   {"POST", "/api/2.0/mlflow/runs/set-tag"},
                                   {"PATCH", "/api/2.0/mlflow/traces/x/tags"},
                                   {"PATCH", "/api/3.0/mlflow/traces/x/tags"},
                                   {"DELETE", "/api/2.0/mlflow/traces/x/tags"},
                                   {"DELETE", "/api/3.0/mlflow/traces/x/tags"},
                                   {"POST", "/api/2.0/mlflow/runs/delete-tag"},
                                   {"GET", "/api/2.0/mlflow/runs/get"},
                                   {"POST", "/api/2.0/mlflow/runs/search"},
                                   {"GET", "/api/2.0/mlflow/artifacts/list"},
                                   {"POST", "/api/2.0/mlflow/artifacts/presigned-upload-url"},
                                   {"POST", "/api/2.0/mlflow/artifacts/presigned-download-url"},
                                   {"GET", "/api/2.0/mlflow/metrics/get-history"},
                                   {"GET", "/api/2.0/mlflow/metrics/get-history-bulk-interval"},
                                   {"POST", "/api/2.0/mlflow/runs/log-batch"},
                                   {"POST", "/api/2.0/mlflow/runs/log-model"},
                                   {"POST", "/api/2.0/mlflow/runs/log-inputs"},
                                   {"POST", "/api/2.0/mlflow/runs/outputs"},
                                   {"POST", "/api/2.0/mlflow/experiments/search-datasets"},
                                   {"POST", "/api/2.0/mlflow/traces"},
                                   {"PATCH", "/api/2.0/mlflow/traces/x"},
                                   {"GET", "/api/2.0/mlflow/traces/x/info"},
                                   {"GET", "/api/3.0/mlflow/traces/x"},
                                   {"GET", "/api/3.0/mlflow/traces/get"},
                                   {"GET", "/api/3.0/mlflow/traces/batchGet"},
                                   {"POST", "/api/3.0/mlflow/traces/batchGetInfos"},
                                   {"GET", "/api/2.0/mlflow/traces"},
                                   {"POST", "/api/3.0/mlflow/traces/search"},
                                   {"POST", "/api/3.0/mlflow/traces"},
                                   {"POST", "/api/2.0/mlflow/traces/link-to-run"},
                                   {"POST", "/api/2.0/mlflow/traces/link-prompts"},
                                   {"GET", "/api/2.0/mlflow/unified-traces"},
                                   {"GET", "/api/2.0/mlflow/get-online-trace-details"},
                                   {"POST", "/api/2.0/mlflow/traces/delete-traces"},
                                   {"POST", "/api/3.0/mlflow/traces/delete-traces"},
                                   {"POST", "/api/3.0/mlflow/traces/calculate-filter-correlation"},
                                   {"POST", "/api/3.0/mlflow/traces/metrics"},
                                   {"GET", "/api/3.0/mlflow/workspaces"},
                                   {"POST", "/api/3.0/mlflow/workspaces"},
                                   {"GET", "/api/3.0/mlflow/workspaces/x"},
                                   {"PATCH", "/api/3.0/mlflow/workspaces/x"},
                                   {"DELETE", "/api/3.0/mlflow/workspaces/x"},
                                   {"POST", "/api/2.0/mlflow/logged-models"},
                                   {"PATCH", "/api/2.0/mlflow/logged-models/x"},
                                   {"GET", "/api/2.0/mlflow/logged-models/x"},
                                   {"DELETE", "/api/2.0/mlflow/logged-models/x"},
                                   {"POST", "/api/2.0/mlflow/logged-models/search"},
                                   {"PATCH", "/api/2.0/mlflow/logged-models/x/tags"},
                                   {"DELETE", "/api/2.0/mlflow/logged-models/x/tags/x"},
                                   {"GET", "/api/2.0/mlflow/logged-models/x/artifacts/directories"},
                                   {"POST", "/api/2.0/mlflow/logged-models/x/params"},
                                   {"GET", "/api/3.0/mlflow/traces/x/assessments/x"},
                                   {"POST", "/api/3.0/mlflow/traces/x/assessments"},
                                   {"PATCH", "/api/3.0/mlflow/traces/x/assessments/x"},
                                   {"DELETE", "/api/3.0/mlflow/traces/x/assessments/x"},
                                   {"POST", "/api/3.0/mlflow/issues"},
                                   {"PATCH", "/api/3.0/mlflow/issues/x"},
                                   {"POST", "/api/3.0/mlflow/issues/search"},
                                   {"POST", "/api/3.0/mlflow/label-schemas/create"},
                                   {"GET", "/api/3.0/mlflow/label-schemas/get-by-name"},
                                   {"POST", "/api/3.0/mlflow/datasets/create"},
                                   {"GET", "/api/3.0/mlflow/datasets/x"},
                                   {"DELETE", "/api/3.0/mlflow/datasets/x"},
                                   {"POST", "/api/3.0/mlflow/datasets/search"},
                                   {"GET", "/api/3.0/mlflow/datasets/search"},
                                   {"PATCH", "/api/3.0/mlflow/datasets/x/tags"},
                                   {"DELETE", "/api/3.0/mlflow/datasets/x/tags/x"},
                                   {"POST", "/api/3.0/mlflow/datasets/x/records"},
                                   {"GET", "/api/3.0/mlflow/datasets/x/records"},
                                   {"DELETE", "/api/3.0/mlflow/datasets/x/records"},
                                   {"GET", "/api/3.0/mlflow/datasets/x/experiment-ids"},
                                   {"POST", "/api/3.0/mlflow/datasets/x/add-experiments"},
                                   {"POST", "/api/3.0/mlflow/datasets/x/remove-experiments"},
                                   {"POST", "/api/3.0/mlflow/scorers/register"},
                                   {"GET", "/api/3.0/mlflow/scorers/list"},
                                   {"GET", "/api/3.0/mlflow/scorers/versions"},
                                   {"GET", "/api/3.0/mlflow/scorers/get"},
                                   {"DELETE", "/api/3.0/mlflow/scorers/delete"},
                                   {"POST", "/api/3.0/mlflow/gateway/secrets/create"},
                                   {"GET", "/api/3.0/mlflow/gateway/budgets/windows"},
                                   {"PATCH", "/api/3.0/mlflow/gateway/guardrails/update-config"},
                                   {"POST", "/api/3.0/mlflow/prompt-optimization/jobs"},
                                   {"DELETE", "/api/3.0/mlflow/prompt-optimization/jobs/x"},
                                   {"POST", "/api/3.0/mlflow/review-queues/items/set-status"},
                                   {"POST", "/api/2.0/mlflow/registered-models/create"},
                                   {"POST", "/api/2.0/mlflow/registered-models/rename"},
                                   {"PATCH", "/api/2.0/mlflow/registered-models/update"},
                                   {"DELETE", "/api/2.0/mlflow/registered-models/delete"},
                                   {"GET", "/api/2.0/mlflow/registered-models/get"},
                                   {"GET", "/api/2.0/mlflow/registered-models/search"},
                                   {"POST", "/api/2.0/mlflow/registered-models/get-latest-versions"},
                                   {"GET", "/api/2.0/mlflow/registered-models/get-latest-versions"},
                                   {"POST", "/api/2.0/mlflow/model-versions/create"},
                                   {"PATCH", "/api/2.0/mlflow/model-versions/update"},
                                   {"POST", "/api/2.0/mlflow/model-versions/transition-stage"},
                                   {"DELETE", "/api/2.0/mlflow/model-versions/delete"},
                                   {"GET", "/api/2.0/mlflow/model-versions/get"},
                                   {"GET", "/api/2.0/mlflow/model-versions/search"},
                                   {"GET", "/api/2.0/mlflow/model-versions/get-download-uri"},
                                   {"POST", "/api/2.0/mlflow/registered-models/set-tag"},
                                   {"POST", "/api/2.0/mlflow/model-versions/set-tag"},
                                   {"DELETE", "/api/2.0/mlflow/registered-models/delete-tag"},
                                   {"DELETE", "/api/2.0/mlflow/model-versions/delete-tag"},
                                   {"POST", "/api/2.0/mlflow/registered-models/alias"},
                                   {"DELETE", "/api/2.0/mlflow/registered-models/alias"},
                                   {"GET", "/api/2.0/mlflow/registered-models/alias"},
                                   {"GET", "/api/2.0/mlflow-artifacts/artifacts/x"},
                                   {"PUT", "/api/2.0/mlflow-artifacts/artifacts/x"},
                                   {"GET", "/api/2.0/mlflow-artifacts/artifacts"},
                                   {"DELETE", "/api/2.0/mlflow-artifacts/artifacts/x"},
                                   {"POST", "/api/2.0/mlflow-artifacts/mpu/create/x"},
                                   {"POST", "/api/2.0/mlflow-artifacts/mpu/complete/x"},
                                   {"POST", "/api/2.0/mlflow-artifacts/mpu/abort/x"},
                                   {"GET", "/api/2.0/mlflow-artifacts/presigned/x"},
                                   {"POST", "/api/2.0/mlflow/webhooks"},
                                   {"GET", "/api/2.0/mlflow/webhooks"},
                                   {"GET", "/api/2.0/mlflow/webhooks/x"},
                                   {"PATCH", "/api/2.0/mlflow/webhooks/x"},
                                   {"DELETE", "/api/2.0/mlflow/webhooks/x"},
                                   {"POST", "/api/2.0/mlflow/webhooks/x/test"},
                                   {"POST", "/v1/traces"}};

using Endpoints = ServerTest;

TEST_F(Endpoints, EachIsAnswered) {
  for (const Endpoint& endpoint : kEndpoints) {
    const std::string path = endpoint.path;
    const Answer answer = ask(endpoint.method, path, std::string_view(endpoint.method) == "GET" ? "" : "{}");
    const bool page = std::string_view(answer.headers.get("Content-Type")).starts_with("text/html");
    EXPECT_FALSE(page) << endpoint.method << " " << path << ": " << answer.status;
    EXPECT_TRUE(answer.status < 500 || answer.status == 501) << endpoint.method << " " << path << ": " << answer.text;
    if (path.starts_with("/api/")) {
      const Answer same =
          ask(endpoint.method, "/ajax-api/" + path.substr(5), std::string_view(endpoint.method) == "GET" ? "" : "{}");
      EXPECT_FALSE(std::string_view(same.headers.get("Content-Type")).starts_with("text/html")) << path;
    }
  }
  EXPECT_EQ(ask("GET", "/api/2.0/mlflow/nothing").status, 404);
  EXPECT_EQ(ask("PUT", "/api/2.0/mlflow/webhooks", "{}").status, 405);
}

TEST_F(Endpoints, WhatIsNotKeptSaysSo) {
  EXPECT_EQ(
      fault(ask("GET", "/api/3.0/mlflow/workspaces")),
      "501 NOT_IMPLEMENTED: This server does not keep workspaces; give each team a server or experiments of its own.");
}

}  // namespace
}  // namespace slipway::api
