#include "serve/routes_models.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/clock.h"
#include "serve/body.h"
#include "serve/generator_core.h"
#include "serve/handling.h"

namespace slipway::serve {

namespace {

Json openai_model(const ModelCard& card) {
  Json model = {{"id", card.name}, {"object", "model"}, {"created", card.created_s}, {"owned_by", "slipway"}};
  if (card.context_length > 0) {
    model["max_model_len"] = card.context_length;
  }
  if (!card.parent.empty()) {
    model["parent"] = card.parent;
  }
  return model;
}

// The models, each followed by its adapters.
std::vector<ModelCard> with_adapters(const Models& models) {
  std::vector<ModelCard> all;
  for (ModelCard& card : models.cards()) {
    const std::vector<AdapterCard> adapters = std::exchange(card.adapters, {});
    all.push_back(card);
    for (const AdapterCard& adapter : adapters) {
      all.push_back(card);
      all.back().parent = card.name;
      all.back().name = all.back().display = adapter.name;
      all.back().weight_bytes = adapter.bytes;
    }
  }
  return all;
}

Json health(const Models& models) {
  const std::vector<ModelCard> cards = models.cards();
  Json answer = {{"status", "ok"}, {"model", cards.empty() ? "" : cards.front().display}};
  if (cards.size() > 1) {
    answer["models"] = Json::array();
    for (const ModelCard& card : cards) {
      answer["models"].push_back(card.name);
    }
  }
  return answer;
}

// One model has no label, as a server of one always told it; several are told apart by the label "model".
net::Response metrics(const ModelRoutes& routes, const net::Request& request) {
  const std::shared_ptr<const Models::Table> table = routes.models.table();
  std::vector<net::LabelledRegistry> registries = {{&routes.metrics, {}}};
  for (const Models::Entry& entry : *table) {
    if (entry.model) {
      registries.push_back({&entry.model->metrics(), {}});
      if (table->size() > 1) {
        registries.back().labels = {{"model", entry.name}};
      }
    }
  }
  return net::metrics_response(registries, request.headers.get("Accept"));
}

const char* state_name(Models::State state) {
  switch (state) {
    case Models::State::kReady: return "READY";
    case Models::State::kLoading: return "LOADING";
    default: return "UNAVAILABLE";
  }
}

Json index(const Models& models, bool ready_only) {
  const std::shared_ptr<const Models::Table> table = models.table();
  Json list = Json::array();
  for (const Models::Entry& entry : *table) {
    const std::vector<std::string> none = {""};
    for (const std::string& version : entry.model ? entry.model->card().versions : none) {
      if (entry.model || !ready_only) {
        list.push_back(
            {{"name", entry.name}, {"version", version}, {"state", state_name(entry.state)}, {"reason", entry.reason}});
      }
    }
  }
  return list;
}

Json object_of(const net::Request& request) { return request.body.empty() ? Json::object() : parse_body(request); }

// {"parameters": {"reference": …}} gives a name a model that it did not have; Triton's own parameters are about files
// of its repository.
void load(const ModelRoutes& routes, const net::Request& request) {
  const Json json = object_of(request);
  const Json* parameters = Body(json).find("parameters");
  ModelSource source{std::string(request.param("model")), ""};
  if (parameters != nullptr) {
    if (!parameters->is_object()) {
      reject("parameters", "'parameters' must be an object");
    }
    for (const auto& [key, value] : parameters->items()) {
      if (key != "reference" || !value.is_string()) {
        reject(key,
               "the one parameter of loading is 'reference': a model folder, a .gguf file, models:/NAME@ALIAS or "
               "models:/NAME/3");
      }
      source.reference = value.get<std::string>();
    }
  }
  routes.models.load(source);
  routes.log.info("loaded", {{"model", source.name}});
}

void unload(const ModelRoutes& routes, const net::Request& request) {
  const std::string name(request.param("model"));
  routes.models.unload(name, routes.unload_limit);
  routes.log.info("unloaded", {{"model", name}});
}

void add_lists(net::Router& router, Models& models) {
  const auto get = [&](const char* path, auto make) {
    router.add("GET", path, [&models, make](const net::Request&, const net::Responder& responder) {
      responder.send(net::json_response(make(models)));
    });
  };
  get("/health", health);
  get("/v1/models", [](const Models& all) {
    Json data = Json::array();
    for (const ModelCard& card : with_adapters(all)) {
      data.push_back(openai_model(card));
    }
    return Json{{"object", "list"}, {"data", std::move(data)}};
  });
  for (const char* path : {"/api/tags", "/api/ps"}) {
    get(path, [](const Models& all) {
      Json tags = Json::array();
      for (const ModelCard& card : with_adapters(all)) {
        tags.push_back(ollama_tag(card));
      }
      return Json{{"models", std::move(tags)}};
    });
  }
  get("/api/version", [](const Models&) { return Json{{"version", SLIPWAY_VERSION}}; });
  get("/v2", [](const Models&) {
    return Json{{"name", "slipway"},
                {"version", SLIPWAY_VERSION},
                {"extensions",
                 Json::array({"binary_tensor_data", "classification", "model_configuration", "model_repository"})}};
  });
  get("/v2/health/live", [](const Models&) { return Json{{"live", true}}; });
  get("/v2/health/ready", [](const Models&) { return Json{{"ready", true}}; });
  router.add("GET", "/v1/models/{id}", [&models](const net::Request& request, const net::Responder& responder) {
    const std::string_view id = request.param("id");
    const std::vector<ModelCard> cards = with_adapters(models);
    const auto found = std::find_if(cards.begin(), cards.end(), [&](const ModelCard& card) { return card.name == id; });
    responder.send(found != cards.end()
                       ? net::json_response(openai_model(*found))
                       : openai_error(404, fmt::format("the model '{}' does not exist", id.substr(0, 100)), "model",
                                      "model_not_found"));
  });
}

}  // namespace

Json ollama_tag(const ModelCard& card) {
  const std::string size =
      card.parameters > 0 ? fmt::format("{:.1f}M", static_cast<double>(card.parameters) / 1e6) : "";
  return {{"name", card.name + ":latest"},
          {"model", card.name + ":latest"},
          {"modified_at", base::iso8601(card.created_s * 1000)},
          {"size", card.weight_bytes},
          {"digest", ""},
          {"details",
           {{"parent_model", card.parent},
            {"format", "slipway"},
            {"family", card.architecture},
            {"families", Json::array({card.architecture})},
            {"parameter_size", size},
            {"quantization_level", card.weight_type}}}};
}

void add_presence_routes(net::Router& router, const ServedModel& model) {
  const auto get = [&](const std::string& path, auto make) {
    router.add("GET", path, [&model, make](const net::Request& request, const net::Responder& responder) {
      const std::string_view name = request.param("model");
      responder.send(model.answers_to(name)
                         ? net::json_response(make(model.card()))
                         : plain_error(404, fmt::format("model '{}' is not served here", name.substr(0, 100))));
    });
  };
  get("/v2/models/{model}", [](const ModelCard& card) {
    return Json{{"name", card.name},
                {"versions", card.versions},
                {"platform", "slipway"},
                {"inputs", Json::array()},
                {"outputs", Json::array()}};
  });
  get("/v2/models/{model}/ready", [](const ModelCard& card) { return Json{{"name", card.name}, {"ready", true}}; });
}

void add_model_routes(net::Router& router, const ModelRoutes& routes) {
  add_lists(router, routes.models);
  router.add("GET", "/metrics", [routes](const net::Request& request, const net::Responder& responder) {
    responder.send(metrics(routes, request));
  });
  router.add("POST", "/v2/repository/index", [routes](const net::Request& request, const net::Responder& responder) {
    const Json body = object_of(request);
    responder.send(net::json_response(index(routes.models, Body(body).flag("ready", false))));
  });
  const auto change = [&](const char* path, void (*work)(const ModelRoutes&, const net::Request&)) {
    router.add("POST", path,
               on_worker(
                   routes.changers, routes.log,
                   [routes, work](const net::Request& request, const net::Responder& responder) {
                     if (routes.access == nullptr || !routes.access->administers(responder.client())) {
                       require_local(request);
                     }
                     work(routes, request);
                     responder.send(net::json_response(Json::object()));
                   },
                   plain_error));
  };
  change("/v2/repository/models/{model}/load", load);
  change("/v2/repository/models/{model}/unload", unload);
}

}  // namespace slipway::serve
