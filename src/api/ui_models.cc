// What the web UI asks about models and what serves them, beyond MLflow's registry: versions with their evidence, the history
// of aliases, deployments and their predictions.
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "api/guard.h"
#include "api/routes.h"
#include "api/ui_evidence.h"
#include "net/client.h"

namespace slipway::api {
namespace {

using record::Deployment;
using record::ModelVersion;

constexpr int kPredictions = 2000;  // of a deployment that its page counts, the newest
constexpr int kEvents = 200;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json pairs_json(const std::vector<record::KeyValue>& pairs) {
  Json list = Json::array();
  for (const record::KeyValue& pair : pairs) {
    list.push_back({{"key", pair.key}, {"value", pair.value}});
  }
  return list;
}

Json version_json(record::Store& store, const ModelVersion& version) {
  Json artifacts = Json::array();
  for (const auto& [role, digest] : version.artifacts) {
    Json one = {{"role", role}, {"digest", digest}};
    if (const auto artifact = store.artifacts().find(digest)) {
      one["name"] = artifact->name;
      one["size"] = artifact->size;
      one["folder"] = artifact->folder;
    }
    artifacts.push_back(std::move(one));
  }
  Json json = {{"version", version.version}, {"run_id", version.run_id},          {"dataset", version.dataset},
               {"metrics", version.metrics}, {"artifacts", std::move(artifacts)}, {"meta", version.meta},
               {"created_ms", version.created_ms}};
  const auto known = store.tracking().versions().find(version.model, version.version);
  json.update(evidence_json(store, version, known ? known->source : ""));
  if (known) {
    json["stage"] = known->stage;
    json["description"] = known->description;
    json["source"] = known->source;
    json["tags"] = pairs_json(known->tags);
    json["aliases"] = known->aliases;
  }
  return json;
}

Json model_page(record::Store& store, const std::string& name) {
  const auto model = store.tracking().models().find(name);
  if (!model) {
    throw base::Error(base::Code::kNotFound, fmt::format("Registered Model with name={} not found", name));
  }
  Json versions = Json::array();
  for (const ModelVersion& version : store.registry().list_versions(name)) {
    versions.push_back(version_json(store, version));
  }
  Json aliases = Json::array();
  for (const auto& [alias, version] : model->aliases) {
    Json history = Json::array();
    for (const record::Alias& step : store.registry().alias_history(name, alias)) {
      history.push_back({{"version", step.version},
                         {"changed_ms", step.changed_ms},
                         {"who", text_or_null(step.who)},
                         {"override", text_or_null(step.override_reason)}});
    }
    aliases.push_back({{"alias", alias}, {"version", version}, {"history", std::move(history)}});
  }
  return {{"name", model->name},
          {"description", model->description},
          {"created_ms", model->created_ms},
          {"updated_ms", model->updated_ms},
          {"tags", pairs_json(model->tags)},
          {"policy", record::to_json(store.approvals().policy(name))},
          {"aliases", std::move(aliases)},
          {"versions", std::move(versions)}};
}

Json deployments(record::Store& store) {
  Json list = Json::array();
  for (const Deployment& deployment : store.events().list_deployments(200)) {
    Json one = record::to_json(deployment);
    one["predictions"] = store.predictions().count(deployment.id);
    list.push_back(std::move(one));
  }
  return {{"deployments", std::move(list)}};
}

Deployment found_deployment(record::Store& store, const std::string& id) {
  auto deployment = store.events().find_deployment(id);
  if (!deployment) {
    throw base::Error(base::Code::kNotFound, fmt::format("there is no deployment '{}'", id));
  }
  return std::move(*deployment);
}

// The newest predictions of the last day. They are listed oldest first, so a busy deployment is asked for its last minute only.
std::vector<record::Prediction> newest(record::Store& store, const std::string& deployment, int64_t now_ms) {
  constexpr size_t kEnough = 200;
  std::vector<record::Prediction> all;
  for (const int64_t minutes : {1, 15, 24 * 60}) {
    all.clear();
    int64_t after = now_ms - minutes * 60'000;
    while (true) {
      auto page = store.predictions().list(deployment, after, kPredictions);
      if (page.empty()) {
        break;
      }
      after = page.back().time_ms;
      all.insert(all.end(), std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
      if (all.size() > 2 * size_t{kPredictions}) {
        all.erase(all.begin(), all.end() - kPredictions);
      }
    }
    if (all.size() >= kEnough) {
      break;
    }
  }
  return all;
}

Json traffic(const std::vector<record::Prediction>& predictions) {
  Json times = Json::array();
  Json latencies = Json::array();
  Json recent = Json::array();
  std::map<std::string, int64_t> labels;
  for (const record::Prediction& one : predictions) {
    times.push_back(one.time_ms);
    latencies.push_back(one.latency_us);
    ++labels[one.label];
  }
  for (size_t i = predictions.size(); i > 0 && recent.size() < 50; --i) {
    const record::Prediction& one = predictions[i - 1];
    recent.push_back({{"id", one.id},       {"time_ms", one.time_ms}, {"model", one.model},
                      {"text", one.text},   {"label", one.label},     {"score", one.score},
                      {"tokens", one.tokens}, {"latency_us", one.latency_us}});
  }
  return {{"times", std::move(times)}, {"latencies_us", std::move(latencies)}, {"labels", labels}, {"recent", std::move(recent)}};
}

Json deployment_page(Backend& backend, const std::string& id) {
  record::Store& store = backend.store;
  const Deployment deployment = found_deployment(store, id);
  const std::string subject = "deployment:" + deployment.id;
  Json windows = Json::array();
  Json events = Json::array();
  for (const record::Event& event : store.events().newest("", 5000)) {
    if (event.subject != subject) {
      continue;
    }
    (event.kind == "monitor_window" ? windows : events).push_back(record::to_json(event));
  }
  const auto keep_last = [](Json& list) {
    if (list.size() > kEvents) {
      list.erase(list.begin(), list.end() - kEvents);
    }
  };
  keep_last(windows);
  keep_last(events);
  return {{"deployment", record::to_json(deployment)},
          {"predictions", store.predictions().count(deployment.id)},
          {"traffic", traffic(newest(store, deployment.id, backend.clock.unix_ms()))},
          {"windows", std::move(windows)},
          {"events", std::move(events)}};
}

// Passes a question on to the deployment, whose address is the record's, not the client's, and of this machine.
net::Response forward(record::Store& store, const net::Request& request, const std::string& target) {
  const Deployment deployment = found_deployment(store, std::string(request.param("id")));
  constexpr std::string_view kScheme = "http://";
  if (deployment.status != record::DeploymentStatus::kReady || !deployment.address.starts_with(kScheme) ||
      !is_loopback_host(std::string_view(deployment.address).substr(kScheme.size()))) {
    throw base::Error(base::Code::kUnavailable,
                      fmt::format("deployment '{}' is not served on this machine now; 'slipway serve {}' starts it",
                                  deployment.endpoint, deployment.model));
  }
  if (request.headers.get("Content-Type").find("application/json") == std::string_view::npos) {
    invalid("the body must be JSON");  // and no form of a foreign page
  }
  net::ClientOptions options;
  options.timeout = std::chrono::seconds(60);  // an explanation is hundreds of predictions
  net::Response answer =
      net::HttpClient(deployment.address, options).request("POST", target, request.body, {{"Content-Type", "application/json"}});
  if (!answer.headers.get("Content-Type").starts_with("application/json")) {
    throw base::Error(base::Code::kUnavailable, fmt::format("deployment '{}' answered {} without JSON: is something else at {} now?",
                                                            deployment.endpoint, answer.status, deployment.address));
  }
  return {answer.status, {{"Content-Type", "application/json"}}, std::move(answer.body)};
}

}  // namespace

void add_ui_model_routes(Routes& routes, Backend& backend) {
  record::Store& store = backend.store;
  routes.add_raw(
      "GET", "/ui/models/{name}",
      [&store](const net::Request& request) {
        return net::json_response(model_page(store, std::string(request.param("name"))));
      },
      on([](const net::Request& request) { return Subjects{{std::string(request.param("name"))}, {}, {}}; }));
  routes.add_raw("GET", "/ui/deployments",
                 [&store](const net::Request&) { return net::json_response(deployments(store)); });
  routes.add_raw("GET", "/ui/deployments/{id}", [&backend](const net::Request& request) {
    return net::json_response(deployment_page(backend, std::string(request.param("id"))));
  });
  routes.add_raw(
      "POST", "/ui/deployments/{id}/explain",
      [&store](const net::Request& request) { return forward(store, request, "/v1/explain"); }, needs(Role::kViewer));
}

}  // namespace slipway::api
