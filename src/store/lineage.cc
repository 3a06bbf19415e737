#include <unordered_set>

#include "store/tables.h"

namespace slipway::store {
namespace {

using record::Direction;
using record::Edge;

constexpr std::string_view kModel = "model:";
constexpr std::string_view kDeployment = "deployment:";
constexpr std::string_view kPrediction = "prediction:";

// Follows edges from node to node, level by level, up to a limit.
class Walk {
 public:
  Walk(Database& database, Direction direction, size_t limit)
      : database_(database), back_(direction == Direction::kBack), limit_(limit) {}

  std::vector<Edge> from(const std::string& start) {
    queue_.push_back(start);
    seen_.insert(start);
    for (size_t i = 0; i < queue_.size() && !full(); ++i) {
      const std::string node = queue_[i];
      stored_edges(node);
      if (back_ && node.starts_with(kPrediction)) {
        sources_of_prediction(node);
      }
    }
    // Predictions come last: they are many and lead nowhere.
    for (size_t i = 0; !back_ && i < queue_.size() && !full(); ++i) {
      predictions_of(queue_[i]);
    }
    return std::move(edges_);
  }

 private:
  bool full() const { return edges_.size() >= limit_; }

  void add(Edge edge) {
    if (full()) {
      return;
    }
    const std::string& next = back_ ? edge.from : edge.to;
    if (seen_.insert(next).second) {
      queue_.push_back(next);
    }
    edges_.push_back(std::move(edge));
  }

  void stored_edges(const std::string& node) {
    Statement query = back_ ? database_.prepare(
                                  "SELECT source, target, kind FROM edges WHERE target = ? "
                                  "ORDER BY source, kind LIMIT ?")
                            : database_.prepare(
                                  "SELECT source, target, kind FROM edges WHERE source = ? "
                                  "ORDER BY target, kind LIMIT ?");
    query.bind(node, static_cast<int64_t>(limit_ - edges_.size()));
    while (!full() && query.step()) {
      add({query.text(0), query.text(1), query.text(2)});
    }
  }

  void sources_of_prediction(const std::string& node) {
    Statement query = database_.prepare("SELECT deployment, model FROM predictions WHERE id = ?");
    if (!query.bind(node.substr(kPrediction.size())).step()) {
      return;
    }
    if (const std::string deployment = query.text(0); !deployment.empty()) {
      add({std::string(kDeployment) + deployment, node, "predicted"});
    }
    if (const std::string model = query.text(1); !model.empty()) {
      add({std::string(kModel) + model, node, "predicted"});
    }
  }

  void predictions_of(const std::string& node) {
    const bool model = node.starts_with(kModel);
    if (!model && !node.starts_with(kDeployment)) {
      return;
    }
    Statement query =
        model ? database_.prepare("SELECT id FROM predictions WHERE model = ? ORDER BY time_ms, number LIMIT ?")
              : database_.prepare("SELECT id FROM predictions WHERE deployment = ? ORDER BY time_ms, number LIMIT ?");
    query.bind(node.substr(model ? kModel.size() : kDeployment.size()), static_cast<int64_t>(limit_ - edges_.size()));
    while (!full() && query.step()) {
      edges_.push_back({node, std::string(kPrediction) + query.text(0), "predicted"});
    }
  }

  Database& database_;
  const bool back_;
  const size_t limit_;
  std::vector<std::string> queue_;
  std::unordered_set<std::string> seen_;
  std::vector<Edge> edges_;
};

}  // namespace

void insert_edges(Database& database, std::span<const Edge> edges) {
  Statement insert = database.prepare("INSERT INTO edges(source, target, kind) VALUES(?,?,?) ON CONFLICT DO NOTHING");
  for (const Edge& edge : edges) {
    insert.bind(edge.from, edge.to, edge.kind).run();
  }
}

void SqlLineage::add_edges(std::span<const Edge> edges) {
  if (edges.empty()) {
    return;
  }
  for (const Edge& edge : edges) {
    check_name(edge.from, "a node of the lineage");
    check_name(edge.to, "a node of the lineage");
    check_name(edge.kind, "an edge's kind");
  }
  core_.write([&](Database& database) { insert_edges(database, edges); });
}

std::vector<Edge> SqlLineage::walk(const std::string& node, Direction direction, int limit) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);  // one state of the graph for all levels
  return Walk(*database, direction, static_cast<size_t>(sql_limit(limit))).from(node);
}

}  // namespace slipway::store
