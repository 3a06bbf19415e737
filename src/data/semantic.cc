#include "data/semantic.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "kernels/gemm.h"

namespace slipway::data {
namespace {

// A document's place in the order in which its group is compared.
struct Place {
  uint64_t group;
  uint64_t rank;
  uint64_t index;
  auto operator<=>(const Place&) const = default;
};

// Rises with the number.
uint64_t sortable(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value + 0.0F);  // -0 is 0
  return (bits >> 31U) != 0 ? ~bits & 0xffffffffU : bits | 0x80000000U;
}

uint64_t rank_of(SemanticKeep keep, float cosine) noexcept {
  switch (keep) {
    case SemanticKeep::kFarthest: return sortable(cosine);
    case SemanticKeep::kClosest: return sortable(-cosine);
    case SemanticKeep::kFirst: return 0;
  }
  return 0;
}

// C [m, n] = A B^T.
void products(const float* a, int64_t m, const float* b, int64_t n, int dimension, float* c, base::Pool& pool) {
  kernels::Sgemm args;
  args.trans_b = true;
  args.m = static_cast<int>(m);
  args.n = static_cast<int>(n);
  args.k = dimension;
  args.a = a;
  args.lda = dimension;
  args.b = b;
  args.ldb = dimension;
  args.c = c;
  args.ldc = n;
  kernels::sgemm(args, pool);
}

// Rows of a tile whose vectors and products with `columns` others fit into `bytes`.
int64_t tile_rows(uint64_t bytes, int dimension, int64_t columns) {
  const uint64_t row = (static_cast<uint64_t>(dimension) + static_cast<uint64_t>(columns)) * sizeof(float);
  return std::clamp<int64_t>(static_cast<int64_t>(bytes / row), 16, 4096);
}

void normalise(std::span<const double> sum, float* out) {
  double square = 0;
  for (const double value : sum) {
    square += value * value;
  }
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  for (size_t i = 0; i < sum.size(); ++i) {
    out[i] = static_cast<float>(sum[i] * scale);
  }
}

struct Assignment {
  std::vector<int32_t> group;
  std::vector<float> cosine;
};

// The nearest centroid of each of `rows` vectors, the first of equal ones.
void assign(const float* rows, int64_t count, std::span<const float> centroids, int dimension, std::vector<float>& scratch,
            base::Pool& pool, int32_t* group, float* cosine) {
  const auto groups = static_cast<int64_t>(centroids.size()) / dimension;
  scratch.resize(static_cast<size_t>(count * groups));
  products(rows, count, centroids.data(), groups, dimension, scratch.data(), pool);
  pool.parallel_chunks(count, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* row = scratch.data() + i * groups;
      const float* best = std::max_element(row, row + groups);
      group[i] = static_cast<int32_t>(best - row);
      cosine[i] = *best;
    }
  });
}

