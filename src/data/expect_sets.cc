// Expectations of which values occur, how often, and together with which others.
#include <algorithm>
#include <fmt/format.h>

#include "data/expectation_check.h"

namespace slipway::data {
namespace {

constexpr size_t kMaxDistinct = 100'000;  // values that are kept as they are; more are only counted

double mostly_of(Kwargs& kwargs) {
  const double mostly = kwargs.number("mostly", 1);
  if (!(mostly >= 0 && mostly <= 1)) {
    kwargs.fail("'mostly' is a share from 0 to 1");
  }
  return mostly;
}

// Which rows a check over several columns passes over.
enum class Ignore { kAllMissing, kAnyMissing, kNever };

Ignore ignore_of(Kwargs& kwargs, bool pair) {
  const std::string name = kwargs.find("ignore_row_if") == nullptr ? (pair ? "both_values_are_missing" : "all_values_are_missing") : kwargs.text("ignore_row_if");
  if (name == (pair ? "both_values_are_missing" : "all_values_are_missing")) {
    return Ignore::kAllMissing;
  }
  if (name == (pair ? "either_value_is_missing" : "any_value_is_missing")) {
    return Ignore::kAnyMissing;
  }
  if (name != (pair ? "neither" : "never")) {
    kwargs.fail(fmt::format("does not know 'ignore_row_if: {}'", name));
  }
  return Ignore::kNever;
}

std::vector<size_t> indices(CheckMaker& maker, const std::vector<std::string>& names) {
  std::vector<size_t> all;
  for (const std::string& name : names) {
    all.push_back(maker.columns.index(name));
  }
  return all;
}

// Rows of which others have the same values in the same columns.
class UniqueCheck final : public ExpectationCheck {
 public:
  UniqueCheck(CheckMaker& maker, std::vector<std::string> names, bool compound)
      : names_(std::move(names)),
        columns_(indices(maker, names_)),
        compound_(compound),
        ignore_(compound ? ignore_of(maker.kwargs, false) : Ignore::kAllMissing),
        counts_(maker.space.examples, mostly_of(maker.kwargs)),
        lowest_(maker.space.examples),
        sorter_(maker.space.space, maker.space.next_name(), maker.space.memory_each) {}

  void row(const RowCells& row) override {
    size_t missing = 0;
    Hash128 hash{1, 2};
    for (const size_t column : columns_) {
      const Cell& cell = row.cells[column];
      missing += cell.is_null() ? 1 : 0;
      const Hash128 one = cell.is_null() ? Hash128{3, 5} : cell.hash();
      hash = {hash.high * 0x9e3779b97f4a7c15ULL + one.high, hash.low * 0xd6e8feb86659fd93ULL + one.low};
    }
    if ((ignore_ == Ignore::kAllMissing && missing == columns_.size()) || (ignore_ == Ignore::kAnyMissing && missing > 0)) {
      counts_.missing();
      return;
    }
    sorter_.add({hash, row.number});
  }
  Outcome finish(int64_t, CheckSpace&) override {
    SortedStream<Entry> stream = sorter_.finish();
    Entry entry{};
    for (bool going = stream.next(entry); going;) {
      const Entry first = entry;
      int64_t count = 0;
      do {
        ++count;
        if (count == 2) {
          lowest_.add(first.row);
        }
        if (count >= 2) {
          lowest_.add(entry.row);
        }
        going = stream.next(entry);
      } while (going && entry.hash == first.hash);
      count == 1 ? counts_.good_count(1) : counts_.bad_count(count);
    }
    sorter_.remove_runs();
    return counts_.outcome(false);
  }
  std::vector<uint64_t> late_rows() const override { return lowest_.sorted(); }
  void late_row(const RowCells& row) override {
    if (!compound_) {
      counts_.example(row.number, row.cells[columns_[0]].json());
      return;
    }
    Json values = Json::object();
    for (size_t i = 0; i < columns_.size(); ++i) {
      values[names_[i]] = row.cells[columns_[i]].json();
    }
    counts_.example(row.number, std::move(values));
  }
  void late_finish(Outcome& outcome) override { outcome = counts_.outcome(false); }
  std::vector<size_t> used_columns() const override { return columns_; }

