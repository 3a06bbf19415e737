#include "data/profile.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "data/cell.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

constexpr size_t kMaxDistinct = 1'000'000;  // hashes of 8 bytes
constexpr size_t kMaxCounted = TableProfiler::kAllTop;
constexpr size_t kTop = 10;
constexpr size_t kMaxDomain = 20;
constexpr int64_t kUniqueRows = 20;     // fewer may differ by chance
constexpr int64_t kDomainRepeats = 10;  // values of a domain come so often on average

size_t length_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

struct State {
  ColumnProfile profile;
  std::unordered_set<uint64_t> hashes;
  std::unordered_map<std::string, std::pair<Json, int64_t>> counts;
  bool counted = true;
  int64_t numbers = 0;
  int64_t texts = 0;
  double squares = 0;

  void add(const Cell& cell) {
    if (cell.is_null()) {
      return;
    }
    ++profile.present;
    const Json value = cell.json();
    ++profile.types[type_of(value)];
    if (value.is_number()) {
      add_number(value.get<double>());
    } else if (value.is_string()) {
      const auto length = static_cast<int64_t>(length_of(cell.text));
      profile.min_length = texts == 0 ? length : std::min(profile.min_length, length);
      profile.max_length = std::max(profile.max_length, length);
      ++texts;
      profile.mean_length += (static_cast<double>(length) - profile.mean_length) / static_cast<double>(texts);
    }
    const std::string key = ValueSet::key(value);
    if (hashes.size() < kMaxDistinct) {
      hashes.insert(base::xxh64(key));
    } else if (!hashes.contains(base::xxh64(key))) {
      profile.distinct_exact = false;
    }
    if (counted) {
      auto& entry = counts[key];
      if (entry.second++ == 0) {
        entry.first = value;
      }
      if (counts.size() > kMaxCounted) {
        counted = false;
        counts.clear();
      }
    }
  }
  void add_number(double value) {
    profile.min = numbers == 0 ? value : std::min(profile.min, value);
    profile.max = numbers == 0 ? value : std::max(profile.max, value);
    ++numbers;
    const double delta = value - profile.mean;  // Welford 1962
    profile.mean += delta / static_cast<double>(numbers);
    squares += delta * (value - profile.mean);
  }
  static const char* type_of(const Json& value) {
    return value.is_number_float() ? "number" : value.is_number() ? "integer" : value.is_string() ? "string" : value.is_boolean() ? "boolean" : value.is_array() ? "list" : "object";
  }
  void finish(int64_t rows, size_t top) {
    profile.missing = rows - profile.present;
    profile.distinct = static_cast<int64_t>(hashes.size());
    profile.stdev = numbers < 2 ? 0 : std::sqrt(squares / static_cast<double>(numbers - 1));
    for (const auto& [key, entry] : counts) {
      profile.top.push_back(entry);
    }
    std::sort(profile.top.begin(), profile.top.end(), [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
    if (!profile.is_domain() && profile.top.size() > top) {
      profile.top.resize(top);
    }
  }
};

Json round_number(double value) {
  constexpr double kExact = 9007199254740992.0;
  return value == std::trunc(value) && std::abs(value) < kExact ? Json(static_cast<int64_t>(value)) : Json(value);
}

}  // namespace

std::string ColumnProfile::type() const {
  if (types.empty()) {
    return "null";
  }
  if (types.size() == 1) {
    return types.begin()->first;
  }
  return types.size() == 2 && types.contains("integer") && types.contains("number") ? "number" : "mixed";
}

bool ColumnProfile::is_domain() const noexcept {
  const bool named = types.size() == 1 && (types.contains("string") || types.contains("boolean"));
  return named && distinct_exact && distinct <= static_cast<int64_t>(kMaxDomain) && present >= distinct * kDomainRepeats && !top.empty();
}

class TableProfiler::States : public std::deque<State> {};

TableProfiler::TableProfiler(size_t top) : top_(top), columns_(std::make_unique<States>()) {}
TableProfiler::~TableProfiler() = default;

void TableProfiler::add(const RowTable& table) {
  name(table);
  for (const auto& [column, cell] : table.cells()) {
    (*columns_)[column].add(cell);
  }
}

void TableProfiler::name(const RowTable& table) {
  while (columns_->size() < table.columns().size()) {
    const size_t at = columns_->size();
    columns_->emplace_back().profile.name = table.columns()[at];
  }
}

TableProfile TableProfiler::finish(const RowTable& table) {
  name(table);
  TableProfile profile;
  profile.rows = static_cast<int64_t>(table.rows());
  profile.broken = static_cast<int64_t>(table.broken());
  for (State& column : *columns_) {
    column.finish(profile.rows, top_);
    profile.columns.push_back(std::move(column.profile));
  }
  return profile;
}

TableProfile profile_table(const VersionFiles& files, base::Context& context) {
  RowTable table(files, context, "profiling");
  TableProfiler profiler(kTop);
  while (table.next()) {
    profiler.add(table);
  }
  return profiler.finish(table);
}

Json to_json(const TableProfile& profile) {
  Json columns = Json::array();
  for (const ColumnProfile& column : profile.columns) {
    Json json = {{"name", column.name},       {"type", column.type()},         {"types", column.types}, {"present", column.present},
                 {"missing", column.missing}, {"distinct", column.distinct}, {"distinct_exact", column.distinct_exact}, {"unique", column.unique()}};
    if (column.types.contains("integer") || column.types.contains("number")) {
      json["min"] = round_number(column.min);
      json["max"] = round_number(column.max);
      json["mean"] = column.mean;
      json["stdev"] = column.stdev;
    }
    if (column.types.contains("string")) {
      json["min_length"] = column.min_length;
      json["max_length"] = column.max_length;
      json["mean_length"] = column.mean_length;
    }
    Json top = Json::array();
    for (const auto& [value, count] : column.top) {
      top.push_back({{"value", value}, {"count", count}});
    }
    json["top"] = std::move(top);
    columns.push_back(std::move(json));
  }
  return {{"rows", profile.rows}, {"broken_rows", profile.broken}, {"columns", std::move(columns)}};
}

ExpectationSuite infer_expectations(const TableProfile& profile, const std::string& name) {
  ExpectationSuite suite;
  suite.name = name;
  const auto add = [&](const char* type, Json kwargs) { suite.expectations.push_back({type, std::move(kwargs), Json::object()}); };
  std::vector<std::string> names;
  for (const ColumnProfile& column : profile.columns) {
    names.push_back(column.name);
  }
  if (names.empty()) {
    return suite;
  }
  add("expect_table_columns_to_match_set", {{"column_set", names}, {"exact_match", true}});
  for (const ColumnProfile& column : profile.columns) {
    if (column.missing == 0) {
      add("expect_column_values_to_not_be_null", {{"column", column.name}});
    } else if (column.present > 0) {
      add("expect_column_values_to_not_be_null", {{"column", column.name}, {"mostly", std::floor(1000.0 * static_cast<double>(column.present) / static_cast<double>(profile.rows)) / 1000}});
    }
    static const std::map<std::string, std::vector<std::string>> kTypes = {
        {"integer", {"int"}}, {"number", {"int", "float"}}, {"string", {"str"}}, {"boolean", {"bool"}}, {"list", {"list"}}, {"object", {"dict"}}};
    const std::string type = column.type();
    if (const auto known = kTypes.find(type); known != kTypes.end()) {
      add("expect_column_values_to_be_in_type_list", {{"column", column.name}, {"type_list", known->second}});
    }
    if (column.unique() && column.present >= kUniqueRows && type != "number") {
      add("expect_column_values_to_be_unique", {{"column", column.name}});
    }
    if (column.is_domain()) {
      Json values = Json::array();
      for (const auto& [value, count] : column.top) {
        values.push_back(value);
      }
      add("expect_column_values_to_be_in_set", {{"column", column.name}, {"value_set", std::move(values)}});
    } else if (type == "integer" || type == "number") {
      add("expect_column_values_to_be_between", {{"column", column.name}, {"min_value", round_number(column.min)}, {"max_value", round_number(column.max)}});
    } else if (type == "string") {
      add("expect_column_value_lengths_to_be_between", {{"column", column.name}, {"min_value", column.min_length}, {"max_value", column.max_length}});
    }
  }
  return suite;
}

// JSON is YAML: an item a line, so that a person can read and change it.
std::string schema_yaml(const TableProfile& profile, const std::string& name) {
  std::string yaml = fmt::format("# Made from {} rows; change what is too narrow. 'slipway data validate FILE --expectations THIS' checks it.\n", profile.rows);
  yaml += "name: " + base::dump_json(Json(name)) + "\ncolumns:\n";
  const Json all = to_json(profile);
  for (const Json& column : all.at("columns")) {
    Json shown = column;
    shown.erase("top");
    shown.erase("types");
    yaml += "  - " + base::dump_json(shown) + "\n";
  }
  yaml += "expectations:\n";
  const Json suite = to_json(infer_expectations(profile, name));
  for (const Json& one : suite.at("expectations")) {
    yaml += "  - " + base::dump_json(one) + "\n";
  }
  return profile.columns.empty() ? yaml + "  []\n" : yaml;
}

}  // namespace slipway::data
