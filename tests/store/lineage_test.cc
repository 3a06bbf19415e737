#include <set>

#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;
using record::Direction;
using record::Edge;
using Lineage = StoreTest;

std::set<std::string> nodes(const std::vector<Edge>& edges) {
  std::set<std::string> set;
  for (const Edge& edge : edges) {
    set.insert(edge.from);
    set.insert(edge.to);
  }
  return set;
}

TEST_F(Lineage, WalksBreadthFirstBothWaysThroughRingsWithALimit) {
  const std::vector<Edge> edges = {{"file:1", "run:a", "used"},        {"file:2", "run:a", "used"},
                                   {"run:a", "dataset:1", "produced"}, {"dataset:1", "run:a", "used"},
                                   {"dataset:1", "run:b", "used"},     {"run:b", "artifact:1", "produced"}};
  store_->lineage().add_edges(edges);
  store_->lineage().add_edges(edges);  // repeats change nothing
  EXPECT_EQ(store_->lineage().walk("file:1", Direction::kForward, 100).size(), 5U);
  EXPECT_EQ(store_->lineage().walk("artifact:1", Direction::kBack, 100).size(), 6U);
  const auto two = store_->lineage().walk("file:1", Direction::kForward, 2);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].to, "run:a");
  EXPECT_EQ(two[1].to, "dataset:1");
  EXPECT_TRUE(store_->lineage().walk("none", Direction::kBack, 100).empty());
  EXPECT_TRUE(store_->lineage().walk("file:1", Direction::kForward, 0).empty());
  const Edge bad{"", "x", "used"};
  EXPECT_EQ(error_of([&] { store_->lineage().add_edges({&bad, 1}); }).code(), Code::kInvalid);
}

TEST_F(Lineage, GoesFromAPredictionToTheRawFileAndBack) {
  const auto weights = store_->artifacts().put_bytes("w", "model", "model", {});
  const std::string data = "sha256:" + std::string(64, 'd');
  const std::vector<Edge> edges = {{"file:sha256:raw", "run:r1", "used"}, {"run:r1", "dataset:" + data, "produced"}};
  store_->lineage().add_edges(edges);
  record::ModelVersion made = version("m");
  made.run_id = "r2";
  made.dataset = data;
  made.artifacts = {{"model", weights.digest}};
  store_->registry().create_version(made);
  store_->registry().set_alias("m", "champion", 1, -1);
  record::Deployment deployment;
  deployment.id = "d";
  deployment.endpoint = "e";
  deployment.model = "models:/m@champion";
  store_->events().put_deployment(deployment);
  const std::vector<record::Prediction> served = {prediction("p-1", 1), prediction("p-2", 2)};
  store_->predictions().append(served);

  const auto back = nodes(store_->lineage().walk("prediction:p-2", Direction::kBack, 100));
  for (const char* node : {"deployment:d", "model:m/1", "run:r1", "run:r2", "file:sha256:raw"}) {
    EXPECT_TRUE(back.contains(node)) << node;
  }
  EXPECT_FALSE(back.contains("prediction:p-1"));
  const auto forward = nodes(store_->lineage().walk("file:sha256:raw", Direction::kForward, 100));
  for (const char* node : {"model:m/1", "deployment:d", "prediction:p-1", "prediction:p-2"}) {
    EXPECT_TRUE(forward.contains(node)) << node;
  }
  EXPECT_EQ(store_->lineage().walk("model:m/1", Direction::kForward, 2).size(), 2U);
}

TEST_F(Lineage, ADeploymentOfAModelThatIsNotThereYetIsKept) {
  record::Deployment deployment;
  deployment.id = "d";
  deployment.model = "models:/later@champion";
  store_->events().put_deployment(deployment);
  deployment.id = "d2";
  deployment.model = "models:/broken";
  store_->events().put_deployment(deployment);
  EXPECT_EQ(store_->events().list_deployments(9).size(), 2U);
  EXPECT_TRUE(store_->lineage().walk("deployment:d", Direction::kBack, 9).empty());
}

}  // namespace
}  // namespace slipway::store
