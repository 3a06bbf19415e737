#include "pipeline/graph.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::pipeline {
namespace {

std::vector<Step> steps_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& names) {
  std::vector<Step> steps;
  for (const auto& [name, needs] : names) {
    Step step;
    step.name = name;
    step.needs = needs;
    steps.push_back(std::move(step));
  }
  return steps;
}

std::string problem(const std::vector<Step>& steps) {
  try {
    make_graph(steps);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    return error.what();
  }
  return "";
}

TEST(Graph, OrdersByNeedsAndElseKeepsTheOrderGiven) {
  const auto steps = steps_of({{"d", {"b", "c"}}, {"x", {}}, {"b", {"a"}}, {"c", {"a"}}, {"a", {}}});
  const Graph graph = make_graph(steps);
  std::string order;
  for (const size_t index : graph.order) {
    order += steps[index].name;
  }
  EXPECT_EQ(order, "xabcd");
  EXPECT_TRUE(make_graph(std::vector<Step>{}).order.empty());
}

TEST(Graph, NamesTheRing) {
  const std::string said = problem(steps_of({{"a", {"c"}}, {"b", {"a"}}, {"c", {"b"}}, {"z", {"a"}}, {"free", {}}}));
  EXPECT_NE(said.find("a -> c -> b -> a"), std::string::npos) << said;
  EXPECT_NE(problem(steps_of({{"self", {"self"}}})).find("self -> self"), std::string::npos);
}

TEST(Graph, RefusesUnknownNeedsAndBadNames) {
  EXPECT_NE(problem(steps_of({{"clean", {}}, {"train", {"claen"}}})).find("did you mean 'clean'"), std::string::npos);
  EXPECT_NE(problem(steps_of({{"a", {}}, {"a", {}}})).find("two steps"), std::string::npos);
  for (const char* name : {"", "../up", "a/b", ".hidden", "new\nline"}) {
    EXPECT_NE(problem(steps_of({{name, {}}})), "") << name;
  }
  EXPECT_EQ(problem(steps_of({{"\xE8\xAE\xAD\xE7\xBB\x83 2", {}}})), "");
}

TEST(Graph, FindsNeedsAndFollowers) {
  const auto steps = steps_of({{"a", {}}, {"b", {"a"}}, {"c", {"a"}}, {"d", {"b"}}});
  const Graph graph = make_graph(steps);
  EXPECT_EQ(with_needs(graph, {3}), (std::vector<bool>{true, true, false, true}));
  EXPECT_EQ(with_followers(graph, 1), (std::vector<bool>{false, true, false, true}));
  EXPECT_THROW(index_of(steps, "e", "only"), base::Error);
}

}  // namespace
}  // namespace slipway::pipeline
