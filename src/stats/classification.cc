#include "stats/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "stats/check.h"

namespace slipway::stats {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double ratio(double numerator, double denominator) { return denominator == 0 ? 0 : numerator / denominator; }

double f1_of(double precision, double recall) { return ratio(2 * precision * recall, precision + recall); }

// Row numbers by falling score.
std::vector<int> falling_order(std::span<const double> score) {
  std::vector<int> order(score.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return score[a] > score[b]; });
  return order;
}

void require_probabilities(std::span<const int> truth, std::span<const double> probabilities, int labels,
                           const char* what) {
  require_labels(truth, labels, what);
  require_same(truth.size() * static_cast<size_t>(labels), probabilities.size(), what);
}

// Column `label` of the rows whose truth is `label` or `other` (every other label when -1), as a binary problem's AUC.
double auc_of(std::span<const int> truth, std::span<const double> probabilities, int labels, int label, int other) {
  std::vector<int> binary;
  std::vector<double> score;
  binary.reserve(truth.size());
  score.reserve(truth.size());
  for (size_t i = 0; i < truth.size(); ++i) {
    if (other < 0 || truth[i] == label || truth[i] == other) {
      binary.push_back(truth[i] == label ? 1 : 0);
      score.push_back(probabilities[i * labels + label]);
    }
  }
  return binary.empty() ? kNan : roc_auc(binary, score);
}

void finish(Calibration& calibration, std::span<const double> confidence_sums, std::span<const double> correct_sums,
            double rows) {
  for (size_t b = 0; b < calibration.bins.size(); ++b) {
    CalibrationBin& bin = calibration.bins[b];
    if (bin.n == 0) {
      continue;
    }
    bin.confidence = confidence_sums[b] / static_cast<double>(bin.n);
    bin.accuracy = correct_sums[b] / static_cast<double>(bin.n);
    const double gap = std::abs(bin.accuracy - bin.confidence);
    calibration.ece += gap * static_cast<double>(bin.n) / rows;
    calibration.mce = std::max(calibration.mce, gap);
  }
}

void require_calibration(std::span<const double> confidence, std::span<const int> correct, int bins) {
  require(bins > 0, "calibration: bins must be at least 1");
  require_labels(correct, 2, "calibration");
  require_same(confidence.size(), correct.size(), "calibration");
  for (const double c : confidence) {
    require(c >= 0 && c <= 1, "calibration: a confidence is outside [0, 1]");
  }
}

}  // namespace

