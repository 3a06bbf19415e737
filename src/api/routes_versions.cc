#include <fmt/format.h>

#include "api/approvals.h"
#include "api/filter.h"
#include "api/limits.h"
#include "api/page_token.h"
#include "api/registry.h"
#include "api/registry_events.h"
#include "api/registry_messages.h"
#include "api/routes.h"
#include "api/span_content.h"

namespace slipway::api {
namespace {

using record::CatalogVersion;
using record::KeyValue;

constexpr std::string_view kLoggedModels = "models:/m-";  // a logged model, by its id

std::string shown(const CatalogVersion& version) {
  JsonWriter out;
  out.begin_object();
  write_version(out, "model_version", version);
  out.end_object();
  return out.take();
}

[[noreturn]] void foreign_source(const std::string& source, const char* parameter) {
  invalid(fmt::format(
      "Invalid model version source: '{}'. The {} request parameter must identify the resource that contains "
      "the source.",
      source, parameter));
}

// Whether `uri` is `root` or lies below it, and says so without "..".
bool is_below(const std::string& uri, const std::string& root) {
  return uri == root || (uri.starts_with(root + "/") && uri.find("..") == std::string::npos);
}

// A version may name what its run made, another version, a store elsewhere; never a file of this machine.
void check_source(Backend& backend, const CreateVersion& request) {
  const std::string& source = request.source;
  const size_t colon = source.find(':');
  const std::string scheme = source.substr(0, colon == std::string::npos ? 0 : colon);
  if (source == "dummy-source") {  // of a prompt
    return;
  }
  if (scheme.empty() || scheme == "file") {
    invalid(
        fmt::format("Invalid model version source: '{}'. To use a local path as a model version source, the run_id "
                    "request parameter has to be specified and the local path has to be contained within the artifact "
                    "directory of the run specified by the run_id.",
                    source));
  }
  std::string plain = source;
  for (std::string decoded; net::percent_decode(plain, true, decoded) && decoded != plain;) {
    plain.swap(decoded);
  }
  for (size_t at = plain.find(".."); at != std::string::npos; at = plain.find("..", at + 1)) {
    const bool begins = at == 0 || plain[at - 1] == '/' || plain[at - 1] == ':';
    const bool ends = at + 2 == plain.size() || plain[at + 2] == '/';
    if (begins && ends) {
      invalid(fmt::format(
          "Invalid model version source: '{}'. If supplying a source as an http, https, local file path, ftp, "
          "objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path "
          "references present. Please provide an absolute path.",
          source));
    }
  }
  if (scheme == "runs" && !source.starts_with("runs:/" + request.run_id + "/")) {
    foreign_source(source, "run_id");
  }
  if (scheme != "mlflow-artifacts" && !source.starts_with(kLoggedModels)) {
    return;
  }
  if (!request.model_id.empty()) {
    const auto model = backend.store.tracking().logged_models().find(request.model_id);
    if (!model || model->deleted ||
        (!is_below(source, model->artifact_uri) && !is_below(source, "models:/" + request.model_id))) {
      foreign_source(source, "model_id");
    }
    return;
  }
  const auto run = backend.store.tracking().runs().find(request.run_id);
  if (scheme == "mlflow-artifacts" && (!run || !is_below(source, run->artifact_uri))) {
    foreign_source(source, "run_id");
  }
}

// A logged model says, in a tag, as which versions it is registered.
void note_registration(Backend& backend, const CatalogVersion& version) {
  constexpr const char* kTag = "mlflow.modelVersions";
  record::LoggedModelStore& models = backend.store.tracking().logged_models();
  const auto model = models.find(version.model_id);
  if (!model || model->deleted) {
    return;
  }
  Json registrations = Json::array();
  for (const KeyValue& tag : model->tags) {
    if (tag.key == kTag) {
      registrations = Json::parse(tag.value, nullptr, false);
    }
  }
  registrations = registrations.is_array() ? registrations : Json::array();
  registrations.push_back({{"name", version.model}, {"version", version.version}});
  const KeyValue tag{kTag, python_json_text(registrations)};
  models.set_tags(version.model_id, {&tag, 1});
}

std::string create(Backend& backend, const CreateVersion& request, const net::Request& head) {
  check_model_name(request.name);
  check_source(backend, request);
  for (const KeyValue& tag : request.tags) {
    check_model_tag(tag);
  }
  CatalogVersion version;
  version.model = request.name;
  version.source = request.source;
  version.run_id = request.run_id;
  version.run_link = request.run_link;
  version.model_id = request.model_id;
  version.description = request.description;
  version.tags = request.tags;
  version.author = author_of(backend, head, request.run_id);
  version = backend.store.tracking().versions().create(std::move(version));
  if (!version.model_id.empty()) {
    note_registration(backend, version);
  }
  tell_version_created(backend, version);
  return shown(version);
}

std::string update(record::VersionCatalog& versions, const UpdateVersion& request) {
  return shown(
      versions.change(request.name, version_number(request.version), {request.description, std::nullopt, false, ""}));
}

std::string transition(record::VersionCatalog& versions, const MoveVersion& request, const net::Request& head) {
  const std::string stage = stage_of(request.stage);
  if (request.archive_existing_versions && stage != "Staging" && stage != "Production") {
    invalid(fmt::format(
        "Model version transition cannot archive existing model versions because '{}' is not an Active stage. "
        "Valid stages are ('Staging', 'Production')",
        request.stage));
  }
  if (!request.override_reason.empty()) {
    check_may_override(head, request.name);
  }
  return shown(versions.change(request.name, version_number(request.version),
                               {std::nullopt, stage, request.archive_existing_versions, request.override_reason}));
}

// A page holds what the caller may see of it: perhaps less than was asked for.
std::string search(record::VersionCatalog& versions, const SearchVersions& request, const net::Request& head) {
  if (request.max_results < 1) {
    invalid(
        fmt::format("Invalid value for max_results. It must be a positive integer, but got {}", request.max_results));
  }
  record::Query query;
  query.conditions = parse_filter(request.filter, version_grammar());
  query.order = parse_order(request.order_by, version_grammar());
  if (query.order.empty()) {
    query.order = {{record::Entity::kAttribute, "last_updated_timestamp", false}};  // then by name, the highest version first
  }
  query.offset = page_offset(request.page_token);
  query.limit = request.max_results;
  const auto page = versions.search(query);
  JsonWriter out;
  out.begin_object();
  if (!page.items.empty()) {
    out.begin_array("model_versions");
    for (const CatalogVersion& version : page.items) {
      if (may_see(head, version.model)) {
        write_version(out, {}, version);
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

// Where its files are to be read from: a run's path as the address of its artifacts.
std::string download_uri(Backend& backend, const VersionName& request) {
  constexpr std::string_view kRuns = "runs:/";
  std::string uri = found_version(backend.store.tracking().versions(), request.name, request.version).source;
  if (uri.starts_with(kRuns)) {
    const std::string rest = uri.substr(kRuns.size());
    const size_t slash = rest.find('/');
    if (const auto run = backend.store.tracking().runs().find(rest.substr(0, slash))) {
      uri = run->artifact_uri + (slash == std::string::npos ? "" : rest.substr(slash));
    }
  }
  if (uri.starts_with(kLoggedModels)) {
    const std::string rest = uri.substr(std::string_view("models:/").size());
    const size_t slash = rest.find('/');
    if (const auto model = backend.store.tracking().logged_models().find(rest.substr(0, slash))) {
      uri = model->artifact_uri + (slash == std::string::npos ? "" : rest.substr(slash));
    }
  }
  JsonWriter out;
  out.begin_object();
  out.field("artifact_uri", uri);
  out.end_object();
  return out.take();
}

}  // namespace

void add_version_routes(Routes& routes, Backend& backend) {
  record::VersionCatalog& versions = backend.store.tracking().versions();
  const std::string base = "/2.0/mlflow/model-versions/";
  routes.add<CreateVersion>("POST", base + "create",
                            [&](const CreateVersion& message, const net::Request& request) { return create(backend, message, request); });
  routes.add<VersionName>("GET", base + "get", [&](const VersionName& request) {
    return shown(found_version(versions, request.name, request.version));
  });
  routes.add<UpdateVersion>("PATCH", base + "update",
                            [&](const UpdateVersion& request) { return update(versions, request); });
  routes.add<MoveVersion>(
      "POST", base + "transition-stage",
      [&](const MoveVersion& message, const net::Request& request) { return transition(versions, message, request); },
      needs(Role::kApprover));
  routes.add<VersionName>("DELETE", base + "delete", [&](const VersionName& request) {
    versions.remove(request.name, version_number(request.version));
    return kEmptyAnswer;
  });
  routes.add<SearchVersions>(
      "GET", base + "search",
      [&](const SearchVersions& message, const net::Request& request) { return search(versions, message, request); },
      filtered_by_handler());
  routes.add<VersionName>("GET", base + "get-download-uri",
                          [&](const VersionName& request) { return download_uri(backend, request); });
  routes.add<VersionTag>("POST", base + "set-tag", [&](const VersionTag& request) {
    const KeyValue tag{request.key, request.value};
    check_model_tag(tag);
    versions.set_tag(request.name, version_number(request.version), tag);
    tell_tag_changed(backend, request.name, request.version, request.key, request.value);
    return kEmptyAnswer;
  });
  routes.add<VersionTag>(
      "DELETE", base + "delete-tag",
      [&](const VersionTag& request) {
        versions.remove_tag(request.name, version_number(request.version), request.key);
        tell_tag_changed(backend, request.name, request.version, request.key, std::nullopt);
        return kEmptyAnswer;
      },
      needs(Role::kEditor));
}

}  // namespace slipway::api
