#include "api/ui_evidence.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/yaml.h"

namespace slipway::api {
namespace {

using base::Json;
using record::ModelVersion;

constexpr int kNeighbours = 64;  // of a version, among which its card is looked for
constexpr size_t kMaxModelFile = size_t{4} << 20;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string role(const ModelVersion& version, const std::string& name) {
  const auto found = version.artifacts.find(name);
  return found == version.artifacts.end() ? std::string() : found->second;
}

Json datasets(const ModelVersion& version, const record::TrackedRun* run) {
  Json list = Json::array();
  if (!version.dataset.empty()) {
    list.push_back({{"digest", version.dataset}, {"name", nullptr}, {"context", "training"}});
  }
  if (run != nullptr) {
    for (const record::DatasetUse& use : run->datasets) {
      const auto context = std::find_if(use.tags.begin(), use.tags.end(),
                                        [](const record::KeyValue& tag) { return tag.key == "mlflow.data.context"; });
      list.push_back({{"digest", use.dataset.digest},
                      {"name", use.dataset.name},
                      {"context", context == use.tags.end() ? Json(nullptr) : Json(context->value)}});
    }
  }
  return list.empty() ? Json(nullptr) : list;
}

Json code_commit(const record::TrackedRun* run) {
  if (run != nullptr) {
    for (const record::KeyValue& tag : run->tags) {
      if (tag.key == "mlflow.source.git.commit") {
        return tag.value;
      }
    }
  }
  return nullptr;
}

Json config(record::Store& store, const ModelVersion& version) {
  if (const std::string digest = role(version, "config"); !digest.empty()) {
    return digest;
  }
  const auto run = version.run_id.empty() ? std::nullopt : store.runs().find_run(version.run_id);
  return run && run->config.is_object() && !run->config.empty() ? run->config : Json(nullptr);
}

// The artifact tree's folder in which a version's files lie: its source, followed once.
std::string folder_of(record::Store& store, const std::string& source) {
  constexpr std::string_view kTree = "mlflow-artifacts:/";
  std::string uri = source;
  for (const std::string_view scheme : {"runs:/", "models:/m-"}) {
    if (!source.starts_with(scheme)) {
      continue;
    }
    const std::string rest = source.substr(source.find(":/") + 2);
    const size_t slash = rest.find('/');
    const std::string id = rest.substr(0, slash);
    std::string root;
    if (scheme == "runs:/") {
      const auto run = store.tracking().runs().find(id);
      root = run ? run->artifact_uri : "";
    } else {
      const auto model = store.tracking().logged_models().find(id);
      root = model ? model->artifact_uri : "";
    }
    uri = root + (slash == std::string::npos ? "" : rest.substr(slash));
  }
  return uri.starts_with(kTree) ? uri.substr(kTree.size()) : "";
}

// What goes in and comes out, as MLflow's clients keep it in the file MLmodel.
Json signature(record::Store& store, const ModelVersion& version, const std::string& source) {
  if (const std::string digest = role(version, "signature"); !digest.empty()) {
    return digest;
  }
  try {
    const std::string folder = folder_of(store, source);
    record::FileTree& files = store.tracking().files();
    const auto file = folder.empty() ? std::nullopt : files.find(folder + "/MLmodel");
    if (!file || file->size > kMaxModelFile) {
      return nullptr;
    }
    Json model = base::parse_yaml(base::read_file(files.blob_of(*file), kMaxModelFile), "MLmodel").value;
    const auto found = model.is_object() ? model.find("signature") : model.end();
    if (!model.is_object() || found == model.end() || !found->is_object()) {
      return nullptr;
    }
    for (auto& part : *found) {  // inputs, outputs, params: JSON in a text
      if (part.is_string()) {
        part = base::parse_json(part.get<std::string>(), "MLmodel", {kMaxModelFile, 64});
      }
    }
    return *found;
  } catch (const base::Error&) {
    return nullptr;  // a client's file; the page of its files shows what is in it
  }
}

Json card(record::Store& store, const ModelVersion& version) {
  if (const std::string digest = role(version, "card"); !digest.empty()) {
    return digest;
  }
  constexpr std::string_view kArtifact = "artifact:";
  const std::string node = fmt::format("model:{}/{}", version.model, version.version);
  std::string newest;
  int64_t made_ms = 0;
  for (const record::Edge& edge : store.lineage().walk(node, record::Direction::kForward, kNeighbours)) {
    if (edge.from != node || !edge.to.starts_with(kArtifact)) {
      continue;
    }
    const auto artifact = store.artifacts().find(edge.to.substr(kArtifact.size()));
    if (artifact && artifact->kind == "card" && artifact->created_ms >= made_ms) {
      newest = artifact->digest;
      made_ms = artifact->created_ms;
    }
  }
  return text_or_null(newest);
}

}  // namespace

Json evidence_json(record::Store& store, const ModelVersion& version, const std::string& source) {
  const auto run = version.run_id.empty() ? std::nullopt : store.tracking().runs().find(version.run_id);
  const record::TrackedRun* known = run ? &*run : nullptr;
  Json gates = Json::array();
  for (const record::VersionGate& gate : store.approvals().gates(version.model, version.version)) {
    gates.push_back(record::to_json(gate));
  }
  return {{"gates", std::move(gates)},
          {"approval", record::to_json(store.approvals().approval(version.model, version.version))},
          {"author", text_or_null(version.author)},
          {"datasets", datasets(version, known)},
          {"code_commit", code_commit(known)},
          {"config", config(store, version)},
          {"signature", signature(store, version, source)},
          {"card", card(store, version)}};
}

}  // namespace slipway::api
