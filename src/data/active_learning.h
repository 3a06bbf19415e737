// Which texts to ask people about next: what a model is unsure of, and what differs from what is known. Deterministic: ties go to the
// lower index, chance comes from a seed. Pure functions on the caller's arrays; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace slipway::data {

// Settles 2009, section 3.1.
enum class Uncertainty {
  kLeastConfidence,  // 1 - p of the likeliest
  kMargin,           // 1 - (p of the likeliest - p of the next)
  kEntropy,          // -sum p ln p, nats
};
std::string_view name_of(Uncertainty kind) noexcept;  // "least-confidence", "margin", "entropy"
Uncertainty uncertainty_named(std::string_view name);  // throws Error(kInvalid) naming them

// One score a row, higher is less sure. probabilities [rows, classes], each row summing to 1 (within 1e-3), classes >= 2. Throws Error(kInvalid)
// naming the row. O(rows * classes).
std::vector<double> uncertainty(std::span<const double> probabilities, int classes, Uncertainty kind);

// The `count` rows of the highest scores, best first. O(rows + count log count).
std::vector<int64_t> most_uncertain(std::span<const double> scores, int64_t count);

// Rows of numbers: dense, or sparse with ascending columns. Borrows them.
class FeatureRows {
 public:
  // values [rows, width]
  FeatureRows(std::span<const float> values, int64_t width);
  // Row i has columns and values [begins[i], begins[i + 1]).
  FeatureRows(std::span<const int64_t> begins, std::span<const int32_t> columns, std::span<const float> values);
  int64_t rows() const noexcept { return rows_; }
  // Squared Euclidean distance. Of rows of length 1 it is 2 - 2 cos. O(width), or of the columns that are there.
  double distance(int64_t a, int64_t b) const;

 private:
  double product(int64_t a, int64_t b) const;
  std::span<const float> values_;
  std::span<const int64_t> begins_;
  std::span<const int32_t> columns_;
  int64_t width_ = 0;  // 0: sparse
  int64_t rows_ = 0;
  std::vector<double> squares_;
};

// k-center greedy (Sener & Savarese 2018): again and again the row that is farthest from all of `known` and those chosen; `candidates`
// empty: all rows but `known`. Without `known` the first is drawn by `seed`. Cost: (|known| + count) * |candidates| distances.
std::vector<int64_t> k_center(const FeatureRows& rows, std::span<const int64_t> candidates, std::span<const int64_t> known, int64_t count, uint64_t seed);

// k-means++ sampling (Arthur & Vassilvitskii 2007): the next is drawn with a chance proportional to its squared distance to the nearest
// chosen or known, times its weight (BADGE's way to mix in uncertainty); weights empty: 1. Cost as k_center.
std::vector<int64_t> k_means_pp(const FeatureRows& rows, std::span<const int64_t> candidates, std::span<const int64_t> known, std::span<const double> weights,
                                int64_t count, uint64_t seed);

}  // namespace slipway::data
