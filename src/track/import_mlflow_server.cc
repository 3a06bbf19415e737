// An MLflow server asked over REST.
#include <fmt/format.h>

#include "base/error.h"
#include "record/tracking.h"
#include "track/import_mlflow.h"
#include "track/rest.h"

namespace slipway::track {
namespace {

using base::Code;
using base::Error;
using record::KeyValue;

constexpr int kPage = 1000;
constexpr int kHistoryPage = 25'000;
constexpr uint64_t kPieceBytes = uint64_t{32} << 20;  // of a file, when the server knows ranges
constexpr int kMaxDepth = 64;
constexpr const char* kSource = "the server's answer";

std::string text(const Json& json, const char* key) { return base::get_or<std::string>(json, key, "", kSource); }
int64_t number(const Json& json, const char* key) {
  const auto found = json.find(key);
  // Older servers write 64-bit numbers as texts.
  if (found != json.end() && found->is_string()) {
    return std::strtoll(found->get_ref<const std::string&>().c_str(), nullptr, 10);
  }
  return base::get_or<int64_t>(json, key, 0, kSource);
}
const Json& list(const Json& json, const char* key) {
  static const Json kNone = Json::array();
  const auto found = json.find(key);
  return found != json.end() && found->is_array() ? *found : kNone;
}
std::vector<KeyValue> pairs(const Json& json, const char* key) {
  std::vector<KeyValue> result;
  for (const Json& entry : list(json, key)) {
    result.push_back({text(entry, "key"), text(entry, "value")});
  }
  return result;
}

record::RunStatus status_of(const std::string& status) {
  return status == "FINISHED" ? record::RunStatus::kFinished
         : status == "FAILED" ? record::RunStatus::kFailed
         : status == "KILLED" ? record::RunStatus::kKilled
                              : record::RunStatus::kRunning;
}

class Server {
 public:
  Server(MlflowSink& sink, const TargetOptions& source) : sink_(sink), rest_(source) {}

  void run() {
    pages([&](const std::string& token) {
      const Json answer = rest_.post("experiments/search", paged({{"max_results", kPage}, {"view_type", "ACTIVE_ONLY"}}, token));
      for (const Json& experiment : list(answer, "experiments")) {
        take_experiment(experiment);
      }
      return text(answer, "next_page_token");
    });
    pages([&](const std::string& token) {
      MlflowRest::Query query = {{"max_results", std::to_string(kPage)}};
      if (!token.empty()) {
        query.emplace_back("page_token", token);
      }
      const Json answer = rest_.get("registered-models/search", query);
      for (const Json& model : list(answer, "registered_models")) {
        take_model(model);
      }
      return text(answer, "next_page_token");
    });
  }

 private:
  static Json paged(Json request, const std::string& token) {
    if (!token.empty()) {
      request["page_token"] = token;
    }
    return request;
  }

  // Until there is no further page; a server that repeats a token would go on for ever.
  template <class Ask>
  static void pages(Ask ask) {
    std::string token;
    while (true) {
      const std::string next = ask(token);
      if (next.empty() || next == token) {
        return;
      }
      token = next;
    }
  }

  void take_experiment(const Json& experiment) {
    const std::string id = text(experiment, "experiment_id");
    const std::string name = text(experiment, "name");
    if (!sink_.wanted(name)) {
      return;
    }
    sink_.experiment(id, name, number(experiment, "creation_time"), pairs(experiment, "tags"));
    pages([&](const std::string& token) {
      const Json answer = rest_.post("runs/search", paged({{"experiment_ids", Json::array({id})},
                                                           {"run_view_type", "ACTIVE_ONLY"},
                                                           {"max_results", kPage}},
                                                          token));
      for (const Json& run : list(answer, "runs")) {
        take_run(run, id);
      }
      return text(answer, "next_page_token");
    });
  }

  void take_run(const Json& json, const std::string& experiment) {
    const Json info = base::get<Json>(json, "info", kSource);
    const Json data = base::get_or<Json>(json, "data", Json::object(), kSource);
    record::TrackedRun run;
    run.id = text(info, "run_id");
    run.name = text(info, "run_name");
    run.user = text(info, "user_id");
    run.started_ms = number(info, "start_time");
    const std::string status = text(info, "status");
    RunImport import = sink_.begin_run(run, experiment);
    for (const KeyValue& tag : pairs(data, "tags")) {
      if (tag.key != record::kRunNameTag || run.name.empty()) {
        import.tag(tag.key, tag.value);
      }
    }
    for (const KeyValue& param : pairs(data, "params")) {
      import.param(param.key, param.value);
    }
    for (const Json& metric : list(data, "metrics")) {
      take_history(import, text(metric, "key"));
    }
    take_inputs(import.id(), base::get_or<Json>(json, "inputs", Json::object(), kSource));
    if (sink_.options().artifacts) {
      take_files(import, text(info, "artifact_uri"), "", 0);
    }
    import.finish(status_of(status), number(info, "end_time"));
    if (sink_.options().progress) {
      sink_.options().progress(sink_.report());
    }
  }

  void take_history(RunImport& import, const std::string& key) {
    pages([&](const std::string& token) {
      MlflowRest::Query query = {{"run_id", import.id()}, {"metric_key", key}, {"max_results", std::to_string(kHistoryPage)}};
      if (!token.empty()) {
        query.emplace_back("page_token", token);
      }
      const Json answer = rest_.get("metrics/get-history", query);
      for (const Json& point : list(answer, "metrics")) {
        import.metric(key, number_from_json(point.value("value", Json(0)), key), number(point, "step"), number(point, "timestamp"));
      }
      return text(answer, "next_page_token");
    });
  }

