#include "model/config_reader.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::model {

using base::Json;

void ConfigReader::fail(const std::string& what) const {
  throw base::Error(base::Code::kInvalid, fmt::format("{}: {}", source_, what));
}

const Json* ConfigReader::find(const char* key) const {
  const auto it = config_.is_object() ? config_.find(key) : config_.end();
  return it == config_.end() || it->is_null() ? nullptr : &*it;
}

int ConfigReader::size(const char* key, int low, int high) const {
  if (!has(key)) {
    fail(fmt::format("'{}' is missing", key));
  }
  return size_or(key, 0, low, high);
}

int ConfigReader::size_or(const char* key, int fallback, int low, int high) const {
  const Json* value = find(key);
  if (value == nullptr) {
    return fallback;
  }
  const bool whole = value->is_number_integer();
  // An unsigned number above INT64_MAX would read as a negative one.
  const bool huge = value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX;
  if (!whole || huge || value->get<int64_t>() < low || value->get<int64_t>() > high) {
    fail(fmt::format("'{}' must be a whole number between {} and {}, not {}", key, low, high,
                     base::dump_json(*value).substr(0, 40)));
  }
  return static_cast<int>(value->get<int64_t>());
}

double ConfigReader::number_or(const char* key, double fallback, double low, double high) const {
  const Json* value = find(key);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_number() || !(value->get<double>() >= low && value->get<double>() <= high)) {
    fail(fmt::format("'{}' must be a number between {} and {}, not {}", key, low, high,
                     base::dump_json(*value).substr(0, 40)));
  }
  return value->get<double>();
}

bool ConfigReader::flag_or(const char* key, bool fallback) const {
  const Json* value = find(key);
  if (value != nullptr && !value->is_boolean()) {
    fail(fmt::format("'{}' must be true or false", key));
  }
  return value == nullptr ? fallback : value->get<bool>();
}

std::string ConfigReader::text_or(const char* key, const std::string& fallback) const {
  const Json* value = find(key);
  if (value != nullptr && !value->is_string()) {
    fail(fmt::format("'{}' must be a text", key));
  }
  return value == nullptr ? fallback : value->get<std::string>();
}

std::vector<float> ConfigReader::numbers(const char* key, size_t count, double low, double high) const {
  const Json* value = find(key);
  if (value == nullptr || !value->is_array() || value->size() != count) {
    fail(fmt::format("'{}' must be a list of {} numbers", key, count));
  }
  std::vector<float> numbers;
  for (const Json& one : *value) {
    if (!one.is_number() || !(one.get<double>() >= low && one.get<double>() <= high)) {
      fail(fmt::format("'{}' must be a list of numbers between {} and {}", key, low, high));
    }
    numbers.push_back(one.get<float>());
  }
  return numbers;
}

}  // namespace slipway::model