// Centroids anew: sums in the order of the vectors, so that the number of threads does not show.
void move_centroids(const std::vector<float>& sample, const Assignment& now, int dimension, std::vector<float>& centroids, base::Pool& pool) {
  const size_t groups = centroids.size() / static_cast<size_t>(dimension);
  std::vector<size_t> begin(groups + 1, 0);
  for (const int32_t group : now.group) {
    ++begin[static_cast<size_t>(group) + 1];
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<size_t> members(now.group.size());
  std::vector<size_t> next(begin.begin(), begin.end() - 1);
  for (size_t i = 0; i < now.group.size(); ++i) {
    members[next[static_cast<size_t>(now.group[i])]++] = i;
  }
  const auto width = static_cast<size_t>(dimension);
  pool.parallel_for(static_cast<int64_t>(groups), [&](int64_t at) {
    const auto group = static_cast<size_t>(at);
    std::vector<double> sum(width, 0);
    for (size_t m = begin[group]; m < begin[group + 1]; ++m) {
      const float* row = sample.data() + members[m] * width;
      for (size_t d = 0; d < width; ++d) {
        sum[d] += static_cast<double>(row[d]);
      }
    }
    if (begin[group] < begin[group + 1]) {
      normalise(sum, centroids.data() + group * width);
    }
  });
  std::vector<size_t> worst;
  for (size_t group = 0; group < groups; ++group) {
    if (begin[group] < begin[group + 1]) {
      continue;
    }
    if (worst.empty()) {
      worst.resize(now.cosine.size());
      std::iota(worst.begin(), worst.end(), size_t{0});
      std::stable_sort(worst.begin(), worst.end(), [&](size_t a, size_t b) { return now.cosine[a] > now.cosine[b]; });
    }
    std::copy_n(sample.data() + worst.back() * width, width, centroids.data() + group * width);
    worst.pop_back();
  }
}

// Places of all documents by group and rank, as files: their vectors in that order, and their indices.
struct Ordered {
  std::filesystem::path vectors;
  std::filesystem::path indices;
  std::vector<int64_t> sizes;  // of the groups
};

Ordered order_by_group(VectorFile& vectors, std::span<const float> centroids, const SemanticOptions& options, const SpillSpace& space,
                       base::Context& context) {
  const int dimension = vectors.dimension();
  const auto groups = static_cast<int64_t>(centroids.size()) / dimension;
  ExternalSorter<Place> places(space, "places", space.share(4));
  const int64_t tile = tile_rows(space.share(4), dimension, groups);
  std::vector<float> rows(static_cast<size_t>(tile * dimension));
  std::vector<float> scratch;
  std::vector<int32_t> group(static_cast<size_t>(tile));
  std::vector<float> cosine(static_cast<size_t>(tile));
  Ordered ordered{space.folder / "ordered.rec", space.folder / "order.rec", std::vector<int64_t>(static_cast<size_t>(groups), 0)};
  for (int64_t first = 0; first < vectors.count(); first += tile) {
    base::check_stop(context, "grouping");
    const int64_t count = std::min(tile, vectors.count() - first);
    vectors.read(first, count, rows.data());
    assign(rows.data(), count, centroids, dimension, scratch, context.pool, group.data(), cosine.data());
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      places.add({static_cast<uint64_t>(group[at]), rank_of(options.keep, cosine[at]), static_cast<uint64_t>(first + i)});
      ++ordered.sizes[static_cast<size_t>(group[at])];
    }
  }
  RecordFileWriter out(ordered.vectors, static_cast<uint32_t>(dimension) * 4);
  RecordFileWriter indices(ordered.indices, sizeof(uint64_t));
  SortedStream<Place> stream = places.finish();
  Place place{};
  while (stream.next(place)) {
    vectors.read_row(static_cast<int64_t>(place.index), rows.data());
    out.write(rows.data(), 1);
    indices.write(&place.index, 1);
  }
  out.commit();
  indices.commit();
  places.remove_runs();
  return ordered;
}

// Within one group, whose vectors are [first, first + size) of the ordered file: the best earlier one of each.
class GroupSearch {
 public:
  GroupSearch(const Ordered& ordered, int dimension, double threshold, uint64_t bytes, base::Context& context)
      : vectors_(ordered.vectors, dimension), indices_(ordered.indices, sizeof(uint64_t)), threshold_(static_cast<float>(threshold)),
        context_(context) {
    tile_ = 1024;
    const auto need = [&] { return static_cast<uint64_t>(tile_) * (2 * static_cast<uint64_t>(dimension) + static_cast<uint64_t>(tile_)) * 4; };
    while (tile_ > 64 && need() > bytes) {
      tile_ /= 2;
    }
    late_.resize(static_cast<size_t>(tile_ * dimension));
    early_.resize(late_.size());
    cosines_.resize(static_cast<size_t>(tile_ * tile_));
  }

  uint64_t search(int64_t first, int64_t size, const std::function<void(int64_t, int64_t, float)>& drop) {
    for (int64_t begin = 0; begin < size; begin += tile_) {
      base::check_stop(context_, "comparing");
      const int64_t rows = std::min(tile_, size - begin);
      vectors_.read(first + begin, rows, late_.data());
      best_.assign(static_cast<size_t>(rows), -2);
      best_at_.assign(static_cast<size_t>(rows), -1);
      for (int64_t from = 0; from <= begin; from += tile_) {
        compare(first, begin, rows, from, std::min(tile_, size - from));
      }
      for (int64_t i = 0; i < rows; ++i) {
        const auto at = static_cast<size_t>(i);
        if (best_[at] >= threshold_) {
          drop(index_at(first + begin + i), index_at(first + best_at_[at]), best_[at]);
        }
      }
    }
    return static_cast<uint64_t>(size) * static_cast<uint64_t>(size - (size > 0 ? 1 : 0)) / 2;
  }

