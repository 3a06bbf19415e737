#include "track/target.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <limits>

#include "base/clock.h"
#include "base/error.h"
#include "store/store.h"
#include "track/importer.h"
#include "track/rest.h"

namespace slipway::track {
namespace {

using base::Code;
using base::Error;
using record::KeyValue;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// The run's own tags, and the one by which it is found again.
std::map<std::string, std::string> all_tags(const SpoolInfo& info) {
  std::map<std::string, std::string> tags = info.tags;
  tags[kSpoolTag] = info.id;
  if (!info.user.empty()) {
    tags.emplace("mlflow.user", info.user);
  }
  return tags;
}

const char* mlflow_status(record::RunStatus status) {
  switch (status) {
    case record::RunStatus::kFinished:
      return "FINISHED";
    case record::RunStatus::kFailed:
      return "FAILED";
    case record::RunStatus::kKilled:
      return "KILLED";
    default:
      return "RUNNING";
  }
}

class MlflowTarget final : public Target {
 public:
  explicit MlflowTarget(const TargetOptions& options) : rest_(options) {}

  Place open(const SpoolInfo& info) override {
    if (!info.run_id.empty()) {
      return place_of(rest_.get("runs/get", {{"run_id", info.run_id}}).at("run"));
    }
    const std::string experiment = experiment_id(info.experiment);
    const Json found = rest_.post("runs/search", {{"experiment_ids", Json::array({experiment})},
                                                  {"filter", fmt::format("tags.`{}` = '{}'", kSpoolTag, info.id)},
                                                  {"run_view_type", "ALL"},
                                                  {"max_results", 1}});
    if (const auto runs = found.find("runs"); runs != found.end() && runs->is_array() && !runs->empty()) {
      return place_of(runs->front());
    }
    Json tags = Json::array();
    for (const auto& [key, value] : all_tags(info)) {
      tags.push_back({{"key", key}, {"value", value}});
    }
    Json request = {{"experiment_id", experiment}, {"user_id", info.user}, {"start_time", info.started_ms}, {"tags", tags}};
    if (!info.name.empty()) {
      request["run_name"] = info.name;
    }
    return place_of(rest_.post("runs/create", request).at("run"));
  }

  void log(const Place& place, const record::RunBatch& batch) override {
    Json metrics = Json::array();
    for (const record::MetricPoint& point : batch.metrics) {
      metrics.push_back({{"key", point.key},
                         {"value", number_json(point.value)},
                         {"timestamp", point.time_ms},
                         {"step", point.step}});
    }
    const auto pairs = [](const std::vector<KeyValue>& from) {
      Json list = Json::array();
      for (const KeyValue& pair : from) {
        list.push_back({{"key", pair.key}, {"value", pair.value}});
      }
      return list;
    };
    rest_.post("runs/log-batch", {{"run_id", place.run_id},
                                  {"metrics", std::move(metrics)},
                                  {"params", pairs(batch.params)},
                                  {"tags", pairs(batch.tags)}});
  }

  void put_file(const Place& place, const std::string& path, std::string_view bytes) override {
    rest_.raw("PUT", MlflowRest::artifact_target(place.artifact_uri, path), bytes, 0,
              {{"Content-Type", "application/octet-stream"}});
  }

  void end(const Place& place, record::RunStatus status, int64_t ended_ms) override {
    rest_.post("runs/update", {{"run_id", place.run_id}, {"status", mlflow_status(status)}, {"end_time", ended_ms}});
  }

 private:
  static Place place_of(const Json& run) {
    const std::string source = "the server's run";
    const Json info = base::get<Json>(run, "info", source);
    return {base::get<std::string>(info, "run_id", source), base::get<std::string>(info, "artifact_uri", source)};
  }

  std::string experiment_id(const std::string& name) {
    for (const bool again : {false, true}) {
      try {
        const Json found = rest_.get("experiments/get-by-name", {{"experiment_name", name}});
        return base::get<std::string>(base::get<Json>(found, "experiment", name), "experiment_id", name);
      } catch (const Error& error) {
        if (error.code() != Code::kNotFound || again) {
          throw;
        }
      }
      try {
        return base::get<std::string>(rest_.post("experiments/create", {{"name", name}}), "experiment_id", name);
      } catch (const Error&) {
        if (rest_.error_code() != "RESOURCE_ALREADY_EXISTS") {  // else another was faster
          throw;
        }
      }
    }
    throw std::logic_error("unreachable");
  }

