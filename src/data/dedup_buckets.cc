#include "data/dedup_buckets.h"

#include <array>

namespace slipway::data {
namespace {

// The first key of range `shard` (from 0) of `shards`, at most 10,000.
uint64_t range_begin(int shard, int shards) { return (~uint64_t{0} / static_cast<uint64_t>(shards) + 1) * static_cast<uint64_t>(shard); }

uint64_t lower_bound(const RecordFileReader& run, uint64_t key) {
  uint64_t begin = 0;
  uint64_t end = run.count();
  while (begin < end) {
    const uint64_t middle = begin + (end - begin) / 2;
    KeyAt at{};
    run.read_at(middle, &at);
    if (at.key < key) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

}  // namespace

void write_bucket_pairs(const std::vector<std::filesystem::path>& runs, int shard, int shards, const SpillSpace& space,
                        const std::filesystem::path& out) {
  const bool last = shard == shards;
  const uint64_t end = last ? 0 : range_begin(shard, shards);
  KeySorter keys(space, "keys", space.share(4));
  for (const std::filesystem::path& run : runs) {  // one after the other: there may be more of them than files may be open
    RecordFileReader reader(run, sizeof(KeyAt));
    reader.seek(lower_bound(reader, range_begin(shard - 1, shards)));
    std::array<KeyAt, 4096> some{};
    for (bool inside = true; inside;) {
      const size_t count = reader.read(some.data(), some.size());
      inside = count > 0;
      for (size_t i = 0; i < count && inside; ++i) {
        inside = last || some[i].key < end;
        if (inside) {
          keys.add(some[i]);
        }
      }
    }
  }
  ExternalSorter<Edge> pairs(space, "pairs", space.share(4));
  for_each_candidate(keys.finish(), [&](uint64_t a, uint64_t b) { pairs.add(a < b ? Edge{a, b} : Edge{b, a}); });
  keys.remove_runs();
  RecordFileWriter file(out, sizeof(Edge));
  SortedStream<Edge> stream = pairs.finish();
  Edge pair{};
  while (stream.next_distinct(pair)) {
    file.write(&pair, 1);
  }
  file.commit();
  pairs.remove_runs();
}

}  // namespace slipway::data