int64_t ConfusionMatrix::total() const { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

ConfusionMatrix confusion_matrix(std::span<const int> truth, std::span<const int> predicted, int labels) {
  require_same(truth.size(), predicted.size(), "confusion matrix");
  require_labels(truth, labels, "confusion matrix, truth");
  require_labels(predicted, labels, "confusion matrix, prediction");
  ConfusionMatrix matrix{labels, std::vector<int64_t>(static_cast<size_t>(labels) * labels)};
  for (size_t i = 0; i < truth.size(); ++i) {
    ++matrix.counts[static_cast<size_t>(truth[i]) * labels + predicted[i]];
  }
  return matrix;
}

ClassificationScores classification_scores(const ConfusionMatrix& matrix) {
  const std::vector<double> counts(matrix.counts.begin(), matrix.counts.end());
  return classification_scores(counts, matrix.labels);
}

ClassificationScores classification_scores(std::span<const double> counts, int labels) {
  require(labels > 0, "classification scores: no labels");
  require_same(counts.size(), static_cast<size_t>(labels) * labels, "classification scores");
  std::vector<double> truths(labels);
  std::vector<double> guesses(labels);
  double total = 0;
  double right = 0;
  for (int t = 0; t < labels; ++t) {
    for (int p = 0; p < labels; ++p) {
      const double c = counts[static_cast<size_t>(t) * labels + p];
      truths[t] += c;
      guesses[p] += c;
      total += c;
      right += t == p ? c : 0;
    }
  }
  require(total > 0, "classification scores: no rows");
  ClassificationScores scores;
  scores.accuracy = right / total;
  scores.per_label.resize(labels);
  double present = 0;
  double truth_labels = 0;
  double expected = 0;
  double squares_truth = 0;
  double squares_guess = 0;
  for (int k = 0; k < labels; ++k) {
    const double hit = counts[static_cast<size_t>(k) * labels + k];
    LabelScores& one = scores.per_label[k];
    one.precision = ratio(hit, guesses[k]);
    one.recall = ratio(hit, truths[k]);
    one.f1 = f1_of(one.precision, one.recall);
    one.support = truths[k];
    if (truths[k] + guesses[k] > 0) {
      ++present;
      scores.macro.precision += one.precision;
      scores.macro.recall += one.recall;
      scores.macro.f1 += one.f1;
    }
    if (truths[k] > 0) {
      ++truth_labels;
      scores.balanced_accuracy += one.recall;
    }
    scores.weighted.precision += one.precision * truths[k] / total;
    scores.weighted.recall += one.recall * truths[k] / total;
    scores.weighted.f1 += one.f1 * truths[k] / total;
    expected += truths[k] * guesses[k];
    squares_truth += truths[k] * truths[k];
    squares_guess += guesses[k] * guesses[k];
  }
  scores.macro.precision /= present;
  scores.macro.recall /= present;
  scores.macro.f1 /= present;
  scores.balanced_accuracy /= truth_labels;
  scores.micro = {scores.accuracy, scores.accuracy, scores.accuracy, total};
  scores.macro.support = total;
  scores.weighted.support = total;
  scores.mcc =
      ratio(right * total - expected, std::sqrt((total * total - squares_guess) * (total * total - squares_truth)));
  scores.kappa = ratio(right * total - expected, total * total - expected);
  return scores;
}

double kappa_quadratic(const ConfusionMatrix& matrix) {
  const int labels = matrix.labels;
  std::vector<double> truths(labels);
  std::vector<double> guesses(labels);
  for (int t = 0; t < labels; ++t) {
    for (int p = 0; p < labels; ++p) {
      truths[t] += static_cast<double>(matrix.at(t, p));
      guesses[p] += static_cast<double>(matrix.at(t, p));
    }
  }
  const auto total = static_cast<double>(matrix.total());
  double observed = 0;
  double expected = 0;
  for (int t = 0; t < labels; ++t) {
    for (int p = 0; p < labels; ++p) {
      const double weight = static_cast<double>(t - p) * (t - p);
      observed += weight * static_cast<double>(matrix.at(t, p));
      expected += weight * truths[t] * guesses[p] / total;
    }
  }
  return expected == 0 ? 0 : 1 - observed / expected;
}

double roc_auc(std::span<const int> truth, std::span<const double> score) {
  require_labels(truth, 2, "ROC AUC");
  require_same(truth.size(), score.size(), "ROC AUC");
  const std::vector<int> order = falling_order(score);
  double positives = 0;
  double negatives = 0;
  double area = 0;  // pairs (positive, negative) in the right order
  for (size_t i = 0; i < order.size();) {
    double tied_positives = 0;
    double tied_negatives = 0;
    const double value = score[order[i]];
    for (; i < order.size() && score[order[i]] == value; ++i) {
      (truth[order[i]] == 1 ? tied_positives : tied_negatives) += 1;
    }
    area += tied_negatives * (positives + tied_positives / 2);
    positives += tied_positives;
    negatives += tied_negatives;
  }
  return positives == 0 || negatives == 0 ? kNan : area / (positives * negatives);
}

double roc_auc_ovr_macro(std::span<const int> truth, std::span<const double> probabilities, int labels) {
  require_probabilities(truth, probabilities, labels, "ROC AUC");
  if (labels == 2) {
    return auc_of(truth, probabilities, 2, 1, -1);
  }
  double sum = 0;
  for (int label = 0; label < labels; ++label) {
    sum += auc_of(truth, probabilities, labels, label, -1);
  }
  return sum / labels;
}

double roc_auc_ovo_macro(std::span<const int> truth, std::span<const double> probabilities, int labels) {
  require_probabilities(truth, probabilities, labels, "ROC AUC");
  if (labels == 2) {
    return auc_of(truth, probabilities, 2, 1, -1);
  }
  double sum = 0;
  for (int a = 0; a < labels; ++a) {
    for (int b = a + 1; b < labels; ++b) {
      sum += (auc_of(truth, probabilities, labels, a, b) + auc_of(truth, probabilities, labels, b, a)) / 2;
    }
  }
  return sum / (labels * (labels - 1) / 2.0);
}

double average_precision(std::span<const int> truth, std::span<const double> score) {
  require_labels(truth, 2, "average precision");
  require_same(truth.size(), score.size(), "average precision");
  const std::vector<int> order = falling_order(score);
  double hits = 0;
  double seen = 0;
  double sum = 0;
  for (size_t i = 0; i < order.size();) {
    const double before = hits;
    const double value = score[order[i]];
    for (; i < order.size() && score[order[i]] == value; ++i) {
      hits += truth[order[i]];
      ++seen;
    }
    sum += (hits - before) * hits / seen;
  }
  return hits == 0 ? kNan : sum / hits;
}

double brier(std::span<const int> truth, std::span<const double> p) {
  require_labels(truth, 2, "Brier score");
  require_same(truth.size(), p.size(), "Brier score");
  double sum = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    sum += (p[i] - truth[i]) * (p[i] - truth[i]);
  }
  return sum / static_cast<double>(truth.size());
}

