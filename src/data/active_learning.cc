#include "data/active_learning.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr std::array<std::string_view, 3> kKinds = {"least-confidence", "margin", "entropy"};

[[noreturn]] void invalid(const std::string& what) { throw Error(Code::kInvalid, "active learning: " + what); }

double score_of(std::span<const double> p, Uncertainty kind) {
  if (kind == Uncertainty::kEntropy) {
    double sum = 0;
    for (const double x : p) {
      sum -= x > 0 ? x * std::log(x) : 0;
    }
    return sum;
  }
  double first = 0;
  double second = 0;
  for (const double x : p) {
    if (x > first) {
      second = std::exchange(first, x);
    } else {
      second = std::max(second, x);
    }
  }
  return kind == Uncertainty::kMargin ? 1 - (first - second) : 1 - first;
}

// Candidates and how far each is from the nearest that is chosen or known.
class Distances {
 public:
  Distances(const FeatureRows& rows, std::span<const int64_t> candidates, std::span<const int64_t> known) : rows_(rows) {
    std::vector<bool> taken(static_cast<size_t>(rows.rows()));
    for (const int64_t row : known) {
      taken[check(row)] = true;
    }
    if (candidates.empty()) {
      candidates_.resize(taken.size());
      std::iota(candidates_.begin(), candidates_.end(), 0);
    } else {
      candidates_.assign(candidates.begin(), candidates.end());
      std::for_each(candidates_.begin(), candidates_.end(), [&](int64_t row) { check(row); });
      std::sort(candidates_.begin(), candidates_.end());
      candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
    }
    std::erase_if(candidates_, [&](int64_t row) { return taken[static_cast<size_t>(row)]; });
    nearest_.assign(candidates_.size(), std::numeric_limits<double>::infinity());
    for (const int64_t row : known) {
      see(row);
    }
  }

  size_t size() const noexcept { return candidates_.size(); }
  int64_t row(size_t i) const { return candidates_[i]; }
  double nearest(size_t i) const { return nearest_[i]; }
  bool chosen(size_t i) const { return nearest_[i] < 0; }
  int64_t choose(size_t i) {
    see(candidates_[i]);
    nearest_[i] = -1;
    return candidates_[i];
  }

 private:
  size_t check(int64_t row) const {
    if (row < 0 || row >= rows_.rows()) {
      invalid(fmt::format("there is no row {}; there are {}", row, rows_.rows()));
    }
    return static_cast<size_t>(row);
  }
  void see(int64_t row) {
    for (size_t i = 0; i < candidates_.size(); ++i) {
      if (nearest_[i] > 0) {
        nearest_[i] = std::min(nearest_[i], rows_.distance(candidates_[i], row));
      }
    }
  }

  const FeatureRows& rows_;
  std::vector<int64_t> candidates_;
  std::vector<double> nearest_;  // -1: chosen
};

size_t first_of(const Distances& distances, base::Rng& rng) { return static_cast<size_t>(rng.below(distances.size())); }

}  // namespace

std::string_view name_of(Uncertainty kind) noexcept { return kKinds[static_cast<size_t>(kind)]; }

Uncertainty uncertainty_named(std::string_view name) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == name) {
      return static_cast<Uncertainty>(i);
    }
  }
  throw Error(Code::kInvalid, fmt::format("uncertainty is one of {}, not '{}'", fmt::join(kKinds, ", "), name.substr(0, 100)));
}

std::vector<double> uncertainty(std::span<const double> probabilities, int classes, Uncertainty kind) {
  if (classes < 2 || probabilities.size() % static_cast<size_t>(classes) != 0) {
    invalid(fmt::format("{} probabilities are not rows of {} classes (2 or more)", probabilities.size(), classes));
  }
  std::vector<double> scores;
  for (size_t at = 0; at < probabilities.size(); at += static_cast<size_t>(classes)) {
    const auto row = probabilities.subspan(at, static_cast<size_t>(classes));
    double sum = 0;
    for (const double p : row) {
      sum += p >= 0 ? p : std::numeric_limits<double>::quiet_NaN();
    }
    if (!(std::abs(sum - 1) <= 1e-3)) {
      invalid(fmt::format("row {} is no distribution: its probabilities are not 0 or more with the sum 1", scores.size()));
    }
    scores.push_back(score_of(row, kind));
  }
  return scores;
}

std::vector<int64_t> most_uncertain(std::span<const double> scores, int64_t count) {
  std::vector<int64_t> rows(scores.size());
  std::iota(rows.begin(), rows.end(), 0);
  const auto n = static_cast<std::ptrdiff_t>(std::clamp<int64_t>(count, 0, static_cast<int64_t>(rows.size())));
  std::partial_sort(rows.begin(), rows.begin() + n, rows.end(), [&](int64_t a, int64_t b) {
    const double x = scores[static_cast<size_t>(a)];
    const double y = scores[static_cast<size_t>(b)];
    return x > y || (x == y && a < b);
  });
  rows.resize(static_cast<size_t>(n));
  return rows;
}

