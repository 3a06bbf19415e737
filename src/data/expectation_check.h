// Private to the room: what an expectation is while rows go by. One object an expectation; one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "data/cell.h"
#include "data/expectations.h"
#include "data/row_hash.h"
#include "data/spill.h"

namespace slipway::data {

// One row: the columns that the suite speaks of, by their index.
struct RowCells {
  uint64_t number = 0;  // from 0, over all files
  std::vector<Cell> cells;
};

// Names of columns to their indices, as expectations ask for them; and the arguments of one expectation.
class Columns {
 public:
  size_t index(const std::string& name);
  const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  std::vector<std::string> names_;
};

class Kwargs {
 public:
  Kwargs(const Expectation& expectation, std::string where) : expectation_(expectation), where_(std::move(where)) {}
  const Json* find(const std::string& name);
  const Json& need(const std::string& name);
  std::string text(const std::string& name);  // needed
  double number(const std::string& name, double fallback);
  bool flag(const std::string& name, bool fallback);
  std::vector<std::string> texts(const std::string& name);  // needed, not empty
  // Throws for an argument that nobody asked for.
  void finish() const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  const Expectation& expectation_;
  std::string where_;
  std::set<std::string> asked_;
};

// Bounds as `min_value`, `max_value`, `strict_min`, `strict_max` say.
struct Bounds {
  std::optional<Json> min;
  std::optional<Json> max;
  bool strict_min = false;
  bool strict_max = false;
  static Bounds of(Kwargs& kwargs);
  bool hold(double value) const;
  bool hold(const Cell& cell) const;
};

// What checks share: where they may sort, and how many examples are wanted.
struct CheckSpace {
  SpillSpace space;
  size_t examples = 20;
  uint64_t memory_each = 0;
  int sorters = 0;  // gives names
  std::string next_name() { return "expect-" + std::to_string(sorters++); }
};

struct Outcome {
  bool success = false;
  Json result = Json::object();
};

class ExpectationCheck {
 public:
  virtual ~ExpectationCheck() = default;
  virtual void row(const RowCells& row) = 0;
  // After the last row. `rows`: of the table.
  virtual Outcome finish(int64_t rows, CheckSpace& space) = 0;
  // Rows whose values finish() wants to show, in order; their cells come by late_row, then late_finish completes the result.
  virtual std::vector<uint64_t> late_rows() const { return {}; }
  virtual void late_row(const RowCells&) {}
  virtual void late_finish(Outcome&) {}
  // Checks of the table's own columns are told them: in their order of appearance.
  virtual bool wants_columns() const { return false; }
  virtual void columns(const std::vector<std::string>&) {}
  virtual std::vector<size_t> used_columns() const = 0;
};

// What makes a check of its arguments.
struct CheckMaker {
  Kwargs& kwargs;
  Columns& columns;
  CheckSpace& space;
};
using MakeCheck = std::function<std::unique_ptr<ExpectationCheck>(CheckMaker&)>;
using CheckTable = std::map<std::string, MakeCheck>;
void add_map_checks(CheckTable& table);
void add_set_checks(CheckTable& table);
void add_aggregate_checks(CheckTable& table);
void add_table_checks(CheckTable& table);
void add_distribution_checks(CheckTable& table);
void add_test_checks(CheckTable& table);

// Counts of a map expectation and the result they make, as Great Expectations forms it (result_format SUMMARY).
class MapCounts {
 public:
  MapCounts(size_t examples, double mostly) : examples_(examples), mostly_(mostly) {}
  void missing() { ++missing_; }
  void good() { ++values_; }
  void bad(uint64_t row, Json value) {
    ++values_;
    ++unexpected_;
    if (list_.size() < examples_) {
      list_.push_back(std::move(value));
      rows_.push_back(row);
    }
  }
  void bad_count(int64_t count) { values_ += count; unexpected_ += count; }  // whose examples come late
  void good_count(int64_t count) { values_ += count; }
  void example(uint64_t row, Json value) { list_.push_back(std::move(value)); rows_.push_back(row); }
  int64_t values() const noexcept { return values_; }
  // `about_missing`: the expectation is of null itself, so that nulls are values.
  Outcome outcome(bool about_missing) const;

 private:
  size_t examples_;
  double mostly_;
  int64_t missing_ = 0;
  int64_t values_ = 0;
  int64_t unexpected_ = 0;
  std::vector<Json> list_;
  std::vector<uint64_t> rows_;
};

// Keeps the lowest numbers of rows.
class LowestRows {
 public:
  explicit LowestRows(size_t limit) : limit_(limit) {}
  void add(uint64_t row) {
    if (rows_.size() < limit_) {
      rows_.push(row);
    } else if (limit_ > 0 && row < rows_.top()) {
      rows_.pop();
      rows_.push(row);
    }
  }
  std::vector<uint64_t> sorted() const;

 private:
  size_t limit_;
  std::priority_queue<uint64_t> rows_;
};

// All values of a column of numbers, on disk when they are many: exact sums, quantiles and counts.
class Numbers {
 public:
  explicit Numbers(CheckSpace& space) : sorter_(space.space, space.next_name(), space.memory_each) {}
  void add(double value) {
    sorter_.add(value);
    ++count_;
    // Welford 1962.
    const double delta = value - mean_;
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (value - mean_);
    sum_ += value;
  }
  int64_t count() const noexcept { return count_; }
  double sum() const noexcept { return sum_; }
  double mean() const noexcept { return mean_; }
  double stdev() const;  // of a sample: n - 1
  // Values at 0-based ranks, which rise; call once.
  std::vector<double> at_ranks(const std::vector<int64_t>& ranks);

 private:
  ExternalSorter<double> sorter_;
  int64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
  long double sum_ = 0;
};

}  // namespace slipway::data
