#include "stats/agreement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "stats/check.h"
#include "stats/jackknife.h"

namespace slipway::stats {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMaxCategories = 100000;
constexpr int kMaxWeighted = 1000;  // a matrix of 8 MB
constexpr int kMaxAnnotators = 1 << 20;

std::vector<double> counted(int categories) {
  std::vector<double> scale(static_cast<size_t>(std::max(categories, 0)));
  std::iota(scale.begin(), scale.end(), 0.0);
  return scale;
}

struct Count {
  int category;
  double n;
};

// The rows that differ in more than who said what: how often each category was said.
struct Rows {
  ItemKinds items;                       // those with an answer
  std::vector<std::vector<Count>> kinds;
  int64_t pairable = 0;  // items with two answers or more
};

Rows rows_of(const Ratings& ratings) {
  Rows rows;
  std::map<std::vector<int>, int> known;
  std::vector<int> said;
  for (int64_t item = 0; item < ratings.items(); ++item) {
    said.clear();
    for (const Ratings::Answer& answer : ratings.of(item)) {
      said.push_back(answer.category);
    }
    if (said.empty()) {
      continue;
    }
    rows.pairable += said.size() > 1 ? 1 : 0;
    std::sort(said.begin(), said.end());
    const auto [found, is_new] = known.try_emplace(said, static_cast<int>(rows.kinds.size()));
    if (is_new) {
      std::vector<Count>& counts = rows.kinds.emplace_back();
      for (const int category : said) {
        if (counts.empty() || counts.back().category != category) {
          counts.push_back({category, 0});
        }
        counts.back().n += 1;
      }
      rows.items.counts.push_back(0);
    }
    rows.items.of_item.push_back(found->second);
    rows.items.counts[static_cast<size_t>(found->second)] += 1;
  }
  return rows;
}

// Sums over rows from which all coefficients of many annotators follow.
class Sums {
 public:
  Sums(const Ratings& ratings, MeasureLevel level) : level_(level), k_(static_cast<size_t>(ratings.categories())), scale_(ratings.scale()) {
    if (level != MeasureLevel::kNominal) {
      if (ratings.categories() > kMaxWeighted) {
        throw base::Error(base::Code::kInvalid, fmt::format("agreement: {} categories that are not names; at most {}", k_, kMaxWeighted));
      }
      if (level == MeasureLevel::kRatio && scale_[0] < 0) {
        throw base::Error(base::Code::kInvalid, "agreement: numbers of a ratio scale are not below 0");
      }
      fill_weights();
    }
    clear();
  }

  void clear() {
    answered_ = paired_ = same_ = weighted_ = coincident_ = 0;
    share_.assign(k_, 0);
    margin_.assign(k_, 0);
    coincidences_.assign(weights_.size(), 0);
  }

  void add(const std::vector<Count>& row, double weight) {
    double n = 0;
    for (const Count& count : row) {
      n += count.n;
    }
    answered_ += weight;
    for (const Count& count : row) {
      share_[static_cast<size_t>(count.category)] += weight * count.n / n;
    }
    if (n < 2) {
      return;
    }
    paired_ += weight;
    for (const Count& a : row) {
      const auto c = static_cast<size_t>(a.category);
      margin_[c] += weight * a.n;
      const double same = a.n * (a.n - 1);
      same_ += weight * same / (n * (n - 1));
      coincident_ += weight * same / (n - 1);
      if (!weights_.empty()) {
        for (const Count& b : row) {
          const size_t at = c * k_ + static_cast<size_t>(b.category);
          const double pairs = a.category == b.category ? same : a.n * b.n;
          weighted_ += weight * weights_[at] * pairs / (n * (n - 1));
          coincidences_[at] += weight * pairs / (n - 1);
        }
      }
    }
  }