FeatureRows::FeatureRows(std::span<const float> values, int64_t width) : values_(values), width_(width) {
  if (width < 1 || values.size() % static_cast<size_t>(width) != 0) {
    invalid(fmt::format("{} numbers are not rows of {}", values.size(), width));
  }
  rows_ = static_cast<int64_t>(values.size()) / width;
  for (int64_t i = 0; i < rows_; ++i) {
    squares_.push_back(product(i, i));
  }
}

FeatureRows::FeatureRows(std::span<const int64_t> begins, std::span<const int32_t> columns, std::span<const float> values)
    : values_(values), begins_(begins), columns_(columns) {
  if (begins.empty() || begins[0] != 0 || !std::is_sorted(begins.begin(), begins.end()) || begins.back() != static_cast<int64_t>(values.size()) ||
      columns.size() != values.size()) {
    invalid("sparse rows whose begins do not fit their columns and values");
  }
  rows_ = static_cast<int64_t>(begins.size()) - 1;
  for (int64_t i = 0; i < rows_; ++i) {
    squares_.push_back(product(i, i));
  }
}

double FeatureRows::product(int64_t a, int64_t b) const {
  double sum = 0;
  if (width_ > 0) {
    const float* x = &values_[static_cast<size_t>(a * width_)];
    const float* y = &values_[static_cast<size_t>(b * width_)];
    for (int64_t i = 0; i < width_; ++i) {
      sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    }
    return sum;
  }
  auto i = static_cast<size_t>(begins_[static_cast<size_t>(a)]);
  auto j = static_cast<size_t>(begins_[static_cast<size_t>(b)]);
  const auto i_end = static_cast<size_t>(begins_[static_cast<size_t>(a) + 1]);
  const auto j_end = static_cast<size_t>(begins_[static_cast<size_t>(b) + 1]);
  while (i < i_end && j < j_end) {
    if (columns_[i] == columns_[j]) {
      sum += static_cast<double>(values_[i++]) * static_cast<double>(values_[j++]);
    } else {
      ++(columns_[i] < columns_[j] ? i : j);
    }
  }
  return sum;
}

double FeatureRows::distance(int64_t a, int64_t b) const {
  return std::max(0.0, squares_[static_cast<size_t>(a)] + squares_[static_cast<size_t>(b)] - 2 * product(a, b));
}

std::vector<int64_t> k_center(const FeatureRows& rows, std::span<const int64_t> candidates, std::span<const int64_t> known, int64_t count, uint64_t seed) {
  Distances distances(rows, candidates, known);
  base::Rng rng(seed, "k-center");
  std::vector<int64_t> chosen;
  while (static_cast<int64_t>(chosen.size()) < count && chosen.size() < distances.size()) {
    size_t best = distances.size();
    if (chosen.empty() && known.empty()) {
      best = first_of(distances, rng);
    }
    for (size_t i = 0; i < distances.size() && !(chosen.empty() && known.empty()); ++i) {
      if (!distances.chosen(i) && (best == distances.size() || distances.nearest(i) > distances.nearest(best))) {
        best = i;
      }
    }
    chosen.push_back(distances.choose(best));
  }
  return chosen;
}

std::vector<int64_t> k_means_pp(const FeatureRows& rows, std::span<const int64_t> candidates, std::span<const int64_t> known, std::span<const double> weights,
                                int64_t count, uint64_t seed) {
  if (!weights.empty() && static_cast<int64_t>(weights.size()) != rows.rows()) {
    invalid(fmt::format("{} weights for {} rows", weights.size(), rows.rows()));
  }
  Distances distances(rows, candidates, known);
  base::Rng rng(seed, "k-means++");
  std::vector<int64_t> chosen;
  std::vector<double> chances(distances.size());
  while (static_cast<int64_t>(chosen.size()) < count && chosen.size() < distances.size()) {
    double sum = 0;
    for (size_t i = 0; i < distances.size(); ++i) {
      const double weight = weights.empty() ? 1 : std::max(0.0, weights[static_cast<size_t>(distances.row(i))]);
      const double apart = std::isinf(distances.nearest(i)) ? 1 : std::max(0.0, distances.nearest(i));
      chances[i] = distances.chosen(i) ? 0 : weight * apart;
      sum += chances[i];
    }
    size_t next = distances.size();
    if (sum > 0) {
      double left = rng.uniform() * sum;
      for (size_t i = 0; i < chances.size(); ++i) {
        if (chances[i] > 0) {
          next = i;  // the last one with a chance, when rounding leaves something
          left -= chances[i];
          if (left < 0) {
            break;
          }
        }
      }
    } else {  // all that is left lies on what is chosen
      for (next = 0; distances.chosen(next); ++next) {
      }
    }
    chosen.push_back(distances.choose(next));
  }
  return chosen;
}

}  // namespace slipway::data
