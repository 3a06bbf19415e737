// Artifacts in parts, which clients send in parallel: mpu/create gives an address for each part, a part is a PUT there,
// mpu/complete joins them. An address is a capability: clients send no credentials to it, so it holds 128 random bits.
// And addresses from which a client downloads in parallel, with Range.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "api/limits.h"
#include "api/messages.h"
#include "api/routes.h"
#include "api/upload.h"

namespace slipway::api {

namespace {

constexpr int64_t kMaxParts = 10'000;                 // as S3's
constexpr uint64_t kMaxPart = uint64_t{5} << 30;      // bytes, likewise
constexpr int64_t kKeepMs = int64_t{24} * 3'600'000;  // an upload that was not completed by then is given up
constexpr std::string_view kPart = "/2.0/mlflow-artifacts/mpu/part/";

struct CreateUpload {
  std::string folder;
  std::string path;
  int64_t num_parts = 1;
};

struct UploadedPart {
  int64_t part_number = 0;
  std::string etag;
};

struct EndUpload {
  std::string folder;
  std::string path;
  std::string upload_id;
  std::vector<UploadedPart> parts;
};

struct PresignedUpload {
  std::string run_id;
  std::string path;
  std::string model_id;
};

}  // namespace

template <>
struct Table<CreateUpload> {
  using M = CreateUpload;
  static constexpr std::array kFields = {field<&M::folder>("folder"), field<&M::path>("path", kRequired),
                                         field<&M::num_parts>("num_parts")};
};
template <>
struct Table<UploadedPart> {
  using M = UploadedPart;
  static constexpr std::array kFields = {field<&M::part_number>("part_number", kRequired), field<&M::etag>("etag")};
};
template <>
struct Table<EndUpload> {
  using M = EndUpload;
  static constexpr std::array kFields = {field<&M::folder>("folder"), field<&M::path>("path", kRequired),
                                         field<&M::upload_id>("upload_id", kRequired), field<&M::parts>("parts")};
};
template <>
struct Table<PresignedUpload> {
  using M = PresignedUpload;
  static constexpr std::array kFields = {field<&M::run_id>("run_id"), field<&M::path>("path", kRequired),
                                         field<&M::model_id>("model_id")};
};

namespace {

using record::UploadPart;
using record::UploadStore;

// What the client must send along: its own credentials, if it had some.
Json credentials(const net::Request& request) {
  Json headers = Json::object();
  if (const std::string_view key = request.headers.get("Authorization"); !key.empty()) {
    headers["Authorization"] = key;
  }
  return headers;
}

// The client gives the folder in the address and a path of its own disk, of which the last part is the name.
std::string target(const std::string& folder, const std::string& local) {
  const std::string name = local.substr(local.find_last_of("/\\") + 1);
  const std::string path = safe_path(folder.empty() ? name : folder + "/" + name);
  if (name.empty() || path.empty()) {
    invalid("Invalid path");
  }
  return path;
}

// In whose folder the file is to lie; nobody's without one.
template <class Message>
Subjects owner_of(const Message& request) {
  return request.folder.empty() ? Subjects() : experiment_of(request.folder);
}

net::Response json(const Json& body) { return {200, {{"Content-Type", "application/json"}}, base::dump_json(body)}; }

net::Response create(Backend& backend, const CreateUpload& request, const net::Request& http) {
  if (request.num_parts < 1 || request.num_parts > kMaxParts) {
    invalid(fmt::format("num_parts is {}; an upload has 1 to {} parts", request.num_parts, kMaxParts));
  }
  UploadStore& uploads = backend.store.tracking().server().uploads();
  forget_old_uploads(backend);
  const record::Upload upload{record::new_id(), target(request.folder, request.path), 0};
  uploads.begin(upload);
  Json parts = Json::array();
  const Json headers = credentials(http);
  for (int64_t number = 1; number <= request.num_parts; ++number) {
    parts.push_back({{"url", fmt::format("{}/api{}{}/{}", origin_of(backend, http), kPart, upload.id, number)},
                     {"part_number", number}});
    if (!headers.empty()) {
      parts.back()["headers"] = headers;
    }
  }
  return json({{"upload_id", upload.id}, {"credentials", std::move(parts)}});
}

record::Upload found(UploadStore& uploads, const EndUpload& request) {
  const auto upload = uploads.find(request.upload_id);
  if (!upload || upload->path != target(request.folder, request.path)) {
    throw base::Error(
        base::Code::kNotFound,
        fmt::format("there is no upload '{}' of '{}'; it was completed or given up", request.upload_id, request.path));
  }
  return *upload;
}

net::Response complete(UploadStore& uploads, EndUpload request) {
  found(uploads, request);
  if (request.parts.empty()) {
    missing_parameter("parts");
  }
  std::sort(request.parts.begin(), request.parts.end(),
            [](const UploadedPart& a, const UploadedPart& b) { return a.part_number < b.part_number; });
  const std::vector<UploadPart> there = uploads.parts(request.upload_id);
  std::vector<UploadPart> chosen;
  for (const UploadedPart& part : request.parts) {
    const auto at =
        std::find_if(there.begin(), there.end(), [&](const UploadPart& p) { return p.number == part.part_number; });
    std::string etag = part.etag;
    std::erase(etag, '"');
    if (at == there.end() || (!etag.empty() && at->digest != "sha256:" + etag)) {
      invalid(fmt::format("part {} of the upload is not there with the etag '{}'; send it again", part.part_number,
                          part.etag));
    }
    if (!chosen.empty() && chosen.back().number == at->number) {
      invalid(fmt::format("part {} is named twice", part.part_number));
    }
    chosen.push_back(*at);
  }
  uploads.complete(request.upload_id, chosen);
  return json(Json::object());
}

net::Response abort(UploadStore& uploads, const EndUpload& request) {
  found(uploads, request);
  uploads.forget(request.upload_id);
  return json(Json::object());
}

int part_number(const net::Request& request) {
  const std::string_view text = request.param("number");
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > kMaxParts) {
    invalid(fmt::format("a part's number is 1 to {}", kMaxParts));
  }
  return number;
}

net::Response keep_part(const net::Request& request) {
  auto* sink = dynamic_cast<Upload*>(request.sink.get());
  if (sink == nullptr) {
    part_number(request);
    throw base::Error(base::Code::kNotFound, "there is no such upload; it was completed or given up");
  }
  const std::string digest = sink->commit().digest;
  net::Response response = json(Json::object());
  response.headers.set("ETag", fmt::format("\"{}\"", digest.substr(digest.find(':') + 1)));
  return response;
}

std::string artifact_url(const Backend& backend, const net::Request& http, const std::string& path) {
  std::string escaped;
  for (std::string_view rest = path; !rest.empty();) {
    const size_t slash = rest.find('/');
    escaped += "/" + net::percent_encode(rest.substr(0, slash));
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  return fmt::format("{}/api/2.0/mlflow-artifacts/artifacts{}", origin_of(backend, http), escaped);
}

net::Response presigned(Backend& backend, const net::Request& http, const std::string& path) {
  if (came_over_tls(backend, http)) {
    // As server-info says: clients would ask without the certificates they were given for this server.
    throw ApiError("NOT_IMPLEMENTED", "Over TLS a file is downloaded by its own address.");
  }
  const auto file = backend.store.tracking().files().find(path);
  if (!file) {
    throw base::Error(base::Code::kNotFound, fmt::format("No such artifact: '{}'", path));
  }
  return json({{"url", artifact_url(backend, http, path)}, {"headers", credentials(http)}, {"file_size", file->size}});
}

// Where a run's (or a logged model's) file lies.
std::string path_of(Backend& backend, const PresignedUpload& request) {
  record::Tracking& tracking = backend.store.tracking();
  std::string uri;
  if (!request.model_id.empty()) {
    const auto model = tracking.logged_models().find(request.model_id);
    uri = model ? model->artifact_uri : "";
  } else if (const auto run = tracking.runs().find(request.run_id)) {
    uri = run->artifact_uri;
  }
  if (uri.empty()) {
    throw base::Error(base::Code::kNotFound, fmt::format("Run with id={} not found", request.run_id));
  }
  const std::string path = safe_path(request.path);
  if (path.empty()) {
    invalid("Invalid path");
  }
  return artifact_folder(uri) + "/" + path;
}

}  // namespace

void forget_old_uploads(Backend& backend) {
  backend.store.tracking().server().uploads().forget_before(backend.clock.unix_ms() - kKeepMs);
}

void add_upload_routes(Routes& routes, Backend& backend) {
  UploadStore& uploads = backend.store.tracking().server().uploads();
  const std::string base = "/2.0/mlflow-artifacts/mpu/";
  for (const std::string folder : {"", "/{folder...}"}) {
    // The folder is in the address, or in the body.
    const Permission permission =
        folder.empty() ? Permission() : on([](const net::Request& request) { return experiment_of(request.param("folder")); });
    routes.add_guarded_raw(
        "POST", base + "create" + folder,
        [&](const ChangeGuard& guard, const net::Request& http) {
          const auto request = parse_request<CreateUpload>(http);
          return guard.run(http, [&] { return owner_of(request); }, [&] { return create(backend, request, http); });
        },
        permission);
    routes.add_guarded_raw(
        "POST", base + "complete" + folder,
        [&](const ChangeGuard& guard, const net::Request& http) {
          const auto request = parse_request<EndUpload>(http);
          return guard.run(http, [&] { return owner_of(request); }, [&] { return complete(uploads, request); });
        },
        permission);
    routes.add_guarded_raw(
        "POST", base + "abort" + folder,
        [&](const ChangeGuard& guard, const net::Request& http) {
          const auto request = parse_request<EndUpload>(http);
          return guard.run(http, [&] { return owner_of(request); }, [&] { return abort(uploads, request); });
        },
        permission);
  }
  routes.add_upload(
      std::string(kPart) + "{upload_id}/{number}", kMaxPart,
      [&uploads](const net::Request& request) -> std::shared_ptr<net::BodySink> {
        try {
          const int number = part_number(request);
          const std::string id(request.param("upload_id"));
          if (!uploads.find(id)) {
            return nullptr;  // nobody's bytes are kept; the handler tells
          }
          return std::make_shared<Upload>([&] { return uploads.begin_part(id, number); });
        } catch (const base::Error&) {
          return nullptr;
        }
      },
      keep_part);
  routes.add_raw(
      "GET", "/2.0/mlflow-artifacts/presigned/{path...}",
      [&](const net::Request& request) { return presigned(backend, request, safe_path(request.param("path"))); },
      on([](const net::Request& request) { return experiment_of(request.param("path")); }));
  routes.add<PresignedUpload>("POST", "/2.0/mlflow/artifacts/presigned-upload-url",
                              [&](const PresignedUpload& message, const net::Request& request) {
                                const std::string path = path_of(backend, message);
                                return base::dump_json(Json{{"presigned_url", artifact_url(backend, request, path)},
                                                            {"headers", credentials(request)}});
                              });
  routes.add<PresignedUpload>(
      "POST", "/2.0/mlflow/artifacts/presigned-download-url",
      [&](const PresignedUpload& message, const net::Request& request) {
        const std::string path = path_of(backend, message);
        const auto file = backend.store.tracking().files().find(path);
        if (!file) {
          throw base::Error(base::Code::kNotFound, fmt::format("No such artifact: '{}'", path));
        }
        return base::dump_json(Json{{"presigned_url", artifact_url(backend, request, path)},
                                    {"headers", credentials(request)},
                                    {"file_size", file->size}});
      },
      needs(Role::kViewer));
}

}  // namespace slipway::api
