#include "data/label_errors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>

#include "base/error.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr double kSlack = 1e-6;             // of comparisons with thresholds, cleanlab's
constexpr double kMissingThreshold = 2;     // above any probability
constexpr double kLowestThreshold = 2e-6;   // above the slack
constexpr int kMaxClasses = 10000;
constexpr std::array<std::string_view, 5> kFilters = {"prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given"};
constexpr std::array<std::string_view, 2> kQualities = {"self_confidence", "normalized_margin"};

[[noreturn]] void invalid(const std::string& what) { throw Error(Code::kInvalid, "label errors: " + what); }

template <size_t N>
size_t index_of(const std::array<std::string_view, N>& names, std::string_view name, const char* what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw Error(Code::kInvalid, fmt::format("{} is one of {}, not '{}'", what, fmt::join(names, ", "), name.substr(0, 100)));
  }
  return static_cast<size_t>(found - names.begin());
}

// Labels and probabilities that fit.
class Rows {
 public:
  Rows(std::span<const int> labels, std::span<const double> probabilities, int classes) : labels_(labels), probabilities_(probabilities), k_(static_cast<size_t>(classes)) {
    if (classes < 2 || classes > kMaxClasses || labels.empty() || probabilities.size() != labels.size() * k_) {
      invalid(fmt::format("{} probabilities are not {} rows of {} classes (2 to {})", probabilities.size(), labels.size(), classes, kMaxClasses));
    }
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] < 0 || labels[i] >= classes) {
        invalid(fmt::format("row {} has label {}; labels are 0 to {}", i, labels[i], classes - 1));
      }
      for (const double p : row(i)) {
        if (!(p >= 0 && p <= 1)) {
          invalid(fmt::format("row {} has a probability that is not from 0 to 1", i));
        }
      }
    }
  }
  size_t size() const noexcept { return labels_.size(); }
  size_t classes() const noexcept { return k_; }
  size_t label(size_t i) const { return static_cast<size_t>(labels_[i]); }
  std::span<const double> row(size_t i) const { return probabilities_.subspan(i * k_, k_); }
  size_t likeliest(size_t i) const {
    const auto p = row(i);
    return static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  }

 private:
  std::span<const int> labels_;
  std::span<const double> probabilities_;
  size_t k_;
};

double quality_of(const Rows& rows, size_t i, LabelQuality quality) {
  const auto p = rows.row(i);
  const double own = p[rows.label(i)];
  if (quality == LabelQuality::kSelfConfidence) {
    return own;
  }
  double other = 0;
  for (size_t c = 0; c < p.size(); ++c) {
    other = c == rows.label(i) ? other : std::max(other, p[c]);
  }
  return (own - other + 1) / 2;
}

std::vector<double> thresholds_of(const Rows& rows) {
  std::vector<double> sum(rows.classes());
  std::vector<double> count(rows.classes());
  for (size_t i = 0; i < rows.size(); ++i) {
    sum[rows.label(i)] += rows.row(i)[rows.label(i)];
    count[rows.label(i)] += 1;
  }
  for (size_t c = 0; c < sum.size(); ++c) {
    sum[c] = count[c] > 0 ? std::max(sum[c] / count[c], kLowestThreshold) : kMissingThreshold;
  }
  return sum;
}

constexpr size_t kUnsure = ~size_t{0};

// The class that the model is confident of: the only one above its threshold, of several the likeliest.
size_t confident_class(const Rows& rows, size_t i, const std::vector<double>& thresholds) {
  size_t first = kUnsure;
  size_t count = 0;
  const auto p = rows.row(i);
  for (size_t c = 0; c < p.size(); ++c) {
    if (p[c] >= thresholds[c] - kSlack) {
      first = count++ == 0 ? c : first;
    }
  }
  return count > 1 ? rows.likeliest(i) : first;
}