 private:
  struct Entry {
    Hash128 hash;
    uint64_t row;
    bool operator<(const Entry& other) const { return hash != other.hash ? hash < other.hash : row < other.row; }
  };
  std::vector<std::string> names_;
  std::vector<size_t> columns_;
  bool compound_;
  Ignore ignore_;
  MapCounts counts_;
  LowestRows lowest_;
  ExternalSorter<Entry> sorter_;
};

// A test of a row's values in several columns.
class RowCheck final : public ExpectationCheck {
 public:
  using Test = std::function<bool(const std::vector<const Cell*>&)>;
  // Values are shown as a list (pairs) or by their names.
  RowCheck(CheckMaker& maker, std::vector<std::string> names, bool pair, Test test)
      : names_(std::move(names)),
        columns_(indices(maker, names_)),
        pair_(pair),
        ignore_(ignore_of(maker.kwargs, pair)),
        test_(std::move(test)),
        counts_(maker.space.examples, mostly_of(maker.kwargs)) {}
  void row(const RowCells& row) override {
    cells_.clear();
    size_t missing = 0;
    for (const size_t column : columns_) {
      cells_.push_back(&row.cells[column]);
      missing += cells_.back()->is_null() ? 1 : 0;
    }
    if ((ignore_ == Ignore::kAllMissing && missing == columns_.size()) || (ignore_ == Ignore::kAnyMissing && missing > 0)) {
      counts_.missing();
    } else if (test_(cells_)) {
      counts_.good();
    } else {
      Json values = pair_ ? Json::array() : Json::object();
      for (size_t i = 0; i < cells_.size(); ++i) {
        pair_ ? values.push_back(cells_[i]->json()) : static_cast<void>(values[names_[i]] = cells_[i]->json());
      }
      counts_.bad(row.number, std::move(values));
    }
  }
  Outcome finish(int64_t, CheckSpace&) override { return counts_.outcome(false); }
  std::vector<size_t> used_columns() const override { return columns_; }

 private:
  std::vector<std::string> names_;
  std::vector<size_t> columns_;
  bool pair_;
  Ignore ignore_;
  Test test_;
  MapCounts counts_;
  std::vector<const Cell*> cells_;
};

bool equal(const Cell& a, const Cell& b) {
  if (a.is_null() || b.is_null()) {
    return false;  // as NaN is not itself
  }
  return a.numeric && b.numeric ? a.number == b.number : a.kind == b.kind && a.as_text() == b.as_text();
}

bool greater(const Cell& a, const Cell& b, bool or_equal) {
  if (a.numeric && b.numeric) {
    return or_equal ? a.number >= b.number : a.number > b.number;
  }
  return a.kind == Cell::Kind::kText && b.kind == Cell::Kind::kText && (or_equal ? a.text >= b.text : a.text > b.text);
}

MakeCheck pair_check(std::function<RowCheck::Test(Kwargs&)> make) {
  return [make = std::move(make)](CheckMaker& maker) -> std::unique_ptr<ExpectationCheck> {
    return std::make_unique<RowCheck>(maker, std::vector<std::string>{maker.kwargs.text("column_A"), maker.kwargs.text("column_B")}, true, make(maker.kwargs));
  };
}

MakeCheck record_check(std::function<RowCheck::Test(Kwargs&)> make) {
  return [make = std::move(make)](CheckMaker& maker) -> std::unique_ptr<ExpectationCheck> {
    return std::make_unique<RowCheck>(maker, maker.kwargs.texts("column_list"), false, make(maker.kwargs));
  };
}

// The distinct values of a column.
class DistinctCheck final : public ExpectationCheck {
 public:
  enum class Kind { kInSet, kContain, kEqual, kMostCommon };
  DistinctCheck(CheckMaker& maker, Kind kind)
      : column_(maker.columns.index(maker.kwargs.text("column"))), kind_(kind), set_(maker.kwargs.need("value_set")),
        ties_okay_(kind == Kind::kMostCommon && maker.kwargs.flag("ties_okay", false)) {}
  void row(const RowCells& row) override {
    const Cell& cell = row.cells[column_];
    if (cell.is_null()) {
      return;
    }
    const Json value = cell.json();
    const std::string key = ValueSet::key(value);
    if (const auto it = values_.find(key); it != values_.end()) {
      ++it->second.second;
    } else if (values_.size() < kMaxDistinct) {
      values_.emplace(key, std::pair(value, int64_t{1}));
    } else {
      beyond_ = true;
    }
    if (!set_.contains(cell)) {
      outside_ = true;
    }
  }
  Outcome finish(int64_t, CheckSpace&) override {
    Outcome outcome;
    if (beyond_ && kind_ != Kind::kInSet) {
      outcome.result["observed_value"] = fmt::format("more than {} distinct values", kMaxDistinct);
      return outcome;
    }
    std::vector<std::pair<Json, int64_t>> sorted;
    for (const auto& [key, value] : values_) {
      sorted.push_back(value);
    }
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    kind_ == Kind::kMostCommon ? most_common(sorted, outcome) : distinct(sorted, outcome);
    return outcome;
  }
  std::vector<size_t> used_columns() const override { return {column_}; }