  // raw, Fleiss, alpha, Gwet.
  void measure(std::span<double> out) const {
    std::fill(out.begin(), out.end(), kNan);
    // Sums of a jackknife are differences: what is left of nothing may be 1e-17.
    if (paired_ < 0.5) {
      return;
    }
    const double raw = same_ / paired_;
    const bool nominal = weights_.empty();
    const double observed = nominal ? raw : weighted_ / paired_;
    double by_margins = 0;
    double spread = 0;
    double similarity = static_cast<double>(k_);
    for (size_t c = 0; c < k_; ++c) {
      const double p = share_[c] / answered_;
      spread += p * (1 - p);
      by_margins += nominal ? p * p : 0;
    }
    if (!nominal) {
      similarity = 0;
      for (size_t c = 0; c < k_; ++c) {
        for (size_t k = 0; k < k_; ++k) {
          similarity += weights_[c * k_ + k];
          by_margins += weights_[c * k_ + k] * share_[c] / answered_ * (share_[k] / answered_);
        }
      }
    }
    const auto categories = static_cast<double>(k_);
    out[0] = raw;
    out[1] = corrected(observed, by_margins);
    out[2] = nominal ? alpha_nominal() : alpha_weighted();
    out[3] = k_ > 1 ? corrected(observed, similarity * spread / (categories * (categories - 1))) : kNan;
  }

 private:
  static double corrected(double observed, double expected) {
    return 1 - expected < 1e-12 ? kNan : (observed - expected) / (1 - expected);
  }

  void fill_weights() {
    weights_.resize(k_ * k_);
    const double range = scale_[k_ - 1] - scale_[0];
    const double ratio = range == 0 ? 0 : range / (scale_[k_ - 1] + scale_[0]);
    for (size_t c = 0; c < k_; ++c) {
      for (size_t k = 0; k < k_; ++k) {
        const double between = static_cast<double>(c > k ? c - k : k - c);
        const double grades = static_cast<double>(k_);
        double apart = 0;
        if (c != k && level_ == MeasureLevel::kOrdinal) {
          apart = between * (between + 1) / (grades * (grades - 1));
        } else if (c != k && level_ == MeasureLevel::kInterval) {
          apart = std::pow((scale_[c] - scale_[k]) / range, 2);
        } else if (c != k) {
          apart = std::pow((scale_[c] - scale_[k]) / (scale_[c] + scale_[k]) / ratio, 2);
        }
        weights_[c * k_ + k] = 1 - apart;
      }
    }
  }

  double alpha_nominal() const {
    double n = 0;
    double squares = 0;
    for (const double margin : margin_) {
      n += margin;
      squares += margin * margin;
    }
    const double expected = n * n - squares;
    return expected < 1e-9 * n * n ? kNan : 1 - (n - 1) * (n - coincident_) / expected;
  }

  double alpha_weighted() const {
    std::vector<double> before(k_ + 1);
    for (size_t c = 0; c < k_; ++c) {
      before[c + 1] = before[c] + margin_[c];
    }
    double observed = 0;
    double expected = 0;
    for (size_t c = 0; c < k_; ++c) {
      for (size_t k = c + 1; k < k_; ++k) {
        double apart = scale_[k] - scale_[c];
        if (level_ == MeasureLevel::kOrdinal) {
          apart = before[k + 1] - before[c] - (margin_[c] + margin_[k]) / 2;
        } else if (level_ == MeasureLevel::kRatio) {
          apart /= scale_[k] + scale_[c];
        }
        observed += coincidences_[c * k_ + k] * apart * apart;
        expected += margin_[c] * margin_[k] * apart * apart;
      }
    }
    return expected <= 1e-12 ? kNan : 1 - (before[k_] - 1) * observed / expected;
  }

  MeasureLevel level_;
  size_t k_;
  std::span<const double> scale_;
  std::vector<double> weights_;  // [k, k] similarity; empty: nominal
  double answered_ = 0;          // items
  double paired_ = 0;            // items with two answers or more
  double same_ = 0;              // of them: shares of pairs that agree
  double weighted_ = 0;
  double coincident_ = 0;             // the coincidence matrix' diagonal
  std::vector<double> share_;         // [k] sum over items of the share of answers
  std::vector<double> margin_;        // [k] answers that have a partner
  std::vector<double> coincidences_;  // [k, k]
};

// What two annotators said, as counts of (first's, second's) category.
struct Pair {
  std::map<std::pair<int, int>, int> kinds;
  ItemKinds items;
  int64_t same = 0;

