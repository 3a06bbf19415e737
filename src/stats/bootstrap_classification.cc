// Classification measures from row weights: everything that does not change between resamples (order by score, bins,
// losses of single rows) is computed once, so a resample is a few passes over the rows.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "stats/bootstrap.h"
#include "stats/check.h"
#include "stats/resample.h"

namespace slipway::stats {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kBins = 15;

// Rows by falling score of one label against the rest.
struct Ranking {
  std::vector<int> row;
  std::vector<char> positive;
  std::vector<char> last_of_tie;  // the next row has a lower score
};

Ranking rank(std::span<const int> truth, std::span<const double> probabilities, int labels, int label) {
  Ranking ranking;
  ranking.row.resize(truth.size());
  std::iota(ranking.row.begin(), ranking.row.end(), 0);
  const auto score = [&](int row) { return probabilities[static_cast<size_t>(row) * labels + label]; };
  std::sort(ranking.row.begin(), ranking.row.end(),
            [&](int a, int b) { return score(a) != score(b) ? score(a) > score(b) : a < b; });
  for (size_t i = 0; i < ranking.row.size(); ++i) {
    const int row = ranking.row[i];
    ranking.positive.push_back(truth[row] == label ? 1 : 0);
    ranking.last_of_tie.push_back(i + 1 == ranking.row.size() || score(ranking.row[i + 1]) != score(row) ? 1 : 0);
  }
  return ranking;
}

struct Ranked {
  double auc = kNan;
  double average_precision = kNan;
};

Ranked measure(const Ranking& ranking, std::span<const double> weights) {
  double positives = 0;
  double negatives = 0;
  double tied_positives = 0;
  double tied_negatives = 0;
  double area = 0;
  double precisions = 0;
  for (size_t i = 0; i < ranking.row.size(); ++i) {
    const double w = weights[ranking.row[i]];
    tied_positives += ranking.positive[i] != 0 ? w : 0;
    tied_negatives += ranking.positive[i] != 0 ? 0 : w;
    if (ranking.last_of_tie[i] != 0) {
      area += tied_negatives * (positives + tied_positives / 2);
      positives += tied_positives;
      negatives += tied_negatives;
      if (tied_positives > 0) {
        precisions += tied_positives * positives / (positives + negatives);
      }
      tied_positives = 0;
      tied_negatives = 0;
    }
  }
  Ranked result;
  if (positives > 0) {
    result.average_precision = precisions / positives;
    if (negatives > 0) {
      result.auc = area / (positives * negatives);
    }
  }
  return result;
}

class Measures {
 public:
  explicit Measures(const Classified& rows, bool per_label) : rows_(rows), per_label_(per_label) {
    require(rows.labels >= 2, "classification intervals: at least two labels are needed");
    require_same(rows.truth.size(), rows.predicted.size(), "classification intervals");
    require_labels(rows.truth, rows.labels, "classification intervals, truth");
    require_labels(rows.predicted, rows.labels, "classification intervals, prediction");
    names_ = {"accuracy",           "balanced_accuracy", "precision",   "recall", "f1",
              "precision_weighted", "recall_weighted",   "f1_weighted", "mcc",    "kappa"};
    if (per_label) {
      for (int k = 0; k < rows.labels; ++k) {
        names_.insert(names_.end(),
                      {fmt::format("precision.{}", k), fmt::format("recall.{}", k), fmt::format("f1.{}", k)});
      }
    }
    if (!rows.probabilities.empty()) {
      prepare_probabilities();
    }
    confusion_.resize(static_cast<size_t>(rows.labels) * rows.labels);
  }

  const std::vector<std::string>& names() const { return names_; }

  void operator()(std::span<const double> weights, std::span<double> out) {
    std::fill(confusion_.begin(), confusion_.end(), 0.0);
    for (size_t i = 0; i < weights.size(); ++i) {
      confusion_[static_cast<size_t>(rows_.truth[i]) * rows_.labels + rows_.predicted[i]] += weights[i];
    }
    const ClassificationScores s = classification_scores(confusion_, rows_.labels);
    const double plain[] = {s.accuracy,           s.balanced_accuracy, s.macro.precision, s.macro.recall, s.macro.f1,
                            s.weighted.precision, s.weighted.recall,   s.weighted.f1,     s.mcc,          s.kappa};
    auto next = std::copy(std::begin(plain), std::end(plain), out.begin());
    if (per_label_) {
      for (const LabelScores& one : s.per_label) {
        *next++ = one.precision;
        *next++ = one.recall;
        *next++ = one.f1;
      }
    }
    if (!rows_.probabilities.empty()) {
      with_probabilities(weights, out.subspan(static_cast<size_t>(next - out.begin())));
    }
  }