double brier_multiclass(std::span<const int> truth, std::span<const double> probabilities, int labels) {
  require_probabilities(truth, probabilities, labels, "Brier score");
  double sum = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    for (int k = 0; k < labels; ++k) {
      const double error = probabilities[i * labels + k] - (truth[i] == k ? 1 : 0);
      sum += error * error;
    }
  }
  return sum / static_cast<double>(truth.size());
}

double log_loss(std::span<const int> truth, std::span<const double> probabilities, int labels) {
  require_probabilities(truth, probabilities, labels, "log loss");
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    double row = 0;
    for (int k = 0; k < labels; ++k) {
      row += probabilities[i * labels + k];
    }
    const double p = probabilities[i * labels + truth[i]] / row;
    sum -= std::log(std::clamp(p, kEpsilon, 1 - kEpsilon));
  }
  return sum / static_cast<double>(truth.size());
}

double top_k_accuracy(std::span<const int> truth, std::span<const double> probabilities, int labels, int k) {
  require_probabilities(truth, probabilities, labels, "top-k accuracy");
  int64_t hits = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const double own = probabilities[i * labels + truth[i]];
    int better = 0;
    for (int other = 0; other < labels; ++other) {
      const double p = probabilities[i * labels + other];
      better += p > own || (p == own && other > truth[i]) ? 1 : 0;
    }
    hits += better < k ? 1 : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(truth.size());
}

void top_labels(std::span<const double> probabilities, int labels, std::span<int> label, std::span<double> confidence) {
  require(labels > 0, "top labels: no labels");
  require_same(probabilities.size(), label.size() * static_cast<size_t>(labels), "top labels");
  require_same(label.size(), confidence.size(), "top labels");
  for (size_t i = 0; i < label.size(); ++i) {
    const auto row = probabilities.subspan(i * labels, labels);
    const auto best = std::max_element(row.begin(), row.end());
    label[i] = static_cast<int>(best - row.begin());
    confidence[i] = *best;
  }
}

Calibration calibration_equal_width(std::span<const double> confidence, std::span<const int> correct, int bins) {
  require_calibration(confidence, correct, bins);
  Calibration calibration;
  calibration.bins.resize(bins);
  std::vector<double> confidence_sums(bins);
  std::vector<double> correct_sums(bins);
  const double step = 1.0 / bins;
  for (int b = 0; b < bins; ++b) {
    calibration.bins[b].low = b * step;
    calibration.bins[b].high = b + 1 == bins ? 1 : (b + 1) * step;
  }
  for (size_t i = 0; i < confidence.size(); ++i) {
    int b = std::clamp(static_cast<int>(std::ceil(confidence[i] * bins)) - 1, 0, bins - 1);
    while (b > 0 && confidence[i] <= calibration.bins[b].low) {
      --b;
    }
    while (b + 1 < bins && confidence[i] > calibration.bins[b].high) {
      ++b;
    }
    ++calibration.bins[b].n;
    confidence_sums[b] += confidence[i];
    correct_sums[b] += correct[i];
  }
  finish(calibration, confidence_sums, correct_sums, static_cast<double>(confidence.size()));
  return calibration;
}

Calibration calibration_equal_mass(std::span<const double> confidence, std::span<const int> correct, int bins) {
  require_calibration(confidence, correct, bins);
  std::vector<int> order(confidence.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return confidence[a] < confidence[b]; });
  Calibration calibration;
  calibration.bins.resize(bins);
  std::vector<double> confidence_sums(bins);
  std::vector<double> correct_sums(bins);
  const size_t share = order.size() / bins;
  const size_t longer = order.size() % bins;  // this many parts hold one row more
  size_t at = 0;
  for (int b = 0; b < bins; ++b) {
    CalibrationBin& bin = calibration.bins[b];
    bin.n = static_cast<int64_t>(share + (static_cast<size_t>(b) < longer ? 1 : 0));
    for (int64_t i = 0; i < bin.n; ++i, ++at) {
      confidence_sums[b] += confidence[order[at]];
      correct_sums[b] += correct[order[at]];
    }
    if (bin.n > 0) {
      bin.low = confidence[order[at - bin.n]];
      bin.high = confidence[order[at - 1]];
    }
  }
  finish(calibration, confidence_sums, correct_sums, static_cast<double>(order.size()));
  return calibration;
}

}  // namespace slipway::stats
