// What all expectations stand on: values, arguments, bounds, sets, counts.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"
#include "data/expectation_check.h"

namespace slipway::data {

using base::Code;
using base::Error;

namespace {

bool parse_number(std::string_view text, double& number) {
  if (text.empty() || text.size() > 64) {
    return false;
  }
  if (text[0] == '+') {
    text.remove_prefix(1);
  }
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && (text[0] == '-' || text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));
}

}  // namespace

Cell cell_of(const Json& value) {
  Cell cell;
  cell.value = &value;
  if (value.is_string()) {
    cell.kind = Cell::Kind::kText;
    cell.text = value.get_ref<const std::string&>();
  } else if (value.is_boolean()) {
    cell.kind = Cell::Kind::kBoolean;
  } else if (value.is_number()) {
    cell.kind = Cell::Kind::kNumber;
    cell.numeric = true;
    cell.number = value.get<double>();
  } else if (!value.is_null()) {
    cell.kind = Cell::Kind::kOther;
  }
  return cell;
}

Cell cell_of(std::string_view text) {
  Cell cell;
  cell.of_csv = true;
  if (!text.empty()) {
    cell.kind = Cell::Kind::kText;
    cell.text = text;
    cell.numeric = parse_number(text, cell.number);
  }
  return cell;
}

Json Cell::json() const {
  switch (kind) {
    case Kind::kNull: return nullptr;
    case Kind::kText:
      if (of_csv && numeric) {
        constexpr double kExact = 9007199254740992.0;  // 2^53
        const bool whole = text.find_first_not_of("+-0123456789") == std::string_view::npos && std::abs(number) <= kExact;
        return whole ? Json(static_cast<int64_t>(number)) : Json(number);
      }
      return std::string(text);
    default: return *value;
  }
}

std::string Cell::as_text() const { return kind == Kind::kText ? std::string(text) : kind == Kind::kNull ? "" : base::dump_json(*value); }

Hash128 Cell::hash() const {
  // The kind goes into it, so that "1" is not 1 (in CSV both are numbers).
  return numeric ? hash_bytes("n" + ValueSet::key(Json(number))) : kind == Kind::kText ? hash_bytes("t" + std::string(text)) : hash_bytes("o" + as_text());
}

size_t Columns::index(const std::string& name) {
  const auto at = std::find(names_.begin(), names_.end(), name);
  if (at != names_.end()) {
    return static_cast<size_t>(at - names_.begin());
  }
  names_.push_back(name);
  return names_.size() - 1;
}

void Kwargs::fail(const std::string& what) const {
  throw Error(Code::kInvalid, fmt::format("{}: {}: {}", where_, expectation_.type, what));
}

const Json* Kwargs::find(const std::string& name) {
  asked_.insert(name);
  const auto it = expectation_.kwargs.find(name);
  return it == expectation_.kwargs.end() || it->is_null() ? nullptr : &*it;
}

const Json& Kwargs::need(const std::string& name) {
  const Json* value = find(name);
  if (value == nullptr) {
    fail(fmt::format("needs '{}'", name));
  }
  return *value;
}

std::string Kwargs::text(const std::string& name) {
  const Json& value = need(name);
  if (!value.is_string()) {
    fail(fmt::format("'{}' is a text", name));
  }
  return value.get<std::string>();
}

double Kwargs::number(const std::string& name, double fallback) {
  const Json* value = find(name);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_number()) {
    fail(fmt::format("'{}' is a number", name));
  }
  return value->get<double>();
}

bool Kwargs::flag(const std::string& name, bool fallback) {
  const Json* value = find(name);
  if (value != nullptr && !value->is_boolean()) {
    fail(fmt::format("'{}' is true or false", name));
  }
  return value == nullptr ? fallback : value->get<bool>();
}

std::vector<std::string> Kwargs::texts(const std::string& name) {
  const Json& list = need(name);
  std::vector<std::string> texts;
  for (const Json& one : list.is_array() ? list : Json::array()) {
    if (!one.is_string()) {
      fail(fmt::format("'{}' is a list of texts", name));
    }
    texts.push_back(one.get<std::string>());
  }
  if (texts.empty()) {
    fail(fmt::format("'{}' is a list of texts that is not empty", name));
  }
  return texts;
}

void Kwargs::finish() const {
  // What others' suites carry and what changes nothing here.
  static const std::set<std::string> kIgnored = {"result_format", "catch_exceptions", "include_config", "batch_id", "auto", "profiler_config"};
  for (auto it = expectation_.kwargs.begin(); it != expectation_.kwargs.end(); ++it) {
    if (!asked_.contains(it.key()) && !kIgnored.contains(it.key())) {
      fail(fmt::format("does not know the argument '{}'{}", it.key(),
                       base::suggestion(it.key(), std::vector<std::string>(asked_.begin(), asked_.end()))));
    }
  }
}

