#include <fmt/format.h>

#include "api/filter.h"
#include "api/limits.h"
#include "api/logged_model_messages.h"
#include "api/page_token.h"
#include "api/render.h"
#include "api/routes.h"
#include "api/run_names.h"
#include "api/span_content.h"

namespace slipway::api {
namespace {

using record::LoggedModel;
using record::LoggedModelStore;

constexpr int64_t kPage = 100;
constexpr int64_t kMaxModels = 10'000;
constexpr const char* kHistoryTag = "mlflow.log-model.history";
constexpr size_t kMaxHistory = 8000;  // characters: a tag's value, which must not be cut

// In the order of MLflow's LoggedModelStatus, from 1.
constexpr std::array<const char*, 3> kStatuses = {record::kModelPending, record::kModelReady, record::kModelFailed};

void write_logged_model(JsonWriter& out, std::string_view name, const LoggedModel& model) {
  name.empty() ? out.begin_object() : out.begin_object(name);
  out.begin_object("info");
  out.field("model_id", model.id);
  out.field("experiment_id", model.experiment_id);
  out.field("name", model.name);
  out.field("creation_timestamp_ms", model.created_ms);
  out.field("last_updated_timestamp_ms", model.updated_ms);
  out.field("artifact_uri", model.artifact_uri);
  out.field("status", model.status);
  out.field("model_type", model.type);
  out.field("source_run_id", model.source_run_id);
  write_pairs(out, "tags", model.tags);
  out.end_object();
  out.begin_object("data");
  write_pairs(out, "params", model.params);
  if (!model.metrics.empty()) {
    out.begin_array("metrics");
    for (const record::LoggedModelMetric& metric : model.metrics) {
      write_model_metric(out, metric);
    }
    out.end_array();
  }
  out.end_object();
  out.end_object();
}

std::string shown(const LoggedModel& model) {
  JsonWriter out;
  out.begin_object();
  write_logged_model(out, "model", model);
  out.end_object();
  return out.take();
}

void check_model_name(const std::string& name) {
  if (name.find_first_of("/:.%\"'") != std::string::npos) {
    invalid(
        fmt::format("Invalid model name ({}) provided. Model name must be a non-empty string and cannot contain the "
                    "following characters: ('/', ':', '.', '%', '\"', \"'\")",
                    python_repr(name)));
  }
}

void check_pairs(std::vector<record::KeyValue>& params, std::vector<record::KeyValue>& tags) {
  for (record::KeyValue& param : params) {
    check_param(param);
  }
  for (record::KeyValue& tag : tags) {
    check_run_tag(tag);
  }
}

std::string create(LoggedModelStore& models, CreateLoggedModel request) {
  check_model_name(request.name);
  check_pairs(request.params, request.tags);
  LoggedModel model;
  model.id = "m-" + record::new_id();
  model.experiment_id = request.experiment_id;
  model.name = request.name.empty() ? random_run_name() : request.name;
  model.type = request.model_type;
  model.source_run_id = request.source_run_id;
  model.params = std::move(request.params);
  model.tags = std::move(request.tags);
  return shown(models.create(std::move(model)));
}

LoggedModel found(LoggedModelStore& models, const std::string& id, bool allow_deleted) {
  auto model = models.find(id);
  if (!model || (model->deleted && !allow_deleted)) {
    throw base::Error(base::Code::kNotFound, fmt::format("Logged model with ID '{}' not found.", id));
  }
  return *std::move(model);
}

std::string finalize(LoggedModelStore& models, const FinalizeLoggedModel& request) {
  int64_t number = 0;
  std::string status;
  if (request.status.is_string()) {
    status = request.status.get<std::string>();
  } else if (read_value(request.status, number, {}) && number >= 1 && number <= int64_t{kStatuses.size()}) {
    status = kStatuses.at(static_cast<size_t>(number - 1));
  }
  if (std::find(kStatuses.begin(), kStatuses.end(), status) == kStatuses.end()) {
    wrong_type("status", request.status);
  }
  return shown(models.set_status(request.model_id, status));
}

// Where the next page begins; MLflow's holds what was asked, so that it is not used for another question.
std::string token_of(const SearchLoggedModels& request, int64_t offset) {
  return encode_token(
      {{"experiment_ids", request.experiment_ids}, {"filter_string", request.filter}, {"offset", offset}});
}

int64_t offset_of(const SearchLoggedModels& request) {
  if (request.page_token.empty()) {
    return 0;
  }
  const Json token = decode_token(request.page_token);
  if (token.value("experiment_ids", Json()) != Json(request.experiment_ids)) {
    invalid(fmt::format(
        "Experiment IDs in the page token do not match the requested experiment IDs. Expected: {}. Found: {}",
        Json(request.experiment_ids).dump(), token.value("experiment_ids", Json()).dump()));
  }
  if (token.value("filter_string", Json("")) != Json(request.filter)) {
    invalid(fmt::format(
        "Filter string in the page token does not match the requested filter string. Expected: {}. Found: {}",
        request.filter, token.value("filter_string", Json()).dump()));
  }
  return token.at("offset").get<int64_t>();
}

std::string search(LoggedModelStore& models, const SearchLoggedModels& request) {
  if (request.max_results < 0 || request.max_results > kMaxModels) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be at most {}",
                        request.max_results, kMaxModels));
  }
  record::LoggedModelQuery query;
  query.experiment_ids = request.experiment_ids;
  query.conditions = parse_filter(request.filter, logged_model_grammar());
  query.datasets = request.datasets;
  for (const record::DatasetName& dataset : request.datasets) {
    if (dataset.name.empty()) {
      invalid("`dataset_name` in the `datasets` clause must be specified.");
    }
  }
  for (const LoggedModelOrder& order : request.order_by) {
    query.order.push_back(
        {logged_model_ordering(order.field_name, order.ascending), {order.dataset_name, order.dataset_digest}});
  }
  query.offset = offset_of(request);
  query.limit = request.max_results == 0 ? kPage : request.max_results;
  const auto page = models.search(query);
  JsonWriter out;
  out.begin_object();
  if (!page.items.empty()) {
    out.begin_array("models");
    for (const LoggedModel& model : page.items) {
      write_logged_model(out, {}, model);
    }
    out.end_array();
  }
  if (page.more) {
    out.field("next_page_token", token_of(request, query.offset + query.limit));
  }
  out.end_object();
  return out.take();
}

