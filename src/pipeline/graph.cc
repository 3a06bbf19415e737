#include "pipeline/graph.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>

#include "base/error.h"
#include "base/suggest.h"

namespace slipway::pipeline {
namespace {

using base::Code;
using base::Error;

// The steps of a ring among those that are not in the order, as "a -> b -> a" (each needs the next).
std::string describe_ring(std::span<const Step> steps, const Graph& graph, const std::vector<bool>& placed) {
  size_t at = static_cast<size_t>(std::find(placed.begin(), placed.end(), false) - placed.begin());
  std::vector<size_t> path;
  while (std::find(path.begin(), path.end(), at) == path.end()) {
    path.push_back(at);
    // A step that was not placed needs one that was not placed.
    at = *std::find_if(graph.needs[at].begin(), graph.needs[at].end(), [&](size_t need) { return !placed[need]; });
  }
  std::vector<std::string> names;
  for (auto it = std::find(path.begin(), path.end(), at); it != path.end(); ++it) {
    names.push_back(steps[*it].name);
  }
  names.push_back(steps[at].name);
  return fmt::format("{}", fmt::join(names, " -> "));
}

}  // namespace

void check_path_name(const std::string& name, const char* what) {
  constexpr size_t kMaxBytes = 200;
  const auto bad = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '/'; };
  if (name.empty() || name.size() > kMaxBytes || name.front() == '.' || std::any_of(name.begin(), name.end(), bad)) {
    throw Error(Code::kInvalid,
                fmt::format("'{}' cannot be the name of a {}: it needs 1 to {} bytes, no '/', no control "
                            "characters and no '.' in front",
                            name.substr(0, kMaxBytes), what, kMaxBytes));
  }
}

size_t index_of(std::span<const Step> steps, const std::string& name, const std::string& where) {
  std::vector<std::string> known;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].name == name) {
      return i;
    }
    known.push_back(steps[i].name);
  }
  throw Error(Code::kInvalid, fmt::format("{}: there is no step '{}'{}", where, name, base::suggestion(name, known)));
}

Graph make_graph(std::span<const Step> steps) {
  std::set<std::string> names;
  for (const Step& step : steps) {
    check_path_name(step.name, "step");
    if (!names.insert(step.name).second) {
      throw Error(Code::kInvalid, fmt::format("two steps have the name '{}'", step.name));
    }
  }
  Graph graph;
  graph.needs.resize(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const std::string& need : steps[i].needs) {
      graph.needs[i].push_back(index_of(steps, need, fmt::format("step '{}' needs", steps[i].name)));
    }
  }
  std::vector<bool> placed(steps.size(), false);
  while (graph.order.size() < steps.size()) {
    size_t next = 0;  // the first that may run; graphs have tens of steps
    while (next < steps.size() && (placed[next] || std::any_of(graph.needs[next].begin(), graph.needs[next].end(),
                                                               [&](size_t need) { return !placed[need]; }))) {
      ++next;
    }
    if (next == steps.size()) {
      throw Error(Code::kInvalid,
                  fmt::format("steps need each other in a ring: {}", describe_ring(steps, graph, placed)));
    }
    placed[next] = true;
    graph.order.push_back(next);
  }
  return graph;
}

std::vector<bool> with_needs(const Graph& graph, const std::vector<size_t>& chosen) {
  std::vector<bool> marked(graph.needs.size(), false);
  for (const size_t index : chosen) {
    marked[index] = true;
  }
  for (auto it = graph.order.rbegin(); it != graph.order.rend(); ++it) {
    for (const size_t need : graph.needs[*it]) {
      marked[need] = marked[need] || marked[*it];
    }
  }
  return marked;
}

std::vector<bool> with_followers(const Graph& graph, size_t start) {
  std::vector<bool> marked(graph.needs.size(), false);
  marked[start] = true;
  for (const size_t index : graph.order) {
    for (const size_t need : graph.needs[index]) {
      marked[index] = marked[index] || marked[need];
    }
  }
  return marked;
}

}  // namespace slipway::pipeline