  void add(int first, int second) {
    const auto [found, is_new] = kinds.try_emplace({first, second}, static_cast<int>(kinds.size()));
    if (is_new) {
      items.counts.push_back(0);
    }
    items.of_item.push_back(found->second);
    items.counts[static_cast<size_t>(found->second)] += 1;
    same += first == second ? 1 : 0;
  }
};

double apart_of(int a, int b, KappaWeights weights) {
  const double distance = std::abs(a - b);
  switch (weights) {
    case KappaWeights::kNone:
      return a == b ? 0 : 1;
    case KappaWeights::kLinear:
      return distance;
    case KappaWeights::kQuadratic:
      return distance * distance;
  }
  return 0;
}

// Cohen's kappa of sparse counts, from margins: sums of |i - j| and (i - j)^2 over all cells of the expected table need only them.
class CohenSums {
 public:
  CohenSums(int categories, KappaWeights weights) : weights_(weights), rows_(static_cast<size_t>(categories)), columns_(rows_.size()) {}

  void clear() {
    total_ = observed_ = 0;
    std::fill(rows_.begin(), rows_.end(), 0.0);
    std::fill(columns_.begin(), columns_.end(), 0.0);
  }
  void add(int first, int second, double weight) {
    total_ += weight;
    observed_ += weight * apart_of(first, second, weights_);
    rows_[static_cast<size_t>(first)] += weight;
    columns_[static_cast<size_t>(second)] += weight;
  }
  double kappa() const {
    const double expected = this->expected();
    return total_ < 0.5 || expected <= 1e-12 * total_ * total_ ? kNan : 1 - observed_ * total_ / expected;
  }

 private:
  // Sum over cells of rows * columns * distance, O(categories).
  double expected() const {
    double same = 0;
    double linear = 0;
    double row_sum = 0;
    double column_sum = 0;
    std::array<double, 4> moments{};  // of rows: first, second; of columns: first, second
    for (size_t c = 0; c < rows_.size(); ++c) {
      same += rows_[c] * columns_[c];
      row_sum += rows_[c];
      column_sum += columns_[c];
      // A step from c to c + 1 lies between all that is at or before c on one side and after c on the other.
      linear += row_sum * (total_ - column_sum) + column_sum * (total_ - row_sum);
      const auto at = static_cast<double>(c);
      moments[0] += at * rows_[c];
      moments[1] += at * at * rows_[c];
      moments[2] += at * columns_[c];
      moments[3] += at * at * columns_[c];
    }
    switch (weights_) {
      case KappaWeights::kNone:
        return total_ * total_ - same;
      case KappaWeights::kLinear:
        return linear;
      case KappaWeights::kQuadratic:
        return total_ * (moments[1] + moments[3]) - 2 * moments[0] * moments[2];
    }
    return 0;
  }

  KappaWeights weights_;
  double total_ = 0;
  double observed_ = 0;
  std::vector<double> rows_;
  std::vector<double> columns_;
};

}  // namespace

Ratings::Ratings(int categories) : Ratings(counted(categories)) {}

Ratings::Ratings(std::vector<double> scale) : scale_(std::move(scale)) {
  require(!scale_.empty() && scale_.size() <= kMaxCategories, "agreement: there are 1 to 100000 categories");
  for (size_t c = 0; c < scale_.size(); ++c) {
    require(std::isfinite(scale_[c]) && (c == 0 || scale_[c] > scale_[c - 1]), "agreement: the numbers of categories ascend");
  }
}

void Ratings::add(std::span<const Answer> answers) {
  const size_t begin = answers_.size();
  for (const Answer& answer : answers) {
    if (answer.category < 0 || answer.category >= categories() || answer.annotator < 0 || answer.annotator >= kMaxAnnotators) {
      answers_.resize(begin);
      throw base::Error(base::Code::kInvalid, fmt::format("agreement: item {} has category {} of annotator {}; categories are 0 to {}", items(),
                                                          answer.category, answer.annotator, categories() - 1));
    }
    answers_.push_back(answer);
  }
  std::sort(answers_.begin() + static_cast<std::ptrdiff_t>(begin), answers_.end(),
            [](const Answer& a, const Answer& b) { return a.annotator < b.annotator; });
  for (size_t i = begin + 1; i < answers_.size(); ++i) {
    if (answers_[i].annotator == answers_[i - 1].annotator) {
      const int twice = answers_[i].annotator;
      answers_.resize(begin);
      throw base::Error(base::Code::kInvalid, fmt::format("agreement: annotator {} answered item {} twice", twice, items()));
    }
  }
  if (answers_.size() > begin) {
    annotators_ = std::max(annotators_, answers_.back().annotator + 1);
  }
  begins_.push_back(answers_.size());
}

