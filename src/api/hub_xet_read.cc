// The read side of Xet's content-addressed storage: which ranges of which xorbs a large file is made of, and those ranges, so that
// clients fetch many at once. The xorbs are views of the whole files that the store keeps (xet_view.h).
#include <charconv>
#include <fmt/format.h>

#include "api/credentials.h"
#include "api/hub.h"
#include "api/range.h"
#include "api/xet_format.h"
#include "api/xet_view.h"
#include "base/file.h"

namespace slipway::api {
namespace {

using record::HubRepo;

// "/api/models/NS/NAME/xet", the root of what a client reads of a repository.
std::string place_of(const HubKind& kind, const HubRepo& repo) { return fmt::format("{}/{}/xet", kind.api, repo.name); }

net::Response token(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  hub_commit(backend, repo, request.param("rev"));
  const std::string place = place_of(kind, repo);
  return xet_token_answer(backend, request, origin_of(backend, request) + place, place + "/");
}

struct Content {
  std::string sha256;
  uint64_t size = 0;
};

// The large file that is asked for. It must be one of the repository's: that is what the caller may read.
Content content_of(const Backend& backend, const HubRepo& repo, const net::Request& request) {
  const std::string name(request.param("hash"));
  if (!is_xet_hash(name)) {
    throw HubError(400, "", "a file's name is 64 hex digits");
  }
  const auto size = backend.store.hub().files().content_of(repo.number, "sha256:" + name);
  if (!size || *size < kMinViewBytes) {
    throw HubError(404, "EntryNotFound", fmt::format("'{}' has no large file {}", repo.name, name));
  }
  return {name, *size};
}

[[noreturn]] void unsatisfiable(uint64_t size) {
  throw HubError(416, "", "the range begins behind the end", {{"Content-Range", fmt::format("bytes */{}", size)}});
}

net::Response reconstruction(const Backend& backend, const HubKind& kind, const net::Request& request, int version) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const Content content = content_of(backend, repo, request);
  const Range part = parse_range(request.headers.get("Range"), content.size);
  if (part.kind == Range::Kind::kUnsatisfiable) {
    unsatisfiable(content.size);
  }
  const std::string place = place_of(kind, repo);
  // Ranges are asked for without a credential, as if they lay in a bucket: the address carries one.
  const std::string right = backend.authority == nullptr ? "" : backend.authority->ticket(request, place + "/");
  const std::string ticket = right.empty() ? "" : fmt::format("?{}={}", kTicketParameter, right);
  const std::string base = fmt::format("{}{}/xorbs/{}/", origin_of(backend, request), place, content.sha256);
  return net::json_response(XetView(content.sha256, content.size).reconstruction(version, part, [&](uint64_t index) {
    return fmt::format("{}{}{}", base, index, ticket);
  }));
}

net::Response xorb(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const HubRepo repo = hub_repo(backend, kind, request);
  const Content content = content_of(backend, repo, request);
  const XetView view(content.sha256, content.size);
  const std::string_view text = request.param("index");
  uint64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size() || index >= view.xorbs()) {
    throw HubError(404, "EntryNotFound", fmt::format("the file has {} xorbs", view.xorbs()));
  }
  const uint64_t size = view.xorb_size(index);
  const Range part = parse_range(request.headers.get("Range"), size);
  if (part.kind == Range::Kind::kUnsatisfiable) {
    unsatisfiable(size);
  }
  const base::MappedFile file(backend.store.hub().files().blob_of("sha256:" + content.sha256));
  net::Response response;
  response.body = view.xorb_bytes(file.bytes(), index, part.first, part.size);
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Accept-Ranges", "bytes");
  if (part.kind == Range::Kind::kPart) {
    response.status = 206;
    response.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", part.first, part.first + part.size - 1, size));
  }
  return response;
}

}  // namespace

std::string hub_xet_hash(const record::HubFile& file) {
  return file.lfs && file.size >= kMinViewBytes ? file.digest.substr(file.digest.find(':') + 1) : "";
}

void add_xet_headers(const Backend& backend, const HubKind& kind, const net::Request& request, const HubRepo& repo,
                     const record::HubCommit& commit, const record::HubFile& file, net::Headers& headers) {
  const std::string hash = hub_xet_hash(file);
  if (hash.empty()) {
    return;
  }
  const std::string url = fmt::format("{}{}/{}/xet-read-token/{}", origin_of(backend, request), kind.api, repo.name, commit.id);
  headers.add("X-Xet-Hash", hash);
  headers.add("X-Xet-Refresh-Route", url);
  headers.add("Link", fmt::format("<{}>; rel=\"xet-auth\"", url));
}

void add_hub_xet_read_routes(Routes& routes, Backend& backend) {
  for (const HubKind& kind : kHubKinds) {
    const std::string one = std::string(kind.api) + "/{ns}/{repo}";
    routes.add_at("GET", one + "/xet-read-token/{rev}", [&](const net::Request& request) { return token(backend, kind, request); });
    routes.add_at("GET", one + "/xet/v1/reconstructions/{hash}",
                  [&](const net::Request& request) { return reconstruction(backend, kind, request, 1); });
    routes.add_at("GET", one + "/xet/v2/reconstructions/{hash}",
                  [&](const net::Request& request) { return reconstruction(backend, kind, request, 2); });
    routes.add_at("GET", one + "/xet/xorbs/{hash}/{index}", [&](const net::Request& request) { return xorb(backend, kind, request); });
  }
}

}  // namespace slipway::api
