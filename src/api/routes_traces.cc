#include <fmt/format.h>

#include "api/filter.h"
#include "api/limits.h"
#include "api/page_token.h"
#include "api/routes.h"
#include "api/trace_messages.h"
#include "api/trace_requests.h"

namespace slipway::api {
namespace {

using record::KeyValue;
using record::Trace;
using record::TraceStore;

constexpr size_t kMaxLinks = 100;
constexpr const char* kSpansTag = "mlflow.trace.spansLocation";
constexpr const char* kArtifactTag = "mlflow.artifactLocation";
// Set by the server, never by a client.
constexpr std::array<std::string_view, 3> kServersTags = {kSpansTag, "mlflow.trace.archiveLocation",
                                                          "mlflow.trace.archivalFailure"};

std::string one(const char* name, Json value) { return base::dump_json({{name, std::move(value)}}); }

std::string tag_of(const Trace& trace, std::string_view key) {
  const auto found =
      std::find_if(trace.tags.begin(), trace.tags.end(), [&](const KeyValue& tag) { return tag.key == key; });
  return found == trace.tags.end() ? std::string() : found->value;
}

Trace found(TraceStore& traces, const std::string& id, bool spans) {
  auto trace = traces.find(id, spans);
  if (!trace) {
    throw base::Error(base::Code::kNotFound, fmt::format("Trace with ID '{}' not found.", id));
  }
  return *std::move(trace);
}

void check_tags(std::vector<KeyValue>& tags) {
  for (KeyValue& tag : tags) {
    check_run_tag(tag);
  }
}

std::string start(Backend& backend, const StartTrace& request) {
  const auto info = request.trace.is_object() ? request.trace.find("trace_info") : request.trace.end();
  Trace trace = trace_of(info == request.trace.end() ? Json() : *info, backend.clock.unix_ms());
  check_tags(trace.tags);
  check_tags(trace.metadata);
  return one("trace", {{"trace_info", trace_info(backend.store.tracking().traces().traces().start(trace, true))}});
}

// Whether all its spans are there: the client says how many it has sent.
bool is_whole(const Trace& trace) {
  const auto stats = std::find_if(trace.metadata.begin(), trace.metadata.end(),
                                  [](const KeyValue& pair) { return pair.key == "mlflow.trace.sizeStats"; });
  if (stats == trace.metadata.end()) {
    return true;
  }
  const Json parsed = Json::parse(stats->value, nullptr, false);
  const auto count = parsed.is_object() ? parsed.find("num_spans") : parsed.end();
  return !parsed.is_object() || count == parsed.end() || !count->is_number_integer() ||
         count->get<int64_t>() <= static_cast<int64_t>(trace.spans.size());
}

std::string get(TraceStore& traces, const GetTrace& request) {
  const Trace trace = found(traces, request.trace_id, true);
  if (!request.allow_partial && (trace.spans.empty() || !is_whole(trace))) {
    throw base::Error(
        base::Code::kNotFound,
        fmt::format("Trace with ID {} is not fully exported yet, please try again later.", request.trace_id));
  }
  return one("trace", trace_answer(trace));
}

std::string batch(TraceStore& traces, const BatchTraces& request, bool spans) {
  Json all = Json::array();
  for (const std::string& id : request.trace_ids) {
    const auto trace = traces.find(id, spans);
    const bool wanted = trace && (request.experiment_ids.empty() ||
                                  std::find(request.experiment_ids.begin(), request.experiment_ids.end(),
                                            trace->experiment_id) != request.experiment_ids.end());
    if (wanted && (!spans || !trace->spans.empty())) {
      all.push_back(spans ? trace_answer(*trace) : trace_info(*trace));
    }
  }
  return all.empty() ? kEmptyAnswer : one(spans ? "traces" : "trace_infos", std::move(all));
}

std::vector<std::string> experiments_of(const Json& locations) {
  if (!locations.is_array()) {
    locations.is_null() ? missing_parameter("locations") : wrong_type("locations", locations);
  }
  std::vector<std::string> ids;
  for (const Json& location : locations) {
    const auto experiment = location.is_object() ? location.find("mlflow_experiment") : location.end();
    if (location.is_object() && experiment != location.end() && experiment->is_object()) {
      const auto id = experiment->find("experiment_id");
      if (id == experiment->end() || !id->is_string()) {
        missing_parameter("locations.mlflow_experiment.experiment_id");
      }
      ids.push_back(id->get<std::string>());
    }
  }
  return ids;
}

std::string search(TraceStore& traces, const SearchTraces& request, bool version2) {
  if (request.max_results < 1) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be a positive integer",
                        request.max_results));
  }
  record::Query query;
  query.experiment_ids = version2 ? request.experiment_ids : experiments_of(request.locations);
  if (version2 && request.experiment_ids.empty()) {
    missing_parameter("experiment_ids");
  }
  for (const std::string& id : query.experiment_ids) {
    if (id.find('.') != std::string::npos) {  // a schema of a data warehouse, for other servers
      invalid(fmt::format("Locations must be a list of experiment IDs. Found invalid ids: {}", id.substr(0, 20)));
    }
  }
  query.conditions = parse_filter(request.filter, trace_grammar());
  query.order = parse_order(request.order_by, trace_grammar());
  query.offset = page_offset(request.page_token);
  query.limit = request.max_results;
  const auto page = traces.search(query);
  Json answer = Json::object();
  for (const Trace& trace : page.items) {
    answer["traces"].push_back(version2 ? trace_info_v2(trace) : trace_info(trace));
  }
  if (page.more) {
    answer["next_page_token"] = page_token(query.offset + query.limit);
  }
  return base::dump_json(answer);
}

