#include "stats/mmd.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>

#include "base/random.h"
#include "stats/check.h"
#include "stats/mmd_kernel.h"

namespace slipway::stats {
namespace {

void require_matrix(Matrix m, const char* what) {
  require(m.data != nullptr && m.dim > 0, "MMD: vectors need at least one dimension");
  if (m.rows < 2) {
    throw base::Error(base::Code::kInvalid, fmt::format("MMD: {} has {} rows; at least 2 are needed", what, m.rows));
  }
}

void require_pair(Matrix x, Matrix y) {
  require_matrix(x, "the reference");
  require_matrix(y, "the window");
  require_same(x.dim, y.dim, "MMD, dimensions");
}

size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

void for_each(base::Pool* pool, size_t count, const std::function<void(int64_t)>& body) {
  if (pool != nullptr) {
    pool->parallel_for(static_cast<int64_t>(count), body);
  } else {
    for (size_t i = 0; i < count; ++i) {
      body(static_cast<int64_t>(i));
    }
  }
}

// Rows centred on their common mean (distances do not change, and rounding of |x|^2 + |y|^2 - 2xy becomes small against
// them), padded to tiles, with the transpose of each tile beside for the inner loop.
struct Tiles {
  size_t rows = 0;
  size_t dim = 0;
  size_t count = 0;
  std::vector<float> plain;   // [count * kTile, dim]
  std::vector<float> panels;  // [count][dim, kTile]
  std::vector<float> norms;   // [count * kTile]