// Whole numbers near `row` with its sum: those that were rounded most are moved back.
void round_keeping_sum(std::span<const double> row, std::span<int64_t> out) {
  double sum = 0;
  double rounded = 0;
  std::vector<double> off(row.size());
  for (size_t i = 0; i < row.size(); ++i) {
    const double near = std::nearbyint(row[i]);
    out[i] = static_cast<int64_t>(near);
    off[i] = row[i] - near;
    sum += row[i];
    rounded += near;
  }
  auto missing = static_cast<int64_t>(std::nearbyint(sum) - rounded);
  std::vector<size_t> order(row.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return off[a] < off[b]; });
  if (missing > 0) {
    std::reverse(order.begin(), order.end());
  }
  for (size_t i = 0; missing != 0; i = (i + 1) % order.size()) {
    out[order[i]] += missing > 0 ? 1 : -1;
    missing -= missing > 0 ? 1 : -1;
  }
}

std::vector<int64_t> joint_of(const Rows& rows) {
  const size_t k = rows.classes();
  const std::vector<double> thresholds = thresholds_of(rows);
  std::vector<double> joint(k * k);
  std::vector<double> given(k);
  for (size_t i = 0; i < rows.size(); ++i) {
    given[rows.label(i)] += 1;
    if (const size_t c = confident_class(rows, i, thresholds); c != kUnsure) {
      joint[rows.label(i) * k + c] += 1;
    }
  }
  double all = 0;
  for (size_t g = 0; g < k; ++g) {
    joint[g * k + g] = std::max(joint[g * k + g], 1.0);
    const double sum = std::accumulate(joint.begin() + static_cast<std::ptrdiff_t>(g * k), joint.begin() + static_cast<std::ptrdiff_t>((g + 1) * k), 0.0);
    for (size_t c = 0; c < k; ++c) {
      joint[g * k + c] = joint[g * k + c] / sum * given[g];
      all += joint[g * k + c];
    }
  }
  std::vector<int64_t> counts(k * k);
  for (double& cell : joint) {
    cell = cell / all * static_cast<double>(rows.size());
  }
  for (size_t g = 0; g < k; ++g) {
    round_keeping_sum(std::span(joint).subspan(g * k, k), std::span(counts).subspan(g * k, k));
  }
  return counts;
}

// How many rows of each (given, true) pair to take out: the joint, with at least `keep` left on the diagonal.
std::vector<int64_t> prune_counts(std::vector<int64_t> joint, size_t k, int64_t keep) {
  for (size_t g = 0; g < k; ++g) {
    const int64_t diagonal = joint[g * k + g];
    const int64_t raised = std::max(diagonal, keep);
    double others = -1;
    for (size_t c = 0; c < k; ++c) {
      others += joint[g * k + c] != 0 ? 1 : 0;
    }
    others = std::max(others, 1.0);
    const double less = static_cast<double>(raised - diagonal) / others;
    for (size_t c = 0; c < k; ++c) {
      int64_t& cell = joint[g * k + c];
      cell = c == g ? raised : static_cast<int64_t>(std::max(0.0, static_cast<double>(cell) - less));
    }
  }
  return joint;
}

