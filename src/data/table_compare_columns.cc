// What the columns of two versions have against one another.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/json.h"
#include "data/table_compare_parts.h"

namespace slipway::data {
namespace {

constexpr size_t kMaxCategories = 100;  // a column with more values is none of categories

std::optional<size_t> find(const TableProfile& profile, const std::string& name) {
  for (size_t i = 0; i < profile.columns.size(); ++i) {
    if (profile.columns[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

bool is_number(const std::string& type) { return type == "integer" || type == "number"; }

// Few values that come again, all of them counted.
bool is_category(const ColumnProfile& column) {
  constexpr int64_t kRepeats = 3;
  return column.distinct_exact && column.top.size() == static_cast<size_t>(column.distinct) && column.top.size() <= kMaxCategories && column.present >= column.distinct * kRepeats;
}

std::string shown(const Json& value) { return value.is_string() ? value.get<std::string>() : base::dump_json(value); }

Finding plain(Severity severity, const char* check, const std::string& column, std::string message) {
  Finding finding;
  finding.severity = severity;
  finding.check = check;
  finding.column = column;
  finding.message = std::move(message);
  return finding;
}

struct Pair {
  const ColumnProfile& before;
  const ColumnProfile& after;
  size_t before_index;
  size_t after_index;
};

std::map<std::string, int64_t> counts_of(const ColumnProfile& column) {
  std::map<std::string, int64_t> counts;
  for (const auto& [value, count] : column.top) {
    counts[shown(value)] += count;
  }
  return counts;
}

// Values that only one side has. In a closed domain (none of the values before came once only, so that by Good and Turing's estimate the
// share of values not yet seen is nought) a new one is an error however rare; else it has to be more than chance gives.
void new_and_vanished(CompareParts& parts, const Pair& pair) {
  const int64_t n = pair.before.present;
  const int64_t m = pair.after.present;
  const bool closed = pair.before.is_domain() && std::all_of(pair.before.top.begin(), pair.before.top.end(), [](const auto& one) { return one.second > 1; });
  const auto in = [](const ColumnProfile& column, const Json& value) {
    return std::any_of(column.top.begin(), column.top.end(), [&](const auto& one) { return one.first == value; });
  };
  for (const auto& [value, count] : pair.after.top) {
    if (in(pair.before, value)) {
      continue;
    }
    const auto& places = parts.after.columns[pair.after_index].value_at;
    const auto place = places.find(ValueSet::key(value));
    const double share = static_cast<double>(count) / static_cast<double>(m);
    const auto tell = [=, name = pair.after.name, at = place == places.end() ? std::string() : place->second, value = value, count = count] {
      Finding finding = plain(closed ? Severity::kError : Severity::kWarning, "new_category", name, fmt::format("{} has the new value {} in {} rows", name, shown(value), count));
      finding.value = static_cast<double>(count);
      finding.after = share;
      if (!at.empty()) {
        finding.rows.push_back({{"at", at}, {"value", value}});
      }
      return finding;
    };
    if (closed) {
      parts.findings.push_back(tell());
    } else {
      parts.tests.push_back({{pair.after.name, "new value " + shown(value), "exact", static_cast<double>(count), 0, all_on_one_side(count, n, m), false}, {}, tell});
    }
  }
  for (const auto& [value, count] : pair.before.top) {
    if (in(pair.after, value)) {
      continue;
    }
    constexpr double kLargeShare = 0.05;
    const double share = static_cast<double>(count) / static_cast<double>(n);
    parts.tests.push_back({{pair.before.name, "vanished value " + shown(value), "exact", static_cast<double>(count), 0, all_on_one_side(count, m, n), false},
                           {},
                           [=, name = pair.before.name, value = value, count = count] {
                             Finding finding = plain(share >= kLargeShare ? Severity::kError : Severity::kWarning, "vanished_category", name,
                                                     fmt::format("{} has no {} any more: {} rows had it", name, shown(value), count));
                             finding.value = static_cast<double>(count);
                             finding.before = share;
                             return finding;
                           }});
  }
}

// How many numbers lie beyond all earlier ones: under no change, k of m beyond n others have the probability of all_on_one_side.
void range(CompareParts& parts, const Pair& pair) {
  constexpr double kErrorShare = 0.01;
  const ColumnScan& after = parts.after.columns[pair.after_index];
  for (const bool high : {false, true}) {
    const auto& list = high ? after.highest : after.lowest;
    const double bound = high ? pair.before.max : pair.before.min;
    int64_t beyond = 0;  // of the five that are known
    Json rows = Json::array();
    for (const auto& [value, at] : list) {
      if (high ? value > bound : value < bound) {
        ++beyond;
        if (rows.size() < 3) {
          rows.push_back({{"at", at}, {"value", value}});
        }
      }
    }
    int64_t sampled = 0;
    int64_t rows_sampled = 0;
    for (const SampleRow& row : parts.after.sample) {
      const double value = row.numbers[pair.after_index];
      rows_sampled += std::isnan(value) ? 0 : 1;
      sampled += !std::isnan(value) && (high ? value > bound : value < bound) ? 1 : 0;
    }
    const double share = rows_sampled == 0 ? 0 : static_cast<double>(sampled) / static_cast<double>(rows_sampled);
    // The sample's rows alone would do; the five extremes see what it does not hold.
    const double p = std::min(all_on_one_side(beyond, pair.before.present, pair.after.present), all_on_one_side(sampled, pair.before.present, rows_sampled));
    parts.tests.push_back({{pair.after.name, high ? "above the range" : "below the range", "exact", high ? pair.after.max : pair.after.min, 0, 2 * p, false},
                           {},
                           [=, name = pair.after.name, low = pair.before.min, top = pair.before.max, extreme = high ? pair.after.max : pair.after.min] {
                             Finding finding = plain(share >= kErrorShare ? Severity::kError : Severity::kWarning, "out_of_range", name,
                                                     fmt::format("{} goes to {:g}; it was from {:g} to {:g}", name, extreme, low, top));
                             finding.before = bound;
                             finding.after = extreme;
                             finding.rows = rows;
                             return finding;
                           }});
  }
}

void distribution(CompareParts& parts, const Pair& pair) {
  const std::string& name = pair.after.name;
  if (is_category(pair.before) && is_category(pair.after)) {
    new_and_vanished(parts, pair);
    const auto& places = parts.after.columns[pair.after_index].value_at;
    category_test(parts, "distribution", name, "values", counts_of(pair.before), counts_of(pair.after), [places, top = pair.after.top](const std::string& value) {
      for (const auto& [json, count] : top) {
        if (const auto at = places.find(ValueSet::key(json)); shown(json) == value && at != places.end()) {
          return at->second;
        }
      }
      return std::string();
    });
    return;
  }
  // A number that names its row (1, 2, 3, …) moves with every version.
  const bool name_of_row = pair.before.unique() && pair.before.type() == "integer";
  if (name_of_row || !is_number(pair.before.type()) || !is_number(pair.after.type())) {
    return;
  }
  range(parts, pair);
  std::vector<double> values[2];
  std::vector<const SampleRow*> rows;
  for (const SampleRow& row : parts.before.sample) {
    if (const double value = row.numbers[pair.before_index]; !std::isnan(value)) {
      values[0].push_back(value);
    }
  }
  for (const SampleRow& row : parts.after.sample) {
    if (const double value = row.numbers[pair.after_index]; !std::isnan(value)) {
      values[1].push_back(value);
      rows.push_back(&row);
    }
  }
  number_tests(parts, name, "values", values[0], values[1], rows);
}

}  // namespace

void compare_schema(CompareParts& parts) {
  const TableProfile& before = parts.before.profile;
  const TableProfile& after = parts.after.profile;
  for (const ColumnProfile& column : before.columns) {
    const auto there = find(after, column.name);
    if (!there) {
      parts.findings.push_back(plain(Severity::kError, "column_removed", column.name, fmt::format("the column {} is gone", column.name)));
      continue;
    }
    const std::string type = after.columns[*there].type();
    if (type != column.type() && type != "null" && column.type() != "null") {
      const bool wider = is_number(type) && is_number(column.type());
      Finding finding = plain(wider ? Severity::kInfo : Severity::kError, "type_changed", column.name, fmt::format("{} was {} and is {}", column.name, column.type(), type));
      for (const auto& [name, at] : parts.after.columns[*there].type_at) {
        if (!column.types.contains(name)) {
          finding.rows.push_back({{"at", at}, {"value", name}});
        }
      }
      parts.findings.push_back(std::move(finding));
    }
  }
  for (size_t i = 0; i < after.columns.size(); ++i) {
    if (!find(before, after.columns[i].name)) {
      parts.findings.push_back(plain(Severity::kWarning, "column_added", after.columns[i].name, fmt::format("there is a new column {}", after.columns[i].name)));
    }
  }
  constexpr double kLossError = 0.5;
  constexpr double kLossWarning = 0.8;
  constexpr double kGrowth = 2;
  const double ratio = before.rows == 0 ? 1 : static_cast<double>(after.rows) / static_cast<double>(before.rows);
  if (ratio < kLossWarning || ratio > kGrowth) {
    Finding finding = plain(ratio < kLossError ? Severity::kError : ratio < kLossWarning ? Severity::kWarning : Severity::kInfo, "rows", "",
                            fmt::format("{} rows -> {}", before.rows, after.rows));
    finding.value = ratio;
    finding.threshold = ratio > kGrowth ? kGrowth : ratio < kLossError ? kLossError : kLossWarning;
    finding.before = static_cast<double>(before.rows);
    finding.after = static_cast<double>(after.rows);
    parts.findings.push_back(std::move(finding));
  }
  if (after.broken > 0 && before.broken == 0) {
    Finding finding = plain(Severity::kError, "broken_rows", "", fmt::format("{} lines are no rows", after.broken));
    finding.value = finding.after = static_cast<double>(after.broken);
    parts.findings.push_back(std::move(finding));
  }
}

void compare_columns(CompareParts& parts) {
  const TableProfile& before = parts.before.profile;
  const TableProfile& after = parts.after.profile;
  constexpr std::pair<double, double> kMissing = {0.01, 0.05};
  for (size_t i = 0; i < before.columns.size(); ++i) {
    const auto there = find(after, before.columns[i].name);
    if (!there) {
      continue;
    }
    const Pair pair{before.columns[i], after.columns[*there], i, *there};
    share_test(parts, "missing", pair.after.name, "missing", {pair.before.missing, before.rows}, {pair.after.missing, after.rows}, kMissing,
               parts.after.columns[*there].missing.at);
    const bool is_text = parts.after.text && *parts.after.text == *there;
    if (!is_text && pair.before.present > 0 && pair.after.present > 0) {
      distribution(parts, pair);
    }
  }
}

}  // namespace slipway::data
