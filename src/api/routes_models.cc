#include <fmt/format.h>

#include "api/approvals.h"
#include "api/filter.h"
#include "api/page_token.h"
#include "api/registry.h"
#include "api/registry_events.h"
#include "api/registry_messages.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

using record::KeyValue;
using record::RegisteredModel;

RegisteredModel found_model(record::ModelCatalog& models, const std::string& name) {
  auto model = models.find(name);
  if (!model) {
    throw base::Error(base::Code::kNotFound, fmt::format("Registered Model with name={} not found", name));
  }
  return *std::move(model);
}

std::string shown(Backend& backend, const std::string& name) {
  record::Tracking& tracking = backend.store.tracking();
  JsonWriter out;
  out.begin_object();
  write_model(out, "registered_model", found_model(tracking.models(), name),
              latest_versions(tracking.versions(), name, {}));
  out.end_object();
  return out.take();
}

std::string create(Backend& backend, const CreateModel& request) {
  check_model_name(request.name);
  RegisteredModel model;
  model.name = request.name;
  model.description = request.description;
  for (const KeyValue& tag : request.tags) {
    check_model_tag(tag);
  }
  model.tags = request.tags;
  backend.store.tracking().models().create(std::move(model));
  tell_model_created(backend, request.name, request.tags, request.description);
  return shown(backend, request.name);
}

std::string update(Backend& backend, const UpdateModel& request) {
  backend.store.tracking().models().change(request.name, {std::nullopt, request.description});
  return shown(backend, request.name);
}

std::string rename(Backend& backend, const RenameModel& request) {
  check_model_name(request.new_name);
  backend.store.tracking().models().change(request.name, {request.new_name, std::nullopt});
  return shown(backend, request.new_name);
}

// A page holds what the caller may see of it: perhaps less than was asked for.
std::string search(Backend& backend, const SearchModels& request, const net::Request& head) {
  if (request.max_results < 1) {
    invalid(
        fmt::format("Invalid value for max_results. It must be a positive integer, but got {}", request.max_results));
  }
  record::Query query;
  query.conditions = parse_filter(request.filter, model_grammar());
  query.order = parse_order(request.order_by, model_grammar());
  query.offset = page_offset(request.page_token);
  query.limit = request.max_results;
  record::Tracking& tracking = backend.store.tracking();
  const auto page = tracking.models().search(query);
  JsonWriter out;
  out.begin_object();
  if (!page.items.empty()) {
    out.begin_array("registered_models");
    for (const RegisteredModel& model : page.items) {
      if (may_see(head, model.name)) {
        write_model(out, {}, model, latest_versions(tracking.versions(), model.name, {}));
      }
    }
    out.end_array();
  }
  if (page.more) {
    out.field("next_page_token", page_token(query.offset + query.limit));
  }
  out.end_object();
  return out.take();
}

std::string latest(Backend& backend, const LatestVersions& request) {
  record::Tracking& tracking = backend.store.tracking();
  found_model(tracking.models(), request.name);
  for (const std::string& stage : request.stages) {
    stage_of(stage);
  }
  const auto versions = latest_versions(tracking.versions(), request.name, request.stages);
  JsonWriter out;
  out.begin_object();
  if (!versions.empty()) {
    out.begin_array("model_versions");
    for (const record::CatalogVersion& version : versions) {
      write_version(out, {}, version);
    }
    out.end_array();
  }
  out.end_object();
  return out.take();
}

std::string set_alias(Backend& backend, const SetModelAlias& request, const net::Request& head) {
  check_alias(request.alias);
  found_version(backend.store.tracking().versions(), request.name, request.version);
  record::Registry& registry = backend.store.registry();
  const int version = version_number(request.version);
  if (request.override_reason.empty()) {
    registry.set_alias(request.name, request.alias, version, -1);
  } else {
    check_may_override(head, request.name);
    registry.override_alias(request.name, request.alias, version, request.override_reason);
  }
  tell_alias_changed(backend, request.name, request.alias, request.version);
  return kEmptyAnswer;
}

std::string by_alias(Backend& backend, const ModelAlias& request) {
  record::Tracking& tracking = backend.store.tracking();
  found_model(tracking.models(), request.name);
  std::string version;
  if (net::equal_ignoring_case(request.alias, "latest")) {
    record::Query query;
    query.conditions = {{record::Entity::kAttribute, "name", record::Comparator::kEqual, request.name}};
    query.limit = 1;
    const auto newest = tracking.versions().search(query).items;
    if (newest.empty()) {
      throw base::Error(base::Code::kNotFound, fmt::format("Latest version not found for model {}.", request.name));
    }
    version = std::to_string(newest.front().version);
  } else if (const auto alias = backend.store.registry().find_alias(request.name, request.alias)) {
    version = std::to_string(alias->version);
  } else {
    invalid(fmt::format("Registered model alias {} not found.", request.alias));
  }
  JsonWriter out;
  out.begin_object();
  write_version(out, "model_version", found_version(tracking.versions(), request.name, version));
  out.end_object();
  return out.take();
}

}  // namespace

void add_model_routes(Routes& routes, Backend& backend) {
  record::ModelCatalog& models = backend.store.tracking().models();
  const std::string base = "/2.0/mlflow/registered-models/";
  routes.add<CreateModel>("POST", base + "create",
                          [&](const CreateModel& request) { return create(backend, request); });
  routes.add<ModelName>("GET", base + "get", [&](const ModelName& request) { return shown(backend, request.name); });
  routes.add<UpdateModel>("PATCH", base + "update",
                          [&](const UpdateModel& request) { return update(backend, request); });
  routes.add<RenameModel>("POST", base + "rename",
                          [&](const RenameModel& request) { return rename(backend, request); });
  routes.add<ModelName>("DELETE", base + "delete", [&](const ModelName& request) {  // an admin's, as any DELETE
    models.remove(request.name);
    return kEmptyAnswer;
  });
  routes.add<SearchModels>(
      "GET", base + "search",
      [&](const SearchModels& message, const net::Request& request) { return search(backend, message, request); },
      filtered_by_handler());
  for (const char* method : {"GET", "POST"}) {
    routes.add<LatestVersions>(
        method, base + "get-latest-versions", [&](const LatestVersions& request) { return latest(backend, request); },
        needs(Role::kViewer));
  }
  routes.add<ModelTag>("POST", base + "set-tag", [&](const ModelTag& request) {
    const KeyValue tag{request.key, request.value};
    check_model_tag(tag);
    models.set_tag(request.name, tag);
    tell_tag_changed(backend, request.name, {}, request.key, request.value);
    return kEmptyAnswer;
  });
  routes.add<ModelTag>(
      "DELETE", base + "delete-tag",
      [&](const ModelTag& request) {
        models.remove_tag(request.name, request.key);
        tell_tag_changed(backend, request.name, {}, request.key, std::nullopt);
        return kEmptyAnswer;
      },
      needs(Role::kEditor));
  // What an alias names is what is served.
  routes.add<SetModelAlias>(
      "POST", base + "alias",
      [&](const SetModelAlias& message, const net::Request& request) { return set_alias(backend, message, request); },
      needs(Role::kApprover));
  routes.add<ModelAlias>("GET", base + "alias", [&](const ModelAlias& request) { return by_alias(backend, request); });
  routes.add<ModelAlias>(
      "DELETE", base + "alias",
      [&](const ModelAlias& request) {
        models.remove_alias(request.name, request.alias);
        tell_alias_changed(backend, request.name, request.alias, std::nullopt);
        return kEmptyAnswer;
      },
      needs(Role::kApprover));
}

}  // namespace slipway::api
