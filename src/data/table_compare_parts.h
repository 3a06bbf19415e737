// Private to the comparison of tables: tests that wait until their number is known, and the parts that make them. One thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/table_compare.h"

namespace slipway::data {

struct PendingTest {
  TableTest test;
  std::function<double(double alpha)> threshold;  // of the statistic at that level; may be empty
  std::function<Finding()> tell;                  // what an alarm means
};

struct CompareParts {
  const TableScan& before;
  const TableScan& after;
  const CompareOptions& options;
  base::Context& context;
  std::vector<PendingTest> tests;
  std::vector<Finding> findings;  // those that no test decides
};

// Two rows of counts, by the same bins. Bins with fewer than `least` in both together are made one with the next (or are one together,
// when they have no order); chi-square's and PSI's distributions want that.
struct CountPair {
  std::vector<double> before;
  std::vector<double> after;
  bool usable() const noexcept { return before.size() >= 2; }
};
CountPair merged_counts(const std::vector<double>& before, const std::vector<double>& after, double least, bool ordered);

// Of a number: Kolmogorov-Smirnov and PSI over ten quantile bins of `before`; both samples hold no NaN.
void number_tests(CompareParts& parts, const std::string& column, const std::string& measure, const std::vector<double>& before, const std::vector<double>& after,
                  const std::vector<const SampleRow*>& after_rows);
// Of counts by name: chi-square.
void category_test(CompareParts& parts, const std::string& check, const std::string& column, const std::string& measure, const std::map<std::string, int64_t>& before,
                   const std::map<std::string, int64_t>& after, const std::function<std::string(const std::string& name)>& where);
// Of a share: chi-square of 2 x 2. `limits`: the rise that is a warning, and an error.
void share_test(CompareParts& parts, const std::string& check, const std::string& column, const std::string& measure, std::pair<int64_t, int64_t> before,
                std::pair<int64_t, int64_t> after, std::pair<double, double> limits, const std::vector<std::string>& where);

void compare_schema(CompareParts& parts);   // columns, types, rows
void compare_columns(CompareParts& parts);  // missing, categories, ranges, distributions
void compare_texts(CompareParts& parts);    // lengths, languages, words, copies, personal data

// P(all k of n + m that have something are among the m) when it has nothing to do with which: prod (m - i) / (n + m - i).
double all_on_one_side(int64_t k, int64_t n, int64_t m);
Severity severity_of(double effect, double warning, double error) noexcept;
// PSI from which a shift counts (Siddiqi 2006's bounds).
inline constexpr double kPsiWarning = 0.1;
inline constexpr double kPsiError = 0.25;

}  // namespace slipway::data