std::string add_params(LoggedModelStore& models, LoggedModelParams request) {
  std::vector<record::KeyValue> none;
  check_pairs(request.params, none);
  try {
    models.add_params(request.model_id, request.params);
  } catch (const record::ParamConflict& conflict) {
    const auto& change = conflict.changes.front();
    invalid(
        fmt::format("Changing param values is not allowed. Param with key='{}' was already logged with value='{}' for "
                    "model ID='{}'. Attempted logging new value '{}'.",
                    change.key, change.there, request.model_id, change.wanted));
  }
  return kEmptyAnswer;
}

std::string list_artifacts(Backend& backend, const ListLoggedModelArtifacts& request) {
  record::Tracking& tracking = backend.store.tracking();
  const std::string path = safe_path(request.artifact_directory_path);
  const LoggedModel model = found(tracking.logged_models(), request.model_id, false);
  const std::string root = artifact_folder(model.artifact_uri);
  JsonWriter out;
  out.begin_object();
  out.field("root_uri", model.artifact_uri);
  write_files(out, tracking.files().list(path.empty() ? root : root + "/" + path), path);
  out.end_object();
  return out.take();
}

// As clients before version 3 record a model: one more in a list that is a tag of the run.
std::string record_model(record::RunTracker& runs, const RecordModel& request) {
  const Json model = Json::parse(request.model_json, nullptr, false);
  if (!model.is_object()) {
    invalid(fmt::format("Malformed model info. \n {} \n is not a valid JSON.", request.model_json.substr(0, 1000)));
  }
  Json kept = Json::object();
  std::string missing;
  for (const char* key : {"artifact_path", "flavors", "utc_time_created", "run_id"}) {
    if (!model.contains(key)) {
      missing += (missing.empty() ? "" : ", ") + python_repr(key);
    }
  }
  if (!missing.empty()) {
    invalid(fmt::format("Model json is missing mandatory fields: {{{}}}", missing));
  }
  for (const char* key : {"run_id", "artifact_path", "utc_time_created", "model_uuid", "model_id", "flavors"}) {
    if (const auto found = model.find(key); found != model.end()) {
      kept[key] = *found;
    }
  }
  const auto run = runs.find(request.run_id);
  if (!run) {
    throw base::Error(base::Code::kNotFound, fmt::format("Run with id={} not found", request.run_id));
  }
  Json history = Json::array();
  for (const record::KeyValue& tag : run->tags) {
    if (tag.key == kHistoryTag) {
      history = Json::parse(tag.value, nullptr, false);
    }
  }
  history = history.is_array() ? history : Json::array();
  history.push_back(std::move(kept));
  record::KeyValue tag{kHistoryTag, python_json_text(history)};
  check_length("value", kMaxHistory, tag.value);
  runs.log(request.run_id, {{}, {}, {tag}});
  return kEmptyAnswer;
}

}  // namespace

