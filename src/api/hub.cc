#include "api/hub.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/yaml.h"

namespace slipway::api {

using base::Code;
using base::Error;
using record::HubMissing;

namespace {

constexpr size_t kMaxNamePart = 96;
constexpr size_t kMaxMessage = 500;  // of a header

// One line of ASCII, for a header.
std::string header_text(std::string_view message) {
  std::string text(message.substr(0, kMaxMessage));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E; }, '?');
  return text;
}

net::Response failure(int status, std::string_view word, std::string_view message, const net::Headers& headers = {}) {
  net::Response response = net::json_response({{"error", message}}, status);
  for (const auto& [name, value] : headers) {
    response.headers.add(name, value);
  }
  if (!word.empty()) {
    response.headers.add("X-Error-Code", std::string(word));
  }
  response.headers.add("X-Error-Message", header_text(message));
  if (status == 429 || status == 503) {
    response.headers.set("Retry-After", "1");
  }
  return response;
}

const char* word_of(HubMissing::What what) {
  switch (what) {
    case HubMissing::What::kRepo: return "RepoNotFound";
    case HubMissing::What::kRevision: return "RevisionNotFound";
    default: return "EntryNotFound";
  }
}

void check_part(std::string_view part) {
  const bool shape =
      !part.empty() && part.size() <= kMaxNamePart &&
      part.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string_view::npos &&
      part.find("--") == std::string_view::npos && part.find("..") == std::string_view::npos;
  const auto edge = [](char c) { return c == '-' || c == '.'; };
  if (!shape || edge(part.front()) || edge(part.back()) || part.ends_with(".git")) {
    throw HubError(400, "",
                   fmt::format("'{}' is no name for a repository: 1 to {} of A-Z a-z 0-9 - _ . without -- or .., no - or . "
                               "at an end, no .git at the end",
                               part.substr(0, 2 * kMaxNamePart), kMaxNamePart));
  }
}

void add_tags(Json& tags, const Json& data, const char* key, std::string_view prefix) {
  const auto found = data.find(key);
  if (found == data.end()) {
    return;
  }
  const Json values = found->is_array() ? *found : Json::array({*found});
  for (const Json& value : values) {
    if (value.is_string()) {
      tags.push_back(std::string(prefix) + value.get<std::string>());
    }
  }
}

}  // namespace

net::Response hub_error_answer(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const HubError*>(&error)) {
    return failure(ours->status(), ours->word(), ours->what(), ours->headers());
  }
  if (const auto* missing = dynamic_cast<const HubMissing*>(&error)) {
    return failure(404, word_of(missing->missing), missing->what());
  }
  if (dynamic_cast<const record::HubStale*>(&error) != nullptr) {
    return failure(412, "", error.what());
  }
  if (const auto* known = dynamic_cast<const ApiError*>(&error)) {
    return failure(known->status(), "", known->what());
  }
  if (const auto* known = dynamic_cast<const Error*>(&error)) {
    const int status = net::status_of(known->code());
    if (status < 500 || status == 503) {
      return failure(status, "", known->what());
    }
  }
  return failure(500, "", "the server failed on this request; its log says why");
}

record::HubRepo hub_repo(const Backend& backend, const HubKind& kind, const net::Request& request) {
  std::string_view name = request.param("repo");
  if (name.ends_with(".git")) {
    name.remove_suffix(4);
  }
  const std::string full = fmt::format("{}/{}", request.param("ns"), name);
  auto repo = backend.store.hub().repos().find(kind.type, full);
  if (!repo) {
    throw HubMissing(HubMissing::What::kRepo, fmt::format("there is no {} repository '{}'", kind.type, full.substr(0, 300)));
  }
  return *std::move(repo);
}

record::HubCommit hub_commit(const Backend& backend, const record::HubRepo& repo, std::string_view revision) {
  auto commit = backend.store.hub().revisions().find(repo.number, std::string(revision));
  if (!commit) {
    throw HubMissing(HubMissing::What::kRevision, fmt::format("'{}' has no revision '{}'", repo.name, revision.substr(0, 300)));
  }
  return *std::move(commit);
}

std::string hub_name(std::string_view space, std::string_view name) {
  constexpr std::array<std::string_view, 11> kTaken = {"api",  "ajax-api", "datasets", "docs",   "get-artifact", "health",
                                                       "models", "spaces", "static",   "version", "xet"};
  if (space.empty()) {
    space = kHubUser;
  }
  check_part(space);
  check_part(name);
  if (std::find(kTaken.begin(), kTaken.end(), space) != kTaken.end()) {
    throw HubError(400, "", fmt::format("'{}' is no namespace: the server has addresses of that name", space));
  }
  return fmt::format("{}/{}", space, name);
}

const HubKind& hub_kind(std::string_view type) {
  for (const HubKind& kind : kHubKinds) {
    if (type == kind.type || (type.empty() && std::string_view(kind.type) == "model")) {
      return kind;
    }
  }
  throw HubError(400, "", fmt::format("this server has models and datasets, no repositories of the type '{}'", type.substr(0, 50)));
}

Json hub_body(const net::Request& request) {
  Json body = base::parse_json(request.body, "the request");
  if (!body.is_object()) {
    throw Error(Code::kInvalid, "the request's body must be a JSON object");
  }
  return body;
}

std::string hub_next_link(const Backend& backend, const net::Request& request, std::string_view name, const std::string& value) {
  std::string url = origin_of(backend, request) + request.path;
  char separator = '?';
  for (const auto& [key, text] : request.query) {
    if (key != name) {
      url += fmt::format("{}{}={}", separator, net::percent_encode(key), net::percent_encode(text));
      separator = '&';
    }
  }
  return fmt::format("<{}{}{}={}>; rel=\"next\"", url, separator, name, net::percent_encode(value));
}

Json hub_card(std::string_view readme) {
  constexpr std::string_view kFence = "---";
  const auto line_end = [&](size_t from) { return std::min(readme.find('\n', from), readme.size()); };
  const auto is_fence = [&](size_t from) {
    std::string_view line = readme.substr(from, line_end(from) - from);
    while (line.ends_with('\r') || line.ends_with(' ')) {
      line.remove_suffix(1);
    }
    return line == kFence;
  };
  if (!is_fence(0)) {
    return nullptr;
  }
  const size_t begin = std::min(line_end(0) + 1, readme.size());
  size_t end = begin;
  while (end < readme.size() && !is_fence(end)) {
    end = std::min(line_end(end) + 1, readme.size());
  }
  if (end >= readme.size()) {
    return nullptr;
  }
  Json data = base::parse_yaml(readme.substr(begin, end - begin), "README.md").value;
  if (!data.is_object()) {
    throw Error(Code::kInvalid, "the metadata of README.md must be a mapping");
  }
  Json tags = Json::array();
  add_tags(tags, data, "tags", "");
  add_tags(tags, data, "pipeline_tag", "");
  add_tags(tags, data, "task_categories", "task_categories:");
  add_tags(tags, data, "library_name", "");
  add_tags(tags, data, "language", "");
  add_tags(tags, data, "license", "license:");
  add_tags(tags, data, "datasets", "dataset:");
  add_tags(tags, data, "base_model", "base_model:");
  return {{"tags", tags}, {"data", std::move(data)}};
}

}  // namespace slipway::api
