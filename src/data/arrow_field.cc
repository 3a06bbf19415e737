#include "data/arrow_field.h"

#include <algorithm>
#include <fmt/format.h>

namespace slipway::data {
namespace {

constexpr int kMaxDepth = 16;
constexpr size_t kMaxFields = 10'000;

int64_t per_second(int unit) noexcept { return unit == 0 ? 1 : unit == 1 ? 1000 : unit == 2 ? 1'000'000 : 1'000'000'000; }

bool is_power(int width) noexcept { return width == 8 || width == 16 || width == 32 || width == 64; }

void check(bool good, const ArrowField& field) {
  if (!good) {
    throw BrokenFile(fmt::format("a column '{}' that cannot be", field.name.substr(0, 64)));
  }
}

// The type's own table: Schema.fbs, with the defaults that it gives.
void read_type(const FlatTable& type, ArrowField& field) {
  switch (field.type) {
    case ArrowType::kInt:
      field.width = type.number<int32_t>(0);
      field.is_signed = type.number<uint8_t>(1) != 0;
      check(is_power(field.width), field);
      break;
    case ArrowType::kFloat: field.width = 16 << std::clamp<int>(type.number<int16_t>(0), 0, 2); break;
    case ArrowType::kDecimal:
      field.scale = type.number<int32_t>(1);
      field.width = type.number<int32_t>(2, 128);
      check((field.width == 32 || field.width == 64 || field.width == 128 || field.width == 256) && field.scale >= 0 && field.scale <= 80, field);
      break;
    case ArrowType::kDate: field.width = type.number<int16_t>(0, 1) == 0 ? 32 : 64; break;
    case ArrowType::kTime:
      field.per_second = per_second(type.number<int16_t>(0, 1));
      field.width = type.number<int32_t>(1, 32);
      check(field.width == 32 || field.width == 64, field);
      break;
    case ArrowType::kTimestamp:
    case ArrowType::kDuration:
      field.per_second = per_second(type.number<int16_t>(0, static_cast<int16_t>(field.type == ArrowType::kDuration ? 1 : 0)));
      field.width = 64;
      break;
    case ArrowType::kFixedBinary:
    case ArrowType::kFixedList:
      field.width = type.number<int32_t>(0);
      check(field.width >= 0 && field.width <= (1 << 20), field);
      break;
    case ArrowType::kInterval:
    case ArrowType::kUnion:
    case ArrowType::kRunEnd:
      throw BrokenFile(fmt::format("the column '{}' is of intervals, unions or run-ends, which are not read", field.name.substr(0, 64)));
    default:
      if (field.type < ArrowType::kNull || field.type > ArrowType::kUtf8View) {
        throw BrokenFile(fmt::format("the column '{}' has type {}, which is not read", field.name.substr(0, 64), static_cast<int>(field.type)));
      }
  }
}

ArrowField read_field(const FlatTable& table, int depth, size_t& fields, ArrowSchema& schema) {
  if (++fields > kMaxFields || depth > kMaxDepth) {
    throw BrokenFile(fmt::format("more than {} columns or {} levels", kMaxFields, kMaxDepth));
  }
  ArrowField field;
  field.name = table.text(0);
  field.type = static_cast<ArrowType>(table.number<uint8_t>(2));
  read_type(table.table(3), field);
  const uint64_t n = table.count(5);
  if (field.is_list() && n != 1) {
    throw BrokenFile(fmt::format("the column '{}' has {} children", field.name.substr(0, 64), n));
  }
  for (uint64_t i = 0; i < n; ++i) {
    field.children.push_back(read_field(table.item(5, i), depth + 1, fields, schema));
  }
  if (const FlatTable encoding = table.table(4); encoding.valid()) {
    const auto id = encoding.number<int64_t>(0);
    const FlatTable index = encoding.table(1);
    ArrowField values = field;
    field.children.clear();
    field.type = ArrowType::kInt;
    field.width = index.valid() ? index.number<int32_t>(0) : 32;
    field.is_signed = !index.valid() || index.number<uint8_t>(1) != 0;
    field.dictionary = id;
    check(is_power(field.width) && id >= 0, field);
    schema.dictionaries.insert_or_assign(id, std::move(values));
  }
  return field;
}

}  // namespace

ArrowSchema read_arrow_schema(const FlatTable& schema) {
  if (schema.number<int16_t>(0) != 0) {
    throw BrokenFile("a big-endian file, which is not read");
  }
  ArrowSchema result;
  size_t fields = 0;
  for (uint64_t i = 0, n = schema.count(1); i < n; ++i) {
    result.fields.push_back(read_field(schema.item(1, i), 0, fields, result));
  }
  return result;
}

}  // namespace slipway::data