std::string remove(TraceStore& traces, const DeleteTraces& request) {
  if (request.request_ids.empty() && !request.max_timestamp_millis) {
    invalid("Either `max_timestamp_millis` or `trace_ids` must be specified.");
  }
  if (!request.request_ids.empty() && (request.max_timestamp_millis || request.max_traces)) {
    invalid(request.max_traces ? "`max_traces` can't be specified if `trace_ids` is specified."
                               : "Only one of `max_timestamp_millis` and `trace_ids` can be specified.");
  }
  if (request.max_traces && *request.max_traces <= 0) {
    invalid(fmt::format("`max_traces` must be a positive integer, received {}.", *request.max_traces));
  }
  const int64_t removed =
      traces.remove({request.experiment_id, request.max_timestamp_millis, request.max_traces, request.request_ids});
  return base::dump_json(removed == 0 ? Json::object() : Json{{"traces_deleted", removed}});
}

void check_mutable(const std::string& key, const char* what) {
  const bool cleared = key == "mlflow.trace.archivalFailure" && std::string_view(what) == "deleted";
  if (std::find(kServersTags.begin(), kServersTags.end(), key) != kServersTags.end() && !cleared) {
    invalid(fmt::format("Tag '{}' is immutable and cannot be {} on a trace.", key, what));
  }
}

std::string set_tag(TraceStore& traces, const TraceTag& request) {
  check_mutable(request.key, "set");
  KeyValue tag{request.key, request.value};
  check_run_tag(tag);
  traces.change_tag(request.trace_id, tag.key, tag.value);
  return kEmptyAnswer;
}

std::string remove_tag(TraceStore& traces, const TraceTag& request) {
  check_mutable(request.key, "deleted");
  traces.change_tag(request.trace_id, request.key, std::nullopt);
  return kEmptyAnswer;
}

std::string link_run(Backend& backend, const LinkTraces& request) {
  if (request.trace_ids.size() > kMaxLinks) {
    invalid(fmt::format("Cannot link more than {} traces to a run in a single request. Provided {} traces.", kMaxLinks,
                        request.trace_ids.size()));
  }
  backend.store.tracking().traces().traces().link("run", request.trace_ids, request.run_id);
  return kEmptyAnswer;
}

std::string link_prompts(TraceStore& traces, const LinkPrompts& request) {
  found(traces, request.trace_id, false);
  for (const PromptVersion& prompt : request.prompt_versions) {
    traces.link("prompt", {&request.trace_id, 1}, prompt.name + "/" + prompt.version);
  }
  return kEmptyAnswer;
}

std::string start_v2(TraceStore& traces, StartTraceV2 request) {
  check_tags(request.tags);
  check_tags(request.request_metadata);
  Trace trace;
  trace.id = "tr-" + record::new_id();
  trace.experiment_id = request.experiment_id;
  trace.started_ms = request.timestamp_ms;
  trace.metadata = std::move(request.request_metadata);
  trace.tags = std::move(request.tags);
  return one("trace_info", trace_info_v2(traces.start(trace, false)));
}

std::string end_v2(TraceStore& traces, EndTraceV2 request) {
  check_tags(request.tags);
  check_tags(request.request_metadata);
  if (request.status != record::kTraceOk && request.status != record::kTraceFailed &&
      request.status != record::kTraceRuns) {
    wrong_type("status", request.status);
  }
  return one("trace_info", trace_info_v2(traces.end(request.trace_id, request.timestamp_ms, request.status,
                                                    request.request_metadata, request.tags)));
}

