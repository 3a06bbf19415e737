// The schema of an Arrow file: a tree of fields a column. Internal. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/flatbuffer.h"

namespace slipway::data {

enum class ArrowType : uint8_t {  // numbers of the format (Schema.fbs)
  kNull = 1, kInt, kFloat, kBinary, kUtf8, kBool, kDecimal, kDate, kTime, kTimestamp, kInterval, kList, kStruct, kUnion, kFixedBinary, kFixedList,
  kMap, kDuration, kLargeBinary, kLargeUtf8, kLargeList, kRunEnd, kBinaryView, kUtf8View
};

struct ArrowField {
  std::string name;
  ArrowType type = ArrowType::kNull;
  int width = 0;  // bits of numbers, bytes or items of what is fixed
  bool is_signed = true;
  int scale = 0;
  int64_t per_second = 1000;
  int64_t dictionary = -1;  // its number; type is that of the indices
  std::vector<ArrowField> children;

  bool is_list() const noexcept {
    return type == ArrowType::kList || type == ArrowType::kLargeList || type == ArrowType::kFixedList || type == ArrowType::kMap;
  }
  bool is_text() const noexcept {
    return type == ArrowType::kBinary || type == ArrowType::kUtf8 || type == ArrowType::kLargeBinary || type == ArrowType::kLargeUtf8;
  }
  bool is_view() const noexcept { return type == ArrowType::kBinaryView || type == ArrowType::kUtf8View; }
  // Offsets of 64 bits in place of 32.
  bool is_wide() const noexcept { return type == ArrowType::kLargeBinary || type == ArrowType::kLargeUtf8 || type == ArrowType::kLargeList; }
};

struct ArrowSchema {
  std::vector<ArrowField> fields;
  std::map<int64_t, ArrowField> dictionaries;  // number -> what its values are
};

// Throws BrokenFile for what is broken or not read (big-endian files, intervals, unions, run-ends), saying what. Limits: 10,000 columns, 16
// levels.
ArrowSchema read_arrow_schema(const FlatTable& schema);

}  // namespace slipway::data
