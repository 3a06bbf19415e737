// Branches, tags and the history of commits.
#include <charconv>
#include <fmt/format.h>

#include "api/hub.h"
#include "base/clock.h"

namespace slipway::api {
namespace {

using record::HubRef;
using record::HubRepo;

constexpr int kCommitsPage = 50;
constexpr size_t kMaxName = 250;

// What git takes as a name (git-check-ref-format), and nothing that means a commit.
std::string ref_name(std::string_view name) {
  const bool bad_character = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || std::string_view("~^:?*[\\").find(c) != std::string_view::npos;
  });
  const bool shape = !name.empty() && name.size() <= kMaxName && !bad_character && name.front() != '/' && name.front() != '-' &&
                     name.back() != '/' && name.back() != '.' && !name.ends_with(".lock") && name != "@" &&
                     name.find("..") == std::string_view::npos && name.find("//") == std::string_view::npos &&
                     name.find("@{") == std::string_view::npos && name.find("/.") == std::string_view::npos && name.front() != '.';
  const bool commit = name.size() == 40 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!shape || commit) {
    throw HubError(400, "", fmt::format("'{}' is no name for a branch or tag", name.substr(0, kMaxName)));
  }
  return std::string(name);
}

net::Response refs(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  Json out = {{"branches", Json::array()}, {"converts", Json::array()}, {"tags", Json::array()}};
  if (!request.query_value("include_prs").empty()) {
    out["pullRequests"] = Json::array();
  }
  for (const HubRef& ref : backend.store.hub().revisions().refs(repo.number)) {
    out[ref.tag ? "tags" : "branches"].push_back(
        {{"name", ref.name}, {"ref", (ref.tag ? "refs/tags/" : "refs/heads/") + ref.name}, {"targetCommit", ref.commit}});
  }
  return net::json_response(out);
}

net::Response commits(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const record::HubCommit head = hub_commit(backend, repo, request.param("rev"));
  int64_t page = 0;
  const std::string_view asked = request.query_value("p");
  std::from_chars(asked.data(), asked.data() + asked.size(), page);
  page = std::max<int64_t>(page, 0);
  const auto found = backend.store.hub().revisions().history(repo.number, head.id, page * kCommitsPage, kCommitsPage);
  Json out = Json::array();
  for (const record::HubCommit& commit : found.items) {
    out.push_back({{"id", commit.id},
                   {"title", commit.title},
                   {"message", commit.message},
                   {"authors", Json::array({{{"user", kHubUser}}})},
                   {"date", base::iso8601(commit.created_ms)}});
  }
  net::Response response = net::json_response(out);
  if (found.more) {
    response.headers.add("Link", hub_next_link(backend, request, "p", std::to_string(page + 1)));
  }
  return response;
}

net::Response add_branch(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const Json body = request.body.empty() ? Json::object() : hub_body(request);
  const auto from = base::get_or<std::string>(body, "startingPoint", record::kMainBranch, "the request");
  backend.store.hub().revisions().add_ref(repo.number, {ref_name(request.param("name")), false, from, ""});
  return net::json_response(Json::object(), 201);
}

net::Response add_tag(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const Json body = hub_body(request);
  backend.store.hub().revisions().add_ref(
      repo.number, {ref_name(base::get<std::string>(body, "tag", "the request")), true, std::string(request.param("name")),
                    base::get_or<std::string>(body, "message", "", "the request")});
  return net::json_response(Json::object(), 201);
}

net::Response remove_ref(const Backend& backend, const HubKind& kind, const net::Request& request, bool tag) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const std::string name(request.param("name"));
  if (!tag && name == record::kMainBranch) {
    throw HubError(403, "", "the branch main cannot be deleted");
  }
  backend.store.hub().revisions().remove_ref(repo.number, name, tag);
  return net::json_response(Json::object());
}

}  // namespace

void add_hub_ref_routes(Routes& routes, Backend& backend) {
  for (const HubKind& kind : kHubKinds) {
    const std::string one = std::string(kind.api) + "/{ns}/{repo}";
    routes.add_at("GET", one + "/refs", [&](const net::Request& request) { return refs(backend, kind, request); });
    routes.add_at("GET", one + "/commits/{rev}", [&](const net::Request& request) { return commits(backend, kind, request); });
    routes.add_at("POST", one + "/branch/{name}",
                  [&](const net::Request& request) { return add_branch(backend, kind, request); });
    routes.add_at("DELETE", one + "/branch/{name}",
                  [&](const net::Request& request) { return remove_ref(backend, kind, request, false); });
    routes.add_at("POST", one + "/tag/{name}", [&](const net::Request& request) { return add_tag(backend, kind, request); });
    routes.add_at("DELETE", one + "/tag/{name}",
                  [&](const net::Request& request) { return remove_ref(backend, kind, request, true); });
  }
}

}  // namespace slipway::api