// Its spans as they are kept; of a trace whose client put them into a file, that file; with a path an attachment.
net::Response artifact(Backend& backend, const net::Request& request) {
  const std::string id(request.query_value("request_id"));
  if (id.empty()) {
    throw ApiError("BAD_REQUEST", "Request must include the \"request_id\" query parameter.");
  }
  record::Tracking& tracking = backend.store.tracking();
  const std::string path = safe_path(request.query_value("path"));
  const Trace trace = found(tracking.traces().traces(), id, path.empty());
  if (path.empty() && tag_of(trace, kSpansTag) == "TRACKING_STORE") {
    std::string body = "{\"spans\": [";
    for (size_t i = 0; i < trace.spans.size(); ++i) {
      body.append(i == 0 ? "" : ", ").append(trace.spans[i].content);
    }
    return {200,
            {{"Content-Type", "application/json"}, {"Content-Disposition", "attachment; filename=traces.json"}},
            body + "]}"};
  }
  const std::string folder = artifact_folder(tag_of(trace, kArtifactTag));
  // A client can set that tag: what lies in the folder is its experiment's.
  const Subjects whose = experiment_of(folder);
  if (whose.empty()) {
    invalid("Invalid path");
  }
  if (backend.authority != nullptr) {
    backend.authority->require(request, {Role::kViewer, false, {}}, whose);
  }
  return send_file(tracking.files(), request, folder + (path.empty() ? "/traces.json" : "/attachments/" + path));
}

void add_version2(Routes& routes, TraceStore& traces) {
  const std::string base = "/2.0/mlflow/traces";
  routes.add<StartTraceV2>("POST", base, [&](StartTraceV2 request) { return start_v2(traces, std::move(request)); });
  routes.add<SearchTraces>("GET", base, [&](const SearchTraces& request) { return search(traces, request, true); });
  routes.add<EndTraceV2>("PATCH", base + "/{request_id}",
                         [&](EndTraceV2 request) { return end_v2(traces, std::move(request)); });
  routes.add<TraceId>("GET", base + "/{request_id}/info", [&](const TraceId& request) {
    return one("trace_info", trace_info_v2(found(traces, request.trace_id, false)));
  });
}

}  // namespace

void add_trace_routes(Routes& routes, Backend& backend) {
  TraceStore& traces = backend.store.tracking().traces().traces();
  add_version2(routes, traces);
  const std::string base = "/3.0/mlflow/traces";
  routes.add<StartTrace>("POST", base, [&](const StartTrace& request) { return start(backend, request); });
  routes.add<SearchTraces>("POST", base + "/search",
                           [&](const SearchTraces& request) { return search(traces, request, false); }, needs(Role::kViewer));
  routes.add<GetTrace>("GET", base + "/get", [&](const GetTrace& request) { return get(traces, request); });
  routes.add<BatchTraces>("GET", base + "/batchGet",
                          [&](const BatchTraces& request) { return batch(traces, request, true); });
  routes.add<BatchTraces>("POST", base + "/batchGetInfos",
                          [&](const BatchTraces& request) { return batch(traces, request, false); }, needs(Role::kViewer));
  routes.add<TraceId>("GET", base + "/{trace_id}", [&](const TraceId& request) {
    return one("trace", {{"trace_info", trace_info(found(traces, request.trace_id, false))}});
  });
  for (const char* version : {"/2.0/mlflow/traces/", "/3.0/mlflow/traces/"}) {
    const std::string all = version;
    routes.add<DeleteTraces>("POST", all + "delete-traces",
                             [&](const DeleteTraces& request) { return remove(traces, request); }, needs(Role::kAdmin));
    routes.add<TraceTag>("PATCH", all + "{trace_id}/tags",
                         [&](const TraceTag& request) { return set_tag(traces, request); });
    routes.add<TraceTag>("DELETE", all + "{trace_id}/tags",
                         [&](const TraceTag& request) { return remove_tag(traces, request); }, needs(Role::kEditor));
    routes.add<LinkTraces>("POST", all + "link-to-run",
                           [&](const LinkTraces& request) { return link_run(backend, request); });
    routes.add<LinkPrompts>("POST", all + "link-prompts",
                            [&](const LinkPrompts& request) { return link_prompts(traces, request); });
  }
  const Permission by_trace = on([](const net::Request& request) {
    Subjects subjects;
    subjects.traces.emplace_back(request.query_value("request_id"));
    return subjects;
  });
  for (const char* address : {"/ajax-api/2.0/mlflow/get-trace-artifact", "/ajax-api/3.0/mlflow/get-trace-artifact"}) {
    routes.add_at("GET", address, [&backend](const net::Request& request) { return artifact(backend, request); }, by_trace);
  }
}

}  // namespace slipway::api
