// Repositories: whoami, create, delete, move, settings, lists, what one is.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "api/hub.h"
#include "base/clock.h"

namespace slipway::api {
namespace {

using record::HubRepo;

constexpr int kMaxListed = 1000;        // repositories a page
constexpr size_t kMaxSiblings = 200'000;  // files told with a repository

std::string text_of(const Json& body, const char* key) { return base::get_or<std::string>(body, key, "", "the request"); }

std::string page_of(const Backend& backend, const net::Request& request, const HubKind& kind, const std::string& name) {
  return origin_of(backend, request) + kind.web + name;
}

bool wants(const net::Request& request, std::string_view name) {
  const std::string_view value = request.query_value(name);
  return net::equal_ignoring_case(value, "true") || value == "1";
}

Json whoami(const net::Request& request) {
  const Caller* caller = caller_of(request);
  const std::string name = caller == nullptr ? kHubUser : caller->account;
  const char* role = caller == nullptr || caller->best() >= Role::kEditor ? "write" : "read";
  return {{"type", "user"},
          {"id", name},
          {"name", name},
          {"fullname", "Slipway"},
          {"email", nullptr},
          {"emailVerified", false},
          {"canPay", false},
          {"isPro", false},
          {"periodEnd", nullptr},
          {"avatarUrl", ""},
          {"orgs", Json::array()},
          {"auth", {{"type", "access_token"}, {"accessToken", {{"displayName", "local"}, {"role", role}}}}}};
}

// "private": true, or "visibility": "private" of newer clients.
std::optional<bool> hidden_of(const Json& body) {
  const std::string visibility = text_of(body, "visibility");
  if (visibility != "" && visibility != "public" && visibility != "private") {
    throw HubError(400, "", fmt::format("visibility '{}' is neither public nor private", visibility.substr(0, 50)));
  }
  if (!visibility.empty()) {
    return visibility == "private";
  }
  const auto given = body.find("private");
  return given == body.end() || given->is_null() ? std::nullopt
                                                 : std::optional(base::get<bool>(body, "private", "the request"));
}

net::Response create(const Backend& backend, const net::Request& request) {
  const Json body = hub_body(request);
  const HubKind& kind = hub_kind(text_of(body, "type"));
  HubRepo repo;
  repo.type = kind.type;
  repo.name = hub_name(text_of(body, "organization"), text_of(body, "name"));
  repo.hidden = hidden_of(body).value_or(false);
  const std::string url = page_of(backend, request, kind, repo.name);
  try {
    backend.store.hub().repos().create(repo);
  } catch (const base::Error& error) {
    if (error.code() != base::Code::kConflict) {
      throw;
    }
    // With `exist_ok` clients read the address from this very answer.
    net::Response response = hub_error_answer(error);
    response.body = base::dump_json({{"error", error.what()}, {"url", url}, {"name", repo.name}, {"id", repo.name}});
    return response;
  }
  return net::json_response({{"url", url}, {"name", repo.name}, {"id", repo.name}, {"private", repo.hidden}});
}

HubRepo named_repo(const Backend& backend, const HubKind& kind, const std::string& name) {
  auto repo = backend.store.hub().repos().find(kind.type, name);
  if (!repo) {
    throw record::HubMissing(record::HubMissing::What::kRepo,
                             fmt::format("there is no {} repository '{}'", kind.type, name.substr(0, 300)));
  }
  return *std::move(repo);
}

net::Response remove(const Backend& backend, const net::Request& request) {
  const Json body = hub_body(request);
  const std::string space = text_of(body, "organization");
  const HubRepo repo = named_repo(backend, hub_kind(text_of(body, "type")),
                                  fmt::format("{}/{}", space.empty() ? kHubUser : space, text_of(body, "name")));
  backend.store.hub().repos().remove(repo.number);
  return net::json_response({{"success", true}});
}

net::Response move(const Backend& backend, const net::Request& request) {
  const Json body = hub_body(request);
  const HubKind& kind = hub_kind(text_of(body, "type"));
  const HubRepo repo = named_repo(backend, kind, text_of(body, "fromRepo"));
  const std::string to = text_of(body, "toRepo");
  const size_t slash = std::min(to.find('/'), to.size());
  const std::string name = hub_name(to.substr(0, slash), slash < to.size() ? to.substr(slash + 1) : "");
  backend.store.hub().repos().change(repo.number, {name, std::nullopt});
  return net::json_response({{"success", true}, {"url", page_of(backend, request, kind, name)}});
}

net::Response settings(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const Json body = hub_body(request);
  const HubRepo repo = hub_repo(backend, kind, request);
  const auto gated = body.find("gated");
  if (gated != body.end() && !gated->is_null() && *gated != false) {
    throw HubError(400, "", "this server gates no repository: it has no accounts yet");
  }
  const auto hidden = hidden_of(body);
  if (hidden) {
    backend.store.hub().repos().change(repo.number, {std::nullopt, hidden});
  }
  return net::json_response({{"private", hidden.value_or(repo.hidden)}, {"gated", false}});
}

// What lists and single answers say alike.
Json summary(const HubRepo& repo) {
  Json out = {{"_id", fmt::format("{:024x}", repo.number)},
              {"id", repo.name},
              {"author", repo.name.substr(0, repo.name.find('/'))},
              {"private", repo.hidden},
              {"gated", false},
              {"disabled", false},
              {"downloads", 0},
              {"likes", 0},
              {"createdAt", base::iso8601(repo.created_ms)},
              {"lastModified", base::iso8601(repo.updated_ms)},
              {"tags", Json::array()}};
  if (repo.type == "model") {
    out["modelId"] = repo.name;
  }
  if (repo.card.is_object()) {
    out["tags"] = repo.card.at("tags");
    const Json& data = repo.card.at("data");
    for (const char* key : {"pipeline_tag", "library_name"}) {
      if (const auto found = data.find(key); found != data.end()) {
        out[key] = *found;
      }
    }
    out["cardData"] = data;
  }
  return out;
}

Json sibling(const record::HubFile& file, bool blobs) {
  Json out = {{"rfilename", file.path}};
  if (blobs) {
    out["size"] = file.size;
    out["blobId"] = file.oid;
    if (file.lfs) {
      out["lfs"] = {{"sha256", file.digest.substr(7)},
                    {"size", file.size},
                    {"pointerSize", record::lfs_pointer(file.digest, file.size).size()}};
    }
  }
  return out;
}

net::Response info(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const std::string_view revision = request.param("rev");
  const record::HubCommit commit = hub_commit(backend, repo, revision.empty() ? record::kMainBranch : revision);
  const bool blobs = wants(request, "blobs");
  Json out = summary(repo);
  out["sha"] = commit.id;
  out["lastModified"] = base::iso8601(commit.created_ms);
  Json siblings = Json::array();
  uint64_t used = 0;
  record::HubListing listing;
  listing.recursive = true;
  do {
    const record::HubPage page = backend.store.hub().files().list(repo.number, commit.id, listing);
    for (const record::HubEntry& entry : page.entries) {
      if (!entry.folder) {
        siblings.push_back(sibling(entry.file, blobs));
        used += entry.file.size;
      }
    }
    listing.from = page.next;
  } while (!listing.from.empty() && siblings.size() < kMaxSiblings);
  out["siblings"] = std::move(siblings);
  out["usedStorage"] = used;
  net::Response response = net::json_response(out);
  response.headers.add("X-Repo-Commit", commit.id);
  return response;
}

net::Response list(const Backend& backend, const HubKind& kind, const net::Request& request) {
  record::HubSearch search;
  search.type = kind.type;
  search.text = request.query_value("search");
  search.author = request.query_value("author");
  const std::string_view sort = request.query_value("sort");
  search.by_update = sort == "lastModified" || sort == "last_modified" || sort == "createdAt" || sort == "created_at";
  search.limit = kMaxListed;
  for (const auto& [name, value] : request.query) {
    if ((name == "filter" || name == "pipeline_tag" || name == "tags") && !value.empty()) {
      search.tags.push_back(value);
    }
  }
  const auto number = [&](std::string_view name, auto& value) {
    const std::string_view text = request.query_value(name);
    if (!text.empty() && (std::from_chars(text.data(), text.data() + text.size(), value).ptr != text.data() + text.size() || value < 0)) {
      throw HubError(400, "", fmt::format("'{}' must be a number", name));
    }
  };
  number("limit", search.limit);
  search.limit = std::clamp(search.limit, 1, kMaxListed);
  number("cursor", search.offset);
  const auto page = backend.store.hub().repos().search(search);
  Json out = Json::array();
  for (const HubRepo& repo : page.items) {
    if (may_see(request, repo.name)) {
      out.push_back(summary(repo));
    }
  }
  net::Response response = net::json_response(out);
  if (page.more) {
    response.headers.add("Link", hub_next_link(backend, request, "cursor", std::to_string(search.offset + search.limit)));
  }
  return response;
}

net::Response validate_yaml(const net::Request& request) {
  const Json body = hub_body(request);
  Json errors = Json::array();
  Json warnings = Json::array();
  try {
    if (hub_card(text_of(body, "content")).is_null()) {
      warnings.push_back({{"message", "empty or missing yaml metadata in repo card"}});
    }
  } catch (const base::Error& error) {
    errors.push_back({{"message", error.what()}});
  }
  const bool good = errors.empty();
  return net::json_response({{"errors", std::move(errors)}, {"warnings", std::move(warnings)}}, good ? 200 : 400);
}

// The repositories that a body names: what is made or removed, or both names of what is moved.
Subjects named_in(const net::Request& request) {
  const Json body = hub_body(request);
  const std::string space = text_of(body, "organization");
  Subjects subjects;
  if (const std::string name = text_of(body, "name"); !name.empty()) {
    subjects.names.push_back(fmt::format("{}/{}", space.empty() ? kHubUser : space, name));
  }
  for (const char* field : {"fromRepo", "toRepo"}) {
    if (const std::string name = text_of(body, field); !name.empty()) {
      subjects.names.push_back(name);
    }
  }
  return subjects;
}

}  // namespace

void add_hub_repo_routes(Routes& routes, Backend& backend) {
  routes.add_at(
      "GET", "/api/whoami-v2", [](const net::Request& request) { return net::json_response(whoami(request)); },
      filtered_by_handler());
  routes.add_at("POST", "/api/validate-yaml", validate_yaml, filtered_by_handler());
  // These name their repository in the body.
  routes.add_guarded_at("POST", "/api/repos/create", {}, [&](const ChangeGuard& guard, const net::Request& request) {
    return guard.run(request, [&] { return named_in(request); }, [&] { return create(backend, request); });
  });
  routes.add_guarded_at("DELETE", "/api/repos/delete", {}, [&](const ChangeGuard& guard, const net::Request& request) {
    return guard.run(request, [&] { return named_in(request); }, [&] { return remove(backend, request); });
  });
  routes.add_guarded_at("POST", "/api/repos/move", {}, [&](const ChangeGuard& guard, const net::Request& request) {
    return guard.run(request, [&] { return named_in(request); }, [&] { return move(backend, request); });
  });
  for (const HubKind& kind : kHubKinds) {
    const std::string all = kind.api;
    const std::string one = all + "/{ns}/{repo}";
    const auto tell = [&](const net::Request& request) { return info(backend, kind, request); };
    const auto check = [&](const net::Request& request) {
      hub_repo(backend, kind, request);
      return net::json_response(Json::object());
    };
    routes.add_at(
        "GET", all, [&](const net::Request& request) { return list(backend, kind, request); }, filtered_by_handler());
    routes.add_at("GET", one, tell);
    routes.add_at("GET", one + "/revision/{rev}", tell);
    routes.add_at("PUT", one + "/settings", [&](const net::Request& request) { return settings(backend, kind, request); });
    routes.add_at("GET", one + "/auth-check", check);
    routes.add_at("GET", one + "/auth-check/write", check, needs(Role::kEditor));
    // A name without a namespace: no repository has one.
    routes.add_at("GET", all + "/{repo}", check, filtered_by_handler());
    routes.add_at("GET", std::string(kind.web) + "{repo}/resolve/{rev}/{path...}", check, filtered_by_handler());
  }
}

}  // namespace slipway::api
