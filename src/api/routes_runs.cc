#include <algorithm>
#include <fmt/format.h>

#include "api/batch_reader.h"
#include "api/filter.h"
#include "api/limits.h"
#include "api/messages.h"
#include "api/page_token.h"
#include "api/render.h"
#include "api/routes.h"
#include "api/run_names.h"

namespace slipway::api {
namespace {

using record::KeyValue;
using record::RunTracker;
using record::TrackedRun;

std::string shown(const TrackedRun& run) {
  JsonWriter out;
  out.begin_object();
  write_run(out, "run", run);
  out.end_object();
  return out.take();
}

std::string create(Backend& backend, CreateRun request) {
  TrackedRun run;
  run.id = record::new_id();
  run.experiment_id = request.experiment_id;
  run.user = request.user_id;
  run.started_ms = request.start_time != 0 ? request.start_time : backend.clock.unix_ms();
  std::string tag_name;
  for (KeyValue& tag : request.tags) {
    check_run_tag(tag);
    if (tag.key == record::kRunNameTag) {
      tag_name = tag.value;
    }
  }
  if (!request.run_name.empty() && !tag_name.empty() && request.run_name != tag_name) {
    invalid(
        fmt::format("Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
                    "(run_name='{}', mlflow.runName='{}').",
                    request.run_name, tag_name));
  }
  run.name = !request.run_name.empty() ? request.run_name : !tag_name.empty() ? tag_name : random_run_name();
  run.tags = std::move(request.tags);
  std::erase_if(run.tags, [](const KeyValue& tag) { return tag.key == record::kRunNameTag; });
  return shown(backend.store.tracking().runs().create(std::move(run)));
}

TrackedRun found_run(RunTracker& runs, const std::string& id) {
  auto run = runs.find(id);
  if (!run) {
    throw base::Error(base::Code::kNotFound, fmt::format("Run with id={} not found", id));
  }
  return *std::move(run);
}

std::string update(RunTracker& runs, const UpdateRun& request) {
  record::RunChange change;
  change.status = request.status;
  change.ended_ms = request.end_time;
  if (request.run_name && !request.run_name->empty()) {
    change.name = request.run_name;
  }
  JsonWriter out;
  out.begin_object();
  write_run_info(out, "run_info", runs.change(request.run_id, change));
  out.end_object();
  return out.take();
}

std::string set_fate(RunTracker& runs, const RunId& request, bool deleted) {
  record::RunChange change;
  change.deleted = deleted;
  runs.change(request.run_id, change);
  return kEmptyAnswer;
}

std::string log_parameter(RunTracker& runs, const RunKeyValue& request) {
  KeyValue param{request.key, request.value};
  check_param(param);
  try {
    runs.log(request.run_id, {{}, {param}, {}});
  } catch (const record::ParamConflict& conflict) {
    const auto& change = conflict.changes.front();
    invalid(
        fmt::format("Changing param values is not allowed. Param with key='{}' was already logged with value='{}' for "
                    "run ID='{}'. Attempted logging new value '{}'.",
                    change.key, change.there, request.run_id, change.wanted));
  }
  return kEmptyAnswer;
}

std::string log_batch(RunTracker& runs, LogBatch request) {
  check_batch(request);
  try {
    record::RunBatch batch{{}, std::move(request.params), std::move(request.tags)};
    take_metrics(std::move(request.metrics), batch);
    runs.log(request.run_id, batch);
  } catch (const record::ParamConflict& conflict) {
    std::string list;
    for (const auto& change : conflict.changes) {
      list += fmt::format("{}{{'key': {}, 'old_value': {}, 'new_value': {}}}", list.empty() ? "" : ", ",
                          python_repr(change.key), python_repr(change.there), python_repr(change.wanted));
    }
    invalid(fmt::format("Changing param values is not allowed. Params were already logged='[{}]' for run ID='{}'.",
                        list, request.run_id));
  }
  return kEmptyAnswer;
}

LogBatch read_batch(const net::Request& request) {
  if (!request.body.empty()) {
    check_json_type(request);
    if (auto plain = read_plain_batch(request.body)) {
      return *std::move(plain);
    }
  }
  return parse_request<LogBatch>(request);
}

std::string set_tag(RunTracker& runs, const RunKeyValue& request) {
  KeyValue tag{request.key, request.value};
  check_run_tag(tag);
  runs.log(request.run_id, {{}, {}, {tag}});
  return kEmptyAnswer;
}

std::string log_inputs(RunTracker& runs, const LogInputs& request) {
  std::for_each(request.datasets.begin(), request.datasets.end(), check_dataset);
  runs.add_inputs(request.run_id, {request.datasets, request.models, {}});
  return kEmptyAnswer;
}

std::string search(RunTracker& runs, const SearchRuns& request) {
  if (request.max_results < 1) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be a positive integer",
                        request.max_results));
  }
  record::Query query;
  query.experiment_ids = request.experiment_ids;
  query.conditions = parse_filter(request.filter, run_grammar());
  query.order = parse_order(request.order_by, run_grammar());
  query.lifecycle = request.run_view_type;
  query.offset = page_offset(request.page_token);
  query.after = page_place(request.page_token);
  query.limit = request.max_results;
  const auto page = runs.search(query);
  JsonWriter out;
  out.begin_object();
  if (!page.items.empty()) {
    out.begin_array("runs");
    for (const TrackedRun& run : page.items) {
      write_run(out, {}, run);
    }
    out.end_array();
  }
  if (page.more) {
    const TrackedRun& last = page.items.back();
    out.field("next_page_token", page_token(query.offset + query.limit, {last.started_ms, last.id}));
  }
  out.end_object();
  return out.take();
}

