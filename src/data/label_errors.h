// Rows whose label is probably wrong, by confident learning (Northcutt, Jiang & Chuang 2021): what cleanlab's find_label_issues finds, from
// labels and probabilities that were predicted out of sample. Pure functions on arrays; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace slipway::data {

enum class LabelErrorFilter {
  kPruneByNoiseRate,    // cleanlab's default: as many of each (given, true) pair as the joint says, by margin
  kPruneByClass,        // as many of each class, by self-confidence
  kBoth,                // what both find
  kConfidentLearning,   // the joint's off-diagonal rows
  kPredictedNeqGiven,   // the likeliest class is another
};
std::string_view name_of(LabelErrorFilter filter) noexcept;  // cleanlab's: "prune_by_noise_rate", …
LabelErrorFilter label_error_filter_named(std::string_view name);  // throws Error(kInvalid) naming them

enum class LabelQuality {
  kSelfConfidence,    // p of the given label
  kNormalizedMargin,  // (p of the given - p of the likeliest other + 1) / 2
};
std::string_view name_of(LabelQuality quality) noexcept;  // "self_confidence", "normalized_margin"
LabelQuality label_quality_named(std::string_view name);

// labels [rows] in 0 … classes-1; probabilities [rows, classes], in [0, 1]. All throw Error(kInvalid) naming the row for anything else.
// One score a row in [0, 1], lower is worse. O(rows * classes).
std::vector<double> label_quality(std::span<const int> labels, std::span<const double> probabilities, int classes, LabelQuality quality);

// Mean self-confidence of each class' rows; 2 for a class without rows.
std::vector<double> confident_thresholds(std::span<const int> labels, std::span<const double> probabilities, int classes);

// [classes given, classes true]: rows counted where the model is confident, calibrated to sum to the rows of each given class (its rows without
// rounding errors). O(rows * classes + classes^2 log classes).
std::vector<int64_t> confident_joint(std::span<const int> labels, std::span<const double> probabilities, int classes);

struct LabelError {
  int64_t row = 0;
  int given = 0;
  int suggested = 0;   // the likeliest class
  double quality = 0;  // by LabelErrorOptions::rank_by
};
struct LabelErrorOptions {
  LabelErrorFilter filter = LabelErrorFilter::kPruneByNoiseRate;
  LabelQuality rank_by = LabelQuality::kSelfConfidence;
  int64_t min_examples_per_class = 1;  // a class with no more rows is left alone
};
// The worst first, ties by row. O(rows * classes * log rows) at worst.
std::vector<LabelError> find_label_errors(std::span<const int> labels, std::span<const double> probabilities, int classes, const LabelErrorOptions& options = {});

}  // namespace slipway::data
