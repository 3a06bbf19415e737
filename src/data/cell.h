// A value of a row, of JSON or of CSV, and sets of values. One thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "data/row_hash.h"

namespace slipway::data {

// A value of a row. Borrows the row.
struct Cell {
  enum class Kind { kNull, kBoolean, kNumber, kText, kOther };
  Kind kind = Kind::kNull;
  bool numeric = false;   // also a text of CSV that is a number: `number` is it
  bool of_csv = false;
  double number = 0;
  std::string_view text;        // of a text
  const Json* value = nullptr;  // of JSON

  bool is_null() const noexcept { return kind == Kind::kNull; }
  Json json() const;           // as it is shown; a number of CSV as a number
  std::string as_text() const; // as it is written
  Hash128 hash() const;
};

Cell cell_of(const Json& value);       // borrows it
Cell cell_of(std::string_view text);   // of CSV: empty is null

// Values of a set: texts, numbers, booleans; a number of CSV is in it as a text and as a number.
class ValueSet {
 public:
  explicit ValueSet(const Json& list);
  bool contains(const Cell& cell) const;
  const std::vector<Json>& values() const noexcept { return values_; }
  static std::string key(const Json& value);  // equal for 1 and 1.0

 private:
  std::vector<Json> values_;
  std::unordered_set<std::string> keys_;
};

}  // namespace slipway::data
