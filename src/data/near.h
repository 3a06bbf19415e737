// From keys to clusters, in bounded memory: documents that share a band's key become pairs, pairs are verified by the true
// similarity of their shingles, and those that hold are joined to clusters. Documents are known by their positions,
// 64-bit numbers that rise in reading order. Everything spills (spill.h); results depend on the documents only.
//
//   KeySorter keys(space, "keys", space.share(2));        // first pass: keys.add({key, position})
//   PairVerifier verifier(space, 0.8);
//   add_candidates(keys.finish(), verifier);  verifier.close_pairs();
//   // second pass: for each document in order, if (verifier.wants(position)) verifier.add_set(position, shingles)
//   Components components(space);
//   verifier.verify([&](uint64_t a, uint64_t b, float similarity) { components.add_edge(a, b); });
//   SortedStream<Edge> members = components.finish();     // {document, smallest of its cluster}
// One thread calls; the pool of the space works.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>

#include "data/minhash.h"
#include "data/spill.h"

namespace slipway::data {

struct KeyAt {
  uint64_t key;
  uint64_t position;
  auto operator<=>(const KeyAt&) const = default;
};
using KeySorter = ExternalSorter<KeyAt>;

struct Edge {
  uint64_t a;
  uint64_t b;
  auto operator<=>(const Edge&) const = default;
};

// Decides pairs. Shingles go to a file as they come and are read back by pair.
class PairVerifier {
 public:
  // Pairs from `jaccard` on hold; with 0 every candidate does, and no document is wanted.
  PairVerifier(const SpillSpace& space, double jaccard);
  ~PairVerifier();

  void add_pair(uint64_t a, uint64_t b);
  // Ends adding of pairs; equal ones become one.
  void close_pairs();
  uint64_t candidates() const noexcept { return candidates_; }

  // Whether the document's shingles are needed. Positions rise from call to call, and none may be left out.
  bool wants(uint64_t position);
  // For wanted documents, in the same order.
  void add_set(uint64_t position, const Shingles& shingles);
  // Calls `holds` for each pair that holds, in order. Throws Error(kIntegrity) when a wanted document never came.
  void verify(const std::function<void(uint64_t a, uint64_t b, float similarity)>& holds);

 private:
  struct Sets;
  SpillSpace space_;
  double jaccard_;
  ExternalSorter<Edge> pairs_;
  uint64_t candidates_ = 0;
  std::filesystem::path pair_file_;
  std::unique_ptr<RecordCursor<uint64_t>> wanted_;
  std::unique_ptr<Sets> sets_;
};

// Pairs that share a key: each document with the first that has it and with the one before it, so that the number of
// pairs stays linear and a bucket whose first is a false friend still joins its true ones.
void for_each_candidate(SortedStream<KeyAt> keys, const std::function<void(uint64_t a, uint64_t b)>& pair);
void add_candidates(SortedStream<KeyAt> keys, PairVerifier& verifier);

// Connected components. When the edges fit in memory, by union-find; else by alternating large-star and small-star steps
// over sorted files (Kiveris et al., "Connected Components in MapReduce and Beyond", 2014). Both give the same.
class Components {
 public:
  explicit Components(const SpillSpace& space);
  void add_edge(uint64_t a, uint64_t b);
  // {document, smallest document of its component}, by document, for every document that has an edge.
  SortedStream<Edge> finish();

 private:
  SortedStream<Edge> in_memory(SortedStream<Edge> edges, uint64_t count);
  SortedStream<Edge> by_stars(SortedStream<Edge> edges);
  SpillSpace space_;
  std::unique_ptr<ExternalSorter<Edge>> edges_;
};

}  // namespace slipway::data
