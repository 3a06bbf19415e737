// Which texts make up which batch: a function of (seed, epoch) alone, so that a resumed run continues in the middle of
// an epoch without having stored or replayed anything.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace slipway::train {

// The order of one epoch: batches of row numbers, every row exactly once.
struct EpochOrder {
  std::vector<int32_t> rows;
  std::vector<int64_t> begins;  // batch b is rows[begins[b], begins[b + 1])
  int64_t batches() const { return static_cast<int64_t>(begins.size()) - 1; }
  std::span<const int32_t> batch(int64_t b) const {
    const auto begin = static_cast<size_t>(begins[static_cast<size_t>(b)]);
    return {rows.data() + begin, static_cast<size_t>(begins[static_cast<size_t>(b) + 1]) - begin};
  }
};

struct SamplerOptions {
  int batch_size = 32;
  bool group_by_length = true;
  uint64_t seed = 0;
};

// All rows in an order drawn from (seed, epoch). With group_by_length the shuffled rows are cut into mega-batches of 50
// batches, each sorted by length, and the resulting batches shuffled: lengths in a batch are alike, epochs still
// differ. `lengths` [rows] in tokens. O(n log n).
EpochOrder epoch_order(std::span<const int32_t> lengths, const SamplerOptions& options, int64_t epoch);

// ceil(rows / batch_size): the last batch may be smaller.
int64_t batches_per_epoch(int64_t rows, int batch_size);

}  // namespace slipway::train
