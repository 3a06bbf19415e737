// An MLflow server asked over REST.
#include <fmt/format.h>
#include <set>

#include "base/error.h"
#include "record/trace_json.h"
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
constexpr const char* kTraces = "/api/3.0/mlflow/traces/search";
constexpr int kTracePage = 100;
constexpr const char* kPrompts = "tags.`mlflow.prompt.is_prompt` = 'true'";
constexpr size_t kMaxTrace = size_t{256} << 20;

class Server {
 public:
  Server(MlflowSink& sink, const TargetOptions& source) : sink_(sink), rest_(source) {}

  void run() {
    pages([&](const std::string& token) {
      const Json answer = rest_.post("experiments/search", paged({{"max_results", kPage}, {"view_type", "ACTIVE_ONLY"}}, token));
      for (const Json& experiment : field_list(answer, "experiments")) {
        take_experiment(experiment);
      }
      return field_text(answer, "next_page_token");
    });
    // MLflow's server leaves prompts out of a search that does not ask for them.
    for (const std::string& filter : {std::string(), std::string(kPrompts)}) {
      pages([&](const std::string& token) {
        MlflowRest::Query query = {{"max_results", std::to_string(kPage)}};
        if (!filter.empty()) {
          query.emplace_back("filter", filter);
        }
        if (!token.empty()) {
          query.emplace_back("page_token", token);
        }
        const Json answer = rest_.get("registered-models/search", query);
        for (const Json& model : field_list(answer, "registered_models")) {
          if (models_.insert(field_text(model, "name")).second) {
            take_model(model, filter.empty() ? "" : fmt::format(" AND {}", filter));
          }
        }
        return field_text(answer, "next_page_token");
      });
    }
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
    const std::string id = field_text(experiment, "experiment_id");
    const std::string name = field_text(experiment, "name");
    if (!sink_.wanted(name)) {
      return;
    }
    sink_.experiment(id, name, field_number(experiment, "creation_time"), field_pairs(experiment, "tags"));
    pages([&](const std::string& token) {
      const Json answer = rest_.post("runs/search", paged({{"experiment_ids", Json::array({id})},
                                                           {"run_view_type", "ACTIVE_ONLY"},
                                                           {"max_results", kPage}},
                                                          token));
      for (const Json& run : field_list(answer, "runs")) {
        take_run(run, id);
      }
      return field_text(answer, "next_page_token");
    });
    take_if_there("logged models", [&] { take_logged_models(id); });
    for (const auto& [run, uses] : std::exchange(model_uses_, {})) {
      sink_.model_uses(run, uses);
    }
    take_if_there("traces", [&] { take_traces(id); });
  }

