// slipway lineage: from a served prediction back to the raw files, and from a raw file forward.
#include <algorithm>
#include <ostream>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "cli/app.h"
#include "cli/commands/factories.h"

namespace slipway::cli {
namespace {

// What people type -> a node: "p-…", "NAME/3", "models:/NAME@champion", "sha256:…", or a node's id itself.
std::string node_of(record::Store& store, const std::string& text) {
  if (record::is_model_reference(text)) {
    const auto version = store.registry().resolve(text);
    return fmt::format("model:{}/{}", version.model, version.version);
  }
  if (text.starts_with("p-")) {
    return "prediction:" + text;
  }
  if (base::is_digest(text)) {
    for (const char* kind : {"dataset", "artifact", "file"}) {
      const std::string node = fmt::format("{}:{}", kind, text);
      if (!store.lineage().walk(node, record::Direction::kBack, 1).empty() ||
          !store.lineage().walk(node, record::Direction::kForward, 1).empty()) {
        return node;
      }
    }
    return "artifact:" + text;
  }
  return text;
}

class LineageCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"lineage", "what a prediction, model or dataset was made of, or what was made of it",
            "NODE is a prediction's id (p-…), a model (models:/NAME@ALIAS, models:/NAME/3), a dataset's or artifact's digest\n"
            "(sha256:…), or any node id printed by this command. Default: back to the raw files; --forward: what came of it.",
            "slipway lineage p-0123456789abcdef0123456789abcdef\nslipway lineage models:/movie-sentiment@champion"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NODE", node_, "prediction, model, dataset, artifact, file or run");
    parameters.flags.add("forward", forward_, "what was made of it, instead of what it was made of");
    parameters.flags.add("limit", limit_, "at most this many edges", {1, 1e6});
  }
  int run(App& app) override {
    record::Store& store = app.store();
    const std::string node = node_of(store, node_);
    std::vector<record::Edge> edges;
    std::string start = node;
    if (node.starts_with("prediction:")) {
      // A prediction names its deployment and version itself; writing an edge a prediction would only repeat that.
      const auto prediction = store.predictions().find(node.substr(11));
      if (!prediction) {
        throw base::Error(base::Code::kNotFound, fmt::format("there is no prediction '{}' in the record", node.substr(11)));
      }
      start = "model:" + prediction->model;
      edges.push_back({"deployment:" + prediction->deployment, node, "predicted"});
      edges.push_back({start, node, "predicted"});
    }
    const auto direction = forward_ ? record::Direction::kForward : record::Direction::kBack;
    for (record::Edge& edge : store.lineage().walk(start, direction, limit_)) {
      edges.push_back(std::move(edge));
    }
    if (edges.empty()) {
      throw base::Error(base::Code::kNotFound, fmt::format("nothing is recorded about '{}'{}", node_, forward_ ? " in that direction" : ""));
    }
    if (app.json()) {
      for (const record::Edge& edge : edges) {
        app.print_json(record::to_json(edge));
      }
      return 0;
    }
    std::set<std::string> seen;
    print_tree(app, store, edges, node, 0, seen);
    return 0;
  }

 private:
  void print_tree(App& app, record::Store& store, const std::vector<record::Edge>& edges, const std::string& node, int depth,
                  std::set<std::string>& seen) const {
    const bool again = !seen.insert(node).second;
    app.out() << std::string(static_cast<size_t>(depth) * 2, ' ') << (depth > 0 ? (forward_ ? "→ " : "← ") : "") << node
              << title_of(store, node) << (again ? "  (above)" : "") << '\n';
    if (again) {
      return;
    }
    for (const record::Edge& edge : edges) {
      const std::string& from = forward_ ? edge.from : edge.to;
      const std::string& to = forward_ ? edge.to : edge.from;
      if (from == node) {
        print_tree(app, store, edges, to, depth + 1, seen);
      }
    }
  }

  static std::string title_of(record::Store& store, const std::string& node) {
    const size_t digest = node.find("sha256:");
    if (digest == std::string::npos) {
      return "";
    }
    const auto artifact = store.artifacts().find(node.substr(digest));
    return artifact && !artifact->name.empty() ? fmt::format("  {} ({})", artifact->name, artifact->kind) : "";
  }

  std::string node_;
  bool forward_ = false;
  int limit_ = 1000;
};

}  // namespace

std::unique_ptr<Command> make_lineage() { return std::make_unique<LineageCommand>(); }

}  // namespace slipway::cli
