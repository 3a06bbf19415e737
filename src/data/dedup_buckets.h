// The buckets of MinHash, shared by range of their keys: a process takes from the sorted runs of all what lies in its range and
// notes which documents meet there. Internal to this room.
#pragma once

#include <filesystem>
#include <vector>

#include "data/near.h"

namespace slipway::data {

// The pairs of range `shard` (1-based) of `shards`, each once and in order, as records of Edge in `out`. The pairs of all
// ranges together are those of one: documents that share a band's key share its range. `runs`: sorted files of KeyAt.
// Memory: a quarter of the space's for keys, a quarter for pairs.
void write_bucket_pairs(const std::vector<std::filesystem::path>& runs, int shard, int shards, const SpillSpace& space,
                        const std::filesystem::path& out);

}  // namespace slipway::data