 private:
  void prepare_probabilities() {
    const auto rows = rows_.truth.size();
    const int labels = rows_.labels;
    require_same(rows_.probabilities.size(), rows * static_cast<size_t>(labels), "classification intervals");
    names_.insert(names_.end(), {"roc_auc", "log_loss", "brier", "ece", "mce"});
    if (labels == 2) {
      names_.push_back("average_precision");
      rankings_.push_back(rank(rows_.truth, rows_.probabilities, 2, 1));
    } else {
      for (int k = 0; k < labels; ++k) {
        rankings_.push_back(rank(rows_.truth, rows_.probabilities, labels, k));
      }
    }
    for (size_t i = 0; i < rows; ++i) {
      const auto row = rows_.probabilities.subspan(i * labels, labels);
      const int truth = rows_.truth[i];
      losses_.push_back(log_loss(rows_.truth.subspan(i, 1), row, labels));
      briers_.push_back(labels == 2 ? (row[1] - truth) * (row[1] - truth)
                                    : brier_multiclass(rows_.truth.subspan(i, 1), row, labels));
      const double sum = std::accumulate(row.begin(), row.end(), 0.0);
      const double confidence = std::clamp(row[rows_.predicted[i]] / sum, 0.0, 1.0);
      const int right = truth == rows_.predicted[i] ? 1 : 0;
      const Calibration one = calibration_equal_width({&confidence, 1}, {&right, 1}, kBins);
      const auto bin = std::find_if(one.bins.begin(), one.bins.end(), [](const CalibrationBin& b) { return b.n > 0; });
      bins_.push_back(static_cast<int>(bin - one.bins.begin()));
      gaps_.push_back(right - confidence);
    }
  }

  void with_probabilities(std::span<const double> weights, std::span<double> out) const {
    double auc = 0;
    Ranked last;
    for (const Ranking& ranking : rankings_) {
      last = measure(ranking, weights);
      auc += last.auc / static_cast<double>(rankings_.size());
    }
    double loss = 0;
    double square = 0;
    double gap[kBins] = {};
    double mass[kBins] = {};
    for (size_t i = 0; i < weights.size(); ++i) {
      loss += weights[i] * losses_[i];
      square += weights[i] * briers_[i];
      gap[bins_[i]] += weights[i] * gaps_[i];
      mass[bins_[i]] += weights[i];
    }
    double ece = 0;
    double mce = 0;
    for (int b = 0; b < kBins; ++b) {
      ece += std::abs(gap[b]);
      mce = mass[b] > 0 ? std::max(mce, std::abs(gap[b]) / mass[b]) : mce;
    }
    const auto rows = static_cast<double>(weights.size());
    const double values[] = {auc, loss / rows, square / rows, ece / rows, mce, last.average_precision};
    std::copy_n(std::begin(values), out.size(), out.begin());
  }

  Classified rows_;
  bool per_label_;
  std::vector<std::string> names_;
  std::vector<double> confusion_;
  std::vector<Ranking> rankings_;
  std::vector<double> losses_;
  std::vector<double> briers_;
  std::vector<int> bins_;     // calibration bin of each row
  std::vector<double> gaps_;  // right - confidence
};

// How many trials each proportion is made of, for measures that no resample can move (see bootstrap.h).
class Trials {
 public:
  explicit Trials(const Classified& rows)
      : rows_(static_cast<double>(rows.truth.size())), of_truth_(rows.labels), of_predicted_(rows.labels) {
    for (size_t i = 0; i < rows.truth.size(); ++i) {
      ++of_truth_[rows.truth[i]];
      ++of_predicted_[rows.predicted[i]];
    }
  }

  // 0 for a measure that is no proportion.
  double of(const std::string& measure) const {
    const size_t dot = measure.find('.');
    if (dot != std::string::npos) {
      const auto label = static_cast<size_t>(std::stoi(measure.substr(dot + 1)));
      return by_side(measure.substr(0, dot), of_truth_[label], of_predicted_[label]);
    }
    if (measure == "accuracy" || measure.ends_with("_weighted")) {
      return rows_;
    }
    if (measure == "average_precision") {
      return of_truth_[1];
    }
    if (measure == "roc_auc") {
      return *std::min_element(of_truth_.begin(), of_truth_.end());
    }
    return by_side(measure == "balanced_accuracy" ? "recall" : measure, mean_of(of_truth_), mean_of(of_predicted_));
  }

