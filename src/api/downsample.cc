#include "api/downsample.h"

#include <cmath>
#include <numeric>

#include "base/error.h"

namespace slipway::api {
namespace {

struct Bucket {
  size_t begin;
  size_t end;  // after the last
};

}  // namespace

std::vector<size_t> largest_triangles(std::span<const double> x, std::span<const double> y, size_t keep) {
  SLIPWAY_CHECK(x.size() == y.size() && keep >= 3);
  const size_t count = x.size();
  std::vector<size_t> kept;
  if (count <= keep) {
    kept.resize(count);
    std::iota(kept.begin(), kept.end(), size_t{0});
    return kept;
  }
  // All but the ends, in keep - 2 buckets of nearly equal size.
  const size_t buckets = keep - 2;
  const auto bucket = [&](size_t i) { return Bucket{1 + i * (count - 2) / buckets, 1 + (i + 1) * (count - 2) / buckets}; };
  kept.reserve(keep);
  kept.push_back(0);
  for (size_t i = 0; i < buckets; ++i) {
    const Bucket next = i + 1 < buckets ? bucket(i + 1) : Bucket{count - 1, count};
    double mean_x = 0;
    double mean_y = 0;
    const double share = 1.0 / static_cast<double>(next.end - next.begin);  // before the sum: it cannot overflow
    for (size_t j = next.begin; j < next.end; ++j) {
      mean_x += x[j] * share;
      mean_y += y[j] * share;
    }
    const double from_x = x[kept.back()];
    const double from_y = y[kept.back()];
    const auto [begin, end] = bucket(i);
    size_t best = begin;
    double largest = -1;
    for (size_t j = begin; j < end; ++j) {
      const double area = std::abs((from_x - mean_x) * (y[j] - from_y) - (from_x - x[j]) * (mean_y - from_y));
      if (area > largest) {  // false for an area that overflowed to NaN
        largest = area;
        best = j;
      }
    }
    kept.push_back(best);
  }
  kept.push_back(count - 1);
  return kept;
}

}  // namespace slipway::api
