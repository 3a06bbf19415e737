// 128-bit hashes of rows, for comparing them: of the values, not of how they are written. The order of an object's members, white space,
// escapes and 1 against 1.0 make no difference; the order of a list does. For tables, never for trust.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/row_file.h"

namespace slipway::data {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  auto operator<=>(const Hash128&) const = default;
};

struct RowHash {
  Hash128 key;  // of the key's fields in their order; of the row when it has no key
  Hash128 row;
  bool keyed = false;   // all fields of the key are there
  bool broken = false;  // the line is no JSON object: its bytes are hashed
};

Hash128 hash_bytes(std::string_view bytes) noexcept;

class RowHasher {
 public:
  // Keys are members of the outer object, or columns; none: a row is its own key. Any thread.
  explicit RowHasher(std::vector<std::string> key) : key_(std::move(key)) {}
  const std::vector<std::string>& key() const noexcept { return key_; }
  RowHash of_json(std::string_view line) const;
  RowHash of_fields(std::span<const std::string> columns, std::span<const std::string_view> fields) const;
  RowHash of_line(std::string_view line) const;  // of a text

 private:
  std::vector<std::string> key_;
};

}  // namespace slipway::data
