// What is in a repository at a revision, and the files themselves.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "api/download.h"
#include "api/hub.h"
#include "base/clock.h"
#include "base/hash.h"

namespace slipway::api {
namespace {

using record::HubCommit;
using record::HubEntry;
using record::HubRepo;

constexpr int kPage = 1000;
constexpr size_t kMaxPaths = 10'000;  // asked for at once

// Clients keep what is not there, too, by the commit that it was not in.
HubError no_entry(const HubRepo& repo, const HubCommit& commit, std::string_view path) {
  return {404, "EntryNotFound", fmt::format("'{}' has no '{}' at {}", repo.name, path.substr(0, 300), commit.id),
          {{"X-Repo-Commit", commit.id}}};
}

Json last_commit(const HubCommit& commit) {
  return {{"id", commit.id}, {"title", commit.title}, {"date", base::iso8601(commit.created_ms)}};
}

Json entry_json(const HubEntry& entry, const HubCommit& at, bool expand) {
  const record::HubFile& file = entry.file;
  // A folder is named by where and when it is: nothing is known of it by that name.
  Json out = {{"type", entry.folder ? "directory" : "file"},
              {"oid", entry.folder ? base::sha256_hex(at.id + file.path).substr(0, 40) : file.oid},
              {"size", entry.folder ? 0 : file.size},
              {"path", file.path}};
  if (file.lfs) {
    out["lfs"] = {{"oid", file.digest.substr(7)},
                  {"size", file.size},
                  {"pointerSize", record::lfs_pointer(file.digest, file.size).size()}};
  }
  if (const std::string hash = entry.folder ? "" : hub_xet_hash(file); !hash.empty()) {
    out["xetHash"] = hash;
  }
  if (expand) {
    out["lastCommit"] = last_commit(file.commit);
  }
  return out;
}

bool is_true(std::string_view value) { return net::equal_ignoring_case(value, "true") || value == "1"; }

net::Response tree(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const HubCommit commit = hub_commit(backend, repo, request.param("rev"));
  record::HubListing listing;
  listing.folder = request.param("path");
  while (listing.folder.ends_with('/')) {
    listing.folder.pop_back();
  }
  listing.recursive = is_true(request.query_value("recursive"));
  listing.commits = is_true(request.query_value("expand"));
  listing.from = request.query_value("cursor");
  listing.limit = kPage;
  if (const std::string_view limit = request.query_value("limit"); !limit.empty()) {
    std::from_chars(limit.data(), limit.data() + limit.size(), listing.limit);
    listing.limit = std::clamp(listing.limit, 1, kPage);
  }
  const record::HubPage page = backend.store.hub().files().list(repo.number, commit.id, listing);
  if (page.entries.empty() && !listing.folder.empty() && listing.from.empty()) {
    throw no_entry(repo, commit, listing.folder);
  }
  Json out = Json::array();
  for (const HubEntry& entry : page.entries) {
    out.push_back(entry_json(entry, commit, listing.commits));
  }
  net::Response response = net::json_response(out);
  response.headers.add("X-Repo-Commit", commit.id);
  if (!page.next.empty()) {
    response.headers.add("Link", hub_next_link(backend, request, "cursor", page.next));
  }
  return response;
}

// A file, or a folder that has something in it.
std::optional<HubEntry> find_entry(const Backend& backend, const HubRepo& repo, const HubCommit& commit,
                                   std::string path) {
  while (path.ends_with('/')) {
    path.pop_back();
  }
  record::HubFiles& files = backend.store.hub().files();
  if (auto file = files.find(repo.number, commit.id, path)) {
    return HubEntry{false, *std::move(file)};
  }
  record::HubListing listing;
  listing.folder = path;
  listing.limit = 1;
  listing.recursive = true;
  listing.commits = true;
  const record::HubPage page = files.list(repo.number, commit.id, listing);
  if (page.entries.empty()) {
    return std::nullopt;
  }
  HubEntry folder{true, {}};
  folder.file.path = path;
  folder.file.commit = page.entries.front().file.commit;
  return folder;
}

// The form paths=a&paths=b&expand=true, or the same as JSON.
net::Response paths_info(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const HubCommit commit = hub_commit(backend, repo, request.param("rev"));
  std::vector<std::string> paths;
  bool expand = false;
  if (request.headers.get("Content-Type").starts_with("application/json")) {
    const Json body = hub_body(request);
    paths = base::get<std::vector<std::string>>(body, "paths", "the request");
    expand = base::get_or<bool>(body, "expand", false, "the request");
  } else {
    std::vector<std::pair<std::string, std::string>> form;
    if (!net::parse_query(request.body, form)) {
      throw HubError(400, "", "the form has a broken escape");
    }
    for (auto& [name, value] : form) {
      if (name == "paths") {
        paths.push_back(std::move(value));
      } else if (name == "expand") {
        expand = is_true(value);
      }
    }
  }
  if (paths.size() > kMaxPaths) {
    throw HubError(413, "", fmt::format("{} paths at once, {} are the limit", paths.size(), kMaxPaths));
  }
  Json out = Json::array();
  for (std::string& path : paths) {
    if (const auto entry = find_entry(backend, repo, commit, std::move(path))) {
      out.push_back(entry_json(*entry, commit, expand));
    }
  }
  return net::json_response(out);
}

net::Response resolve(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const HubCommit commit = hub_commit(backend, repo, request.param("rev"));
  const std::string path(request.param("path"));
  record::HubFiles& files = backend.store.hub().files();
  const auto file = files.find(repo.number, commit.id, path);
  if (!file) {
    throw no_entry(repo, commit, path);
  }
  Download download{files.blob_of(file->digest), file->size, file->lfs ? file->digest.substr(7) : file->oid, {}};
  // Never what a browser would run: all pages of this server are one origin.
  download.headers = {{"Content-Type", "application/octet-stream"},
                      {"X-Repo-Commit", commit.id},
                      {"Cache-Control", "no-cache"},
                      {"Content-Disposition", "attachment"}};
  if (file->lfs) {
    download.headers.add("X-Linked-Size", std::to_string(file->size));
    download.headers.add("X-Linked-Etag", fmt::format("\"{}\"", download.etag));
    add_xet_headers(backend, kind, request, repo, commit, *file, download.headers);
  }
  return download_answer(request, std::move(download));
}

}  // namespace

void add_hub_tree_routes(Routes& routes, Backend& backend) {
  for (const HubKind& kind : kHubKinds) {
    const std::string one = std::string(kind.api) + "/{ns}/{repo}";
    const auto tell = [&](const net::Request& request) { return tree(backend, kind, request); };
    routes.add_at("GET", one + "/tree/{rev}", tell);
    routes.add_at("GET", one + "/tree/{rev}/{path...}", tell);
    routes.add_at(
        "POST", one + "/paths-info/{rev}", [&](const net::Request& request) { return paths_info(backend, kind, request); },
        needs(Role::kViewer));
    const auto send = [&](const net::Request& request) { return resolve(backend, kind, request); };
    for (const char* word : {"resolve", "raw"}) {
      routes.add_at("GET", fmt::format("{}{{ns}}/{{repo}}/{}/{{rev}}/{{path...}}", kind.web, word), send);
    }
    routes.add_at("GET", one + "/resolve/{rev}/{path...}", send);
  }
}

}  // namespace slipway::api