std::string list_artifacts(Backend& backend, const ListArtifacts& request) {
  const std::string path = safe_path(request.path);
  const TrackedRun run = found_run(backend.store.tracking().runs(), request.run_id);
  const std::string root = artifact_folder(run.artifact_uri);
  JsonWriter out;
  out.begin_object();
  out.field("root_uri", run.artifact_uri);
  write_files(out, backend.store.tracking().files().list(path.empty() ? root : root + "/" + path), path);
  out.end_object();
  return out.take();
}

}  // namespace

void add_run_routes(Routes& routes, Backend& backend) {
  RunTracker& runs = backend.store.tracking().runs();
  const std::string base = "/2.0/mlflow/runs/";
  routes.add<CreateRun>("POST", base + "create", [&](const CreateRun& request) { return create(backend, request); });
  routes.add_reading<RunId>("GET", base + "get", [&](const RunId& request) { return shown(found_run(runs, request.run_id)); });
  routes.add<UpdateRun>("POST", base + "update", [&](const UpdateRun& request) { return update(runs, request); });
  routes.add<RunId>("POST", base + "delete", [&](const RunId& request) { return set_fate(runs, request, true); });
  routes.add<RunId>("POST", base + "restore", [&](const RunId& request) { return set_fate(runs, request, false); });
  routes.add<RunKeyValue>("POST", base + "log-parameter",
                          [&](const RunKeyValue& request) { return log_parameter(runs, request); });
  routes.add<RunKeyValue>("POST", base + "set-tag", [&](const RunKeyValue& request) { return set_tag(runs, request); });
  routes.add<RunKey>("POST", base + "delete-tag", [&](const RunKey& request) {
    runs.remove_tag(request.run_id, request.key);
    return kEmptyAnswer;
  });
  routes.add<LogInputs>("POST", base + "log-inputs",
                        [&](const LogInputs& request) { return log_inputs(runs, request); });
  routes.add<LogOutputs>("POST", base + "outputs", [&](const LogOutputs& request) {
    runs.add_inputs(request.run_id, {{}, {}, request.models});
    return kEmptyAnswer;
  });
  routes.add_reading<SearchRuns>(
      "POST", base + "search", [&](const SearchRuns& request) { return search(runs, request); }, needs(Role::kViewer));
  routes.add<ListArtifacts>("GET", "/2.0/mlflow/artifacts/list",
                            [&](const ListArtifacts& request) { return list_artifacts(backend, request); });
  // A body of a megabyte at most; told before anything is parsed.
  routes.add_guarded_raw("POST", base + "log-batch", [&](const ChangeGuard& guard, const net::Request& request) {
    constexpr size_t kMaxBody = 1'000'000;
    if (request.body.size() > kMaxBody) {
      invalid(fmt::format("Batched logging API requests must be at most {} bytes, got a request of size {}.", kMaxBody,
                          request.body.size()));
    }
    auto batch = read_batch(request);
    return guard.run(
        request, [&] { return subjects_of(batch); },
        [&] { return net::Response{200, {{"Content-Type", "application/json"}}, log_batch(runs, std::move(batch))}; });
  });
}

}  // namespace slipway::api
