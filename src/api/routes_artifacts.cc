// Artifacts through the server: a tree of names over content-addressed blobs. An upload is hashed and written while it
// arrives; a download is sent from the blob's file. No path of the file system is made from a client's text.
#include <array>
#include <fmt/format.h>

#include "api/download.h"
#include "api/limits.h"
#include "api/messages.h"
#include "api/render.h"
#include "api/routes.h"
#include "api/upload.h"

namespace slipway::api {
namespace {

using record::FileTree;
using record::TreeFile;

constexpr uint64_t kMaxArtifact = uint64_t{1} << 40;  // a terabyte: the disk is the limit

std::string path_of(const net::Request& request) {
  std::string path = safe_path(request.param("path"));
  if (path.empty()) {
    invalid("Invalid path");
  }
  return path;
}

// What a browser may show; everything else is bytes. Never HTML or SVG as such: they would run on this server's origin.
const char* media_type(std::string_view path) {
  struct Type {
    std::string_view ending;
    const char* type;
  };
  static constexpr std::array<Type, 12> kTypes = {{{".txt", "text/plain"},
                                                   {".log", "text/plain"},
                                                   {".md", "text/plain"},
                                                   {".py", "text/plain"},
                                                   {".yaml", "text/plain"},
                                                   {".yml", "text/plain"},
                                                   {".csv", "text/csv"},
                                                   {".json", "application/json"},
                                                   {".png", "image/png"},
                                                   {".jpg", "image/jpeg"},
                                                   {".webp", "image/webp"},
                                                   {".pdf", "application/pdf"}}};
  if (path.ends_with("MLmodel")) {
    return "text/plain";
  }
  for (const Type& type : kTypes) {
    if (path.ends_with(type.ending)) {
      return type.type;
    }
  }
  return "application/octet-stream";
}

// RFC 6266: an ASCII name for old clients, the real one for the others.
std::string disposition(std::string_view path) {
  const std::string name(path.substr(path.rfind('/') + 1));
  std::string plain;
  for (const char c : name) {
    plain += static_cast<unsigned char>(c) < 0x80 && c != '"' && c != '\\' ? c : '_';
  }
  std::string value = fmt::format("attachment; filename=\"{}\"", plain);
  if (plain != name) {
    value += "; filename*=UTF-8''" + net::percent_encode(name);
  }
  return value;
}

net::Response list(FileTree& files, const std::string& path) {
  JsonWriter out;
  out.begin_object();
  write_files(out, files.list(path));
  out.end_object();
  return {200, {{"Content-Type", "application/json"}}, out.take()};
}

net::Response done() { return {200, {{"Content-Type", "application/json"}}, kEmptyAnswer}; }

// As the pages send a small file: the run and the path in the address, the content as the body.
net::Response upload_small(Backend& backend, const net::Request& request) {
  constexpr size_t kMaxSmall = 10'000'000;
  const std::string id(request.query_value("run_uuid"));
  if (id.empty()) {
    invalid("Request must specify run_uuid.");
  }
  if (request.query_value("path").empty()) {
    invalid("Request must specify path.");
  }
  const std::string path = safe_path(request.query_value("path"));
  if (path.empty()) {
    invalid("Invalid path");
  }
  if (request.body.empty()) {
    invalid("Request must specify data.");
  }
  if (request.body.size() > kMaxSmall) {
    invalid("Artifact size is too large. Max size is 10MB.");
  }
  const auto run = backend.store.tracking().runs().find(id);
  if (!run) {
    throw base::Error(base::Code::kNotFound, fmt::format("Run with id={} not found", id));
  }
  const auto writer = backend.store.tracking().files().begin(artifact_folder(run->artifact_uri) + "/" + path);
  writer->write(request.body);
  writer->commit();
  return done();
}

}  // namespace

Subjects experiment_of(std::string_view path) {
  Subjects subjects;
  try {
    const std::string safe = safe_path(path);
    subjects.experiments.push_back(safe.substr(0, safe.find('/')));
  } catch (const base::Error&) {
    // The handler finds the same fault and tells it.
  }
  return subjects;
}

net::Response send_file(FileTree& files, const net::Request& request, const std::string& path) {
  const auto file = files.find(path);
  if (!file) {
    throw base::Error(base::Code::kNotFound, fmt::format("No such artifact: '{}'", path));
  }
  return download_answer(request, {files.blob_of(*file),
                                   file->size,
                                   file->digest.substr(file->digest.find(':') + 1),
                                   {{"Content-Type", media_type(path)},
                                    {"Content-Disposition", disposition(path)},
                                    {"Last-Modified", net::http_date(file->modified_ms / 1000)},
                                    {"Cache-Control", "no-cache"}}});
}

void add_artifact_routes(Routes& routes, Backend& backend) {
  FileTree& files = backend.store.tracking().files();
  const std::string base = "/2.0/mlflow-artifacts/";
  const Permission by_path = on([](const net::Request& request) { return experiment_of(request.param("path")); });
  routes.add_upload(
      base + "artifacts/{path...}", kMaxArtifact,
      [&files](const net::Request& request) -> std::shared_ptr<net::BodySink> {
        try {
          return std::make_shared<Upload>([&, path = path_of(request)] { return files.begin(path); });
        } catch (const base::Error&) {
          return nullptr;  // the handler finds the same fault and tells it
        }
      },
      [](const net::Request& request) {
        path_of(request);
        auto* upload = dynamic_cast<Upload*>(request.sink.get());
        if (upload == nullptr) {
          invalid("Invalid path");
        }
        upload->commit();
        return done();
      },
      by_path);
  routes.add_raw(
      "GET", base + "artifacts/{path...}",
      [&files](const net::Request& request) { return send_file(files, request, path_of(request)); }, by_path);
  routes.add_raw(
      "DELETE", base + "artifacts/{path...}",
      [&files](const net::Request& request) {
        files.remove(path_of(request));
        return done();
      },
      by_path);
  routes.add_raw(
      "GET", base + "artifacts",
      [&files](const net::Request& request) { return list(files, safe_path(request.query_value("path"))); },
      on([](const net::Request& request) { return experiment_of(request.query_value("path")); }));
  // As the pages ask: a run and a path in it.
  const auto run_of = [](const net::Request& request) {
    const std::string_view given = request.query_value("run_uuid");
    return std::string(given.empty() ? request.query_value("run_id") : given);
  };
  const auto of_run = [&backend, &files, run_of](const net::Request& request) {
    const std::string id = run_of(request);
    const std::string path = safe_path(request.query_value("path"));
    const auto run = backend.store.tracking().runs().find(id);
    if (!run) {
      throw base::Error(base::Code::kNotFound, fmt::format("Run with id={} not found", id));
    }
    return send_file(files, request, artifact_folder(run->artifact_uri) + "/" + path);
  };
  const Permission by_run = on([run_of](const net::Request& request) { return Subjects{{}, {}, {run_of(request)}}; });
  routes.add_at("POST", "/ajax-api/2.0/mlflow/upload-artifact",
                [&backend](const net::Request& request) { return upload_small(backend, request); }, by_run);
  routes.add_at("GET", "/get-artifact", of_run, by_run);
  routes.add_at("GET", "/ajax-api/2.0/mlflow/get-artifact", of_run, by_run);
}

}  // namespace slipway::api
