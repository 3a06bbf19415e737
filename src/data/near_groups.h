// Near-duplicates among texts that are in memory: which are alike, by MinHash, verified by their true similarity. Deterministic.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/pool.h"
#include "data/spill.h"

namespace slipway::data {

// Indices of texts that are near-duplicates of one another (directly or by way of others), each group rising, groups by their first; texts
// that have none are in no group. Texts without words have none. `space` is for sorting. Equal texts are near-duplicates.
std::vector<std::vector<size_t>> near_groups(std::span<const std::string_view> texts, double jaccard, const SpillSpace& space);

}  // namespace slipway::data