Bounds Bounds::of(Kwargs& kwargs) {
  Bounds bounds;
  const auto read = [&](const char* name, std::optional<Json>& bound) {
    if (const Json* value = kwargs.find(name)) {
      if (!value->is_number() && !value->is_string()) {
        kwargs.fail(fmt::format("'{}' is a number or a text", name));
      }
      bound = *value;
    }
  };
  read("min_value", bounds.min);
  read("max_value", bounds.max);
  bounds.strict_min = kwargs.flag("strict_min", false);
  bounds.strict_max = kwargs.flag("strict_max", false);
  if (bounds.min && bounds.max && bounds.min->type() != bounds.max->type() && (bounds.min->is_string() || bounds.max->is_string())) {
    kwargs.fail("'min_value' and 'max_value' are both numbers or both texts");
  }
  if (bounds.min && bounds.max && bounds.min->is_number() && bounds.min->get<double>() > bounds.max->get<double>()) {
    kwargs.fail("'min_value' is above 'max_value'");
  }
  return bounds;
}

bool Bounds::hold(double value) const {
  if (min && (!min->is_number() || (strict_min ? value <= min->get<double>() : value < min->get<double>()))) {
    return false;
  }
  return !max || (max->is_number() && (strict_max ? value < max->get<double>() : value <= max->get<double>()));
}

bool Bounds::hold(const Cell& cell) const {
  const bool texts = (min && min->is_string()) || (max && max->is_string());
  if (!texts) {
    return cell.numeric && hold(cell.number);
  }
  if (cell.kind != Cell::Kind::kText) {
    return false;
  }
  if (min) {
    const int order = cell.text.compare(min->get_ref<const std::string&>());
    if (strict_min ? order <= 0 : order < 0) {
      return false;
    }
  }
  if (max) {
    const int order = cell.text.compare(max->get_ref<const std::string&>());
    return strict_max ? order < 0 : order <= 0;
  }
  return true;
}

std::string ValueSet::key(const Json& value) {
  if (value.is_number()) {
    const double number = value.get<double>();
    constexpr double kExact = 9007199254740992.0;
    return number == std::trunc(number) && std::abs(number) < kExact ? fmt::format("n{}", static_cast<int64_t>(number)) : fmt::format("n{}", number);
  }
  return value.is_string() ? "t" + value.get<std::string>() : base::dump_json(value);
}

ValueSet::ValueSet(const Json& list) {
  for (const Json& value : list) {
    if (keys_.insert(key(value)).second) {
      values_.push_back(value);
    }
  }
}

bool ValueSet::contains(const Cell& cell) const {
  if (cell.kind == Cell::Kind::kText) {
    return keys_.contains("t" + std::string(cell.text)) || (cell.numeric && keys_.contains(key(Json(cell.number))));
  }
  return keys_.contains(key(*cell.value));
}

Outcome MapCounts::outcome(bool about_missing) const {
  const int64_t elements = values_ + missing_;
  const auto percent = [](int64_t part, int64_t all) {
    return all == 0 ? Json(nullptr) : Json(100.0 * static_cast<double>(part) / static_cast<double>(all));
  };
  Outcome outcome;
  Json& result = outcome.result;
  result["element_count"] = elements;
  result["unexpected_count"] = unexpected_;
  result["unexpected_percent"] = percent(unexpected_, values_);
  result["partial_unexpected_list"] = list_;
  if (!about_missing) {
    result["missing_count"] = missing_;
    result["missing_percent"] = percent(missing_, elements);
    result["unexpected_percent_total"] = percent(unexpected_, elements);
    result["unexpected_percent_nonmissing"] = percent(unexpected_, values_);
  }
  std::vector<std::pair<Json, int64_t>> counted;
  for (const Json& value : list_) {
    const auto same = std::find_if(counted.begin(), counted.end(), [&](const auto& one) { return one.first == value; });
    same == counted.end() ? static_cast<void>(counted.emplace_back(value, 1)) : static_cast<void>(++same->second);
  }
  std::stable_sort(counted.begin(), counted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  Json counts = Json::array();
  for (const auto& [value, count] : counted) {
    counts.push_back({{"value", value}, {"count", count}});
  }
  result["partial_unexpected_counts"] = std::move(counts);
  result["partial_unexpected_index_list"] = rows_;
  outcome.success = values_ == 0 || static_cast<double>(values_ - unexpected_) / static_cast<double>(values_) >= mostly_;
  return outcome;
}

std::vector<uint64_t> LowestRows::sorted() const {
  std::priority_queue<uint64_t> copy = rows_;
  std::vector<uint64_t> all;
  for (; !copy.empty(); copy.pop()) {
    all.push_back(copy.top());
  }
  std::reverse(all.begin(), all.end());
  return all;
}

double Numbers::stdev() const { return count_ < 2 ? NAN : std::sqrt(squares_ / static_cast<double>(count_ - 1)); }

std::vector<double> Numbers::at_ranks(const std::vector<int64_t>& ranks) {
  std::vector<double> values;
  SortedStream<double> stream = sorter_.finish();
  double value = 0;
  int64_t at = -1;
  for (const int64_t rank : ranks) {
    while (at < rank && stream.next(value)) {
      ++at;
    }
    values.push_back(value);
  }
  sorter_.remove_runs();
  return values;
}

}  // namespace slipway::data
