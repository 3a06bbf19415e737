// The graph of steps: its checks, an order in which they may run, what a choice of steps includes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pipeline/step.h"

namespace slipway::pipeline {

// The steps' needs as indices, checked, and a topological order that stays as near as it can to the order given.
struct Graph {
  std::vector<std::vector<size_t>> needs;
  std::vector<size_t> order;
};

// Throws kInvalid for an empty, repeated or unusable name, an unknown need (with the nearest name) and a ring (naming
// it).
Graph make_graph(std::span<const Step> steps);

// Throws kInvalid (with the nearest name) when there is none.
size_t index_of(std::span<const Step> steps, const std::string& name, const std::string& where);

// Marks what `chosen` needs, themselves included.
std::vector<bool> with_needs(const Graph& graph, const std::vector<size_t>& chosen);
// Marks all that needs `start`, itself included.
std::vector<bool> with_followers(const Graph& graph, size_t start);

// A name that becomes a part of a path: 1 to 200 bytes, no '/', no control character, no '.' in front. Throws kInvalid.
void check_path_name(const std::string& name, const char* what);

}  // namespace slipway::pipeline
