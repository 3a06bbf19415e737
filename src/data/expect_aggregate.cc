// Expectations of one number a column or a table.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "data/expectation_check.h"

namespace slipway::data {
namespace {

Outcome observed(Json value, bool success) {
  Outcome outcome;
  outcome.result["observed_value"] = std::move(value);
  outcome.success = success;
  return outcome;
}

// A number of a column, held to bounds.
class AggregateCheck final : public ExpectationCheck {
 public:
  enum class Kind { kMin, kMax, kMean, kMedian, kStdev, kSum };
  AggregateCheck(CheckMaker& maker, Kind kind)
      : column_(maker.columns.index(maker.kwargs.text("column"))), kind_(kind), bounds_(Bounds::of(maker.kwargs)), numbers_(maker.space) {}
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (cell.numeric) {
      if (kind_ == Kind::kMedian) {
        numbers_.add(cell.number);
      } else {
        count(cell.number);
      }
    } else if (!cell.is_null()) {
      ++others_;
      if (kind_ == Kind::kMin || kind_ == Kind::kMax) {
        extreme_text(cell);
      }
    }
  }
  Outcome finish(int64_t, CheckSpace&) override {
    if (count_ == 0 && numbers_.count() == 0 && !text_.empty()) {
      const Json value = text_;
      Cell cell;
      cell.kind = Cell::Kind::kText;
      cell.text = text_;
      return observed(value, bounds_.hold(cell));
    }
    if (others_ > 0) {
      Outcome outcome = observed(nullptr, false);
      outcome.result["error"] = fmt::format("{} values are no numbers", others_);
      return outcome;
    }
    const double value = this->value();
    if (std::isnan(value)) {
      return observed(nullptr, false);
    }
    return observed(value, bounds_.hold(value));
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  void count(double value) {
    low_ = count_ == 0 ? value : std::min(low_, value);
    high_ = count_ == 0 ? value : std::max(high_, value);
    ++count_;
    const double delta = value - mean_;  // Welford 1962
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (value - mean_);
    sum_ += value;
  }
  void extreme_text(const Cell& cell) {
    const std::string text = cell.as_text();
    if (text_.empty() || (kind_ == Kind::kMin ? text < text_ : text > text_)) {
      text_ = text;
    }
  }
  double value() {
    if (kind_ == Kind::kMedian) {
      const int64_t n = numbers_.count();
      if (n == 0) {
        return NAN;
      }
      const std::vector<double> middle = numbers_.at_ranks({(n - 1) / 2, n / 2});
      return (middle[0] + middle[1]) / 2;
    }
    if (kind_ == Kind::kSum) {
      return static_cast<double>(sum_);
    }
    if (count_ == 0) {
      return NAN;
    }
    switch (kind_) {
      case Kind::kMin: return low_;
      case Kind::kMax: return high_;
      case Kind::kMean: return static_cast<double>(sum_ / static_cast<long double>(count_));
      default: return count_ < 2 ? NAN : std::sqrt(squares_ / static_cast<double>(count_ - 1));
    }
  }

  size_t column_;
  Kind kind_;
  Bounds bounds_;
  Numbers numbers_;  // of a median
  int64_t count_ = 0;
  int64_t others_ = 0;
  double low_ = 0;
  double high_ = 0;
  double mean_ = 0;
  double squares_ = 0;
  long double sum_ = 0;
  std::string text_;
};

// Quantiles as pandas has them with interpolation "nearest".
class QuantileCheck final : public ExpectationCheck {
 public:
  explicit QuantileCheck(CheckMaker& maker) : column_(maker.columns.index(maker.kwargs.text("column"))), numbers_(maker.space) {
    const Json& ranges = maker.kwargs.need("quantile_ranges");
    static_cast<void>(maker.kwargs.find("allow_relative_error"));  // ours are exact
    const auto quantiles = ranges.is_object() ? ranges.find("quantiles") : ranges.end();
    const auto values = ranges.is_object() ? ranges.find("value_ranges") : ranges.end();
    if (!ranges.is_object() || quantiles == ranges.end() || values == ranges.end() || !quantiles->is_array() || !values->is_array() ||
        quantiles->size() != values->size()) {
      maker.kwargs.fail("'quantile_ranges' is {quantiles: […], value_ranges: [[low, high], …]}, as many of both");
    }
    for (size_t i = 0; i < quantiles->size(); ++i) {
      const Json& q = (*quantiles)[i];
      const Json& range = (*values)[i];
      const auto bound = [](const Json& one) { return one.is_null() || one.is_number(); };
      if (!q.is_number() || q.get<double>() < 0 || q.get<double>() > 1 || !range.is_array() || range.size() != 2 || !bound(range[0]) || !bound(range[1])) {
        maker.kwargs.fail("a quantile is a number from 0 to 1, its range two numbers or null");
      }
      quantiles_.push_back(q.get<double>());
      ranges_.push_back(range);
    }
  }
  void row(const RowCells& row) override {
    if (row.cells[column_].numeric) {
      numbers_.add(row.cells[column_].number);
    }
  }
  Outcome finish(int64_t, CheckSpace&) override {
    const int64_t n = numbers_.count();
    if (n == 0) {
      return observed(nullptr, false);
    }
    std::vector<int64_t> ranks;
    for (const double q : quantiles_) {
      ranks.push_back(std::llrint(q * static_cast<double>(n - 1)));  // to even, as numpy.around
    }
    std::vector<int64_t> sorted = ranks;
    std::sort(sorted.begin(), sorted.end());
    const std::vector<double> at = numbers_.at_ranks(sorted);
    Json values = Json::array();
    Json details = Json::array();
    bool all = true;
    for (size_t i = 0; i < ranks.size(); ++i) {
      const double value = at[static_cast<size_t>(std::lower_bound(sorted.begin(), sorted.end(), ranks[i]) - sorted.begin())];
      const bool good = (ranges_[i][0].is_null() || value >= ranges_[i][0].get<double>()) && (ranges_[i][1].is_null() || value <= ranges_[i][1].get<double>());
      values.push_back(value);
      details.push_back(good);
      all = all && good;
    }
    Outcome outcome = observed({{"quantiles", quantiles_}, {"values", values}}, all);
    outcome.result["details"] = {{"success_details", details}};
    return outcome;
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  size_t column_;
  std::vector<double> quantiles_;
  std::vector<Json> ranges_;
  Numbers numbers_;
};

// How many distinct values, or values at all; as a count or a share.
class CountCheck final : public ExpectationCheck {
 public:
  enum class Kind { kUnique, kUniqueShare, kPresentShare };
  CountCheck(CheckMaker& maker, Kind kind)
      : column_(maker.columns.index(maker.kwargs.text("column"))),
        kind_(kind),
        bounds_(Bounds::of(maker.kwargs)),
        sorter_(maker.space.space, maker.space.next_name(), maker.space.memory_each) {}
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (!cell.is_null()) {
      ++present_;
      if (kind_ != Kind::kPresentShare) {
        sorter_.add(cell.hash());
      }
    }
  }
  Outcome finish(int64_t rows, CheckSpace&) override {
    int64_t distinct = 0;
    SortedStream<Hash128> stream = sorter_.finish();
    for (Hash128 hash; stream.next_distinct(hash);) {
      ++distinct;
    }
    sorter_.remove_runs();
    if (kind_ == Kind::kUnique) {
      return observed(distinct, bounds_.hold(static_cast<double>(distinct)));
    }
    const int64_t all = kind_ == Kind::kUniqueShare ? present_ : rows;
    const double share = all == 0 ? 0 : static_cast<double>(kind_ == Kind::kUniqueShare ? distinct : present_) / static_cast<double>(all);
    return observed(share, bounds_.hold(share));
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  size_t column_;
  Kind kind_;
  Bounds bounds_;
  ExternalSorter<Hash128> sorter_;
  int64_t present_ = 0;
};

template <class Kind>
MakeCheck make_aggregate(Kind kind) {
  return [kind](CheckMaker& maker) -> std::unique_ptr<ExpectationCheck> {
    if constexpr (std::is_same_v<Kind, AggregateCheck::Kind>) {
      return std::make_unique<AggregateCheck>(maker, kind);
    } else {
      return std::make_unique<CountCheck>(maker, kind);
    }
  };
}

// Of the table: its rows and columns.
class RowCountCheck final : public ExpectationCheck {
 public:
  explicit RowCountCheck(Bounds bounds) : bounds_(std::move(bounds)) {}
  void row(const RowCells&) override {}
  Outcome finish(int64_t rows, CheckSpace&) override { return observed(rows, bounds_.hold(static_cast<double>(rows))); }
  std::vector<size_t> used_columns() const override { return {}; }