 private:
  void compare(int64_t first, int64_t begin, int64_t rows, int64_t from, int64_t columns) {
    const float* early = late_.data();
    if (from != begin) {
      vectors_.read(first + from, columns, early_.data());
      early = early_.data();
    }
    products(late_.data(), rows, early, columns, vectors_.dimension(), cosines_.data(), context_.pool);
    context_.pool.parallel_chunks(rows, 64, [&](int64_t low, int64_t high) {
      for (int64_t i = low; i < high; ++i) {
        const int64_t before = from == begin ? i : columns;
        const float* row = cosines_.data() + i * columns;
        float& best = best_[static_cast<size_t>(i)];
        for (int64_t j = 0; j < before; ++j) {
          if (row[j] > best) {
            best = row[j];
            best_at_[static_cast<size_t>(i)] = from + j;
          }
        }
      }
    });
  }
  int64_t index_at(int64_t place) const {
    uint64_t index = 0;
    indices_.read_at(static_cast<uint64_t>(place), &index);
    return static_cast<int64_t>(index);
  }

  VectorFile vectors_;
  RecordFileReader indices_;
  float threshold_;
  base::Context& context_;
  int64_t tile_ = 0;
  std::vector<float> late_;
  std::vector<float> early_;
  std::vector<float> cosines_;
  std::vector<float> best_;
  std::vector<int64_t> best_at_;
};

}  // namespace

void VectorFile::read(int64_t first, int64_t rows, float* out) {
  reader_.seek(static_cast<uint64_t>(first));
  const size_t got = reader_.read(out, static_cast<size_t>(rows));
  SLIPWAY_CHECK(got == static_cast<size_t>(rows));
}

std::vector<float> spherical_kmeans(VectorFile& vectors, int64_t groups, const SemanticOptions& options, const SpillSpace& space,
                                    base::Context& context) {
  const int dimension = vectors.dimension();
  const auto width = static_cast<size_t>(dimension);
  const auto fit = static_cast<int64_t>(space.share(4) / (width * sizeof(float)));
  const int64_t size = std::min({vectors.count(), std::max(kGroupDocuments, 256 * groups), std::max(fit, groups)});
  std::vector<float> sample(static_cast<size_t>(size) * width);
  for (int64_t i = 0; i < size; ++i) {
    vectors.read_row(static_cast<int64_t>(static_cast<double>(i) * static_cast<double>(vectors.count()) / static_cast<double>(size)),
                     sample.data() + static_cast<size_t>(i) * width);
  }
  std::vector<size_t> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), size_t{0});
  base::Rng random(options.seed, "semantic groups");
  random.shuffle(std::span(order));
  std::vector<float> centroids(static_cast<size_t>(groups) * width);
  for (size_t group = 0; group < static_cast<size_t>(groups); ++group) {
    std::copy_n(sample.data() + order[group] * width, width, centroids.data() + group * width);
  }
  Assignment now{std::vector<int32_t>(static_cast<size_t>(size), -1), std::vector<float>(static_cast<size_t>(size))};
  std::vector<int32_t> before;
  std::vector<float> scratch;
  const int64_t tile = tile_rows(space.share(4), dimension, groups);
  for (int iteration = 0; iteration < options.iterations; ++iteration) {
    base::check_stop(context, "grouping");
    before = now.group;
    for (int64_t first = 0; first < size; first += tile) {
      const auto at = static_cast<size_t>(first);
      assign(sample.data() + at * width, std::min(tile, size - first), centroids, dimension, scratch, context.pool,
             now.group.data() + at, now.cosine.data() + at);
    }
    if (now.group == before) {
      break;
    }
    move_centroids(sample, now, dimension, centroids, context.pool);
  }
  return centroids;
}

SemanticCounts semantic_duplicates(VectorFile& vectors, const SemanticOptions& options, const SpillSpace& space, base::Context& context,
                                   const std::function<void(int64_t, int64_t, float)>& drop) {
  SemanticCounts counts;
  if (vectors.count() == 0) {
    return counts;
  }
  base::make_dirs(space.folder);
  const int64_t wanted = options.groups > 0 ? options.groups : (vectors.count() + kGroupDocuments - 1) / kGroupDocuments;
  counts.groups = std::min(wanted, vectors.count());
  const std::vector<float> centroids = spherical_kmeans(vectors, counts.groups, options, space, context);
  const Ordered ordered = order_by_group(vectors, centroids, options, space, context);
  GroupSearch search(ordered, vectors.dimension(), options.threshold, space.share(4), context);
  int64_t first = 0;
  for (const int64_t size : ordered.sizes) {
    counts.pairs += search.search(first, size, drop);
    first += size;
  }
  return counts;
}

}  // namespace slipway::data