  MlflowRest rest_;
};

class StoreTarget final : public Target {
 public:
  explicit StoreTarget(std::string folder) : folder_(std::move(folder)) {}

  Place open(const SpoolInfo& info) override {
    const std::string id = info.run_id.empty() ? info.id : info.run_id;
    if (const auto run = tracking().runs().find(id)) {
      return {run->id, run->artifact_uri};
    }
    if (!info.run_id.empty()) {
      throw Error(Code::kNotFound, fmt::format("the record '{}' has no run {}", folder_, id));
    }
    record::TrackedRun run;
    run.id = id;
    run.experiment_id = ensure_experiment(tracking(), info.experiment, base::SystemClock().unix_ms());
    run.name = info.name;
    run.user = info.user;
    run.started_ms = info.started_ms;
    for (const auto& [key, value] : all_tags(info)) {
      run.tags.push_back({key, value});
    }
    run = tracking().runs().create(run);
    return {run.id, run.artifact_uri};
  }

  void log(const Place& place, const record::RunBatch& batch) override {
    record::RunBatch finite = batch;
    for (record::MetricPoint& point : finite.metrics) {
      if (std::isinf(point.value)) {
        point.value = std::copysign(std::numeric_limits<double>::max(), point.value);  // as MLflow stores it
      }
    }
    tracking().runs().log(place.run_id, finite);
  }

  void put_file(const Place& place, const std::string& path, std::string_view bytes) override {
    // The files of a run lie under the path of its URI: "mlflow-artifacts:/0/RUN/artifacts".
    const size_t root = place.artifact_uri.find(":/");
    const auto file = tracking().files().begin(place.artifact_uri.substr(root + 2) + "/" + path);
    file->write(bytes);
    file->commit();
  }

  void end(const Place& place, record::RunStatus status, int64_t ended_ms) override {
    record::RunChange change;
    change.status = status;
    change.ended_ms = ended_ms;
    tracking().runs().change(place.run_id, change);
  }

 private:
  record::Tracking& tracking() {
    if (!store_) {
      store_ = store::open_store(folder_);
    }
    return store_->tracking();
  }

  const std::string folder_;
  std::unique_ptr<record::Store> store_;
};

}  // namespace

bool is_server(const std::string& uri) noexcept { return uri.starts_with("http://") || uri.starts_with("https://"); }

std::string without_credentials(const std::string& uri) {
  const size_t scheme = uri.find("://");
  if (!is_server(uri) || scheme == std::string::npos) {
    return uri;
  }
  const std::string host = uri.substr(scheme + 3, uri.find('/', scheme + 3) - scheme - 3);
  const size_t at = host.rfind('@');
  return at == std::string::npos ? uri : uri.substr(0, scheme + 3) + uri.substr(scheme + 3 + at + 1);
}

TargetOptions target_options(const std::string& uri, const std::string& fallback) {
  TargetOptions options;
  options.uri = !uri.empty() ? uri : environment("MLFLOW_TRACKING_URI");
  if (options.uri.empty()) {
    options.uri = fallback;
  }
  if (!is_server(options.uri)) {
    const size_t scheme = options.uri.find(':');
    if (scheme != std::string::npos && options.uri.find('/') > scheme) {
      throw Error(Code::kInvalid,
                  fmt::format("runs go to a server (http://HOST:PORT) or to the folder of a record, not to '{}'; "
                              "'slipway import mlflow' takes over what an mlruns folder holds",
                              options.uri));
    }
    options.uri = std::filesystem::absolute(options.uri).lexically_normal().string();
    return options;
  }
  options.token = environment("MLFLOW_TRACKING_TOKEN");
  options.username = environment("MLFLOW_TRACKING_USERNAME");
  options.password = environment("MLFLOW_TRACKING_PASSWORD");
  options.ca_file = environment("MLFLOW_TRACKING_SERVER_CERT_PATH");
  return options;
}

std::unique_ptr<Target> make_target(const TargetOptions& options) {
  if (is_server(options.uri)) {
    return std::make_unique<MlflowTarget>(options);
  }
  return std::make_unique<StoreTarget>(options.uri);
}

}  // namespace slipway::track
