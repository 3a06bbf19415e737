// Spans from any program with an OpenTelemetry exporter, and from MLflow's client: POST /v1/traces.
#include <fmt/format.h>

#include "api/limits.h"
#include "api/otlp_reader.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

// A tag that a run could not have is left out: the resource's attributes are not the client's to choose.
bool is_good(record::KeyValue& tag) {
  try {
    check_run_tag(tag);
    return true;
  } catch (const ApiError&) {
    return false;
  }
}

// Where the header says they go; nothing when it does not.
Subjects experiment_of_head(const net::Request& request) {
  Subjects subjects;
  if (const std::string_view id = request.headers.get("x-mlflow-experiment-id"); !id.empty()) {
    subjects.experiments.emplace_back(id);
  }
  return subjects;
}

net::Response take(Backend& backend, const ChangeGuard& guard, const net::Request& request) {
  const std::string experiment(request.headers.get("x-mlflow-experiment-id"));
  if (experiment.empty()) {
    return net::json_response(
        {{"detail", "the header x-mlflow-experiment-id says which experiment the spans belong to"}}, 422);
  }
  const std::string_view type = request.headers.get("Content-Type");
  std::string_view media = type.substr(0, type.find(';'));
  media = media.substr(0, media.find_last_not_of(' ') + 1);
  const bool json = media == "application/json";
  if (!json && media != "application/x-protobuf") {
    throw ApiError("BAD_REQUEST",
                   fmt::format("Invalid Content-Type: {}. Expected: application/x-protobuf or application/json",
                               type.substr(0, 100)));
  }
  const auto groups = json ? read_otlp_json(request.body) : read_otlp_protobuf(request.body);
  if (groups.empty()) {
    throw ApiError("BAD_REQUEST", "Invalid OpenTelemetry format - no spans found");
  }
  std::vector<record::SpanBatch> batches = batches_of(groups);
  std::vector<std::string> whole;  // traces whose root has come
  for (record::SpanBatch& batch : batches) {
    std::erase_if(batch.tags, [](record::KeyValue& tag) { return !is_good(tag); });
    if (!batch.state.empty()) {
      whole.push_back(batch.trace_id);
    }
  }
  const std::string run(request.headers.get("x-mlflow-run-id"));
  const auto subjects = [&] {
    Subjects all = experiment_of_head(request);
    for (const record::SpanBatch& batch : batches) {
      all.new_traces.push_back(batch.trace_id);
    }
    if (!run.empty()) {
      all.runs.push_back(run);
    }
    return all;
  };
  return guard.run(request, subjects, [&]() -> net::Response {
    record::TraceStore& traces = backend.store.tracking().traces().traces();
    traces.add_spans(experiment, batches);
    if (!run.empty() && !whole.empty()) {
      traces.link("run", whole, run);
    }
    // An ExportTraceServiceResponse without a partial success: no bytes.
    return {200, {{"Content-Type", json ? "application/json" : "application/x-protobuf"}}, json ? kEmptyAnswer : ""};
  });
}

}  // namespace

void add_otlp_routes(Routes& routes, Backend& backend) {
  routes.add_guarded_at(
      "POST", "/v1/traces", on(experiment_of_head),
      [&backend](const ChangeGuard& guard, const net::Request& request) { return take(backend, guard, request); });
}

}  // namespace slipway::api