 private:
  Bounds bounds_;
};

class ColumnsCheck final : public ExpectationCheck {
 public:
  using Judge = std::function<Outcome(const std::vector<std::string>&)>;
  explicit ColumnsCheck(Judge judge) : judge_(std::move(judge)) {}
  void row(const RowCells&) override {}
  bool wants_columns() const override { return true; }
  void columns(const std::vector<std::string>& names) override { names_ = names; }
  Outcome finish(int64_t, CheckSpace&) override { return judge_(names_); }
  std::vector<size_t> used_columns() const override { return {}; }

 private:
  Judge judge_;
  std::vector<std::string> names_;
};

Outcome match_set(const std::vector<std::string>& names, const std::vector<std::string>& wanted, bool exact) {
  const std::set<std::string> have(names.begin(), names.end());
  const std::set<std::string> want(wanted.begin(), wanted.end());
  Json missing = Json::array();
  Json unexpected = Json::array();
  for (const std::string& name : want) {
    have.contains(name) ? void() : missing.push_back(name);
  }
  for (const std::string& name : have) {
    want.contains(name) ? void() : unexpected.push_back(name);
  }
  Outcome outcome = observed(Json(std::vector<std::string>(have.begin(), have.end())), missing.empty() && (!exact || unexpected.empty()));
  Json mismatched = Json::object();
  if (!unexpected.empty()) {
    mismatched["unexpected"] = unexpected;
  }
  if (!missing.empty()) {
    mismatched["missing"] = missing;
  }
  if (!mismatched.empty()) {
    outcome.result["details"] = {{"mismatched", mismatched}};
  }
  return outcome;
}

Outcome match_list(const std::vector<std::string>& names, const std::vector<std::string>& wanted) {
  Outcome outcome = observed(names, names == wanted);
  Json mismatched = Json::array();
  for (size_t i = 0; i < std::max(names.size(), wanted.size()); ++i) {
    const Json expected = i < wanted.size() ? Json(wanted[i]) : Json();
    const Json found = i < names.size() ? Json(names[i]) : Json();
    if (expected != found) {
      mismatched.push_back({{"Expected Column Position", i}, {"Expected", expected}, {"Found", found}});
    }
  }
  if (!mismatched.empty()) {
    outcome.result["details"] = {{"mismatched", mismatched}};
  }
  return outcome;
}

MakeCheck columns_check(std::function<ColumnsCheck::Judge(Kwargs&)> make) {
  return [make = std::move(make)](CheckMaker& maker) -> std::unique_ptr<ExpectationCheck> { return std::make_unique<ColumnsCheck>(make(maker.kwargs)); };
}

}  // namespace

void add_aggregate_checks(CheckTable& table) {
  using Aggregate = AggregateCheck::Kind;
  table["expect_column_min_to_be_between"] = make_aggregate(Aggregate::kMin);
  table["expect_column_max_to_be_between"] = make_aggregate(Aggregate::kMax);
  table["expect_column_mean_to_be_between"] = make_aggregate(Aggregate::kMean);
  table["expect_column_median_to_be_between"] = make_aggregate(Aggregate::kMedian);
  table["expect_column_stdev_to_be_between"] = make_aggregate(Aggregate::kStdev);
  table["expect_column_sum_to_be_between"] = make_aggregate(Aggregate::kSum);
  table["expect_column_quantile_values_to_be_between"] = [](CheckMaker& maker) { return std::make_unique<QuantileCheck>(maker); };
  table["expect_column_unique_value_count_to_be_between"] = make_aggregate(CountCheck::Kind::kUnique);
  table["expect_column_proportion_of_unique_values_to_be_between"] = make_aggregate(CountCheck::Kind::kUniqueShare);
  table["expect_column_proportion_of_non_null_values_to_be_between"] = make_aggregate(CountCheck::Kind::kPresentShare);
}

void add_table_checks(CheckTable& table) {
  table["expect_table_row_count_to_be_between"] = [](CheckMaker& maker) { return std::make_unique<RowCountCheck>(Bounds::of(maker.kwargs)); };
  table["expect_table_row_count_to_equal"] = [](CheckMaker& maker) {
    Bounds bounds;
    bounds.min = bounds.max = maker.kwargs.need("value");
    return std::make_unique<RowCountCheck>(bounds);
  };
  table["expect_table_column_count_to_be_between"] = columns_check([](Kwargs& kwargs) -> ColumnsCheck::Judge {
    return [bounds = Bounds::of(kwargs)](const auto& names) { return observed(names.size(), bounds.hold(static_cast<double>(names.size()))); };
  });
  table["expect_table_column_count_to_equal"] = columns_check([](Kwargs& kwargs) -> ColumnsCheck::Judge {
    static_cast<void>(kwargs.need("value"));
    return [wanted = kwargs.number("value", 0)](const auto& names) { return observed(names.size(), static_cast<double>(names.size()) == wanted); };
  });
  table["expect_table_columns_to_match_ordered_list"] = columns_check([](Kwargs& kwargs) -> ColumnsCheck::Judge {
    return [wanted = kwargs.texts("column_list")](const auto& names) { return match_list(names, wanted); };
  });
  table["expect_table_columns_to_match_set"] = columns_check([](Kwargs& kwargs) -> ColumnsCheck::Judge {
    const bool exact = kwargs.flag("exact_match", true);
    return [wanted = kwargs.texts("column_set"), exact](const auto& names) { return match_set(names, wanted, exact); };
  });
  table["expect_column_to_exist"] = columns_check([](Kwargs& kwargs) -> ColumnsCheck::Judge {
    const double index = kwargs.number("column_index", -1);
    return [wanted = kwargs.text("column"), index](const std::vector<std::string>& names) {
      const auto at = std::find(names.begin(), names.end(), wanted);
      Outcome outcome;
      outcome.success = at != names.end() && (index < 0 || static_cast<double>(at - names.begin()) == index);
      return outcome;
    };
  });
}

}  // namespace slipway::data
