// What moved in a window: words, texts, groups of people. Internal to monitor.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/pool.h"
#include "monitor/features.h"
#include "monitor/window.h"

namespace slipway::monitor {

// A window made ready: the rows that did not fail, their words, their reduction.
struct PreparedWindow {
  std::vector<const Observation*> rows;
  std::vector<std::vector<std::string>> words;  // empty unless asked for
  std::vector<ReferenceRow> reduced;
};

// z of each word of the window and of the reference's vocabulary.
std::unordered_map<std::string, MovedWord> word_moves(const ReferenceSketch& sketch, const PreparedWindow& window);

// The `count` words with the largest |z| (2 or more), larger first.
std::vector<MovedWord> top_moves(const std::unordered_map<std::string, MovedWord>& moves, int count);

// Texts most unlike the reference and most like the rest of the window; by embeddings where both sides have them (sigma
// > 0), else by words.
std::vector<MovedExample> moved_examples(const ReferenceSketch& sketch, const PreparedWindow& window,
                                         const std::unordered_map<std::string, MovedWord>& moves, double sigma,
                                         int count, base::Pool* pool);

// Rates of each label (with two labels: of the second) among texts that mention a group of the wanted kinds.
std::vector<GroupReport> group_rates(const ReferenceSketch& sketch, const PreparedWindow& window,
                                     const std::vector<std::string>& kinds);

}  // namespace slipway::monitor