  const float* tile(size_t t) const { return plain.data() + t * kTile * dim; }
  const float* panel(size_t t) const { return panels.data() + t * kTile * dim; }
};

std::vector<float> mean_of(Matrix m) {
  std::vector<double> sums(m.dim);
  for (size_t i = 0; i < m.rows; ++i) {
    for (size_t d = 0; d < m.dim; ++d) {
      sums[d] += m.data[i * m.dim + d];
    }
  }
  std::vector<float> mean(m.dim);
  for (size_t d = 0; d < m.dim; ++d) {
    mean[d] = static_cast<float>(sums[d] / static_cast<double>(m.rows));
  }
  return mean;
}

Tiles make_tiles(std::span<const Matrix> parts, std::span<const float> center) {
  Tiles t;
  t.dim = parts[0].dim;
  for (const Matrix& part : parts) {
    t.rows += part.rows;
  }
  t.count = (t.rows + kTile - 1) / kTile;
  t.plain.resize(t.count * kTile * t.dim);
  t.panels.resize(t.plain.size());
  t.norms.resize(t.count * kTile);
  size_t row = 0;
  for (const Matrix& part : parts) {
    for (size_t i = 0; i < part.rows; ++i, ++row) {
      float* out = t.plain.data() + row * t.dim;
      float* panel = t.panels.data() + row / kTile * kTile * t.dim + row % kTile;
      double norm = 0;
      for (size_t d = 0; d < t.dim; ++d) {
        out[d] = part.data[i * t.dim + d] - center[d];
        panel[d * kTile] = out[d];
        norm += static_cast<double>(out[d]) * out[d];
      }
      t.norms[row] = static_cast<float>(norm);
    }
  }
  return t;
}

// Kernel values of tile a of x against tile b of y; rows and columns beyond the data are 0.
void kernel_tile(const Tiles& x, size_t a, const Tiles& y, size_t b, double sigma, float* tile) {
  const MmdKernels& k = mmd_kernels();
  k.multiply(x.tile(a), x.dim, y.panel(b), kTile, x.dim, tile, kTile, kTile);
  k.rbf(tile, x.norms.data() + a * kTile, y.norms.data() + b * kTile, static_cast<float>(-0.5 / (sigma * sigma)));
  const size_t rows = std::min(kTile, x.rows - a * kTile);
  const size_t columns = std::min(kTile, y.rows - b * kTile);
  for (size_t i = 0; i < kTile; ++i) {
    const size_t from = i < rows ? columns : 0;
    std::fill(tile + i * kTile + from, tile + (i + 1) * kTile, 0.0F);
  }
}

double tile_sum(const float* tile) {
  double sum = 0;
  for (size_t i = 0; i < kTile; ++i) {
    float row = 0;
    for (size_t j = 0; j < kTile; ++j) {
      row += tile[i * kTile + j];
    }
    sum += row;
  }
  return sum;
}

// Clears the diagonal and what lies below it: each pair of a diagonal tile once.
void keep_upper(float* tile) {
  for (size_t i = 0; i < kTile; ++i) {
    std::fill(tile + i * kTile, tile + i * kTile + i + 1, 0.0F);
  }
}

double unbiased(double within_x, double within_y, double across, double n, double m) {
  return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * across / (n * m);
}

// Sum of k over ordered pairs i != j of x.
double within_sum(const Tiles& x, double sigma, base::Pool* pool) {
  std::vector<double> sums(x.count);
  for_each(pool, x.count, [&](int64_t a) {
    alignas(64) float tile[kTile * kTile];
    for (size_t b = static_cast<size_t>(a); b < x.count; ++b) {
      kernel_tile(x, static_cast<size_t>(a), x, b, sigma, tile);
      if (b == static_cast<size_t>(a)) {
        keep_upper(tile);
      }
      sums[a] += 2 * tile_sum(tile);
    }
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

double across_sum(const Tiles& x, const Tiles& y, double sigma, base::Pool* pool) {
  std::vector<double> sums(x.count);
  for_each(pool, x.count, [&](int64_t a) {
    alignas(64) float tile[kTile * kTile];
    for (size_t b = 0; b < y.count; ++b) {
      kernel_tile(x, static_cast<size_t>(a), y, b, sigma, tile);
      sums[a] += tile_sum(tile);
    }
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// Which pooled rows count as x: column 0 the real ones, then a shuffle for each permutation. [rows padded to tiles,
// columns].
struct Assignments {
  size_t columns = 0;
  std::vector<float> member;
};

Assignments assign(size_t n, size_t m, const MmdOptions& options) {
  Assignments a;
  const size_t rows = n + m;
  a.columns = round_up(static_cast<size_t>(options.permutations) + 1, kColumnStep);
  a.member.resize(round_up(rows, kTile) * a.columns);
  std::vector<size_t> order(rows);
  std::iota(order.begin(), order.end(), size_t{0});
  base::Rng rng(options.seed, "mmd");
  for (int p = 0; p <= options.permutations; ++p) {
    for (size_t i = 0; i < n; ++i) {
      if (p > 0) {
        std::swap(order[i], order[i + rng.below(rows - i)]);
      }
      a.member[order[i] * a.columns + p] = 1;
    }
  }
  return a;
}

MmdResult finish(std::vector<double> statistics, const MmdOptions& options, double sigma) {
  MmdResult result;
  result.sigma = sigma;
  result.mmd2 = statistics[0];
  int beyond = 0;
  for (size_t p = 1; p < statistics.size(); ++p) {
    beyond += statistics[p] >= result.mmd2 ? 1 : 0;
  }
  result.p = (1.0 + beyond) / static_cast<double>(statistics.size());
  if (statistics.size() > 1) {
    std::sort(statistics.begin() + 1, statistics.end());
    result.threshold = sorted_quantile(std::span(statistics).subspan(1), 1 - options.alpha);
  }
  return result;
}

// With a the 0/1 column of a permutation, K the kernel without its diagonal: sum over x pairs = a'Ka, across = a'K1 -
// a'Ka, over y pairs = 1'K1 - 2 a'K1 + a'Ka. Both forms are summed tile by tile for all permutations at once; K is
// never stored.
MmdResult exact_test(Matrix x, Matrix y, double sigma, const MmdOptions& options, base::Pool* pool) {
  const Matrix parts[] = {x, y};
  const Tiles all = make_tiles(parts, mean_of(x));
  const Assignments sides = assign(x.rows, y.rows, options);
  const size_t columns = sides.columns;
  const auto count = static_cast<size_t>(options.permutations) + 1;
  struct Sums {
    std::vector<double> quadratic;
    std::vector<double> linear;
    double total = 0;
  };
  std::vector<Sums> partial(all.count);
  for_each(pool, all.count, [&](int64_t index) {
    const auto a = static_cast<size_t>(index);
    Sums& sums = partial[a];
    sums.quadratic.resize(count);
    sums.linear.resize(count);
    alignas(64) float tile[kTile * kTile];
    std::vector<float> product(kTile * columns);
    const float* own = sides.member.data() + a * kTile * columns;
    for (size_t b = a; b < all.count; ++b) {
      kernel_tile(all, a, all, b, sigma, tile);
      if (a == b) {
        keep_upper(tile);
      }
      mmd_kernels().multiply(tile, kTile, sides.member.data() + b * kTile * columns, columns, kTile, product.data(),
                             columns, columns);
      for (size_t i = 0; i < kTile; ++i) {
        float row = 0;
        for (size_t j = 0; j < kTile; ++j) {
          row += tile[i * kTile + j];
        }
        sums.total += row;
        for (size_t p = 0; p < count; ++p) {
          const float in = own[i * columns + p];
          const float dot = product[i * columns + p];
          sums.quadratic[p] += in * dot;
          sums.linear[p] += in * row + dot;
        }
      }
    }
  });
  std::vector<double> quadratic(count);
  std::vector<double> linear(count);
  double total = 0;
  for (const Sums& sums : partial) {
    total += 2 * sums.total;
    for (size_t p = 0; p < count; ++p) {
      quadratic[p] += 2 * sums.quadratic[p];
      linear[p] += sums.linear[p];
    }
  }
  std::vector<double> statistics(count);
  for (size_t p = 0; p < count; ++p) {
    statistics[p] = unbiased(quadratic[p], total - 2 * linear[p] + quadratic[p], linear[p] - quadratic[p],
                             static_cast<double>(x.rows), static_cast<double>(y.rows));
  }
  return finish(std::move(statistics), options, sigma);
}

// Feature sums of every permutation's x side by one product members' * features per block of rows.
MmdResult feature_test(Matrix x, Matrix y, double sigma, const MmdOptions& options, base::Pool* pool) {
  const int features = options.features > 0 ? options.features : kMmdFeatures;
  const RandomFeatures map(x.dim, sigma, features, options.seed);
  const Assignments sides = assign(x.rows, y.rows, options);
  const size_t rows = x.rows + y.rows;
  const size_t width = round_up(static_cast<size_t>(features), kColumnStep);
  const size_t count = static_cast<size_t>(options.permutations) + 1;
  const size_t padded = round_up(sides.columns, kTile);
  constexpr size_t kBlock = 1024;  // rows a task turns into features and reduces
  const size_t blocks = (rows + kBlock - 1) / kBlock;
  struct Part {
    std::vector<float> sums;      // [padded, width]
    std::vector<double> squares;  // [count] sum of |z|^2 on the x side
    std::vector<double> all;      // [features]
    double square = 0;
  };
  std::vector<Part> parts(blocks);
  for_each(pool, blocks, [&](int64_t block) {
    const size_t from = static_cast<size_t>(block) * kBlock;
    const size_t n = std::min(kBlock, rows - from);
    std::vector<float> input(n * x.dim);
    for (size_t i = 0; i < n; ++i) {
      const size_t r = from + i;
      const float* source = r < x.rows ? x.data + r * x.dim : y.data + (r - x.rows) * x.dim;
      std::copy_n(source, x.dim, input.begin() + static_cast<std::ptrdiff_t>(i * x.dim));
    }
    std::vector<float> packed(n * static_cast<size_t>(features));
    map.transform({input.data(), n, x.dim}, packed);
    std::vector<float> z(n * width);
    std::vector<float> members(padded * n);  // transposed
    Part& part = parts[block];
    part.sums.resize(padded * width);
    part.squares.resize(count);
    part.all.resize(features);
    for (size_t i = 0; i < n; ++i) {
      double square = 0;
      for (size_t f = 0; f < static_cast<size_t>(features); ++f) {
        const float value = packed[i * features + f];
        z[i * width + f] = value;
        part.all[f] += value;
        square += static_cast<double>(value) * value;
      }
      part.square += square;
      for (size_t p = 0; p < count; ++p) {
        const float in = sides.member[(from + i) * sides.columns + p];
        members[p * n + i] = in;
        part.squares[p] += in * square;
      }
    }
    for (size_t p = 0; p < padded; p += kTile) {
      mmd_kernels().multiply(members.data() + p * n, n, z.data(), width, n, part.sums.data() + p * width, width, width);
    }
  });
  std::vector<double> total(features);
  double squares = 0;
  for (const Part& part : parts) {
    squares += part.square;
    std::transform(total.begin(), total.end(), part.all.begin(), total.begin(), std::plus<>());
  }
  std::vector<double> statistics(count);
  std::vector<double> side(features);
  std::vector<double> rest(features);
  for (size_t p = 0; p < count; ++p) {
    std::fill(side.begin(), side.end(), 0.0);
    double side_squares = 0;
    for (const Part& part : parts) {
      side_squares += part.squares[p];
      for (int f = 0; f < features; ++f) {
        side[f] += part.sums[p * width + f];
      }
    }
    std::transform(total.begin(), total.end(), side.begin(), rest.begin(), std::minus<>());
    statistics[p] = mmd2_from_features(side, side_squares, static_cast<int64_t>(x.rows), rest, squares - side_squares,
                                       static_cast<int64_t>(y.rows));
  }
  return finish(std::move(statistics), options, sigma);
}

}  // namespace

double median_sigma(Matrix rows, size_t max_rows) {
  require_matrix(rows, "the reference");
  const size_t n = std::min(rows.rows, std::max<size_t>(2, max_rows));
  std::vector<float> picked(n * rows.dim);
  for (size_t i = 0; i < n; ++i) {
    std::copy_n(rows.data + i * rows.rows / n * rows.dim, rows.dim,
                picked.begin() + static_cast<std::ptrdiff_t>(i * rows.dim));
  }
  const Matrix part{picked.data(), n, rows.dim};
  const Tiles tiles = make_tiles({&part, 1}, mean_of(part));
  std::vector<float> squares;
  squares.reserve(n * (n - 1) / 2);
  alignas(64) float tile[kTile * kTile];
  for (size_t a = 0; a < tiles.count; ++a) {
    for (size_t b = a; b < tiles.count; ++b) {
      mmd_kernels().multiply(tiles.tile(a), tiles.dim, tiles.panel(b), kTile, tiles.dim, tile, kTile, kTile);
      for (size_t i = a * kTile; i < std::min(n, (a + 1) * kTile); ++i) {
        for (size_t j = std::max(b * kTile, i + 1); j < std::min(n, (b + 1) * kTile); ++j) {
          const float dot = tile[(i - a * kTile) * kTile + j - b * kTile];
          squares.push_back(std::max(0.0F, tiles.norms[i] + tiles.norms[j] - 2 * dot));
        }
      }
    }
  }
  const auto middle = squares.begin() + static_cast<std::ptrdiff_t>((squares.size() - 1) / 2);
  std::nth_element(squares.begin(), middle, squares.end());
  const double median = *middle;
  return median > 0 ? std::sqrt(median / 2) : 1;
}

double mmd2_unbiased(Matrix x, Matrix y, double sigma, base::Pool* pool) {
  require_pair(x, y);
  require(sigma > 0, "MMD: sigma must be above 0");
  const std::vector<float> center = mean_of(x);
  const Tiles a = make_tiles({&x, 1}, center);
  const Tiles b = make_tiles({&y, 1}, center);
  return unbiased(within_sum(a, sigma, pool), within_sum(b, sigma, pool), across_sum(a, b, sigma, pool),
                  static_cast<double>(x.rows), static_cast<double>(y.rows));
}

MmdResult mmd_test(Matrix x, Matrix y, const MmdOptions& options, base::Pool* pool) {
  require_pair(x, y);
  require(options.permutations >= 0, "MMD: permutations must not be negative");
  const double sigma = options.sigma > 0 ? options.sigma : median_sigma(x);
  const bool exact = options.features == 0 && x.rows + y.rows <= kMmdExactRows;
  return exact ? exact_test(x, y, sigma, options, pool) : feature_test(x, y, sigma, options, pool);
}

RandomFeatures::RandomFeatures(size_t dim, double sigma, int features, uint64_t seed) : dim_(dim), features_(features) {
  require(dim > 0 && sigma > 0 && features > 0, "random features: dim, sigma and features must be above 0");
  base::Rng rng(seed, "random features");
  const size_t width = round_up(static_cast<size_t>(features), kColumnStep);
  weights_.resize(dim * width);
  phases_.resize(width);
  for (size_t f = 0; f < static_cast<size_t>(features); ++f) {
    for (size_t d = 0; d < dim; ++d) {
      weights_[d * width + f] = static_cast<float>(rng.normal() / sigma / (2 * std::numbers::pi));
    }
    phases_[f] = static_cast<float>(rng.uniform());
  }
}

void RandomFeatures::transform(Matrix rows, std::span<float> out) const {
  require_same(rows.dim, dim_, "random features, dimensions");
  require_same(out.size(), rows.rows * static_cast<size_t>(features_), "random features");
  const size_t width = phases_.size();
  const auto amplitude = static_cast<float>(std::sqrt(2.0 / features_));
  std::vector<float> input(kTile * dim_);
  std::vector<float> turns(kTile * width);
  for (size_t from = 0; from < rows.rows; from += kTile) {
    const size_t n = std::min(kTile, rows.rows - from);
    std::copy_n(rows.data + from * dim_, n * dim_, input.begin());
    mmd_kernels().multiply(input.data(), dim_, weights_.data(), width, dim_, turns.data(), width, width);
    for (size_t i = 0; i < n; ++i) {
      float* row = turns.data() + i * width;
      for (size_t f = 0; f < width; ++f) {
        row[f] += phases_[f];
      }
      mmd_kernels().cosine(row, width, amplitude);
      std::copy_n(row, features_, out.begin() + static_cast<std::ptrdiff_t>((from + i) * features_));
    }
  }
}

double RandomFeatures::accumulate(std::span<const float> x, std::span<double> sum) const {
  require_same(sum.size(), static_cast<size_t>(features_), "random features");
  std::vector<float> z(features_);
  transform({x.data(), 1, x.size()}, z);
  double square = 0;
  for (int f = 0; f < features_; ++f) {
    sum[f] += z[f];
    square += static_cast<double>(z[f]) * z[f];
  }
  return square;
}

double mmd2_from_features(std::span<const double> sum_x, double squares_x, int64_t n, std::span<const double> sum_y,
                          double squares_y, int64_t m) {
  require_same(sum_x.size(), sum_y.size(), "MMD, features");
  require(n >= 2 && m >= 2, "MMD: at least 2 rows on each side are needed");
  double xx = -squares_x;
  double yy = -squares_y;
  double xy = 0;
  for (size_t f = 0; f < sum_x.size(); ++f) {
    xx += sum_x[f] * sum_x[f];
    yy += sum_y[f] * sum_y[f];
    xy += sum_x[f] * sum_y[f];
  }
  return unbiased(xx, yy, xy, static_cast<double>(n), static_cast<double>(m));
}

std::vector<float> rbf_matrix(Matrix x, Matrix y, double sigma, base::Pool* pool) {
  require_pair(x, y);
  require(sigma > 0, "MMD: sigma must be above 0");
  const std::vector<float> center = mean_of(x);
  const Tiles a = make_tiles({&x, 1}, center);
  const Tiles b = make_tiles({&y, 1}, center);
  std::vector<float> out(x.rows * y.rows);
  for_each(pool, a.count, [&](int64_t index) {
    const size_t row = static_cast<size_t>(index) * kTile;
    alignas(64) float tile[kTile * kTile];
    for (size_t t = 0; t < b.count; ++t) {
      kernel_tile(a, static_cast<size_t>(index), b, t, sigma, tile);
      const size_t columns = std::min(kTile, y.rows - t * kTile);
      for (size_t i = 0; i < std::min(kTile, x.rows - row); ++i) {
        std::copy_n(tile + i * kTile, columns, out.data() + (row + i) * y.rows + t * kTile);
      }
    }
  });
  return out;
}

MmdReference::MmdReference(Matrix reference, double sigma, base::Pool* pool)
    : rows_(reference.rows), dim_(reference.dim), sigma_(sigma) {
  require_matrix(reference, "the reference");
  data_.assign(reference.data, reference.data + rows_ * dim_);
  sigma_ = sigma > 0 ? sigma : median_sigma(reference);
  const Tiles tiles = make_tiles({&reference, 1}, mean_of(reference));
  kxx_ = within_sum(tiles, sigma_, pool);
}

double MmdReference::mmd2(Matrix window, base::Pool* pool) const {
  const Matrix own = matrix();
  require_pair(own, window);
  const std::vector<float> center = mean_of(own);
  const Tiles a = make_tiles({&own, 1}, center);
  const Tiles b = make_tiles({&window, 1}, center);
  return unbiased(kxx_, within_sum(b, sigma_, pool), across_sum(a, b, sigma_, pool), static_cast<double>(rows_),
                  static_cast<double>(window.rows));
}

}  // namespace slipway::stats
