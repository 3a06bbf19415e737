// Measures of a classifier, as scikit-learn defines them (equal to 1e-9). Labels are 0 … labels-1; probabilities are
// row-major [rows, labels]. A ratio with denominator 0 is 0 (zero_division=0); a measure that is not defined (ROC AUC
// with one class only) is NaN. Every function throws Error(kInvalid) when lengths differ, there are no rows, or a label
// is out of range. Pure functions: any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace slipway::stats {

struct ConfusionMatrix {
  int labels = 0;
  std::vector<int64_t> counts;  // [labels, labels] row = truth, column = predicted
  int64_t at(int truth, int predicted) const { return counts[static_cast<size_t>(truth) * labels + predicted]; }
  int64_t total() const;
};

ConfusionMatrix confusion_matrix(std::span<const int> truth, std::span<const int> predicted, int labels);

struct LabelScores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  double support = 0;  // rows whose truth is this label (of averages: all rows)
};

struct ClassificationScores {
  double accuracy = 0;
  double balanced_accuracy = 0;  // mean recall over the labels that occur in the truth
  double mcc = 0;                // Matthews correlation, Gorodkin 2004 for more than two labels
  double kappa = 0;              // Cohen 1960
  LabelScores macro;             // plain mean over the labels that occur in truth or prediction
  LabelScores micro;             // over pooled counts
  LabelScores weighted;          // mean weighted by support
  std::vector<LabelScores> per_label;
};

// All count-based measures at once; O(labels^2).
ClassificationScores classification_scores(const ConfusionMatrix& matrix);
// The same over weighted counts [labels, labels] (bootstrap resamples, sample weights).
ClassificationScores classification_scores(std::span<const double> counts, int labels);

// Cohen's kappa with weights (i - j)^2: for ordered labels.
double kappa_quadratic(const ConfusionMatrix& matrix);

// Area under the ROC curve of `score` for truth == 1 (truth is 0 or 1); ties count one half. O(n log n).
double roc_auc(std::span<const int> truth, std::span<const double> score);
// One-vs-rest (each label against the others) and one-vs-one (Hand & Till 2001), unweighted means. With two labels both
// are the AUC of label 1. NaN when a label does not occur.
double roc_auc_ovr_macro(std::span<const int> truth, std::span<const double> probabilities, int labels);
double roc_auc_ovo_macro(std::span<const int> truth, std::span<const double> probabilities, int labels);
// Sum of precision * (recall step), thresholds at distinct scores; truth is 0 or 1.
double average_precision(std::span<const int> truth, std::span<const double> score);

// Mean squared error of probability `p` of truth == 1.
double brier(std::span<const int> truth, std::span<const double> p);
// Sum over labels of squared error, mean over rows (Brier 1950): twice brier() with two labels.
double brier_multiclass(std::span<const int> truth, std::span<const double> probabilities, int labels);
// Mean of -ln p(truth), rows normalised to 1, p clipped to [2^-52, 1 - 2^-52].
double log_loss(std::span<const int> truth, std::span<const double> probabilities, int labels);
// Share of rows whose truth is among the k largest probabilities; ties go to the higher label, as in scikit-learn.
double top_k_accuracy(std::span<const int> truth, std::span<const double> probabilities, int labels, int k);

// The largest probability of each row and its label (the first of equals). Outputs have one entry a row.
void top_labels(std::span<const double> probabilities, int labels, std::span<int> label, std::span<double> confidence);

struct CalibrationBin {
  double low = 0;  // confidence in (low, high]; the first bin of equal width also holds 0
  double high = 0;
  double confidence = 0;  // means over the bin's rows; 0 when it is empty
  double accuracy = 0;
  int64_t n = 0;
};

struct Calibration {
  double ece = 0;  // expected calibration error: sum n_b/n |accuracy_b - confidence_b| (Naeini 2015, Guo 2017)
  double mce = 0;  // the largest |accuracy_b - confidence_b|
  std::vector<CalibrationBin> bins;
};

// `confidence` in [0, 1] of the chosen label, `correct` 0 or 1. Equal width: bin edges k/bins, (a, b]. Equal mass: rows
// sorted by confidence and cut into `bins` parts whose sizes differ by at most one, the larger first
// (numpy.array_split).
Calibration calibration_equal_width(std::span<const double> confidence, std::span<const int> correct, int bins = 15);
Calibration calibration_equal_mass(std::span<const double> confidence, std::span<const int> correct, int bins = 15);

}  // namespace slipway::stats