 private:
  void distinct(const std::vector<std::pair<Json, int64_t>>& sorted, Outcome& outcome) const {
    Json unexpected = Json::array();
    int64_t unexpected_count = 0;
    std::unordered_set<std::string> wanted;
    for (const Json& value : set_.values()) {
      wanted.insert(ValueSet::key(value));
    }
    for (const auto& [value, count] : sorted) {
      if (!wanted.contains(ValueSet::key(value))) {
        ++unexpected_count;
        unexpected_count <= kShown ? unexpected.push_back(value) : void();
      }
    }
    Json missing = Json::array();
    for (const Json& value : set_.values()) {
      if (!values_.contains(ValueSet::key(value))) {
        missing.push_back(value);
      }
    }
    Json& result = outcome.result;
    result["observed_value"] = nullptr;  // as Great Expectations has it of 1.24: what is there may be long
    outcome.success = true;
    if (kind_ != Kind::kContain) {
      outcome.success = !outside_;
      result["unexpected_count"] = unexpected_count;
      result["partial_unexpected_list"] = std::move(unexpected);
    }
    if (kind_ != Kind::kInSet) {
      outcome.success = outcome.success && missing.empty();
      result["missing_count"] = missing.size();
      result["partial_missing_list"] = std::move(missing);
    }
  }
  void most_common(const std::vector<std::pair<Json, int64_t>>& sorted, Outcome& outcome) const {
    int64_t most = 0;
    for (const auto& [value, count] : sorted) {
      most = std::max(most, count);
    }
    Json modes = Json::array();
    size_t known = 0;
    const auto in_set = [&](const Json& value) {
      return std::any_of(set_.values().begin(), set_.values().end(), [&](const Json& one) { return ValueSet::key(one) == ValueSet::key(value); });
    };
    for (const auto& [value, count] : sorted) {
      if (count == most) {
        modes.push_back(value);
        known += in_set(value) ? 1 : 0;
      }
    }
    outcome.success = known > 0 && (modes.size() == 1 || ties_okay_);
    outcome.result["observed_value"] = std::move(modes);
  }

