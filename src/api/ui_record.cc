// What the web UI asks of the record: lineage as a graph with names, what a run produced, files to look at.
#include <fmt/format.h>
#include <map>
#include <set>

#include "api/limits.h"
#include "api/routes.h"
#include "api/ui_media.h"

namespace slipway::api {
namespace {

using record::Direction;
using record::Edge;

constexpr int kMaxEdges = 400;  // each way: a graph of more is no picture

[[noreturn]] void not_found(const std::string& what) { throw base::Error(base::Code::kNotFound, what); }

// "dataset:sha256:…" → its kind, and the name that people know it by.
Json node_json(record::Store& store, const std::string& id) {
  const size_t colon = id.find(':');
  const std::string kind = id.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : id.substr(colon + 1);
  Json node = {{"id", id}, {"kind", kind}, {"name", rest}};
  if (kind == "run") {
    if (const auto run = store.tracking().runs().find(rest); run && !run->name.empty()) {
      node["name"] = run->name;
    }
  } else if (kind == "artifact" || kind == "dataset" || kind == "file") {
    if (const auto artifact = store.artifacts().find(rest)) {
      node["name"] = artifact->name;
      node["detail"] = artifact->kind;
    }
  } else if (kind == "deployment") {
    if (const auto deployment = store.events().find_deployment(rest)) {
      node["name"] = deployment->endpoint;
    }
  }
  return node;
}

Json lineage(record::Store& store, const std::string& node) {
  if (node.empty()) {
    missing_parameter("node");
  }
  std::vector<Edge> edges = store.lineage().walk(node, Direction::kBack, kMaxEdges);
  const bool cut_back = edges.size() == kMaxEdges;
  const std::vector<Edge> forward = store.lineage().walk(node, Direction::kForward, kMaxEdges);
  edges.insert(edges.end(), forward.begin(), forward.end());
  std::set<std::string> ids{node};
  Json links = Json::array();
  for (const Edge& edge : edges) {
    ids.insert(edge.from);
    ids.insert(edge.to);
    links.push_back(record::to_json(edge));
  }
  Json nodes = Json::array();
  for (const std::string& id : ids) {
    nodes.push_back(node_json(store, id));
  }
  return {{"nodes", std::move(nodes)},
          {"edges", std::move(links)},
          {"cut", cut_back || forward.size() == kMaxEdges}};
}

Json artifact_json(const record::Artifact& artifact) {
  return {{"digest", artifact.digest}, {"kind", artifact.kind},     {"name", artifact.name},
          {"size", artifact.size},     {"folder", artifact.folder}, {"created_ms", artifact.created_ms}};
}

// Artifacts that the steps of a pipeline's run left, which are no files of the artifact tree.
Json products(record::Store& store, const std::string& run_id) {
  if (!store.tracking().runs().find(run_id)) {
    not_found(fmt::format("Run with id={} not found", run_id));
  }
  Json list = Json::array();
  const std::string node = "run:" + run_id;
  for (const Edge& edge : store.lineage().walk(node, Direction::kForward, kMaxEdges)) {
    const size_t colon = edge.to.find(':');
    if (edge.from != node || colon == std::string::npos) {
      continue;
    }
    if (const auto artifact = store.artifacts().find(edge.to.substr(colon + 1))) {
      list.push_back(artifact_json(*artifact));
    }
  }
  return {{"artifacts", std::move(list)}};
}

net::Response preview(record::Store& store, const net::Request& request) {
  const std::string id(request.query_value("run_id"));
  const std::string path = safe_path(request.query_value("path"));
  const auto run = store.tracking().runs().find(id);
  if (!run) {
    not_found(fmt::format("Run with id={} not found", id));
  }
  record::FileTree& files = store.tracking().files();
  const auto file = files.find(artifact_folder(run->artifact_uri) + "/" + path);
  if (!file) {
    not_found(fmt::format("No such artifact: '{}'", path));
  }
  return ui_media(request, path, file->digest, files.blob_of(*file), file->size);
}

net::Response blob(record::Store& store, const net::Request& request) {
  const std::string digest(request.param("digest"));
  const auto artifact = store.artifacts().find(digest);
  if (!artifact || artifact->folder) {
    not_found(fmt::format("the record has no file '{}'", digest));
  }
  return ui_media(request, artifact->name, artifact->digest, store.artifacts().path_of(digest), artifact->size);
}

}  // namespace

void add_ui_record_routes(Routes& routes, Backend& backend) {
  record::Store& store = backend.store;
  routes.add_raw("GET", "/ui/lineage", [&store](const net::Request& request) {
    return net::json_response(lineage(store, std::string(request.query_value("node"))));
  });
  const Permission by_run = on([](const net::Request& request) { return Subjects{{}, {}, {std::string(request.param("run_id"))}}; });
  routes.add_raw("GET", "/ui/runs/{run_id}/products", [&store](const net::Request& request) {
    return net::json_response(products(store, std::string(request.param("run_id"))));
  }, by_run);
  routes.add_raw(
      "GET", "/ui/preview", [&store](const net::Request& request) { return preview(store, request); },
      on([](const net::Request& request) { return Subjects{{}, {}, {std::string(request.query_value("run_id"))}}; }));
  routes.add_raw(
      "GET", "/ui/blobs/{digest}", [&store](const net::Request& request) { return blob(store, request); },
      on([](const net::Request& request) {
        Subjects subjects;
        subjects.digests.emplace_back(request.param("digest"));
        return subjects;
      }));
}

}  // namespace slipway::api
