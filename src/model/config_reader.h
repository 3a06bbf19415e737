// Values of a JSON object (a configuration, a request's parameters) with bounds: every failure names its source and
// key. The object is borrowed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace slipway::model {

class ConfigReader {
 public:
  ConfigReader(const base::Json& config, std::string source) : config_(config), source_(std::move(source)) {}

  // nullptr when the key is absent or null.
  const base::Json* find(const char* key) const;
  bool has(const char* key) const { return find(key) != nullptr; }
  // A whole number in [low, high] (384.0 is none); Error(kInvalid) when absent or otherwise.
  int size(const char* key, int low, int high) const;
  int size_or(const char* key, int fallback, int low, int high) const;
  double number_or(const char* key, double fallback, double low, double high) const;
  bool flag_or(const char* key, bool fallback) const;
  std::string text_or(const char* key, const std::string& fallback) const;
  // A list of exactly `count` numbers in [low, high].
  std::vector<float> numbers(const char* key, size_t count, double low, double high) const;
  [[noreturn]] void fail(const std::string& what) const;
  const std::string& source() const { return source_; }

 private:
  const base::Json& config_;
  std::string source_;
};

}  // namespace slipway::model
