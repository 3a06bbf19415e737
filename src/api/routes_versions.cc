#include <fmt/format.h>

#include "api/filter.h"
#include "api/limits.h"
#include "api/page_token.h"
#include "api/registry.h"
#include "api/registry_messages.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

using record::CatalogVersion;
using record::KeyValue;

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
  if (scheme == "mlflow-artifacts") {
    const auto run = backend.store.tracking().runs().find(request.run_id);
    if (!run || !is_below(source, run->artifact_uri)) {
      foreign_source(source, "run_id");
    }
  }
}

std::string create(Backend& backend, const CreateVersion& request) {
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
  return shown(backend.store.tracking().versions().create(std::move(version)));
}

std::string update(record::VersionCatalog& versions, const UpdateVersion& request) {
  return shown(
      versions.change(request.name, version_number(request.version), {request.description, std::nullopt, false}));
}

std::string transition(record::VersionCatalog& versions, const MoveVersion& request) {
  const std::string stage = stage_of(request.stage);
  if (request.archive_existing_versions && stage != "Staging" && stage != "Production") {
    invalid(fmt::format(
        "Model version transition cannot archive existing model versions because '{}' is not an Active stage. "
        "Valid stages are ('Staging', 'Production')",
        request.stage));
  }
  return shown(versions.change(request.name, version_number(request.version),
                               {std::nullopt, stage, request.archive_existing_versions}));
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
                            [&](const CreateVersion& request) { return create(backend, request); });
  routes.add<VersionName>("GET", base + "get", [&](const VersionName& request) {
    return shown(found_version(versions, request.name, request.version));
  });
  routes.add<UpdateVersion>("PATCH", base + "update",
                            [&](const UpdateVersion& request) { return update(versions, request); });
  routes.add<MoveVersion>(
      "POST", base + "transition-stage", [&](const MoveVersion& request) { return transition(versions, request); },
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
    return kEmptyAnswer;
  });
  routes.add<VersionTag>(
      "DELETE", base + "delete-tag",
      [&](const VersionTag& request) {
        versions.remove_tag(request.name, version_number(request.version), request.key);
        return kEmptyAnswer;
      },
      needs(Role::kEditor));
}

}  // namespace slipway::api
