// The Kullback-Leibler divergence of a column from an expected partition, as Great Expectations weighs what the partition lacks.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "data/expectation_check.h"

namespace slipway::data {
namespace {

constexpr size_t kMaxValues = 100'000;

// scipy.stats.entropy(p, q): both are scaled to a sum of 1.
double entropy(std::vector<double> p, std::vector<double> q) {
  const double all_p = std::accumulate(p.begin(), p.end(), 0.0);
  const double all_q = std::accumulate(q.begin(), q.end(), 0.0);
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double a = p[i] / all_p;
    const double b = q[i] / all_q;
    sum += a > 0 && b > 0 ? a * std::log(a / b) : a == 0 && b >= 0 ? 0 : INFINITY;
  }
  return sum;
}

std::vector<double> numbers_of(Kwargs& kwargs, const Json& partition, const char* name) {
  std::vector<double> numbers;
  const auto list = partition.find(name);
  for (const Json& one : list != partition.end() && list->is_array() ? *list : Json::array()) {
    if (!one.is_number() || !std::isfinite(one.get<double>())) {
      kwargs.fail(fmt::format("'{}' of the partition are numbers", name));
    }
    numbers.push_back(one.get<double>());
  }
  return numbers;
}

class DivergenceCheck final : public ExpectationCheck {
 public:
  explicit DivergenceCheck(CheckMaker& maker) : column_(maker.columns.index(maker.kwargs.text("column"))) {
    Kwargs& kwargs = maker.kwargs;
    const Json& partition = kwargs.need("partition_object");
    static_cast<void>(kwargs.need("threshold"));
    threshold_ = kwargs.number("threshold", 0);
    tail_ = kwargs.number("tail_weight_holdout", 0);
    internal_ = kwargs.number("internal_weight_holdout", 0);
    static_cast<void>(kwargs.flag("bucketize_data", true));
    if (!partition.is_object()) {
      kwargs.fail("'partition_object' is {values, weights} or {bins, weights}");
    }
    weights_ = numbers_of(kwargs, partition, "weights");
    bins_ = numbers_of(kwargs, partition, "bins");
    tail_weights_ = numbers_of(kwargs, partition, "tail_weights");
    const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0) + std::accumulate(tail_weights_.begin(), tail_weights_.end(), 0.0);
    constexpr double kSumTolerance = 1e-3;
    if (std::abs(sum - 1) > kSumTolerance || threshold_ < 0 || tail_ < 0 || tail_ > 1 || internal_ < 0 || internal_ > 1 || (!tail_weights_.empty() && tail_weights_.size() != 2)) {
      kwargs.fail("the weights of the partition sum to 1, the threshold is not negative, holdouts are shares");
    }
    if (const auto values = partition.find("values"); values != partition.end()) {
      for (const Json& value : *values) {
        values_.push_back(ValueSet::key(value));
        shown_.push_back(value);
      }
    }
    const bool good = bins_.empty() ? values_.size() == weights_.size() && !values_.empty() && internal_ == 0
                                    : bins_.size() == weights_.size() + 1 && std::is_sorted(bins_.begin(), bins_.end()) && values_.empty();
    if (!good) {
      kwargs.fail("the partition has as many values as weights (and no 'internal_weight_holdout'), or one rising bin edge more");
    }
    hist_.resize(bins_.empty() ? 0 : weights_.size());
  }
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (cell.is_null()) {
      return;
    }
    ++count_;
    if (bins_.empty()) {
      const Json value = cell.json();
      const std::string key = ValueSet::key(value);
      if (counts_.size() < kMaxValues || counts_.contains(key)) {
        auto& entry = counts_[key];
        entry.first = value;
        ++entry.second;
      } else {
        ++beyond_;
      }
    } else if (cell.numeric) {
      bin(cell.number);
    } else {
      ++beyond_;
    }
  }
  Outcome finish(int64_t, CheckSpace&) override {
    Outcome outcome;
    if (count_ == 0 || (beyond_ > 0 && !bins_.empty())) {
      outcome.result["observed_value"] = nullptr;
      return outcome;
    }
    std::vector<double> p;
    std::vector<double> q;
    bins_.empty() ? categories(p, q, outcome) : intervals(p, q, outcome);
    const double divergence = entropy(p, q);
    outcome.result["observed_value"] = std::isfinite(divergence) ? Json(divergence) : Json();
    outcome.success = divergence <= threshold_;
    return outcome;
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  void bin(double value) {
    if (value < bins_.front()) {
      ++below_;
    } else if (value > bins_.back()) {
      ++above_;
    } else {
      const auto at = std::upper_bound(bins_.begin(), bins_.end(), value) - bins_.begin() - 1;
      ++hist_[std::min(static_cast<size_t>(at), hist_.size() - 1)];  // the last bin has its upper edge
    }
  }
  double share(int64_t count) const { return static_cast<double>(count) / static_cast<double>(count_); }

  void categories(std::vector<double>& p, std::vector<double>& q, Outcome& outcome) const {
    Json values = Json::array();
    const std::set<std::string> expected(values_.begin(), values_.end());
    int64_t strangers = beyond_ > 0 ? 1 : 0;
    for (const auto& [key, entry] : counts_) {
      strangers += expected.contains(key) ? 0 : 1;
    }
    for (size_t i = 0; i < values_.size(); ++i) {
      const auto it = counts_.find(values_[i]);
      p.push_back(it == counts_.end() ? 0 : share(it->second.second));
      q.push_back(weights_[i] * (strangers > 0 ? 1 - tail_ : 1));
      values.push_back(shown_[i]);
    }
    for (const auto& [key, entry] : counts_) {
      if (!expected.contains(key)) {
        p.push_back(share(entry.second));
        q.push_back(tail_ / static_cast<double>(strangers));
        values.push_back(entry.first);
      }
    }
    if (beyond_ > 0) {
      p.push_back(share(beyond_));
      q.push_back(tail_ / static_cast<double>(strangers));
      values.push_back("…");
    }
    outcome.result["details"] = {{"observed_partition", {{"values", values}, {"weights", p}}}, {"expected_partition", {{"values", values}, {"weights", q}}}};
  }
  void intervals(std::vector<double>& p, std::vector<double>& q, Outcome& outcome) const {
    const double kept = 1 - tail_ - internal_;
    const int64_t empty = std::count(weights_.begin(), weights_.end(), 0.0);
    p.push_back(share(below_));
    q.push_back(tail_weights_.empty() ? tail_ / 2 : tail_weights_[0]);
    for (size_t i = 0; i < weights_.size(); ++i) {
      p.push_back(share(hist_[i]));
      q.push_back(weights_[i] == 0 && internal_ > 0 ? internal_ / static_cast<double>(empty) : weights_[i] * kept);
    }
    p.push_back(share(above_));
    q.push_back(tail_weights_.empty() ? tail_ / 2 : tail_weights_[1]);
    outcome.result["details"] = {
        {"observed_partition", {{"bins", bins_}, {"weights", std::vector<double>(p.begin() + 1, p.end() - 1)}, {"tail_weights", {p.front(), p.back()}}}},
        {"expected_partition", {{"bins", bins_}, {"weights", std::vector<double>(q.begin() + 1, q.end() - 1)}, {"tail_weights", {q.front(), q.back()}}}}};
  }

  size_t column_;
  double threshold_ = 0;
  double tail_ = 0;
  double internal_ = 0;
  std::vector<double> weights_;
  std::vector<double> tail_weights_;
  std::vector<double> bins_;
  std::vector<std::string> values_;  // keys
  std::vector<Json> shown_;
  std::vector<int64_t> hist_;
  std::map<std::string, std::pair<Json, int64_t>> counts_;
  int64_t count_ = 0;
  int64_t below_ = 0;
  int64_t above_ = 0;
  int64_t beyond_ = 0;
};

}  // namespace

void add_distribution_checks(CheckTable& table) {
  table["expect_column_kl_divergence_to_be_less_than"] = [](CheckMaker& maker) { return std::make_unique<DivergenceCheck>(maker); };
}

}  // namespace slipway::data