  static constexpr int64_t kShown = 20;
  size_t column_;
  Kind kind_;
  ValueSet set_;
  bool ties_okay_;
  std::unordered_map<std::string, std::pair<Json, int64_t>> values_;
  bool beyond_ = false;
  bool outside_ = false;
};

MakeCheck distinct_check(DistinctCheck::Kind kind) {
  return [kind](CheckMaker& maker) -> std::unique_ptr<ExpectationCheck> { return std::make_unique<DistinctCheck>(maker, kind); };
}

}  // namespace

void add_set_checks(CheckTable& table) {
  table["expect_column_values_to_be_unique"] = [](CheckMaker& maker) {
    return std::make_unique<UniqueCheck>(maker, std::vector<std::string>{maker.kwargs.text("column")}, false);
  };
  table["expect_compound_columns_to_be_unique"] = [](CheckMaker& maker) {
    return std::make_unique<UniqueCheck>(maker, maker.kwargs.texts("column_list"), true);
  };
  const MakeCheck unique_within = record_check([](Kwargs&) -> RowCheck::Test {
    return [](const std::vector<const Cell*>& cells) {
      for (size_t i = 0; i < cells.size(); ++i) {
        for (size_t j = 0; j < i; ++j) {
          if (equal(*cells[i], *cells[j]) || (cells[i]->is_null() && cells[j]->is_null())) {
            return false;
          }
        }
      }
      return true;
    };
  });
  table["expect_select_column_values_to_be_unique_within_record"] = unique_within;
  table["expect_multicolumn_values_to_be_unique"] = unique_within;  // its name of before
  // Two nulls are equal, a null and a value are not.
  table["expect_multicolumn_values_to_be_equal"] = record_check([](Kwargs&) -> RowCheck::Test {
    return [](const std::vector<const Cell*>& cells) {
      return std::all_of(cells.begin(), cells.end(), [&](const Cell* cell) { return equal(*cell, *cells[0]) || (cell->is_null() && cells[0]->is_null()); });
    };
  });
  table["expect_multicolumn_sum_to_equal"] = record_check([](Kwargs& kwargs) -> RowCheck::Test {
    static_cast<void>(kwargs.need("sum_total"));
    return [total = kwargs.number("sum_total", 0)](const std::vector<const Cell*>& cells) {
      double sum = 0;
      for (const Cell* cell : cells) {
        sum += cell->numeric ? cell->number : 0;
      }
      return sum == total;
    };
  });
  table["expect_column_pair_values_to_be_equal"] = pair_check([](Kwargs&) -> RowCheck::Test {
    return [](const std::vector<const Cell*>& cells) { return equal(*cells[0], *cells[1]); };
  });
  table["expect_column_pair_values_a_to_be_greater_than_b"] = pair_check([](Kwargs& kwargs) -> RowCheck::Test {
    return [or_equal = kwargs.flag("or_equal", false)](const std::vector<const Cell*>& cells) { return greater(*cells[0], *cells[1], or_equal); };
  });
  table["expect_column_pair_values_to_be_in_set"] = pair_check([](Kwargs& kwargs) -> RowCheck::Test {
    std::vector<std::pair<ValueSet, ValueSet>> pairs;
    const auto one = [](const Json& value) { return ValueSet(Json::array({value})); };
    for (const Json& pair : kwargs.need("value_pairs_set")) {
      if (!pair.is_array() || pair.size() != 2) {
        kwargs.fail("'value_pairs_set' is a list of lists of two values");
      }
      pairs.emplace_back(one(pair[0]), one(pair[1]));
    }
    return [pairs](const std::vector<const Cell*>& cells) {
      return !cells[0]->is_null() && !cells[1]->is_null() &&
             std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first.contains(*cells[0]) && pair.second.contains(*cells[1]); });
    };
  });
  table["expect_column_distinct_values_to_be_in_set"] = distinct_check(DistinctCheck::Kind::kInSet);
  table["expect_column_distinct_values_to_contain_set"] = distinct_check(DistinctCheck::Kind::kContain);
  table["expect_column_distinct_values_to_equal_set"] = distinct_check(DistinctCheck::Kind::kEqual);
  table["expect_column_most_common_value_to_be_in_set"] = distinct_check(DistinctCheck::Kind::kMostCommon);
}

}  // namespace slipway::data
