#include "api/project_role.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::api {
namespace {

// The highest over the records beside an artifact in the lineage: what they name can be read through them.
Role role_over(record::Store& store, const Caller& caller, const std::string& digest) {
  constexpr int kNeighbours = 200;  // of a node; the rest of a base model that everybody uses is not looked at
  constexpr std::string_view kModel = "model:";
  constexpr std::string_view kRun = "run:";
  constexpr std::string_view kDataset = "dataset:";
  constexpr std::string_view kArtifact = "artifact:";
  std::vector<std::string> digests = {digest};
  Role highest = caller.everywhere();
  const auto take = [&](const std::string& node) {
    Subjects one;
    if (node.starts_with(kModel)) {
      one.names.push_back(node.substr(kModel.size(), node.rfind('/') - kModel.size()));
    } else if (node.starts_with(kRun)) {
      one.runs.push_back(node.substr(kRun.size()));
    }
    if (!one.empty()) {
      highest = std::max(highest, role_in(store, caller, one));
    }
  };
  for (size_t i = 0; i < digests.size() && i < 3; ++i) {
    for (const std::string_view kind : {kArtifact, kDataset, std::string_view("file:")}) {
      const std::string node = std::string(kind) + digests[i];
      for (const record::Direction direction : {record::Direction::kBack, record::Direction::kForward}) {
        for (const record::Edge& edge : store.lineage().walk(node, direction, kNeighbours)) {
          if (edge.from != node && edge.to != node) {
            continue;
          }
          take(edge.from == node ? edge.to : edge.from);
          // A dataset has two digests, its manifest's and its folder's: what is known of one holds for the other.
          if (edge.kind == "version_of" && edge.from.starts_with(kDataset) && edge.to.starts_with(kArtifact)) {
            const std::string other =
                edge.from == node ? edge.to.substr(kArtifact.size()) : edge.from.substr(kDataset.size());
            if (std::find(digests.begin(), digests.end(), other) == digests.end()) {
              digests.push_back(other);
            }
          }
        }
      }
    }
  }
  return highest;
}

}  // namespace

Role role_in(record::Store& store, const Caller& caller, const Subjects& subjects) {
  const Role everywhere = caller.everywhere();
  if (subjects.empty()) {
    return everywhere;
  }
  Role lowest = Role::kAdmin;
  bool asked = false;  // not of traces that are new: they alone give no right
  const auto in = [&](const std::optional<std::string>& name) {
    asked = true;
    lowest = std::min(lowest, name ? caller.role_for(*name) : everywhere);
  };
  const auto name_of_experiment = [&](const std::string& id) -> std::optional<std::string> {
    const auto found = store.tracking().experiments().find(id);
    return found ? std::optional(found->name) : std::nullopt;
  };
  for (const std::string& name : subjects.names) {
    in(name);
  }
  for (const std::string& id : subjects.experiments) {
    in(name_of_experiment(id));
  }
  for (const std::string& id : subjects.runs) {
    const auto run = store.tracking().runs().find(id);
    in(run ? name_of_experiment(run->experiment_id) : std::nullopt);
  }
  for (const std::string& id : subjects.traces) {
    const auto trace = store.tracking().traces().traces().find(id, false);
    in(trace ? name_of_experiment(trace->experiment_id) : std::nullopt);
  }
  for (const std::string& id : subjects.new_traces) {
    if (const auto trace = store.tracking().traces().traces().find(id, false)) {
      in(name_of_experiment(trace->experiment_id));
    }
  }
  for (const std::string& id : subjects.models) {
    const auto model = store.tracking().logged_models().find(id);
    in(model ? name_of_experiment(model->experiment_id) : std::nullopt);
  }
  for (const std::string& id : subjects.uploads) {
    const auto upload = store.tracking().server().uploads().find(id);
    const Subjects whose = upload ? experiment_of(upload->path) : Subjects();
    in(whose.experiments.empty() ? std::nullopt : name_of_experiment(whose.experiments.front()));
  }
  for (const std::string& digest : subjects.digests) {
    asked = true;
    lowest = std::min(lowest, role_over(store, caller, digest));
  }
  return asked ? lowest : everywhere;
}

}  // namespace slipway::api