  // Cohen's kappa at this accuracy, with these marginals.
  double kappa_at(double accuracy) const {
    const double chance =
        std::inner_product(of_truth_.begin(), of_truth_.end(), of_predicted_.begin(), 0.0) / (rows_ * rows_);
    return (accuracy - chance) / (1 - chance);
  }

 private:
  static double by_side(const std::string& measure, double truth, double predicted) {
    return measure == "recall"      ? truth
           : measure == "precision" ? predicted
           : measure == "f1"        ? std::min(truth, predicted)
                                    : 0;
  }
  static double mean_of(const std::vector<double>& counts) {
    double labels = 0;
    double inverse = 0;
    for (const double n : counts) {
      labels += n > 0 ? 1 : 0;
      inverse += n > 0 ? 1 / n : 0;
    }
    return labels * labels / inverse;
  }

  double rows_;
  std::vector<double> of_truth_;
  std::vector<double> of_predicted_;
};

// Gives the interval of a perfect or wholly wrong measure the width that its number of trials leaves open.
void widen(const std::string& measure, Interval& interval, const Trials& trials, double confidence) {
  constexpr double kRounding = 1e-12;  // sums of weights and quotients
  const bool perfect = std::abs(interval.value - 1) < kRounding;
  if (!(interval.high - interval.low < kRounding) || !(perfect || std::abs(interval.value) < kRounding)) {
    return;
  }
  const bool chance_corrected = measure == "kappa" || measure == "mcc";
  const auto n = static_cast<int64_t>(trials.of(chance_corrected ? "accuracy" : measure));
  if (n == 0 || (chance_corrected && !perfect)) {
    return;
  }
  const Interval limit = wilson(perfect ? n : 0, n, confidence);
  if (!perfect) {
    interval.high = limit.high;
  } else {
    interval.low = chance_corrected ? trials.kappa_at(limit.low) : limit.low;
  }
}

}  // namespace

std::map<std::string, Interval> classification_intervals(const Classified& rows, const BootstrapOptions& options) {
  Measures measures(rows, true);
  const auto intervals = bootstrap_weighted(
      static_cast<int64_t>(rows.truth.size()), static_cast<int>(measures.names().size()),
      [&](std::span<const double> weights, std::span<double> out) { measures(weights, out); }, options);
  const Trials trials(rows);
  std::map<std::string, Interval> result;
  for (size_t k = 0; k < intervals.size(); ++k) {
    const std::string& name = measures.names()[k];
    widen(name, result[name] = intervals[k], trials, options.confidence);
  }
  return result;
}

std::map<std::string, Difference> classification_difference(const Classified& a, const Classified& b,
                                                            const BootstrapOptions& options) {
  require_options(options);
  require(std::equal(a.truth.begin(), a.truth.end(), b.truth.begin(), b.truth.end()) && a.labels == b.labels,
          "classification difference: the two must be measured on the same rows");
  require(a.probabilities.empty() == b.probabilities.empty(),
          "classification difference: give probabilities for both or for none");
  Measures first(a, false);
  Measures second(b, false);
  const size_t count = first.names().size();
  std::vector<double> weights(a.truth.size(), 1.0);
  std::vector<double> x(count);
  std::vector<double> y(count);
  first(weights, x);
  second(weights, y);
  std::vector<double> values(count);
  std::transform(y.begin(), y.end(), x.begin(), values.begin(), std::minus<>());
  std::vector<std::vector<double>> draws(count);
  base::Rng rng(options.seed, "bootstrap");
  for (int r = 0; r < options.resamples; ++r) {
    draw_weights(rng, weights);
    first(weights, x);
    second(weights, y);
    for (size_t k = 0; k < count; ++k) {
      draws[k].push_back(y[k] - x[k]);
    }
  }
  std::map<std::string, Difference> result;
  for (size_t k = 0; k < count; ++k) {
    result[first.names()[k]] =
        difference_of(values[k], draws[k], options.confidence, static_cast<int64_t>(weights.size()));
  }
  return result;
}

}  // namespace slipway::stats
