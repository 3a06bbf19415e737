#include <algorithm>
#include <fmt/format.h>

#include "api/limits.h"
#include "api/messages.h"
#include "api/page_token.h"
#include "api/render.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

using record::HistoryQuery;
using record::RunTracker;

constexpr int64_t kMaxBulk = 25'000;  // points of one bulk answer
constexpr size_t kMaxBulkRuns = 100;

std::string log_metric(RunTracker& runs, const LogMetric& request) {
  std::vector<BatchMetric> metrics(1);
  metrics.front() = {request.key,      request.value,        request.step,          request.timestamp,
                     request.model_id, request.dataset_name, request.dataset_digest};
  check_metric(metrics.front());
  record::RunBatch batch;
  take_metrics(std::move(metrics), batch);
  runs.log(request.run_id, batch);
  return kEmptyAnswer;
}

std::string history(RunTracker& runs, const GetHistory& request) {
  if (request.max_results && *request.max_results <= 0) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be a positive integer.",
                        *request.max_results));
  }
  HistoryQuery query;
  query.run_id = request.run_id;
  query.key = request.metric_key;
  query.offset = page_offset(request.page_token);
  query.limit = request.max_results.value_or(0);
  const auto page = runs.history(query);
  JsonWriter out;
  out.begin_object();
  if (!page.items.empty()) {
    out.begin_array("metrics");
    write_metrics(out, query.key, page.items);
    out.end_array();
  }
  if (page.more) {
    out.field("next_page_token", page_token(query.offset + query.limit));
  }
  out.end_object();
  return out.take();
}

std::string bulk_history(RunTracker& runs, BulkHistory request) {
  if (request.run_id.empty()) {
    invalid("GetMetricHistoryBulk request must specify at least one run_id.");
  }
  if (request.run_id.size() > kMaxBulkRuns) {
    invalid(fmt::format("GetMetricHistoryBulk request cannot specify more than {} run_ids. Received {} run_ids.",
                        kMaxBulkRuns, request.run_id.size()));
  }
  if (!request.metric_key) {
    invalid("GetMetricHistoryBulk request must specify a metric_key.");
  }
  std::sort(request.run_id.begin(), request.run_id.end());
  request.run_id.erase(std::unique(request.run_id.begin(), request.run_id.end()), request.run_id.end());
  int64_t left = std::clamp<int64_t>(request.max_results, 0, kMaxBulk);
  JsonWriter out;
  out.begin_object();
  out.begin_array("metrics");
  for (const std::string& run_id : request.run_id) {
    if (left == 0) {
      break;
    }
    HistoryQuery query;
    query.run_id = run_id;
    query.key = *request.metric_key;
    query.limit = left;
    const auto points = runs.history(query).items;
    write_metrics(out, query.key, points, run_id);
    left -= static_cast<int64_t>(points.size());
  }
  out.end_array();
  out.end_object();
  return out.take();
}

std::string interval_history(RunTracker& runs, const IntervalHistory& request) {
  if (static_cast<int64_t>(request.run_ids.size()) > kMaxSampledRuns) {
    invalid(
        fmt::format("GetMetricHistoryBulkInterval request must specify at most {} run_ids. Received {} run_ids. See "
                    "the API docs for more information about request parameters.",
                    kMaxSampledRuns, request.run_ids.size()));
  }
  if (request.max_results < 1 || request.max_results > kMaxSamples) {
    invalid(
        fmt::format("max_results must be between 1 and {}. See the API docs for more information about request "
                    "parameters.",
                    kMaxSamples));
  }
  if (request.start_step.has_value() != request.end_step.has_value()) {
    invalid("If either start step or end step are specified, both must be specified.");
  }
  if (request.start_step && *request.start_step > *request.end_step) {
    invalid(fmt::format("end_step must be greater than start_step. Found start_step={} and end_step={}.",
                        *request.start_step, *request.end_step));
  }
  JsonWriter out;
  out.begin_object();
  bool any = false;
  for (const std::string& run_id : request.run_ids) {
    HistoryQuery query;
    query.run_id = run_id;
    query.key = request.metric_key;
    query.samples = request.max_results;
    if (request.start_step) {
      query.steps = {*request.start_step, *request.end_step};
    }
    const auto points = runs.history(query).items;
    if (!points.empty() && !any) {
      out.begin_array("metrics");
      any = true;
    }
    write_metrics(out, query.key, points, run_id);
  }
  if (any) {
    out.end_array();
  }
  out.end_object();
  return out.take();
}

}  // namespace

void add_metric_routes(Routes& routes, Backend& backend) {
  RunTracker& runs = backend.store.tracking().runs();
  routes.add<LogMetric>("POST", "/2.0/mlflow/runs/log-metric",
                        [&](const LogMetric& request) { return log_metric(runs, request); });
  routes.add_reading<GetHistory>("GET", "/2.0/mlflow/metrics/get-history",
                         [&](const GetHistory& request) { return history(runs, request); });
  routes.add_reading<BulkHistory>("GET", "/2.0/mlflow/metrics/get-history-bulk",
                          [&](const BulkHistory& request) { return bulk_history(runs, request); });
  routes.add_reading<IntervalHistory>("GET", "/2.0/mlflow/metrics/get-history-bulk-interval",
                              [&](const IntervalHistory& request) { return interval_history(runs, request); });
}

}  // namespace slipway::api
