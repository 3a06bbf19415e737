// Expectations that are tests: chi-square of a column against a partition, Kolmogorov-Smirnov against a distribution, Cramér's phi of two
// columns (these three as Great Expectations 0.18 had them in its contrib and legacy API; 1.x has their names only), and outliers.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "data/expect_numbers.h"
#include "data/expectation_check.h"
#include "stats/distributions.h"
#include "stats/kolmogorov.h"
#include "stats/tests.h"

namespace slipway::data {
namespace {

constexpr size_t kMaxValues = 100'000;

double share_of(Kwargs& kwargs, const char* name, double fallback) {
  const double value = kwargs.number(name, fallback);
  if (!(value >= 0 && value <= 1)) {
    kwargs.fail(fmt::format("'{}' is from 0 to 1", name));
  }
  return value;
}

// Counts of values against expected shares: scipy.stats.chisquare. Values that are not in the partition make p 0, unless
// `tail_weight_holdout` gives them a share.
class ChiSquareCheck final : public ExpectationCheck {
 public:
  explicit ChiSquareCheck(CheckMaker& maker)
      : column_(maker.columns.index(maker.kwargs.text("column"))), least_(share_of(maker.kwargs, "p", 0.05)), tail_(share_of(maker.kwargs, "tail_weight_holdout", 0)) {
    const Json& partition = maker.kwargs.need("partition_object");
    const auto values = partition.is_object() ? partition.find("values") : partition.end();
    const auto weights = partition.is_object() ? partition.find("weights") : partition.end();
    if (!partition.is_object() || values == partition.end() || weights == partition.end() || !values->is_array() || !weights->is_array() || values->size() != weights->size() ||
        values->empty()) {
      maker.kwargs.fail("'partition_object' is {values: […], weights: […]} of one length");
    }
    double sum = 0;
    for (size_t i = 0; i < values->size(); ++i) {
      const Json& weight = (*weights)[i];
      if (!weight.is_number() || !(weight.get<double>() > 0) || !keys_.emplace(ValueSet::key((*values)[i]), i).second) {
        maker.kwargs.fail("the weights are numbers above 0, the values differ");
      }
      weights_.push_back(weight.get<double>());
      sum += weights_.back();
    }
    constexpr double kClose = 1e-6;
    if (std::abs(sum - 1) > kClose) {
      maker.kwargs.fail("the weights sum to 1");
    }
    counts_.assign(weights_.size(), 0);
  }
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (cell.is_null()) {
      return;
    }
    ++total_;
    const auto it = keys_.find(ValueSet::key(cell.json()));
    ++(it == keys_.end() ? strangers_ : counts_[it->second]);
  }
  Outcome finish(int64_t, CheckSpace&) override {
    Outcome outcome;
    std::vector<double> observed(counts_.begin(), counts_.end());
    std::vector<double> expected;
    for (const double weight : weights_) {
      expected.push_back(weight * (tail_ > 0 ? 1 - tail_ : 1) * static_cast<double>(total_));
    }
    if (tail_ > 0) {
      observed.push_back(static_cast<double>(strangers_));
      expected.push_back(tail_ * static_cast<double>(total_));
    }
    double statistic = 0;
    for (size_t i = 0; i < observed.size(); ++i) {
      statistic += (observed[i] - expected[i]) * (observed[i] - expected[i]) / expected[i];
    }
    if (total_ == 0 || observed.size() < 2) {
      outcome.result["observed_value"] = nullptr;
      return outcome;
    }
    const double p = strangers_ > 0 && tail_ == 0 ? 0 : stats::chi2_upper(statistic, static_cast<double>(observed.size() - 1));
    outcome.success = p > least_;
    outcome.result["observed_value"] = p;
    outcome.result["details"] = {{"observed_partition", {{"weights", observed}}}, {"expected_partition", {{"weights", expected}}}};
    return outcome;
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  size_t column_;
  double least_;
  double tail_;
  std::map<std::string, size_t> keys_;
  std::vector<double> weights_;
  std::vector<int64_t> counts_;
  int64_t strangers_ = 0;
  int64_t total_ = 0;
};

// The distribution function of a name with its parameters, a list (scipy's order) or an object.
std::function<double(double)> distribution_of(Kwargs& kwargs) {
  const std::string name = kwargs.text("distribution");
  const Json* given = kwargs.find("params");
  const auto value = [&](size_t place, const std::vector<const char*>& names, double fallback) {
    if (given == nullptr) {
      return fallback;
    }
    const Json* found = nullptr;
    if (given->is_array() && place < given->size()) {
      found = &(*given)[place];
    }
    for (const char* one : names) {
      if (given->is_object() && given->contains(one)) {
        found = &*given->find(one);
      }
    }
    if (found != nullptr && !found->is_number()) {
      kwargs.fail("'params' are numbers");
    }
    return found == nullptr ? fallback : found->get<double>();
  };
  const auto positive = [&](double one, const char* what) {
    if (!(one > 0) || !std::isfinite(one)) {
      kwargs.fail(fmt::format("'{}' of {} is above 0", what, name));
    }
    return one;
  };
  if (name == "norm") {
    const double mean = value(0, {"mean", "loc"}, 0);
    const double stdev = positive(value(1, {"std_dev", "scale"}, 1), "scale");
    return [=](double x) { return stats::normal_cdf((x - mean) / stdev); };
  }
  if (name == "uniform") {
    const double low = value(0, {"min", "loc"}, 0);
    const double width = given != nullptr && given->is_object() && given->contains("max") ? positive(value(1, {"max"}, 1) - low, "max") : positive(value(1, {"scale"}, 1), "scale");
    return [=](double x) { return std::clamp((x - low) / width, 0.0, 1.0); };
  }
  if (name == "expon") {
    const double low = value(0, {"loc"}, 0);
    const double scale = positive(value(1, {"scale"}, 1), "scale");
    return [=](double x) { return x <= low ? 0 : -std::expm1(-(x - low) / scale); };
  }
  if (name == "chi2" || name == "gamma") {
    const double shape = positive(value(0, {"df", "alpha", "a"}, 1), name == "chi2" ? "df" : "a");
    const double low = value(1, {"loc"}, 0);
    const double scale = positive(value(2, {"scale"}, 1), "scale");
    const bool chi2 = name == "chi2";
    return [=](double x) { return x <= low ? 0 : chi2 ? stats::chi2_cdf((x - low) / scale, shape) : stats::chi2_cdf(2 * (x - low) / scale, 2 * shape); };
  }
  kwargs.fail(fmt::format("does not know the distribution '{}'; there are norm, uniform, expon, gamma, chi2", name));
}

// scipy.stats.kstest(column, distribution, params), two-sided and exact.
class KsCheck final : public ExpectationCheck {
 public:
  explicit KsCheck(CheckMaker& maker)
      : column_(maker.columns.index(maker.kwargs.text("column"))), least_(share_of(maker.kwargs, "p_value", 0.05)), cdf_(distribution_of(maker.kwargs)),
        sorter_(maker.space.space, maker.space.next_name(), maker.space.memory_each) {}
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (cell.numeric) {
      sorter_.add(cell.number);
    } else if (!cell.is_null()) {
      ++others_;
    }
  }
  Outcome finish(int64_t, CheckSpace&) override {
    Outcome outcome;
    const auto n = static_cast<int64_t>(sorter_.count());
    if (n == 0 || others_ > 0) {
      outcome.result["observed_value"] = nullptr;
      if (others_ > 0) {
        outcome.result["error"] = fmt::format("{} values are no numbers", others_);
      }
      return outcome;
    }
    double largest = 0;
    SortedStream<double> stream = sorter_.finish();
    double value = 0;
    for (int64_t i = 0; stream.next(value); ++i) {
      const double at = cdf_(value);
      largest = std::max({largest, static_cast<double>(i + 1) / static_cast<double>(n) - at, at - static_cast<double>(i) / static_cast<double>(n)});
    }
    sorter_.remove_runs();
    const double p = stats::kolmogorov_exact_upper(n, largest);
    outcome.success = p >= least_;
    outcome.result["observed_value"] = p;
    outcome.result["details"] = {{"observed_ks_result", {largest, p}}};
    return outcome;
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  size_t column_;
  double least_;
  std::function<double(double)> cdf_;
  ExternalSorter<double> sorter_;
  int64_t others_ = 0;
};

// How much two columns of few values know of one another: sqrt(chi2 / n / (min(rows, columns) - 1)) of their crosstab.
class PhiCheck final : public ExpectationCheck {
 public:
  explicit PhiCheck(CheckMaker& maker)
      : columns_{maker.columns.index(maker.kwargs.text("column_A")), maker.columns.index(maker.kwargs.text("column_B"))}, most_(share_of(maker.kwargs, "threshold", 0.1)) {}
  void row(const RowCells& row) override {
    const Cell& a = row.cells[columns_[0]];
    const Cell& b = row.cells[columns_[1]];
    if (a.is_null() || b.is_null()) {
      return;
    }
    const auto number = [](std::map<std::string, size_t>& names, const Cell& cell) { return names.emplace(ValueSet::key(cell.json()), names.size()).first->second; };
    if (counts_.size() < kMaxValues) {
      ++counts_[{number(names_[0], a), number(names_[1], b)}];
    } else {
      too_many_ = true;
    }
  }
  Outcome finish(int64_t, CheckSpace&) override {
    Outcome outcome;
    outcome.result["observed_value"] = nullptr;
    const size_t rows = names_[0].size();
    const size_t columns = names_[1].size();
    constexpr size_t kMaxCells = 10'000'000;
    if (too_many_ || rows * columns > kMaxCells) {
      outcome.result["error"] = "the columns have too many different values";
      return outcome;
    }
    if (rows < 2 || columns < 2) {
      return outcome;
    }
    std::vector<double> table(rows * columns, 0);
    double total = 0;
    for (const auto& [place, count] : counts_) {
      table[place.first * columns + place.second] = static_cast<double>(count);
      total += static_cast<double>(count);
    }
    const stats::Chi2Result chi2 = stats::chi2_contingency(table, static_cast<int>(rows), static_cast<int>(columns), true);
    const double phi = std::clamp(std::sqrt(chi2.statistic / total / static_cast<double>(std::min(rows, columns) - 1)), 0.0, 1.0);
    outcome.success = phi <= most_;
    outcome.result["observed_value"] = phi;
    return outcome;
  }
  std::vector<size_t> used_columns() const override { return {columns_[0], columns_[1]}; }