// Marks the first `count` of `members` by ascending key.
template <class Key>
void mark(std::vector<size_t>& members, int64_t count, std::vector<bool>& marked, const Key& key) {
  if (count < 1) {
    return;
  }
  std::stable_sort(members.begin(), members.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  for (size_t i = 0; i < members.size() && static_cast<int64_t>(i) < count; ++i) {
    marked[members[i]] = true;
  }
}

struct Marks {
  std::vector<bool> by_class;
  std::vector<bool> by_rate;
};

Marks prune(const Rows& rows, int64_t keep) {
  const size_t k = rows.classes();
  const std::vector<int64_t> counts = prune_counts(joint_of(rows), k, keep);
  std::vector<std::vector<size_t>> of_class(k);
  for (size_t i = 0; i < rows.size(); ++i) {
    of_class[rows.label(i)].push_back(i);
  }
  Marks marks{std::vector<bool>(rows.size()), std::vector<bool>(rows.size())};
  for (size_t g = 0; g < k; ++g) {
    if (static_cast<int64_t>(of_class[g].size()) <= std::max<int64_t>(keep, 1)) {
      continue;
    }
    std::vector<size_t> members = of_class[g];
    mark(members, static_cast<int64_t>(members.size()) - counts[g * k + g], marks.by_class, [&](size_t i) { return rows.row(i)[g]; });
    for (size_t c = 0; c < k; ++c) {
      if (c != g) {
        members = of_class[g];
        mark(members, counts[g * k + c], marks.by_rate, [&](size_t i) { return rows.row(i)[g] - rows.row(i)[c]; });
      }
    }
  }
  return marks;
}

std::vector<bool> marked_by(const Rows& rows, const LabelErrorOptions& options) {
  std::vector<bool> marked(rows.size());
  if (options.filter == LabelErrorFilter::kPredictedNeqGiven) {
    marked.assign(rows.size(), true);  // find_label_errors leaves out those predicted as given
  } else if (options.filter == LabelErrorFilter::kConfidentLearning) {
    const std::vector<double> thresholds = thresholds_of(rows);
    for (size_t i = 0; i < rows.size(); ++i) {
      const size_t c = confident_class(rows, i, thresholds);
      marked[i] = c != kUnsure && c != rows.label(i);
    }
  } else {
    Marks marks = prune(rows, options.min_examples_per_class);
    for (size_t i = 0; i < rows.size(); ++i) {
      marked[i] = options.filter == LabelErrorFilter::kPruneByNoiseRate ? marks.by_rate[i]
                  : options.filter == LabelErrorFilter::kPruneByClass   ? marks.by_class[i]
                                                                        : marks.by_rate[i] && marks.by_class[i];
    }
  }
  return marked;
}

}  // namespace

std::string_view name_of(LabelErrorFilter filter) noexcept { return kFilters[static_cast<size_t>(filter)]; }
LabelErrorFilter label_error_filter_named(std::string_view name) { return static_cast<LabelErrorFilter>(index_of(kFilters, name, "a filter of label errors")); }
std::string_view name_of(LabelQuality quality) noexcept { return kQualities[static_cast<size_t>(quality)]; }
LabelQuality label_quality_named(std::string_view name) { return static_cast<LabelQuality>(index_of(kQualities, name, "a quality of labels")); }

std::vector<double> label_quality(std::span<const int> labels, std::span<const double> probabilities, int classes, LabelQuality quality) {
  const Rows rows(labels, probabilities, classes);
  std::vector<double> scores;
  for (size_t i = 0; i < rows.size(); ++i) {
    scores.push_back(quality_of(rows, i, quality));
  }
  return scores;
}

std::vector<double> confident_thresholds(std::span<const int> labels, std::span<const double> probabilities, int classes) {
  return thresholds_of(Rows(labels, probabilities, classes));
}

std::vector<int64_t> confident_joint(std::span<const int> labels, std::span<const double> probabilities, int classes) {
  return joint_of(Rows(labels, probabilities, classes));
}

std::vector<LabelError> find_label_errors(std::span<const int> labels, std::span<const double> probabilities, int classes, const LabelErrorOptions& options) {
  const Rows rows(labels, probabilities, classes);
  if (options.min_examples_per_class < 0) {
    invalid("min_examples_per_class is not below 0");
  }
  const std::vector<bool> marked = marked_by(rows, options);
  std::vector<LabelError> errors;
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t suggested = rows.likeliest(i);
    if (marked[i] && suggested != rows.label(i)) {
      errors.push_back({static_cast<int64_t>(i), static_cast<int>(rows.label(i)), static_cast<int>(suggested), quality_of(rows, i, options.rank_by)});
    }
  }
  std::stable_sort(errors.begin(), errors.end(), [](const LabelError& a, const LabelError& b) { return a.quality < b.quality; });
  return errors;
}

}  // namespace slipway::data