  void take_inputs(const std::string& run, const Json& inputs) {
    record::RunInputs uses;
    for (const Json& entry : list(inputs, "dataset_inputs")) {
      const Json dataset = base::get<Json>(entry, "dataset", kSource);
      record::DatasetUse use;
      use.tags = pairs(entry, "tags");
      use.dataset = {text(dataset, "name"),   text(dataset, "digest"), text(dataset, "source_type"),
                     text(dataset, "source"), std::nullopt,            std::nullopt};
      if (dataset.contains("schema")) {
        use.dataset.schema = text(dataset, "schema");
      }
      if (dataset.contains("profile")) {
        use.dataset.profile = text(dataset, "profile");
      }
      uses.datasets.push_back(std::move(use));
    }
    if (!uses.datasets.empty()) {
      sink_.store().tracking().runs().add_inputs(run, uses);
    }
  }

  void take_files(RunImport& import, const std::string& uri, const std::string& folder, int depth) {
    if (depth > kMaxDepth) {
      throw Error(Code::kInvalid, fmt::format("the artifacts of run {} lie deeper than {} folders", import.id(), kMaxDepth));
    }
    std::vector<std::string> folders;
    pages([&](const std::string& token) {
      MlflowRest::Query query = {{"run_id", import.id()}};
      if (!folder.empty()) {
        query.emplace_back("path", folder);
      }
      if (!token.empty()) {
        query.emplace_back("page_token", token);
      }
      const Json answer = rest_.get("artifacts/list", query);
      for (const Json& entry : list(answer, "files")) {
        const std::string path = text(entry, "path");
        if (base::get_or<bool>(entry, "is_dir", false, kSource)) {
          folders.push_back(path);
        } else {
          const auto size = static_cast<uint64_t>(number(entry, "file_size"));
          import.file(path, size, [&](const auto& piece) { fetch(import.id(), uri, path, size, piece); });
        }
      }
      return text(answer, "next_page_token");
    });
    for (const std::string& below : folders) {
      take_files(import, uri, below, depth + 1);
    }
  }

  void fetch(const std::string& run, const std::string& uri, const std::string& path, uint64_t size,
             const std::function<void(std::string_view)>& piece) {
    const std::string target =
        uri.starts_with("mlflow-artifacts:")
            ? MlflowRest::artifact_target(uri, path)
            : fmt::format("/get-artifact?path={}&run_uuid={}", net::percent_encode(path), net::percent_encode(run));
    if (size <= kPieceBytes) {
      piece(rest_.raw("GET", target, {}, size).body);
      return;
    }
    for (uint64_t at = 0; at < size;) {
      const uint64_t last = std::min(at + kPieceBytes, size) - 1;
      const net::Response response = rest_.raw("GET", target, {}, size, {{"Range", fmt::format("bytes={}-{}", at, last)}});
      if (response.status == 200 && at == 0) {  // a server without ranges
        piece(response.body);
        return;
      }
      if (response.status != 206 || response.body.size() != last - at + 1) {
        throw Error(Code::kIntegrity, fmt::format("the server gave {} bytes of '{}' where {} were asked for",
                                                  response.body.size(), path, last - at + 1));
      }
      piece(response.body);
      at = last + 1;
    }
  }

  void take_model(const Json& json) {
    record::RegisteredModel model;
    model.name = text(json, "name");
    model.description = text(json, "description");
    model.created_ms = number(json, "creation_timestamp");
    model.updated_ms = number(json, "last_updated_timestamp");
    model.tags = pairs(json, "tags");
    // A search may leave them out.
    const Json whole = base::get<Json>(rest_.get("registered-models/get", {{"name", model.name}}), "registered_model", kSource);
    for (const Json& alias : list(whole, "aliases")) {
      model.aliases.emplace_back(text(alias, "alias"), static_cast<int>(number(alias, "version")));
    }
    std::vector<record::CatalogVersion> versions;
    std::vector<std::vector<KeyValue>> tags;
    std::string quoted = model.name;
    for (size_t at = quoted.find('\''); at != std::string::npos; at = quoted.find('\'', at + 2)) {
      quoted.insert(at, 1, '\\');
    }
    pages([&](const std::string& token) {
      MlflowRest::Query query = {{"filter", fmt::format("name='{}'", quoted)}, {"max_results", "10000"}};
      if (!token.empty()) {
        query.emplace_back("page_token", token);
      }
      const Json answer = rest_.get("model-versions/search", query);
      for (const Json& entry : list(answer, "model_versions")) {
        record::CatalogVersion version;
        version.version = static_cast<int>(number(entry, "version"));
        version.source = text(entry, "source");
        version.run_id = text(entry, "run_id");
        version.run_link = text(entry, "run_link");
        version.model_id = text(entry, "model_id");
        version.description = text(entry, "description");
        version.stage = text(entry, "current_stage");
        version.created_ms = number(entry, "creation_timestamp");
        version.updated_ms = number(entry, "last_updated_timestamp");
        versions.push_back(std::move(version));
        tags.push_back(pairs(entry, "tags"));
      }
      return text(answer, "next_page_token");
    });
    sink_.model(model, std::move(versions), tags);
  }

  MlflowSink& sink_;
  MlflowRest rest_;
};

}  // namespace

void import_mlflow_server(MlflowSink& sink, const TargetOptions& source) { Server(sink, source).run(); }

}  // namespace slipway::track