  // Servers of MLflow 2 know no such address, and have nothing there.
  template <class Take>
  void take_if_there(const char* what, Take take) {
    try {
      take();
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound || !rest_.error_code().empty()) {
        throw;
      }
      ++sink_.report().skipped[fmt::format("experiments of a server without {}", what)];
    }
  }

  void remember_models(const std::string& run, const Json& json) {
    record::RunInputs uses;
    for (const Json& entry : field_list(field_object(json, "inputs"), "model_inputs")) {
      uses.model_inputs.push_back({field_text(entry, "model_id"), 0});
    }
    for (const Json& entry : field_list(field_object(json, "outputs"), "model_outputs")) {
      uses.model_outputs.push_back({field_text(entry, "model_id"), field_number(entry, "step")});
    }
    model_uses_.emplace_back(run, std::move(uses));
  }

  void take_logged_models(const std::string& experiment) {
    pages([&](const std::string& token) {
      const Json answer = rest_.post("logged-models/search", paged({{"experiment_ids", Json::array({experiment})}}, token));
      for (const Json& entry : field_list(answer, "models")) {
        take_logged_model(field_object(entry, "info"), field_object(entry, "data"), experiment);
      }
      return field_text(answer, "next_page_token");
    });
  }

  void take_logged_model(const Json& info, const Json& data, const std::string& experiment) {
    record::LoggedModel model = logged_model(info);
    model.tags = field_pairs(info, "tags");
    model.params = field_pairs(data, "params");
    const std::string there = field_text(info, "artifact_uri");
    const std::string here = sink_.logged_model(model, experiment);
    std::vector<record::LoggedModelMetric> metrics;
    for (const Json& metric : field_list(data, "metrics")) {
      const std::string key = field_text(metric, "key");
      metrics.push_back({{key, number_from_json(metric.value("value", Json(0)), key), field_number(metric, "step"),
                          field_number(metric, "timestamp")},
                         model.id,
                         field_text(metric, "run_id"),
                         field_text(metric, "dataset_name"),
                         field_text(metric, "dataset_digest")});
    }
    sink_.logged_model_metrics(metrics);
    if (sink_.options().artifacts && !there.starts_with("mlflow-artifacts:")) {
      ++sink_.report().skipped["files of logged models that the server does not carry"];
    } else if (sink_.options().artifacts) {
      take_model_files(model.id, there, here, "", 0);
    }
  }

  void take_model_files(const std::string& id, const std::string& there, const std::string& here, const std::string& folder, int depth) {
    if (depth > kMaxDepth) {
      throw Error(Code::kInvalid, fmt::format("the files of logged model {} lie deeper than {} folders", id, kMaxDepth));
    }
    const Json answer = rest_.get(fmt::format("logged-models/{}/artifacts/directories", net::percent_encode(id)),
                                  folder.empty() ? MlflowRest::Query() : MlflowRest::Query{{"artifact_directory_path", folder}});
    for (const Json& entry : field_list(answer, "files")) {
      const std::string path = field_text(entry, "path");
      if (base::get_or<bool>(entry, "is_dir", false, kSource)) {
        take_model_files(id, there, here, path, depth + 1);
      } else {
        const auto size = static_cast<uint64_t>(field_number(entry, "file_size"));
        sink_.file(here, path, size, [&](const auto& piece) { fetch("", there, path, size, piece); });
      }
    }
  }

  void take_traces(const std::string& experiment) {
    pages([&](const std::string& token) {
      const Json request = paged({{"locations", Json::array({{{"type", "MLFLOW_EXPERIMENT"},
                                                              {"mlflow_experiment", {{"experiment_id", experiment}}}}})},
                                  {"max_results", kTracePage}},
                                 token);
      const Json answer = json_of(rest_.raw("POST", kTraces, base::dump_json(request), 0, {{"Content-Type", "application/json"}}));
      for (const Json& entry : field_list(answer, "traces")) {
        take_trace(entry, experiment);
      }
      return field_text(answer, "next_page_token");
    });
  }

  // Its spans come as its file has them, wherever that server keeps them.
  void take_trace(const Json& info, const std::string& experiment) {
    const record::Trace trace = record::trace_from_json(info, 0);
    Json spans = Json::array();
    try {
      const Json file = json_of(rest_.raw(
          "GET", "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=" + net::percent_encode(trace.id), {}, kMaxTrace));
      spans = field_list(file, "spans");
    } catch (const Error& error) {
      if (error.code() == Code::kUnavailable) {
        throw;
      }
      ++sink_.report().skipped["spans of traces that the server does not give"];
    }
    sink_.trace(trace, spans, experiment);
  }

  static Json json_of(const net::Response& response) { return base::parse_json(response.body, kSource, {kMaxTrace, 64}); }

  void take_run(const Json& json, const std::string& experiment) {
    const Json info = base::get<Json>(json, "info", kSource);
    const Json data = base::get_or<Json>(json, "data", Json::object(), kSource);
    record::TrackedRun run;
    run.id = field_text(info, "run_id");
    run.name = field_text(info, "run_name");
    run.user = field_text(info, "user_id");
    run.started_ms = field_number(info, "start_time");
    RunImport import = sink_.begin_run(run, experiment);
    for (const KeyValue& tag : field_pairs(data, "tags")) {
      if (tag.key != record::kRunNameTag || run.name.empty()) {
        import.tag(tag.key, tag.value);
      }
    }
    for (const KeyValue& param : field_pairs(data, "params")) {
      import.param(param.key, param.value);
    }
    for (const Json& metric : field_list(data, "metrics")) {
      take_history(import, field_text(metric, "key"));
    }
    take_inputs(import.id(), base::get_or<Json>(json, "inputs", Json::object(), kSource));
    if (sink_.options().artifacts) {
      take_files(import, field_text(info, "artifact_uri"), "", 0);
    }
    import.finish(run_status(info), field_number(info, "end_time"));
    remember_models(import.id(), json);
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
      for (const Json& point : field_list(answer, "metrics")) {
        import.metric(key, number_from_json(point.value("value", Json(0)), key), field_number(point, "step"), field_number(point, "timestamp"));
      }
      return field_text(answer, "next_page_token");
    });
  }

  void take_inputs(const std::string& run, const Json& inputs) {
    record::RunInputs uses;
    for (const Json& entry : field_list(inputs, "dataset_inputs")) {
      uses.datasets.push_back({dataset(field_object(entry, "dataset")), field_pairs(entry, "tags")});
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
      for (const Json& entry : field_list(answer, "files")) {
        const std::string path = field_text(entry, "path");
        if (base::get_or<bool>(entry, "is_dir", false, kSource)) {
          folders.push_back(path);
        } else {
          const auto size = static_cast<uint64_t>(field_number(entry, "file_size"));
          import.file(path, size, [&](const auto& piece) { fetch(import.id(), uri, path, size, piece); });
        }
      }
      return field_text(answer, "next_page_token");
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

  void take_model(const Json& json, const std::string& more) {
    record::RegisteredModel model = registered_model(json);
    // A search may leave them out.
    const Json whole = base::get<Json>(rest_.get("registered-models/get", {{"name", model.name}}), "registered_model", kSource);
    for (const Json& alias : field_list(whole, "aliases")) {
      model.aliases.emplace_back(field_text(alias, "alias"), static_cast<int>(field_number(alias, "version")));
    }
    std::vector<record::CatalogVersion> versions;
    std::vector<std::vector<KeyValue>> tags;
    std::string quoted = model.name;
    for (size_t at = quoted.find('\''); at != std::string::npos; at = quoted.find('\'', at + 2)) {
      quoted.insert(at, 1, '\\');
    }
    pages([&](const std::string& token) {
      MlflowRest::Query query = {{"filter", fmt::format("name='{}'{}", quoted, more)}, {"max_results", "10000"}};
      if (!token.empty()) {
        query.emplace_back("page_token", token);
      }
      const Json answer = rest_.get("model-versions/search", query);
      for (const Json& entry : field_list(answer, "model_versions")) {
        versions.push_back(model_version(entry));
        tags.push_back(field_pairs(entry, "tags"));
      }
      return field_text(answer, "next_page_token");
    });
    sink_.model(model, std::move(versions), tags);
  }

  MlflowSink& sink_;
  MlflowRest rest_;
  std::set<std::string> models_;  // registered ones that were taken
  std::vector<std::pair<std::string, record::RunInputs>> model_uses_;  // of the experiment's runs, until its models are there
};

}  // namespace

void import_mlflow_server(MlflowSink& sink, const TargetOptions& source) { Server(sink, source).run(); }

}  // namespace slipway::track
