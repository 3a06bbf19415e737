// Expectations of tables, by the names, arguments and results of Great Expectations (docs/guide/validate.md lists them): a suite is read
// from YAML or JSON, checked over rows in one streaming pass, and answered in that tool's form (success, observed_value,
// unexpected_count, partial_unexpected_list, …). Counts, distinct values and quantiles are exact at any size: what outgrows the memory is
// sorted on disk. Only values that are shown of rows that repeat, or lie far from the mean, are looked up in a second pass.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/context.h"
#include "data/row_diff.h"

namespace slipway::data {

struct Expectation {
  std::string type;  // "expect_column_values_to_not_be_null"
  Json kwargs = Json::object();
  Json meta = Json::object();
};

struct ExpectationSuite {
  std::string name;
  std::vector<Expectation> expectations;
};

// {name, expectations: [{type, kwargs, meta}]}; also `expectation_type` and `expectation_suite_name` (suites of before 1.0), and the short
// form `- expect_…: {column: …}`. A type, an argument or a value that is unknown throws Error(kInvalid) naming `source`, the expectation and
// the nearest name.
ExpectationSuite parse_expectations(const Json& suite, const std::string& source);
// A file of YAML or JSON.
ExpectationSuite read_expectations(const std::filesystem::path& file);
Json to_json(const ExpectationSuite& suite);
// The names that are known, sorted.
std::vector<std::string> expectation_types();

struct ExpectOptions {
  int64_t examples = 20;  // of partial_unexpected_list
  uint64_t memory_bytes = uint64_t{512} << 20U;
  std::filesystem::path work;  // an empty folder for sorting
};

// The rows of all files with rows, one behind the other, as one table. Returns {success, results, statistics, suite_name, meta}. Throws
// Error: kInvalid (files without rows, of different columns is fine), kIntegrity, kInterrupted. An expectation of a column that no row has
// fails with exception_info.
Json check_expectations(const VersionFiles& files, const ExpectationSuite& suite, const ExpectOptions& options, base::Context& context);

}  // namespace slipway::data
