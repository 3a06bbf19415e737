// Large files by git-lfs' batch protocol: whole, or in parts that are put together. A part is a blob of its own until then.
#include <algorithm>
#include <fmt/format.h>

#include "api/credentials.h"
#include "api/hub.h"
#include "api/upload.h"
#include "base/file.h"
#include "base/hash.h"

namespace slipway::api {
namespace {

constexpr uint64_t kMaxObject = uint64_t{1} << 40;
constexpr uint64_t kPartBytes = uint64_t{64} << 20;
constexpr uint64_t kMaxParts = 1000;  // of an upload: larger files have larger parts
constexpr size_t kMaxObjects = 10'000;
constexpr const char* kMediaType = "application/vnd.git-lfs+json";
constexpr size_t kCopyBytes = size_t{1} << 20;

struct Object {
  std::string oid;
  std::string digest;
  uint64_t size = 0;
};

Object object_of(const Json& json) {
  Object object;
  object.oid = base::get<std::string>(json, "oid", "an object of the request");
  object.digest = "sha256:" + object.oid;
  object.size = base::get_or<uint64_t>(json, "size", 0, "an object of the request");
  if (!base::is_digest(object.digest)) {
    throw HubError(422, "", fmt::format("the oid '{}' is not 64 hex digits", object.oid.substr(0, 100)));
  }
  return object;
}

net::Response lfs_response(const Json& body) {
  net::Response response = net::json_response(body);
  response.headers.set("Content-Type", kMediaType);
  return response;
}

// Where a client puts an object that is not there.
// `ticket`, at the end of each address, says who it is: not every client shows its token there.
Json upload_actions(const std::string& base, const Object& object, bool parts, const std::string& ticket) {
  Json upload = {{"href", fmt::format("{}/objects/{}{}", base, object.oid, ticket)}, {"header", Json::object()}};
  if (parts && object.size > kPartBytes) {
    const uint64_t part = std::max(kPartBytes, (object.size + kMaxParts - 1) / kMaxParts);
    upload["href"] = fmt::format("{}/complete/{}{}", base, object.oid, ticket);
    upload["header"]["chunk_size"] = std::to_string(part);
    for (uint64_t i = 1; i <= (object.size + part - 1) / part; ++i) {
      upload["header"][fmt::format("{:05}", i)] = fmt::format("{}/parts/{}/{}{}", base, object.oid, i, ticket);
    }
  }
  return {{"upload", std::move(upload)}, {"verify", {{"href", base + "/verify" + ticket}}}};
}

net::Response batch(const Backend& backend, const HubKind& kind, const net::Request& request) {
  const record::HubRepo repo = hub_repo(backend, kind, request);
  const Json body = hub_body(request);
  if (base::get<std::string>(body, "operation", "the request") != "upload") {
    throw HubError(422, "", "objects are uploaded here; files are read at their own addresses (…/resolve/REVISION/PATH)");
  }
  const auto objects = body.find("objects");
  if (objects == body.end() || !objects->is_array() || objects->size() > kMaxObjects) {
    throw HubError(422, "", fmt::format("'objects' must be a list of {} at most", kMaxObjects));
  }
  const auto transfers = base::get_or<std::vector<std::string>>(body, "transfers", {"basic"}, "the request");
  const bool parts = std::find(transfers.begin(), transfers.end(), "multipart") != transfers.end();
  const std::string base = fmt::format("{}{}{}.git/info/lfs", origin_of(backend, request), kind.web, repo.name);
  const std::string right = backend.authority == nullptr ? "" : backend.authority->ticket(request, kind.web + repo.name + ".git/info/lfs/");
  const std::string ticket = right.empty() ? "" : fmt::format("?{}={}", kTicketParameter, right);
  Json out = Json::array();
  for (const Json& json : *objects) {
    const Object object = object_of(json);
    Json answer = {{"oid", object.oid}, {"size", object.size}};
    const auto there = backend.store.hub().files().find_upload(object.digest);
    if (there && *there != object.size) {
      answer["error"] = {{"code", 422}, {"message", fmt::format("that object has {} bytes, not {}", *there, object.size)}};
    } else if (object.size > kMaxObject) {
      answer["error"] = {{"code", 422}, {"message", "larger than a terabyte"}};
    } else if (!there) {
      answer["actions"] = upload_actions(base, object, parts, ticket);
    }
    out.push_back(std::move(answer));
  }
  return lfs_response({{"transfer", "basic"}, {"objects", std::move(out)}, {"hash_algo", "sha256"}});
}

record::TreeFile received(const net::Request& request) {
  auto* upload = dynamic_cast<Upload*>(request.sink.get());
  if (upload == nullptr) {
    throw HubError(503, "", "there is no room for the object; try again");
  }
  return upload->commit();
}

std::string digest_of(const net::Request& request) {
  std::string digest = fmt::format("sha256:{}", request.param("oid"));
  if (!base::is_digest(digest)) {
    throw HubError(400, "", "an object's name is 64 hex digits");
  }
  return digest;
}

void check_digest(const record::TreeFile& file, const std::string& digest) {
  if (file.digest != digest) {
    throw HubError(400, "", fmt::format("what came has the digest {}, not {}: send it again", file.digest, digest));
  }
}

// {oid, parts: [{partNumber, etag}]}: a part's ETag is its digest, so the parts need no list of their own here.
net::Response complete(const Backend& backend, const HubKind& kind, const net::Request& request) {
  hub_repo(backend, kind, request);
  const std::string digest = digest_of(request);
  const Json body = hub_body(request);
  const auto parts = body.find("parts");
  if (parts == body.end() || !parts->is_array() || parts->empty() || parts->size() > kMaxParts) {
    throw HubError(400, "", fmt::format("'parts' must be a list of 1 to {}", kMaxParts));
  }
  record::HubFiles& files = backend.store.hub().files();
  const auto whole = files.begin_upload(false);
  std::string piece(kCopyBytes, '\0');
  uint64_t number = 0;
  for (const Json& part : *parts) {
    if (base::get<uint64_t>(part, "partNumber", "a part") != ++number) {
      throw HubError(400, "", fmt::format("part {} is not in its place", number));
    }
    auto etag = base::get<std::string>(part, "etag", "a part");
    std::erase(etag, '"');
    if (!files.find_upload("sha256:" + etag)) {
      throw HubError(400, "", fmt::format("part {} was not uploaded", number));
    }
    const base::MappedFile bytes(files.blob_of("sha256:" + etag));
    for (std::string_view rest = bytes.bytes(); !rest.empty();) {
      const std::string_view next = rest.substr(0, kCopyBytes);
      whole->write(next);
      rest.remove_prefix(next.size());
    }
  }
  check_digest(whole->commit(), digest);
  return lfs_response(Json::object());
}

net::Response verify(const Backend& backend, const net::Request& request) {
  const Object object = object_of(hub_body(request));
  const auto size = backend.store.hub().files().find_upload(object.digest);
  if (!size || *size != object.size) {
    throw HubError(404, "", fmt::format("there is no object {} of {} bytes", object.oid, object.size));
  }
  return lfs_response(Json::object());
}

}  // namespace

void add_hub_lfs_routes(Routes& routes, Backend& backend) {
  const auto sink_of = [&backend](bool part) {
    return [&backend, part](const net::Request&) -> std::shared_ptr<net::BodySink> {
      return std::make_shared<Upload>([&backend, part] { return backend.store.hub().files().begin_upload(part); });
    };
  };
  for (const HubKind& kind : kHubKinds) {
    const std::string lfs = std::string(kind.web) + "{ns}/{repo}/info/lfs";
    routes.add_at("POST", lfs + "/objects/batch", [&](const net::Request& request) { return batch(backend, kind, request); });
    routes.add_upload_at("PUT", lfs + "/objects/{oid}", kMaxObject, sink_of(false), [](const net::Request& request) {
      const std::string digest = digest_of(request);
      check_digest(received(request), digest);
      return net::json_response(Json::object());
    });
    routes.add_upload_at("PUT", lfs + "/parts/{oid}/{number}", kMaxObject, sink_of(true), [](const net::Request& request) {
      net::Response response = net::json_response(Json::object());
      response.headers.add("ETag", fmt::format("\"{}\"", received(request).digest.substr(7)));
      return response;
    });
    routes.add_at("POST", lfs + "/complete/{oid}",
                  [&](const net::Request& request) { return complete(backend, kind, request); });
    routes.add_at("POST", lfs + "/verify", [&](const net::Request& request) { return verify(backend, request); });
  }
}

}  // namespace slipway::api
