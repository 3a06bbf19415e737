// Maximum mean discrepancy between two sets of vectors with the RBF kernel k(x, y) = exp(-|x - y|^2 / (2 sigma^2))
// (Gretton et al. 2012), its permutation test without ever storing the kernel matrix, and a random-feature form whose
// cost is linear in rows. f32 arithmetic inside a block, f64 sums across blocks; results do not depend on the number of
// threads. Pure functions: any thread. Matrices are row-major, borrowed for the call (MmdReference copies). Throws
// Error(kInvalid) for fewer than 2 rows on a side or different dims.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/pool.h"

namespace slipway::stats {

struct Matrix {
  const float* data = nullptr;  // [rows, dim]
  size_t rows = 0;
  size_t dim = 0;
};

// sqrt(median of squared distances between different rows / 2), the lower of two middle ones (Alibi-Detect's
// heuristic), of at most `max_rows` evenly spaced rows. 1 when that median is 0.
double median_sigma(Matrix rows, size_t max_rows = 1000);

// Unbiased estimate of MMD^2; may be slightly negative. O((n + m)^2 dim / 2).
double mmd2_unbiased(Matrix x, Matrix y, double sigma, base::Pool* pool = nullptr);

struct MmdOptions {
  double sigma = 0;  // 0: median_sigma of x
  int permutations = 100;
  double alpha = 0.05;
  uint64_t seed = 7;
  int features =
      0;  // 0: exact kernel up to kMmdExactRows rows in all, else kMmdFeatures random features; > 0: that many features
};
inline constexpr size_t kMmdExactRows =
    6000;  // 6,000 x 384 exact takes about as long as 20,000 by features (bench/stats)
inline constexpr int kMmdFeatures = 512;

struct MmdResult {
  double mmd2 = 0;
  double threshold = 0;  // (1 - alpha) quantile under permutation of rows
  double p = 1;          // (1 + #{permuted >= mmd2}) / (1 + permutations)
  double sigma = 0;
};

// MMD^2 and its permutation null. `pool` may be null (the calling thread works alone).
MmdResult mmd_test(Matrix x, Matrix y, const MmdOptions& options = {}, base::Pool* pool = nullptr);

// Random Fourier features (Rahimi & Recht 2007) of the RBF kernel: z(x).z(y) ~ k(x, y). Seeded; the same (dim, sigma,
// features, seed) is the same map on every machine. `features` is the number of cosines; values are sqrt(2/features)
// cos(w.x + b).
class RandomFeatures {
 public:
  RandomFeatures(size_t dim, double sigma, int features, uint64_t seed);
  size_t dim() const noexcept { return dim_; }
  int features() const noexcept { return features_; }
  // out [rows, features]
  void transform(Matrix rows, std::span<float> out) const;
  // Adds z(x) to `sum` [features] and returns |z(x)|^2: what a stream needs to keep.
  double accumulate(std::span<const float> x, std::span<double> sum) const;

 private:
  size_t dim_;
  int features_;
  std::vector<float> weights_;  // [dim, features padded], in turns: divided by 2 pi
  std::vector<float> phases_;   // [features padded], in turns
};

// MMD^2, unbiased, from sums of features of n and m rows: sums [features], squares = sum of |z|^2.
double mmd2_from_features(std::span<const double> sum_x, double squares_x, int64_t n, std::span<const double> sum_y,
                          double squares_y, int64_t m);

// The kernel itself, [x.rows, y.rows]: for small sets of which many subsets are compared.
std::vector<float> rbf_matrix(Matrix x, Matrix y, double sigma, base::Pool* pool = nullptr);

// A fixed reference against many windows: its own kernel sum is computed once.
class MmdReference {
 public:
  // Copies the rows. sigma 0: the median heuristic.
  explicit MmdReference(Matrix reference, double sigma = 0, base::Pool* pool = nullptr);
  double sigma() const noexcept { return sigma_; }
  size_t rows() const noexcept { return rows_; }
  size_t dim() const noexcept { return dim_; }
  Matrix matrix() const noexcept { return {data_.data(), rows_, dim_}; }
  // Unbiased MMD^2 of the reference and the window. O(m (n + m) dim).
  double mmd2(Matrix window, base::Pool* pool = nullptr) const;

 private:
  std::vector<float> data_;
  size_t rows_;
  size_t dim_;
  double sigma_;
  double kxx_ = 0;  // sum over i != j
};

}  // namespace slipway::stats
