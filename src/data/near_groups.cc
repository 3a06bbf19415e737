#include "data/near_groups.h"

#include <algorithm>
#include <map>

#include "data/minhash.h"
#include "data/near.h"

namespace slipway::data {
namespace {

constexpr int kHashes = 112;
constexpr uint64_t kSeed = 1;
constexpr int64_t kGrain = 64;

}  // namespace

std::vector<std::vector<size_t>> near_groups(std::span<const std::string_view> texts, double jaccard, const SpillSpace& space) {
  const Bands bands = bands_for(jaccard, kHashes);
  const MinHasher hasher(kHashes, kSeed);
  std::vector<Shingles> shingles(texts.size());
  std::vector<std::vector<uint64_t>> keys(texts.size());
  space.pool->parallel_chunks(static_cast<int64_t>(texts.size()), kGrain, [&](int64_t begin, int64_t end) {
    std::vector<uint32_t> signature(kHashes);
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      shingle(texts[i], shingles[i]);
      uint64_t kind = 0;
      for (const auto* set : {&shingles[i].small, &shingles[i].large}) {
        if (!set->empty()) {
          const auto count = static_cast<size_t>(bands.bands);
          keys[i].resize(keys[i].size() + count);
          hasher.sign(*set, signature);
          band_keys(signature, bands, kind, std::span(keys[i]).last(count));
        }
        ++kind;
      }
    }
  });
  KeySorter sorter(space, "near-keys", space.share(4));
  for (size_t i = 0; i < texts.size(); ++i) {
    for (const uint64_t key : keys[i]) {
      sorter.add({key, i});
    }
  }
  PairVerifier verifier(space, jaccard);
  add_candidates(sorter.finish(), verifier);
  sorter.remove_runs();
  verifier.close_pairs();
  for (size_t i = 0; i < texts.size(); ++i) {
    if (verifier.wants(i)) {
      verifier.add_set(i, shingles[i]);
    }
  }
  Components components(space);
  verifier.verify([&](uint64_t a, uint64_t b, float) { components.add_edge(a, b); });
  std::map<uint64_t, std::vector<size_t>> groups;
  SortedStream<Edge> members = components.finish();
  for (Edge edge{}; members.next(edge);) {
    groups[edge.b].push_back(static_cast<size_t>(edge.a));
  }
  std::vector<std::vector<size_t>> all;
  for (auto& [first, group] : groups) {
    all.push_back(std::move(group));
  }
  return all;
}

}  // namespace slipway::data