Ratings Ratings::one_against_others(int category) const {
  require(category >= 0 && category < categories(), "agreement: no such category");
  Ratings result(2);
  result.begins_ = begins_;
  result.annotators_ = annotators_;
  result.answers_ = answers_;
  for (Answer& answer : result.answers_) {
    answer.category = answer.category == category ? 1 : 0;
  }
  return result;
}

Agreement agreement(const Ratings& ratings, MeasureLevel level, const AgreementOptions& options) {
  const Rows rows = rows_of(ratings);
  Sums sums(ratings, level);
  SumStatistic statistic;
  statistic.measures = 4;
  statistic.clear = [&] { sums.clear(); };
  statistic.add = [&](int kind, double weight) { sums.add(rows.kinds[static_cast<size_t>(kind)], weight); };
  statistic.measure = [&](std::span<double> out) { sums.measure(out); };
  std::vector<Interval> intervals = intervals_of(rows.items, statistic, -1, 1, options);
  for (Interval& interval : intervals) {
    interval.n = rows.pairable;
  }
  intervals[0].low = std::isnan(intervals[0].low) ? kNan : std::max(0.0, intervals[0].low);
  Agreement result{intervals[0], intervals[1], intervals[2], intervals[3]};
  std::vector<bool> answered(static_cast<size_t>(ratings.annotators()));
  for (int64_t item = 0; item < ratings.items(); ++item) {
    for (const Ratings::Answer& answer : ratings.of(item)) {
      ++result.answers;
      answered[static_cast<size_t>(answer.annotator)] = true;
    }
  }
  result.annotators = static_cast<int>(std::count(answered.begin(), answered.end(), true));
  return result;
}

std::vector<PairAgreement> pair_agreement(const Ratings& ratings, KappaWeights weights, const AgreementOptions& options) {
  std::map<std::pair<int, int>, Pair> pairs;
  for (int64_t item = 0; item < ratings.items(); ++item) {
    const auto answers = ratings.of(item);
    for (size_t i = 0; i < answers.size(); ++i) {
      for (size_t j = i + 1; j < answers.size(); ++j) {
        pairs[{answers[i].annotator, answers[j].annotator}].add(answers[i].category, answers[j].category);
      }
    }
  }
  std::vector<PairAgreement> result;
  CohenSums sums(ratings.categories(), weights);
  for (const auto& [who, pair] : pairs) {
    std::vector<std::pair<int, int>> kinds(pair.kinds.size());
    for (const auto& [said, kind] : pair.kinds) {
      kinds[static_cast<size_t>(kind)] = said;
    }
    SumStatistic statistic;
    statistic.measures = 1;
    statistic.clear = [&] { sums.clear(); };
    statistic.add = [&](int kind, double weight) {
      const auto& [first, second] = kinds[static_cast<size_t>(kind)];
      sums.add(first, second, weight);
    };
    statistic.measure = [&](std::span<double> out) { out[0] = sums.kappa(); };
    const auto n = static_cast<int64_t>(pair.items.of_item.size());
    result.push_back({who.first, who.second, wilson(pair.same, n, options.bootstrap.confidence),
                      intervals_of(pair.items, statistic, -1, 1, options)[0]});
  }
  return result;
}

double cohen_kappa(std::span<const double> counts, int categories, KappaWeights weights) {
  require(categories > 0, "cohen_kappa: no categories");
  require_same(counts.size(), static_cast<size_t>(categories) * static_cast<size_t>(categories), "cohen_kappa");
  CohenSums sums(categories, weights);
  for (int a = 0; a < categories; ++a) {
    for (int b = 0; b < categories; ++b) {
      sums.add(a, b, counts[static_cast<size_t>(a * categories + b)]);
    }
  }
  return sums.kappa();
}

}  // namespace slipway::stats
