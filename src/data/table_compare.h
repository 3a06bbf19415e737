// What is unusual about a version of a dataset against another: schema, rows, missing values, categories, ranges, distributions, texts,
// copies. Every decision by chance is a test at level alpha / number of tests (Bonferroni), so that data that did not change give a false
// alarm of any kind with a probability of about alpha (measured: docs/guide/data-report.md). Significance says that something moved; the
// severity says how far.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/table_scan.h"

namespace slipway::data {

enum class Severity { kInfo, kWarning, kError };
std::string_view name_of(Severity severity) noexcept;  // "info", "warning", "error"

struct CompareOptions {
  double alpha = 0.01;  // of any false alarm
  double jaccard = 0.8; // of near-duplicates
  uint64_t seed = 7;    // of permutations
  uint64_t memory_bytes = uint64_t{256} << 20U;
  std::filesystem::path work;
};

// One test, whatever it said.
struct TableTest {
  std::string column;   // "text", or "" of the whole table
  std::string measure;  // "values", "missing", "length in words", "language", "words", …
  std::string test;     // "ks", "psi", "chi2", "js", "exact", "permutation"
  double value = 0;     // of the statistic
  double threshold = 0; // above it is an alarm; 0 for "exact" and "permutation": there p is below alpha / tests
  double p = 1;
  bool alarm = false;
};

struct Finding {
  Severity severity = Severity::kInfo;
  std::string check;   // "column_removed", "column_added", "type_changed", "rows", "broken_rows", "missing", "new_category",
                       // "vanished_category", "out_of_range", "distribution", "language", "words", "copies", "near_duplicates", "pii"
  std::string column;
  std::string measure;
  std::string test;     // "" where nothing is left to chance
  double value = 0;     // what was measured, of the test or of the check
  double threshold = 0; // what it is held to
  double p = 0;
  double before = 0;    // shares, counts or means that people understand
  double after = 0;
  std::string message;  // one sentence
  Json rows = Json::array();  // {at, value or text} of the later version
};

struct TableComparison {
  std::vector<Finding> findings;  // the worst first
  std::vector<TableTest> tests;
  double alpha_each = 0;          // alpha / number of tests
  // The worst; none when there are no findings.
  std::optional<Severity> worst() const;
};

// Throws Error(kInterrupted). O(sample * (log sample + permutations)).
TableComparison compare_tables(const TableScan& before, const TableScan& after, const CompareOptions& options, base::Context& context);
Json to_json(const TableComparison& comparison);

}  // namespace slipway::data
