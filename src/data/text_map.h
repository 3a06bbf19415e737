// Texts as points of a plane: features, principal components, t-SNE, clusters. Same input and seed, same numbers, for any number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/pool.h"

namespace slipway::data {

// Rows of numbers, most of them nought (or none).
struct FeatureRows {
  size_t columns = 0;
  std::vector<std::vector<std::pair<int32_t, float>>> rows;  // columns rise
};
// Hashed words and pairs of words (light_classifier.h), times log((1 + rows) / (1 + rows with it)) + 1, of length 1. O(bytes).
FeatureRows tfidf_rows(std::span<const std::string_view> texts, base::Pool& pool);
// values [rows, columns], row-major.
FeatureRows dense_rows(std::span<const float> values, size_t columns);

struct PrincipalComponents {
  size_t count = 0;               // of components: fewer than asked for, where rows or columns are fewer
  std::vector<double> scores;     // [rows, count], row-major: centred rows times components; signs so that the largest score is positive
  std::vector<double> explained;  // [count]: the share of the variance of each, falling
};
// Principal components by subspace iteration with Rayleigh-Ritz, until the variances change by less than 1e-10 of themselves (or 300
// rounds). O(rounds * non-zeros * components).
PrincipalComponents principal_components(const FeatureRows& rows, size_t components, uint64_t seed);

// t-SNE (van der Maaten & Hinton 2008), exact: all pairs, 500 rounds, from the first two components; the rate is rows / 12 (Belkina 2019).
// x [rows, dim]; returns [rows, 2]. At most 5,000 rows, else Error(kInvalid). O(500 * rows^2).
std::vector<double> tsne(std::span<const double> x, size_t dim, double perplexity, base::Pool& pool);

// k-means (Lloyd) from k-means++ seeds: the cluster of each row, clusters by falling size. x [rows, dim]. At most 100 rounds.
std::vector<int> k_means(std::span<const double> x, size_t dim, int clusters, uint64_t seed);

}  // namespace slipway::data