 private:
  size_t columns_[2];
  double most_;
  std::map<std::string, size_t> names_[2];
  std::map<std::pair<size_t, size_t>, int64_t> counts_;
  bool too_many_ = false;
};

// Values within Tukey's fences (linear quartiles -/+ multiplier * range between them), or nearer to the mean than multiplier * stdev.
class OutlierCheck final : public ExpectationCheck {
 public:
  explicit OutlierCheck(CheckMaker& maker)
      : column_(maker.columns.index(maker.kwargs.text("column"))),
        multiplier_(maker.kwargs.number("multiplier", 1.5)),
        counts_(maker.space.examples, share_of(maker.kwargs, "mostly", 1)),
        sorter_(maker.space.space, maker.space.next_name(), maker.space.memory_each / 2),
        numbers_(maker.space) {
    const std::string method = maker.kwargs.find("method") == nullptr ? "iqr" : maker.kwargs.text("method");
    if (method != "iqr" && method != "std") {
      maker.kwargs.fail("'method' is 'iqr' or 'std'");
    }
    fences_ = method == "iqr";
  }
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (cell.is_null()) {
      counts_.missing();
    } else if (!cell.numeric) {
      counts_.bad(row.number, cell.json());
    } else {
      sorter_.add({cell.number, row.number});
      numbers_.add(cell.number);
    }
  }
  Outcome finish(int64_t, CheckSpace& space) override {
    const int64_t n = numbers_.count();
    const double mean = numbers_.mean();
    const double stdev = numbers_.stdev();
    double low = -INFINITY;
    double high = INFINITY;
    if (fences_ && n > 0) {
      const double first = quantile(0.25, n);
      const double third = quantile_at_;
      low = first - multiplier_ * (third - first);
      high = third + multiplier_ * (third - first);
    }
    const auto good = [&](double value) {
      if (fences_) {
        return value >= low && value <= high;
      }
      if (n < 2) {
        return true;
      }
      return multiplier_ * stdev <= 0 ? value == mean : std::abs(value - mean) < multiplier_ * stdev;
    };
    return judge_numbers(sorter_, counts_, space.examples, good);
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  // The first and (into quantile_at_) the third quartile, linear between neighbours as pandas'; the numbers can be read once.
  double quantile(double q, int64_t n) {
    const double places[2] = {q * static_cast<double>(n - 1), (1 - q) * static_cast<double>(n - 1)};
    std::vector<int64_t> ranks;
    for (const double place : places) {
      ranks.push_back(static_cast<int64_t>(std::floor(place)));
      ranks.push_back(std::min(n - 1, static_cast<int64_t>(std::floor(place)) + 1));
    }
    std::vector<int64_t> rising = ranks;
    std::sort(rising.begin(), rising.end());
    const std::vector<double> values = numbers_.at_ranks(rising);
    const auto at = [&](int64_t rank) { return values[static_cast<size_t>(std::lower_bound(rising.begin(), rising.end(), rank) - rising.begin())]; };
    double found[2];
    for (size_t i = 0; i < 2; ++i) {
      const double part = places[i] - std::floor(places[i]);
      found[i] = at(ranks[2 * i]) + part * (at(ranks[2 * i + 1]) - at(ranks[2 * i]));
    }
    quantile_at_ = found[1];
    return found[0];
  }

  size_t column_;
  double multiplier_;
  bool fences_ = true;
  double quantile_at_ = 0;
  MapCounts counts_;
  ExternalSorter<NumberAt> sorter_;
  Numbers numbers_;
};

}  // namespace

void add_test_checks(CheckTable& table) {
  table["expect_column_chisquare_test_p_value_to_be_greater_than"] = [](CheckMaker& maker) { return std::make_unique<ChiSquareCheck>(maker); };
  table["expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than"] = [](CheckMaker& maker) { return std::make_unique<KsCheck>(maker); };
  table["expect_column_pair_cramers_phi_value_to_be_less_than"] = [](CheckMaker& maker) { return std::make_unique<PhiCheck>(maker); };
  table["expect_column_values_to_not_be_outliers"] = [](CheckMaker& maker) { return std::make_unique<OutlierCheck>(maker); };
}

}  // namespace slipway::data