void add_logged_model_routes(Routes& routes, Backend& backend) {
  LoggedModelStore& models = backend.store.tracking().logged_models();
  const std::string base = "/2.0/mlflow/logged-models";
  const std::string one = base + "/{model_id}";
  routes.add<RecordModel>("POST", "/2.0/mlflow/runs/log-model", [&](const RecordModel& request) {
    return record_model(backend.store.tracking().runs(), request);
  });
  routes.add<CreateLoggedModel>("POST", base,
                                [&](const CreateLoggedModel& request) { return create(models, request); });
  routes.add<SearchLoggedModels>("POST", base + "/search",
                                 [&](const SearchLoggedModels& request) { return search(models, request); }, needs(Role::kViewer));
  routes.add<LoggedModelId>("GET", one, [&](const LoggedModelId& request) {
    return shown(found(models, request.model_id, request.allow_deleted));
  });
  routes.add<FinalizeLoggedModel>("PATCH", one,
                                  [&](const FinalizeLoggedModel& request) { return finalize(models, request); });
  routes.add<LoggedModelId>("DELETE", one, [&](const LoggedModelId& request) {
    models.remove(request.model_id);
    return kEmptyAnswer;
  }, needs(Role::kEditor));
  routes.add<LoggedModelTags>("PATCH", one + "/tags", [&](LoggedModelTags request) {
    std::vector<record::KeyValue> none;
    check_pairs(none, request.tags);
    return shown(models.set_tags(request.model_id, request.tags));
  });
  routes.add<LoggedModelTagKey>("DELETE", one + "/tags/{tag_key}", [&](const LoggedModelTagKey& request) {
    models.remove_tag(request.model_id, request.tag_key);
    return kEmptyAnswer;
  }, needs(Role::kEditor));
  routes.add<LoggedModelParams>("POST", one + "/params",
                                [&](const LoggedModelParams& request) { return add_params(models, request); });
  routes.add<ListLoggedModelArtifacts>(
      "GET", one + "/artifacts/directories",
      [&](const ListLoggedModelArtifacts& request) { return list_artifacts(backend, request); });
  // As the pages ask.
  routes.add_at("GET", "/ajax-api" + one + "/artifacts/files", [&backend](const net::Request& request) {
    record::Tracking& tracking = backend.store.tracking();
    const std::string path = safe_path(request.query_value("artifact_file_path"));
    if (path.empty()) {
      throw ApiError("BAD_REQUEST", "Request must include the \"artifact_file_path\" query parameter.");
    }
    const LoggedModel model = found(tracking.logged_models(), std::string(request.param("model_id")), false);
    return send_file(tracking.files(), request, artifact_folder(model.artifact_uri) + "/" + path);
  });
}

}  // namespace slipway::api
