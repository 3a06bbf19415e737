// What the routes of the Hugging Face Hub API share: kinds of repositories, which one a request is about, failures as its
// clients know them. Any thread.
#pragma once

#include <array>
#include <exception>
#include <string>
#include <string_view>

#include "api/routes.h"
#include "base/error.h"
#include "net/http.h"
#include "record/hub.h"

namespace slipway::api {

struct HubKind {
  const char* type;  // "model"
  const char* api;   // "/api/models"
  const char* web;   // where its files are: "/", "/datasets/"
};
inline constexpr std::array<HubKind, 2> kHubKinds = {{{"model", "/api/models", "/"}, {"dataset", "/api/datasets", "/datasets/"}}};

// Who everybody is while there are no accounts; the namespace of names that have none.
inline constexpr const char* kHubUser = "slipway";

// A failure with the header X-Error-Code, which clients go by, or a status that base::Code does not give.
class HubError : public base::Error {
 public:
  HubError(int status, std::string_view word, const std::string& message, net::Headers headers = {})
      : Error(base::Code::kInvalid, message), status_(status), word_(word), headers_(std::move(headers)) {}
  int status() const noexcept { return status_; }
  const std::string& word() const noexcept { return word_; }
  const net::Headers& headers() const noexcept { return headers_; }

 private:
  int status_;
  std::string word_;  // "EntryNotFound"; "" none
  net::Headers headers_;
};

// {"error": message} with X-Error-Code and X-Error-Message.
net::Response hub_error_answer(const std::exception& error);

// The repository of a route with {ns} and {repo}; ".git" at its end is none of its name. Throws HubMissing.
record::HubRepo hub_repo(const Backend& backend, const HubKind& kind, const net::Request& request);
// The commit of a revision. Throws HubMissing.
record::HubCommit hub_commit(const Backend& backend, const record::HubRepo& repo, std::string_view revision);
// "namespace/name" of what clients send apart, checked as the Hub does. Throws HubError(400).
std::string hub_name(std::string_view space, std::string_view name);
const HubKind& hub_kind(std::string_view type);  // "" is a model; throws HubError(400) for spaces and others

// The body as a JSON object. Throws base::Error(kInvalid).
Json hub_body(const net::Request& request);
// Address of the next page: the request's with `name`=`value` in its query; for the header Link.
std::string hub_next_link(const Backend& backend, const net::Request& request, std::string_view name, const std::string& value);

// The metadata at the top of a README.md: {"tags": [...], "data": {...}}; null without one. Throws base::Error(kInvalid).
Json hub_card(std::string_view readme);

// Where Xet's clients go, and what lets them in at addresses that begin with `place`.
net::Response xet_token_answer(const Backend& backend, const net::Request& request, const std::string& url, std::string_view place);
// The name by which Xet's clients read a file; "" for one that is read whole: a small one.
std::string hub_xet_hash(const record::HubFile& file);
// Says so with an answer about the file.
void add_xet_headers(const Backend& backend, const HubKind& kind, const net::Request& request, const record::HubRepo& repo,
                     const record::HubCommit& commit, const record::HubFile& file, net::Headers& headers);

void add_hub_repo_routes(Routes& routes, Backend& backend);
void add_hub_tree_routes(Routes& routes, Backend& backend);
void add_hub_ref_routes(Routes& routes, Backend& backend);
void add_hub_commit_routes(Routes& routes, Backend& backend);
void add_hub_lfs_routes(Routes& routes, Backend& backend);
void add_hub_xet_routes(Routes& routes, Backend& backend);       // what is sent
void add_hub_xet_read_routes(Routes& routes, Backend& backend);  // what is read

}  // namespace slipway::api
