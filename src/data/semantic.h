// Semantic deduplication (SemDeDup, Abbas et al. 2023): embeddings are grouped by k-means, and within a group the documents stand
// in the order of the keep rule; one that is as similar as the threshold to any before it goes. Vectors lie in files of
// records (spill.h) and are read by tiles, so that memory is bounded at any number. Products are kernels::sgemm, of which an
// element does not depend on threads; sums are taken in the order of the documents: the result is the same on any number of
// threads. The embedder is the caller's, for no room below has models. One thread calls; the pool works.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "data/spill.h"

namespace slipway::data {

enum class SemanticKeep {
  kFarthest,  // from its group's centroid: the paper's rule, for what is rare is worth more
  kClosest,
  kFirst,  // in reading order
};

struct SemanticOptions {
  std::string embedder;  // names the model: a run goes on only with the same
  int dimension = 0;
  // Vectors of length 1 [texts, dimension].
  std::function<std::vector<float>(std::span<const std::string> texts)> embed;
  double threshold = 0.95;  // cosines from here on are duplicates
  SemanticKeep keep = SemanticKeep::kFarthest;
  int64_t groups = 0;  // k of k-means; 0: one for each kGroupDocuments documents
  int iterations = 25;
  uint64_t seed = 1;
};

// Groups of this size cost as much to compare within as to find; up to it all pairs are compared.
constexpr int64_t kGroupDocuments = 16384;

// Files of unit vectors, a record a document in reading order. Throws as RecordFileReader.
class VectorFile {
 public:
  VectorFile(const std::filesystem::path& path, int dimension) : reader_(path, static_cast<uint32_t>(dimension) * 4), dimension_(dimension) {}
  int64_t count() const noexcept { return static_cast<int64_t>(reader_.count()); }
  int dimension() const noexcept { return dimension_; }
  // Rows [first, first + rows) of it into `out`, which has room for them.
  void read(int64_t first, int64_t rows, float* out);
  void read_row(int64_t index, float* out) const { reader_.read_at(static_cast<uint64_t>(index), out); }

 private:
  RecordFileReader reader_;
  int dimension_;
};

// Centroids of length 1 [groups, dimension] of spherical k-means (Dhillon & Modha 2001) over evenly spaced vectors, at most 256 a
// group and no more than a quarter of the space's memory. Starts from vectors drawn by the seed; a group that loses all gets the
// vector that fits its own worst. O(iterations * sample * groups * dimension).
std::vector<float> spherical_kmeans(VectorFile& vectors, int64_t groups, const SemanticOptions& options, const SpillSpace& space,
                                    base::Context& context);

struct SemanticCounts {
  int64_t groups = 0;
  uint64_t pairs = 0;  // compared
};

// Calls `drop(document, before, cosine)`, both indices into `vectors`, for every document that goes: `before` is the most similar of those
// that stand before it, so that these pairs are trees whose roots stay. Work files go to the space's folder.
SemanticCounts semantic_duplicates(VectorFile& vectors, const SemanticOptions& options, const SpillSpace& space, base::Context& context,
                                   const std::function<void(int64_t document, int64_t before, float cosine)>& drop);

}  // namespace slipway::data
