// What the columns of a table hold, in one pass: types, missing values, ranges, lengths, frequent values; and the expectations that follow
// from it, for the next version to be held to (expectations.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "data/expectations.h"
#include "data/row_table.h"

namespace slipway::data {

struct ColumnProfile {
  std::string name;
  int64_t present = 0;  // rows with a value that is not null
  int64_t missing = 0;  // null, empty in CSV, or not there
  std::map<std::string, int64_t> types;  // "integer", "number", "string", "boolean", "list", "object"
  int64_t distinct = 0;
  bool distinct_exact = true;  // false: at least
  double min = 0, max = 0, mean = 0, stdev = 0;  // of numbers
  int64_t min_length = 0, max_length = 0;        // of texts, in code points
  double mean_length = 0;
  std::vector<std::pair<Json, int64_t>> top;     // the most frequent values, when few enough are told apart
  // The type that all values have ("number" takes integers in), "mixed", or "null".
  std::string type() const;
  bool unique() const noexcept { return distinct_exact && distinct == present && present > 0; }
  // Few values that come again and again: a domain.
  bool is_domain() const noexcept;
};

struct TableProfile {
  int64_t rows = 0;
  int64_t broken = 0;
  std::vector<ColumnProfile> columns;  // in order of appearance
};

// Makes one of rows that somebody else reads. One thread.
class TableProfiler {
 public:
  static constexpr size_t kAllTop = 1000;  // different values of a column whose frequencies are counted
  explicit TableProfiler(size_t top);      // of them kept, where they are no domain
  ~TableProfiler();
  TableProfiler(const TableProfiler&) = delete;
  TableProfiler& operator=(const TableProfiler&) = delete;
  void add(const RowTable& table);  // its row at hand
  TableProfile finish(const RowTable& table);

 private:
  class States;
  void name(const RowTable& table);
  size_t top_;
  std::unique_ptr<States> columns_;
};

// Throws Error: kInvalid (no file with rows; more than 10,000 columns), kIntegrity, kInterrupted. Memory: up to 16 MiB a column.
TableProfile profile_table(const VersionFiles& files, base::Context& context);
Json to_json(const TableProfile& profile);
// Types, presence, uniqueness, domains and ranges as they are.
ExpectationSuite infer_expectations(const TableProfile& profile, const std::string& name);
// YAML with the columns, for people, and the expectations, for `read_expectations`.
std::string schema_yaml(const TableProfile& profile, const std::string& name);

}  // namespace slipway::data
